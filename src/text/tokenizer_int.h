/* Inside of the tokenizer: vocabulary, merges, steps, added tokens, and the memory of one call. */
#ifndef SL_TEXT_TOKENIZER_INT_H
#define SL_TEXT_TOKENIZER_INT_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include "base/hash.h"
#include "base/json.h"
#include "text/tokenizer.h"
#include <pcre2.h>

enum {
    SL_TOKENIZER_IDS = 1 << 21,    /* ids are below; the largest published vocabulary has 2^18 */
    SL_TOKENIZER_TEXT = 1 << 28,   /* bytes of a text */
    SL_TOKENIZER_FILE = 256 << 20, /* bytes of a file */
    SL_TOKENIZER_GROWTH = 64       /* a text's bytes may grow by this factor, not more */
};

/* Bytes that grow; owned by whoever holds them: sl_bytes_close. */
typedef struct sl_bytes {
    char *at;
    size_t count, capacity;
} sl_bytes;
sl_status sl_bytes_add(sl_bytes *bytes, const void *data, size_t count) SL_MUSTUSE;
void sl_bytes_close(sl_bytes *bytes);

/* *out: text in normal form C, in *wide (code points, grown) or text itself. */
sl_status sl_nfc(sl_span *out, sl_span text, int32_t **wide, size_t *capacity);

/* Unicode's White_Space. */
int sl_is_space(int32_t point);

enum { SL_TOKEN_MODEL = 1, SL_TOKEN_ADDED = 2, SL_TOKEN_SPECIAL = 4 };

typedef struct sl_token {
    uint32_t at, bytes; /* in the pool */
    uint32_t kind;      /* bits; 0: no token has this id */
} sl_token;

typedef struct sl_vocab {
    sl_bytes pool;
    sl_token *token; /* (size), by id */
    size_t size;
    uint32_t *slot;       /* (mask + 1) open addressing by text: id + 1, 0 free */
    size_t mask, longest; /* bytes of the longest token of the model */
} sl_vocab;

/* Room for ids below size and at most count texts. */
sl_status sl_vocab_open(sl_vocab *vocab, size_t size, size_t count) SL_MUSTUSE;
void sl_vocab_close(sl_vocab *vocab);
/* A token that is there already gains the kind. Errors: SL_EFORMAT when text or id is taken by
 * another. */
sl_status sl_vocab_add(sl_vocab *vocab, const char *text, size_t bytes, int32_t id,
                       uint32_t kind) SL_MUSTUSE;
/* Id of a text of one of the kinds, -1: none. */
int32_t sl_vocab_find(const sl_vocab *vocab, const char *text, size_t bytes, uint32_t kind);

typedef struct sl_merge {
    uint64_t pair; /* left id << 32 | right id */
    uint32_t rank; /* lower merges first */
    int32_t id;    /* of the result */
} sl_merge;

typedef struct sl_merges {
    sl_merge *slot; /* (mask + 1) open addressing by pair; UINT64_MAX: free */
    size_t mask;
} sl_merges;

/* list: "a b" or ["a", "b"] each; rank is the index. */
sl_status sl_merges_open(sl_merges *merges, const sl_vocab *vocab, const sl_json *list) SL_MUSTUSE;
void sl_merges_close(sl_merges *merges);
const sl_merge *sl_merges_find(const sl_merges *merges, int32_t left, int32_t right); /* or NULL */

typedef struct sl_piece {
    size_t at, bytes; /* in the work's text; never empty */
} sl_piece;

typedef struct sl_pieces {
    sl_piece *at;
    size_t count, capacity;
} sl_pieces;

/* A stretch of text: an added token, or text between them. */
typedef struct sl_section {
    size_t at, bytes;
    int32_t id; /* -1: text */
} sl_section;

typedef struct sl_sections {
    sl_section *at;
    size_t count, capacity;
} sl_sections;

typedef struct sl_guards {
    sl_guard *at;
    size_t count, capacity;
} sl_guards;

