/* A file of pairs in memory. */
#ifndef SL_DATASETS_FILE_INT_H
#define SL_DATASETS_FILE_INT_H

#include "datasets/audit.h"
#include "datasets/data_int.h"
#include "datasets/format.h"

#define SL_BLANKS " \t\r\n\v\f" /* white space around words */

typedef struct file_part {
    size_t first; /* in token */
    size_t text;  /* its words in text; SIZE_MAX: none are kept */
    uint32_t count, bytes, chars;
    uint64_t id;
} file_part;

typedef struct file_record {
    file_part part[SL_PARTS];
    uint64_t id, swapped_id,
        prompt_id;     /* swapped_id: that of the same pair with its sides swapped */
    uint64_t words_id; /* of the prompt's words without the white space around them */
    uint64_t line;
    float score[2]; /* of chosen, rejected */
    float label_p;
    double ref_logp[2]; /* of chosen, rejected, nats; NaN: none */
    uint32_t parts;     /* that it has */
    int is_repeat;      /* stands in an earlier row too */
    uint32_t flags;
} file_record;

typedef struct file_state {
    int32_t *token; /* all tokens of all records */
    size_t token_count, token_capacity;
    char *text; /* all words, each text with a zero behind it */
    size_t text_bytes, text_capacity;
    file_record *record;
    size_t count, capacity;
    uint32_t *train, *probe; /* (train_count), (probe_count) indices of records */
    uint32_t *order;         /* (train_count) permutation of train; reading remakes it, so a handle
                              * belongs to one thread */
    size_t train_count, probe_count;
    int64_t ordered_iteration; /* that `order` belongs to; -1: none */
    uint64_t seed;
    uint64_t line; /* that is being read, from 1 */
    int is_in_file_order, keeps_text;
    sl_fault_tally tally[SL_FAULTS];
    const sl_audit_settings *audit; /* NULL: a faulty row is refused; else it is only counted */
    int32_t begin[4];               /* of an audit: what the tokenizer puts before a text */
    size_t begin_count, format_rows[SL_FORMATS];
} file_state;

/* Opens a file; audit (borrowed until the call returns) or NULL. */
sl_status sl_file_open(sl_data **out, const sl_file_settings *settings,
                       const sl_audit_settings *audit) SL_MUSTUSE;
/* Counts a fault of a row, and keeps its place if it is among the first. */
void sl_file_count(file_state *f, sl_fault fault, uint64_t line, const char *field,
                   const char *what);
/* Whether it is the audit's stand-in for a tokenizer. */
int sl_audit_is_stand_in(const sl_encoder *encoder);
/* Of an audit, before the first row: what the tokenizer puts before a text. */
sl_status sl_audit_begin(file_state *f) SL_MUSTUSE;
/* What only an audit looks at, before the length rules. */
sl_status sl_audit_row(file_state *f, const sl_raw *raw) SL_MUSTUSE;
/* Encodes a row, applies the length rules, appends it. Rows that the rules drop are counted. */
sl_status sl_file_add_row(sl_data *data, const sl_file_settings *settings,
                          const sl_json *row) SL_MUSTUSE;
/* Flags and counts pairs that stand twice or swapped, and pairs of equal answers. */
sl_status sl_file_count_repeats(sl_data *data) SL_MUSTUSE;
/* Train pairs in file order; one probe of each prompt held out. share in [0,1) of the prompts. */
sl_status sl_file_split(sl_data *data, double share) SL_MUSTUSE;

#endif
