/* Long strings of the record: one JSON line each, {"hash","kind","id","name","text"}, in
 * texts-N.jsonl beside journal N, gzip'ed when it is sealed. Found by hash (16 hex digits, the
 * sl_hash_id of the text), checked by it. */
#ifndef SL_RUN_TEXTS_H
#define SL_RUN_TEXTS_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

enum { SL_TEXT_LINE_MAX = 64 << 20 }; /* bytes */

typedef struct sl_text {
    uint64_t hash;
    char *kind, *id, *name, *text; /* owned; "" when absent */
} sl_text;

/* *line = one line with its line break, freed with sl_free. id and name may be NULL. */
sl_status sl_text_line_make(char **line, size_t *bytes, uint64_t hash, const char *kind,
                            const char *id, const char *name, const char *text) SL_MUSTUSE;
/* Reads one line (without line break) and checks that hash is the text's. */
sl_status sl_text_line_read(sl_text *out, const char *line, size_t bytes) SL_MUSTUSE;
void sl_text_close(sl_text *text);

/* Compresses the first `bytes` bytes of RANK/texts-N.jsonl to texts-N.jsonl.gz (mtime 0, temporary
 * file, fsync, rename). *gz_bytes and sha256 (65) describe the .gz. bytes = 0: makes none, gives 0
 * and "". Leaves the .jsonl alone. */
sl_status sl_texts_seal(uint64_t *gz_bytes, char *sha256, const char *rank_folder, uint32_t number,
                        uint64_t bytes) SL_MUSTUSE;

#endif