typedef struct sl_symbol {
    int32_t id, previous, next; /* neighbours in the list, -1: none; id -1: merged away */
} sl_symbol;

typedef struct sl_candidate {
    uint32_t rank;
    int32_t at, id; /* left symbol, id of the result */
} sl_candidate;

typedef struct sl_text_work {
    sl_bytes text, next; /* the text now; where an edit builds the next one */
    sl_bytes normal;     /* a normalised section, while its parts pass through text */
    sl_pieces piece, out;
    sl_sections raw, inner;
    sl_guards inner_guard; /* in the normalised section */
    size_t limit_bytes;    /* of text */
    int is_start;          /* the first piece begins the whole text */
    int32_t *wide;         /* code points for normal forms */
    size_t wide_capacity;
    sl_symbol *symbol;
    sl_candidate *heap;
    size_t symbol_capacity, heap_capacity;
    pcre2_match_data *match;
    pcre2_match_context *limits;
} sl_text_work;

sl_status sl_text_work_open(sl_text_work *work, size_t text_bytes) SL_MUSTUSE;
void sl_text_work_close(sl_text_work *work);

/* A pattern of tokenizer.json (Oniguruma) as PCRE2 with the same meaning, else refused. */
sl_status sl_regex_open(pcre2_code **out, const char *pattern) SL_MUSTUSE;
/* The next match in text from *at: [*at, *end). *found 0: none. */
sl_status sl_regex_next(int *found, size_t *at, size_t *end, const pcre2_code *regex,
                        sl_text_work *work, sl_span text) SL_MUSTUSE;
/* PCRE2 takes memory from the allocator table. */
pcre2_general_context *sl_regex_memory(void); /* owned by the caller; NULL: none left */

typedef enum sl_when {
    SL_WHEN_ALWAYS,
    SL_WHEN_ABSENT, /* unless the piece begins with it */
    SL_WHEN_FIRST   /* the same, and only where the whole text begins */
} sl_when;

/* One primitive step; the file's parts are made of these. It reads the pieces of the work and
 * leaves new ones in work->out. */
typedef struct sl_step {
    sl_status (*run)(const struct sl_step *step, sl_text_work *work);
    pcre2_code *regex;
    char *from, *to; /* zero-terminated, NULL: not used */
    sl_when when;
    int is_single; /* each digit stands alone */
} sl_step;

typedef struct sl_steps {
    sl_step *at;
    size_t count, capacity;
} sl_steps;

sl_status sl_step_nfc(const sl_step *step, sl_text_work *work);
sl_status sl_step_prepend(const sl_step *step, sl_text_work *work);     /* to, when */
sl_status sl_step_replace(const sl_step *step, sl_text_work *work);     /* from, to */
sl_status sl_step_split_regex(const sl_step *step, sl_text_work *work); /* regex */
sl_status sl_step_split_text(const sl_step *step, sl_text_work *work);  /* from: stands alone */
sl_status sl_step_split_next(const sl_step *step, sl_text_work *work);  /* from: begins a piece */
sl_status sl_step_digits(const sl_step *step, sl_text_work *work);      /* is_single */
/* All steps on one text, which becomes one piece. */
sl_status sl_steps_run(const sl_steps *steps, sl_text_work *work, sl_span text) SL_MUSTUSE;
sl_status sl_text_work_piece(sl_text_work *work, size_t at,
                             size_t end) SL_MUSTUSE; /* to work->out */
void sl_steps_close(sl_steps *steps);

enum { SL_ADDED_SINGLE_WORD = 1, SL_ADDED_LSTRIP = 2, SL_ADDED_RSTRIP = 4, SL_ADDED_SPECIAL = 8 };

typedef struct sl_needle {
    size_t at, bytes; /* in the pool */
    int32_t id;
    unsigned flags;
} sl_needle;

typedef struct sl_needles {
    sl_bytes pool;
    sl_needle *at; /* sorted by text */
    size_t count, capacity;
    size_t first[257]; /* needles that begin with byte b are first[b] .. first[b + 1] - 1 */
    int has_special;
} sl_needles;

