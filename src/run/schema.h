/* The schema of the run record: one row per column, for writer, reader, exporters and docs.
 *
 * A table is an array of fixed-size rows. In C a row is a struct (sl_row_steps, ...); on disk it is
 * packed, little-endian, columns in the order of the schema table, followed by its wide columns
 * (arrays whose width is a property of the run: top-k k, vocabulary V, ...). Undefined numbers are
 * NaN, unknown ids 0; NaN has one bit pattern on disk. A new column is a row here and a minor
 * version. */
#ifndef SL_RUN_SCHEMA_H
#define SL_RUN_SCHEMA_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

#define SL_SCHEMA_NAME "stageline-run"
#define SL_SCHEMA_MAJOR 1
#define SL_SCHEMA_MINOR 1

typedef enum sl_table {
    SL_TABLE_STEPS,
    SL_TABLE_PAIRS,
    SL_TABLE_GRAD_GROUPS,
    SL_TABLE_TOKENS,
    SL_TABLE_TOPK,
    SL_TABLE_PROBE,
    SL_TABLE_PAIR_GRAD,
    SL_TABLE_CANDIDATES,
    SL_TABLE_VOTES,
    SL_TABLE_BOUNDARY,
    SL_TABLE_EVALS,
    SL_TABLE_DECISIONS,
    SL_TABLE_NAMES,
    SL_TABLE_CLOCK,
    SL_TABLE_EVENTS,
    SL_TABLE_UNITS, /* made from COMMIT frames, never from rows: sl_run_row refuses it */
    SL_TABLE_COUNT
} sl_table;

typedef enum sl_type {
    SL_TYPE_I64,
    SL_TYPE_U64,
    SL_TYPE_I32,
    SL_TYPE_U32,
    SL_TYPE_U16,
    SL_TYPE_U8,
    SL_TYPE_F64,
    SL_TYPE_F32,
    SL_TYPE_F16, /* 15,10,5,0,10, bias 15; wide columns only; float in C */
    SL_TYPE_S64, /* 64 bytes UTF-8, zero-terminated */
    SL_TYPE_E8,  /* u8 with named values */
    SL_TYPE_COUNT
} sl_type;

/* Values of e8 columns: positions in the list of names, from 0. */
enum { SL_PHASE_SFT, SL_PHASE_PREFERENCE, SL_PHASE_REWARD };
enum { SL_ORIGIN_STATIC, SL_ORIGIN_ON_POLICY, SL_ORIGIN_OTHER }; /* source and origin columns */
enum { SL_SIDE_CHOSEN, SL_SIDE_REJECTED };
enum { SL_ROW_STOP_EOS, SL_ROW_STOP_LENGTH, SL_ROW_STOP_STRING, SL_ROW_STOP_ERROR };
enum { SL_ORDER_A_FIRST, SL_ORDER_B_FIRST };
enum { SL_PURPOSE_BOUNDARY, SL_PURPOSE_LABEL, SL_PURPOSE_EVALUATION };
enum { SL_VOTE_OK, SL_VOTE_TIMEOUT, SL_VOTE_INVALID, SL_VOTE_REFUSED };
enum { SL_STAGE_UNDECIDED, SL_STAGE_INJECTION, SL_STAGE_FINE_TUNING };
enum { SL_EVAL_OK, SL_EVAL_UNDEFINED, SL_EVAL_DEGENERATE, SL_EVAL_INVALID_INPUT };
enum { SL_ACTION_KEEP, SL_ACTION_STATIC, SL_ACTION_ON_POLICY, SL_ACTION_MIX, SL_ACTION_STOP };
enum { SL_OUTCOME_APPLIED, SL_OUTCOME_EXPIRED, SL_OUTCOME_REJECTED };
enum { SL_DECIDER_IN_PROCESS, SL_DECIDER_WATCH, SL_DECIDER_PERSON };
enum {
    SL_NAME_JUDGE,
    SL_NAME_SAMPLER,
    SL_NAME_GROUP,
    SL_NAME_EVAL,
    SL_NAME_RULE,
    SL_NAME_REASON,
    SL_NAME_KINDS
};
enum {
    SL_EVENT_START,
    SL_EVENT_RESUME,
    SL_EVENT_CHECKPOINT,
    SL_EVENT_SEAL,
    SL_EVENT_STALL,
    SL_EVENT_JUDGE_RESTART,
    SL_EVENT_WARNING,
    SL_EVENT_STOP
};
typedef enum sl_unit_kind {
    SL_UNIT_UPDATE,
    SL_UNIT_SAMPLES,
    SL_UNIT_VOTES,
    SL_UNIT_EVALS,
    SL_UNIT_CONTROL,
    SL_UNIT_KINDS
} sl_unit_kind;

/* Bits of pairs.flags. */
enum {
    SL_FLAG_CUT_PROMPT = 1,
    SL_FLAG_CUT_CHOSEN = 2,
    SL_FLAG_CUT_REJECTED = 4,
    SL_FLAG_NO_EOS = 8,
    SL_FLAG_DUPLICATE = 16,
    SL_FLAG_LABEL_TIE = 32
};

