/* Between the readers of sets, the batch that measures prompts, and the corpus. */
#ifndef SL_ANALYSIS_SETS_INT_H
#define SL_ANALYSIS_SETS_INT_H

#include "analysis/metric.h"
#include "analysis/npy.h"
#include "analysis/sets.h"
#include "analysis/splitter.h"
#include "analysis/summary.h"

/* Columns of numbers of a group, one an answer; NaN: unknown. */
enum {
    SL_GROUP_SCORE,
    SL_GROUP_LOGP,
    SL_GROUP_REF_LOGP,
    SL_GROUP_LENGTH, /* tokens behind the log-probability */
    SL_GROUP_CHARS,
    SL_GROUP_COLUMNS
};

/* The answers of one prompt in one set, on their way. Memory is used again. */
typedef struct sl_group {
    size_t set, n;
    uint64_t prompt;
    char *raw; /* texts joined by one newline */
    size_t raw_bytes, raw_capacity;
    size_t *end; /* (n) of each text in raw */
    uint64_t *id;
    double *column[SL_GROUP_COLUMNS];
    size_t *token_first; /* (n + 1) */
    double *token_logp, *token_entropy, *vector, *win;
    size_t end_capacity, id_capacity, column_capacity[SL_GROUP_COLUMNS], first_capacity,
        logp_capacity, entropy_capacity, vector_capacity, win_capacity, dim;
    unsigned has; /* SL_NEEDS_* that every answer so far has */
    int has_vector;
    sl_texts texts;
    sl_answers answers; /* of what is above */
} sl_group;
void sl_group_clear(sl_group *group);
void sl_group_close(sl_group *group);

/* One answer as it is read; unknown numbers are NaN, unknown texts and lists NULL. chars NaN: those
 * of the text. */
typedef struct sl_one_answer {
    const char *text;
    size_t bytes;
    double score, logp, ref_logp, length, chars;
    const sl_json *token_logps, *token_entropies, *vector;
} sl_one_answer;
sl_one_answer sl_one_answer_unknown(void);
/* Errors: SL_EFORMAT for lists of another shape; the group is then to be cleared. */
sl_status sl_group_add(sl_group *group, const sl_one_answer *answer) SL_MUSTUSE;
/* Appends answer i of another group, numbers, lists and vector with it. */
sl_status sl_group_copy(sl_group *to, const sl_group *from, size_t i) SL_MUSTUSE;
/* Splits the texts, cuts them and points answers at what is known. */
sl_status sl_group_settle(sl_group *group, const sl_answer_sets *sets) SL_MUSTUSE;

/* The draw of a corpus: of all prompts those with the smallest hashes of (seed, prompt). */
sl_status sl_corpus_open(sl_corpus **out, const sl_sets_settings *settings) SL_MUSTUSE;
void sl_corpus_close(sl_corpus **corpus);
sl_status sl_corpus_offer(sl_corpus *corpus, const sl_group *group) SL_MUSTUSE;
size_t sl_corpus_bytes(const sl_corpus *corpus);
sl_status sl_corpus_measure(sl_answer_set *set, const sl_answer_sets *sets,
                            sl_answers_work *work) SL_MUSTUSE;

/* Of the errors of many threads the one of the first item is told, whoever met it. */
typedef struct sl_first_error {
    size_t at; /* SIZE_MAX: none */
    sl_err_record record;
} sl_first_error;
sl_first_error sl_first_error_none(void);
/* Takes the error record of this thread for item i. */
void sl_first_error_note(sl_first_error *first, size_t i);
sl_status sl_first_error_tell(const sl_first_error *first);

/* A file on its way through a batch of groups. */
typedef struct sl_batch sl_batch;
sl_status sl_batch_open(sl_batch **out, sl_answer_sets *sets) SL_MUSTUSE;
void sl_batch_close(sl_batch **batch);
enum { SL_ROW_GROUPS = 2 }; /* of a row at most: the static answers, the on-policy ones */
/* Makes room for the groups of one row; the batch is measured first where there is none. */
sl_status sl_batch_room(sl_batch *batch) SL_MUSTUSE;
/* An empty group for a prompt of a set. */
sl_group *sl_batch_group(sl_batch *batch, size_t set, uint64_t prompt);
/* Takes the last `count` groups back. */
void sl_batch_undo(sl_batch *batch, size_t count);
/* Counts lengths instead of measuring. */
void sl_batch_count_lengths(sl_batch *batch, sl_lengths *lengths);
sl_status sl_lengths_add(sl_lengths *lengths, const sl_texts *texts) SL_MUSTUSE;
sl_status sl_batch_flush(sl_batch *batch) SL_MUSTUSE;

typedef struct sl_set_key {
    const char *name;
    int64_t step;
    int has_step, origin;
    size_t input;
} sl_set_key;
/* *index of the set of that key, made when it is new. */
sl_status sl_sets_find(size_t *index, sl_answer_sets *sets, const sl_set_key *key) SL_MUSTUSE;

/* Reading of one file. */
typedef struct sl_set_file {
    sl_answer_sets *sets;
    sl_batch *batch;
    sl_npy *npy; /* NULL: embeddings of the rows, if any */
    size_t input;
    char name[256];
    double *vector; /* (npy dim) */
} sl_set_file;

/* One row on its way. */
typedef struct sl_set_row {
    sl_set_file *file;
    const sl_json *json;
    sl_set_key key;
    uint64_t prompt;
    sl_group *group[SL_ROW_GROUPS];
    size_t groups;
} sl_set_row;
/* Whether some format recognises it. */
int sl_set_row_is(const sl_json *row);
/* Fills groups of the batch; on failure they are to be taken back. Errors: SL_EFORMAT; SL_EIO when
 * the embeddings end. */
sl_status sl_set_row_read(sl_set_row *row) SL_MUSTUSE;

#endif