/* Splits text at added tokens, leftmost-longest, into out; special ones not in guards (count). */
sl_status sl_needles_split(sl_sections *out, const sl_needles *needles, sl_span text,
                           const sl_guard *guard, size_t count) SL_MUSTUSE;
void sl_needles_close(sl_needles *needles);

typedef struct sl_bpe {
    sl_merges merges;
    int32_t byte_id[256]; /* of the byte alphabet's characters; -1: none */
    int32_t hex_id[256];  /* of "<0xHH>"; -1: none */
    int32_t unk;          /* -1: none */
    int ignores_merges, falls_back, fuses_unk;
} sl_bpe;

typedef struct sl_edit {
    char *from, *to;
} sl_edit;

/* Decoding, in this order: edits of each token; bytes or byte tokens; cut at the start. */
typedef struct sl_decoding {
    sl_edit *edit;
    size_t edit_count, edit_capacity;
    char *metaspace; /* becomes a space; NULL: not used */
    int drops_first; /* the metaspace of the first token is dropped */
    int is_bytes;    /* tokens are in the byte alphabet */
    int falls_back;  /* <0xHH> are bytes */
    int is_fused;
    char *strip; /* one character; NULL: not used */
    int64_t strip_count;
    int is_joined; /* no decoder at all: a space between tokens */
} sl_decoding;

struct sl_tokenizer {
    sl_vocab vocab;
    sl_bpe bpe;
    sl_steps normalizer, pre;
    int is_byte_level; /* pieces become the byte alphabet */
    sl_needles raw, normalized;
    sl_ids prefix, suffix; /* of the post-processor */
    sl_decoding decoding;
    char hash[65];
};

/* A type of a section, and who reads it. Rows end with type NULL. */
typedef struct sl_part {
    const char *type;
    sl_status (*read)(sl_tokenizer *tokenizer, const sl_json *node);
} sl_part;
/* Reads node by its type; null and absent are nothing. Errors: SL_EUNSUPPORTED by name. */
sl_status sl_part_read(sl_tokenizer *tokenizer, const sl_part *parts,
                       const sl_json *node) SL_MUSTUSE;
sl_status sl_part_sequence(sl_tokenizer *tokenizer, const sl_part *parts, const sl_json *node,
                           const char *key) SL_MUSTUSE;
/* Text of {"String": ...}; *is_regex: {"Regex": ...}. */
sl_status sl_part_pattern(const char **out, int *is_regex, const sl_json *node) SL_MUSTUSE;

sl_status sl_load_normalizer(sl_tokenizer *tokenizer, const sl_json *node) SL_MUSTUSE;
sl_status sl_load_pre(sl_tokenizer *tokenizer, const sl_json *node) SL_MUSTUSE;
sl_status sl_load_post(sl_tokenizer *tokenizer, const sl_json *node) SL_MUSTUSE;
sl_status sl_load_decoding(sl_tokenizer *tokenizer, const sl_json *node) SL_MUSTUSE;
void sl_decoding_close(sl_decoding *decoding);
/* Vocabulary with the added tokens, then merges. */
sl_status sl_load_model(sl_tokenizer *tokenizer, const sl_json *model,
                        const sl_json *added) SL_MUSTUSE;
/* After the normalizer: how the added tokens are found. */
sl_status sl_load_added(sl_tokenizer *tokenizer, const sl_json *added) SL_MUSTUSE;

/* Ids of one piece. */
sl_status sl_bpe_encode(sl_ids *out, const sl_tokenizer *tokenizer, sl_text_work *work,
                        sl_span piece) SL_MUSTUSE;

/* The byte alphabet of byte-level tokenizers: a byte's character in UTF-8, 1 or 2 bytes, whose
 * count is returned; and byte of a code point, -1: not in it. */
size_t sl_alphabet_text(char out[2], unsigned char byte);
int sl_alphabet_byte(int32_t point);

#endif