typedef struct sl_row_steps {
    int64_t step, samples, tokens;
    double epoch, loss, loss_nll, grad_norm, clip, learning_rate, param_norm, update_norm, margin,
        accuracy, entropy, mix_weight, noise_s, noise_g2;
    uint32_t pairs, pairs_on, step_tokens, iteration, flags;
    uint8_t phase;
} sl_row_steps;

typedef struct sl_row_pairs {
    int64_t step;
    uint64_t pair_id, prompt_id, chosen_id, rejected_id;
    double logp_c, logp_r, ref_logp_c, ref_logp_r, margin, loss, coef_c, coef_r;
    float score_c, score_r, label_p, weight;
    uint32_t tok_c, tok_r, tok_prompt, bytes_c, bytes_r, chars_c, chars_r, visit, iteration, flags;
    uint16_t judge;
    uint8_t source;
} sl_row_pairs;

typedef struct sl_row_grad_groups {
    int64_t step;
    float norm, max_abs, param_norm, update_ratio, norm_static, norm_on, cos_static_on, norm_c,
        norm_r, cos_c_r, sq_small;
    uint32_t shard_pairs, bad;
    uint16_t group;
} sl_row_grad_groups;

typedef struct sl_row_tokens {
    int64_t step;
    uint64_t pair_id;
    float logp, ref_logp, entropy, lse;
    int32_t token;
    uint32_t pos;
    uint8_t side;
} sl_row_tokens;

/* wide: id (k) u32, logp (k) float, descending */
typedef struct sl_row_topk {
    int64_t step;
    uint64_t pair_id;
    float rest;
    uint32_t pos;
    uint8_t side;
} sl_row_topk;

/* wide: logp (V) float */
typedef struct sl_row_probe {
    int64_t step;
    uint64_t probe_id;
    float lse, logp, entropy, max_logit;
    int32_t token;
    uint32_t pos;
} sl_row_probe;

/* wide: group_norm (G), group_cos (G), sketch, sketch_c, sketch_r (m), float */
typedef struct sl_row_pair_grad {
    int64_t step;
    uint64_t pair_id;
    float norm, norm_c, norm_r, cos_batch, cos_static, cos_on;
    uint8_t source;
} sl_row_pair_grad;

typedef struct sl_row_candidates {
    int64_t step;
    uint64_t candidate_id, prompt_id, text_hash;
    double logp;
    float temperature, top_p;
    uint32_t top_k, tokens, bytes, chars, iteration;
    uint16_t slot, sampler;
    uint8_t origin, stop;
} sl_row_candidates;

typedef struct sl_row_votes {
    int64_t step;
    uint64_t prompt_id, a_id, b_id, reply_hash;
    float vote, score_a, score_b;
    uint32_t chars_a, chars_b, tok_a, tok_b, measurement;
    uint16_t judge;
    uint8_t a_origin, b_origin, order, purpose, cut, status;
} sl_row_votes;

typedef struct sl_row_boundary {
    int64_t step;
    double bs, se, lower, upper, tau, delta, alpha, v_on, v_off, log_e_ft, log_e_inj, margin_static,
        margin_on, lc_bs;
    uint32_t measurement, prompts, votes, dropped, ties, max_prompts;
    uint16_t rule, judge;
    uint8_t stage, certified, final;
} sl_row_boundary;

typedef struct sl_row_evals {
    int64_t step;
    double value, se;
    uint32_t measurement, used, dropped;
    uint16_t eval, judge, replicate;
    uint8_t origin, status;
} sl_row_evals;

typedef struct sl_row_decisions {
    int64_t step;
    uint64_t decision_id;
    int64_t based_on, expiry;
    uint64_t rule_hash;
    double bs, lower, upper, mix_weight;
    uint32_t measurement, votes;
    uint16_t reason;
    uint8_t stage, action, outcome, decider;
} sl_row_decisions;

typedef struct sl_row_names {
    int64_t step;
    uint16_t index;
    uint8_t kind;
    char name[64];
} sl_row_names;

typedef struct sl_row_clock {
    int64_t step;
    double utc_s, mono_s;
    uint64_t queue_bytes, rss_bytes;
    float step_s, sample_s, judge_s, forward_s, backward_s, update_s, stall_s, norms_s, split_s,
        pair_grad_s;
    uint32_t stalls, dropped;
} sl_row_clock;

typedef struct sl_row_events {
    int64_t step;
    double value;
    uint64_t text_hash;
    uint8_t kind;
} sl_row_events;

/* wide: table_rows (tables before this one) u32, the unit's rows in each */
typedef struct sl_row_units {
    int64_t step;
    uint64_t seq;
    uint32_t rows, crc32c;
    uint8_t kind;
} sl_row_units;

