/* What fuzz targets share. A target is a file with libFuzzer's entry and a row t_fuzz; fuzz.c is
 * its driver where libFuzzer is not: it replays the files of a corpus and pseudo-random changes of
 * them. usage: TARGET [-n CHANGES] FILE... */
#ifndef SL_TESTS_FUZZ_H
#define SL_TESTS_FUZZ_H

#include "base/rng.h"
#include <stddef.h>
#include <stdint.h>

enum {
    T_FUZZ_BYTES = 16384, /* of a seed; a changed one may have twice as many */
    T_FUZZ_LEAST = 8      /* below this libFuzzer begins anew with the seed that is made */
};

typedef struct t_fuzz_target {
    const char *name;  /* of the random stream */
    const char *spice; /* bytes that mean something to the reader */
    long changes;      /* how many, unless -n says */
    /* Another change, made every second time: rewrites text (n bytes, room for 2 T_FUZZ_BYTES) and
     * returns its length. NULL: none. */
    size_t (*change)(char *text, size_t n, sl_rng *rng);
    size_t (*make)(char *to); /* a seed (at most T_FUZZ_BYTES) beside the files; NULL: none */
} t_fuzz_target;
extern const t_fuzz_target t_fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Inputs that were read and that were refused; of each there must be some. */
extern size_t t_fuzz_opened, t_fuzz_refused;
/* Counts one: is_open, or refused with one of the reader's errors and a message, which is cleared.
 */
void t_fuzz_count(int is_open);
/* A folder for files of the target; it goes away in the end. */
const char *t_fuzz_folder(void);
/* Those bytes as folder/name. */
void t_fuzz_write(const char *name, const void *bytes, size_t count);
/* Aborts with what was wanted and the error's text. */
void t_expect(int is_true, const char *what);

#endif
