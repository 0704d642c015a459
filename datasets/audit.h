/* What is wrong with a data file before anything is trained on it. Every kind of fault is a row of
 * a table; the reader of files counts by the same table, so what `train` refuses and what an audit
 * finds are one thing. */
#ifndef SL_DATASETS_AUDIT_H
#define SL_DATASETS_AUDIT_H

#include "datasets/data.h"

typedef enum sl_fault {
    SL_FAULT_NOT_UTF8,
    SL_FAULT_UNREADABLE,
    SL_FAULT_NO_PAIR,
    SL_FAULT_PREFIX_MISMATCH,
    SL_FAULT_DOUBLE_BOS,
    SL_FAULT_EOS_MISSING,
    SL_FAULT_PROBE_OVERLAP,
    SL_FAULT_EMPTY,
    SL_FAULT_TIE,
    SL_FAULT_TOO_LONG,
    SL_FAULT_CUT_PROMPT,
    SL_FAULT_CUT_CHOSEN,
    SL_FAULT_CUT_REJECTED,
    SL_FAULT_CONTRADICTION,
    SL_FAULT_DUPLICATE,
    SL_FAULT_SAME_ANSWERS,
    SL_FAULT_SCORE_ORDER,
    SL_FAULT_LENGTH_BIAS,
    SL_FAULT_SPECIAL_IN_TEXT,
    SL_FAULT_BOS_IN_TEXT,
    SL_FAULT_BLANK_ANSWER,
    SL_FAULT_LEADING_BLANK,
    SL_FAULT_LONGEST,
    SL_FAULTS
} sl_fault;

typedef enum sl_severity { SL_SEVERITY_ERROR, SL_SEVERITY_WARNING, SL_SEVERITY_NOTE } sl_severity;
extern const char *const sl_severity_names[];

typedef struct sl_fault_kind {
    const char *name; /* "prefix-mismatch" */
    sl_severity severity;
    const char *what; /* a sentence: what it is and what it does */
    unsigned allow;   /* SL_ALLOW_ that keeps such rows; 0: none */
} sl_fault_kind;
const sl_fault_kind *sl_fault_kind_of(sl_fault fault);
/* The table's, but a warning where the fault is allowed. */
sl_severity sl_fault_severity(sl_fault fault, unsigned allows);

enum { SL_FAULT_PLACES = 3 };
typedef struct sl_fault_place {
    uint64_t line;     /* of the file, from 1; in a file that is one JSON list: place in it */
    const char *field; /* NULL: the whole row */
    char what[120];    /* more about it; may be empty */
} sl_fault_place;

typedef struct sl_fault_tally {
    size_t count; /* rows */
    sl_fault_place place[SL_FAULT_PLACES];
    size_t place_count;
} sl_fault_tally;

/* Pairs by the length of their answers, and mean lengths over pairs. */
typedef struct sl_audit_lengths {
    size_t chosen_longer, chosen_shorter, equal; /* characters of words */
    double chosen_chars, rejected_chars, prompt_chars;
    double chosen_tok, rejected_tok, prompt_tok; /* NaN without a tokenizer */
} sl_audit_lengths;

enum { SL_AUDIT_FORMATS = 16 };
typedef struct sl_audit {
    sl_fault_tally tally[SL_FAULTS];
    sl_data_report report;
    size_t prompts; /* different ones */
    struct {
        const char *name;
        size_t rows;
    } format[SL_AUDIT_FORMATS]; /* that occur */
    size_t format_count;
    sl_audit_lengths lengths;
    int has_tokens; /* 0: text was counted in bytes, for want of a tokenizer */
    char hash[65];  /* of the file, as sl_data_hash */
} sl_audit;

typedef struct sl_audit_settings {
    sl_file_settings file; /* rows are never refused; encoder NULL: a byte is a token, length
                            * rules and checks of tokens are off */
    const char *probe;     /* a second file whose prompts must not stand in the first; or NULL */
    /* Whether text holds tokens that are more than text; state: the encoder's. NULL: unknown. */
    sl_status (*has_special)(void *state, int *out, const char *text);
} sl_audit_settings;

/* Reads the whole file; rows that cannot be read are findings. What it gives owns nothing. Errors:
 * those of sl_data_open_file but for rows; SL_EFORMAT for a file without a row that can be read. */
sl_status sl_audit_file(sl_audit *out, const sl_audit_settings *settings) SL_MUSTUSE;

#endif