/* The largest row struct, for a reader that does not know the table at compile time. */
typedef union sl_row_any {
    int64_t step;
    sl_row_steps steps;
    sl_row_pairs pairs;
    sl_row_grad_groups grad_groups;
    sl_row_tokens tokens;
    sl_row_topk topk;
    sl_row_probe probe;
    sl_row_pair_grad pair_grad;
    sl_row_candidates candidates;
    sl_row_votes votes;
    sl_row_boundary boundary;
    sl_row_evals evals;
    sl_row_decisions decisions;
    sl_row_names names;
    sl_row_clock clock;
    sl_row_events events;
    sl_row_units units;
} sl_row_any;

/* What sets the width of a wide column. */
typedef enum sl_width {
    SL_WIDTH_ONE, /* not wide: a member of the compound */
    SL_WIDTH_K,
    SL_WIDTH_VOCAB,
    SL_WIDTH_GROUPS,
    SL_WIDTH_SKETCH,
    SL_WIDTH_TABLES,
    SL_WIDTH_COUNT
} sl_width;
const char *sl_width_name(sl_width width); /* key in run.json "widths": "k", "vocab", ... */

/* Elements per row of each kind of wide column, fixed for a run; [SL_WIDTH_ONE] is 1 and
 * [SL_WIDTH_TABLES] is SL_TABLE_UNITS. 0: the run records none. */
typedef struct sl_layout {
    uint32_t width[SL_WIDTH_COUNT];
} sl_layout;
/* A layout without k, V, G and m: those widths are 0. */
sl_layout sl_layout_defaults(void);

typedef struct sl_column {
    sl_table table;
    const char *name;
    sl_type type;
    sl_width width;
    const char *unit;         /* "nat", "1", "s", "bytes", ... */
    const char *meaning;      /* one phrase */
    size_t offset;            /* in the row struct; a wide column has none: 0 */
    size_t size;              /* of the struct's member; wide: 0 */
    const char *const *names; /* e8: NULL-terminated list of the values' names, from 0 */
    unsigned since;           /* minor version */
} sl_column;

typedef struct sl_table_info {
    const char *name;
    const char *per;          /* one row per ... */
    int level;                /* recorded from this record.level on */
    int is_in_digest;         /* 0: depends on the clock or on crashes */
    size_t row_size;          /* of the C struct, bytes */
    const sl_column *columns; /* (column_count), wide ones last */
    size_t column_count;
} sl_table_info;

const sl_table_info *sl_table_get(sl_table table);
/* The table of that name; SL_TABLE_COUNT when there is none. */
sl_table sl_table_find(const char *name);
/* The columns of a table in order, the wide ones last; *count receives their number. A row struct
 * has its members in this order too, without gaps: its first sl_table_fixed_bytes are the packed
 * row (a test checks every column). */
const sl_column *sl_table_columns(sl_table table, size_t *count);
const sl_column *sl_column_find(sl_table table, const char *name); /* NULL: none */
size_t sl_table_wide_count(sl_table table);

const char *sl_type_name(sl_type type); /* "i64" */
size_t sl_type_bytes(sl_type type);     /* on disk */
/* Number of names of an e8 column; a stored value must be below it. */
size_t sl_column_values(const sl_column *column);

/* Bytes of a packed row without its wide columns (the compound), and with them (the journal). */
size_t sl_table_fixed_bytes(sl_table table);
size_t sl_table_packed_bytes(sl_table table, const sl_layout *layout);
/* Bytes of one wide column in a packed row, and where it begins in that row. index: 0, 1, ... */
size_t sl_wide_bytes(sl_table table, size_t index, const sl_layout *layout);
size_t sl_wide_offset(sl_table table, size_t index, const sl_layout *layout);

/* packed (sl_table_packed_bytes) = row, a struct of the table, and its wide columns: wide[i] has
 * layout's width elements of the column's C type (f16: float, rounded to nearest even). NaN is made
 * canonical; a name is cut to 63 bytes and zero-filled. wide may be NULL when there are none. */
void sl_row_pack(unsigned char *packed, sl_table table, const void *row, const void *const *wide,
                 const sl_layout *layout);
/* row (the table's struct) = the fixed part of packed. Values are as stored: an enumeration may be
 * out of range, see sl_row_check. */
void sl_row_unpack(void *row, sl_table table, const unsigned char *packed);
/* row (the table's struct) of which nothing is known: numbers NaN, counts, ids and enumerations 0,
 * columns that a later version adds included. */
void sl_row_blank(void *row, sl_table table);
/* Range checks of the fixed part: step >= 0, enumerations named, names zero-terminated UTF-8.
 * Errors: SL_EFORMAT "want ..., found ..." with place `column "NAME"`. */
sl_status sl_row_check(sl_table table, const unsigned char *packed) SL_MUSTUSE;
/* The step of a packed row. */
int64_t sl_row_step(const unsigned char *packed);

/* IEEE 754 binary16. */
uint16_t sl_f16_from_f32(float value);
float sl_f16_to_f32(uint16_t half);

/* The schema as text, one line per column: "TABLE.COLUMN TYPE[width]\n"; freed with sl_free. Stands
 * in START frames. */
sl_status sl_schema_text(char **out) SL_MUSTUSE;

#endif
