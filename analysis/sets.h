/* Sets of answers from files: a set is what one file (one name, step and origin of it) has for its
 * prompts. One pass over the rows: metrics of a prompt are computed when its row is read, several
 * prompts at once, and go into sums in the order of the file, so that the number of threads changes
 * nothing. Kept are, for every prompt, its scores, for comparing two sets, and the texts of a
 * seeded draw of prompts, one answer each, for metrics of a corpus; embeddings and texts of all
 * others are let go.
 *
 * The formats are a table (sets_read.c). Rows that are wrong are bad in the sense of rows.h. */
#ifndef SL_ANALYSIS_SETS_H
#define SL_ANALYSIS_SETS_H

#include "analysis/answers.h"
#include "analysis/contrast.h"
#include "analysis/id_map.h"
#include "analysis/length_line.h"
#include "analysis/rows.h"
#include "analysis/votes.h"

enum { SL_CORPUS_MOST = 8192, SL_CORPUS_USUAL = 1000, SL_ANSWERS_MOST = 1024, SL_SETS_MOST = 4096 };

typedef struct sl_sets_settings {
    const char *tokens; /* as sl_splitter_open has it; NULL: "space" */
    double vocabulary;  /* NaN: the splitter's */
    size_t take;        /* first answers of a prompt, prompts with fewer are dropped; 0: all */
    double cut;         /* answers are cut to this percentile of lengths in tokens; NaN: whole */
    size_t corpus;      /* prompts of the corpus at most */
    uint64_t seed;      /* of the draw of the corpus */
    double beta;        /* of the tilt */
    size_t residual;    /* 1: the document has metrics at equal length */
    int is_soft;        /* boundary score by sigmoid of score differences instead of by sign */
    const sl_rows_limit *limit;
    int is_shuffled;                         /* prompts go to the test in an order by seed */
    void (*tick)(void *state, size_t bytes); /* after a batch; NULL: silent */
    void *tick_state;
} sl_sets_settings;
sl_sets_settings sl_sets_settings_defaults(void);

struct sl_splitter; /* splitter.h */

/* What is kept of a prompt for comparing sets. */
typedef struct sl_kept_prompt {
    uint64_t prompt;
    size_t first; /* of its scores */
    uint32_t scores;
    float chars;    /* mean characters */
    double entropy; /* mean of -log p; NaN: unknown */
} sl_kept_prompt;

typedef struct sl_corpus sl_corpus; /* sets_corpus.c */

typedef struct sl_answer_set {
    char *name;
    int64_t step;
    int has_step, origin; /* SL_ORIGIN_*; OTHER: the rows do not say */
    size_t input;
    size_t prompts, answers, least, most; /* answers of a prompt */
    size_t short_prompts;                 /* dropped: fewer answers than are taken */
    size_t unscored;                      /* answers without a score where others have one */
    unsigned known, has_all;              /* needs that some prompt has; that all have */
    sl_sums sums[SL_METRIC_COUNT];
    sl_length_sums by_length[SL_METRIC_COUNT]; /* of the same prompts, with mean tokens */
    double corpus_value[SL_METRIC_COUNT];
    unsigned corpus_known;
    size_t corpus_used;
    sl_corpus *corpus;
    sl_id_map seen; /* prompt -> 1 + index of kept */
    sl_kept_prompt *kept;
    double *score;
    size_t kept_capacity, scores, score_capacity;
    sl_sums score_sums;
} sl_answer_set;

typedef struct sl_sets_input {
    char *path;
    sl_rows read;
} sl_sets_input;

typedef struct sl_answer_sets {
    sl_sets_settings settings;
    struct sl_splitter *splitter;
    sl_answer_set *set;
    size_t sets, set_capacity;
    sl_sets_input *input;
    size_t inputs, input_capacity;
    sl_prompt_names names;
    size_t cut_tokens; /* of settings.cut; 0: whole */
    int has_vectors;
} sl_answer_sets;

sl_status sl_sets_open(sl_answer_sets *sets, const sl_sets_settings *settings) SL_MUSTUSE;
void sl_sets_close(sl_answer_sets *sets);

/* Whether the first row that can be read is one of answers; stdin is not looked at. */
sl_status sl_sets_recognise(int *out, const char *path) SL_MUSTUSE;
/* Counts the lengths of a file, for settings.cut; then sl_sets_settle_cut. */
typedef struct sl_lengths {
    uint64_t *times; /* (count) by tokens */
    size_t count, capacity;
} sl_lengths;
sl_status sl_sets_count_lengths(sl_lengths *lengths, const sl_answer_sets *sets,
                                const char *path) SL_MUSTUSE;
void sl_sets_settle_cut(sl_answer_sets *sets, sl_lengths *lengths); /* gives the lengths back */
/* Adds the sets of a file. embeddings: a .npy file with a row an answer, in the order of the file;
 * NULL: those of the rows, where they have some. Errors: as sl_votes_read. */
sl_status sl_sets_read(sl_answer_sets *sets, const char *path, const char *embeddings) SL_MUSTUSE;
/* Adds the candidates of all measurements of a run: two sets each, named SL_RUN_SET_NAME. Texts
 * that the record does not hold leave their metrics undefined. */
#define SL_RUN_SET_NAME "measurement %u"
sl_status sl_sets_read_run(sl_answer_sets *sets, sl_reader *reader) SL_MUSTUSE;
/* That set of a run; NULL: there is none. */
const sl_answer_set *sl_sets_of_run(const sl_answer_sets *sets, uint32_t measurement, int origin);
/* Mean over prompts of a metric. */
sl_value sl_sets_prompt_value(const sl_answer_set *set, sl_metric_id metric);
/* After the last file: metrics of the corpora. */
sl_status sl_sets_finish(sl_answer_sets *sets) SL_MUSTUSE;
/* Bytes that are kept. */
size_t sl_sets_bytes(const sl_answer_sets *sets);

/* Two sets on their common prompts, in the order of `on`. */
typedef struct sl_sets_contrast {
    size_t common, only_on, only_off;
    sl_value value[SL_CONTRAST_COUNT];
    sl_vote_set votes; /* a vote a common prompt with scores: its boundary score */
} sl_sets_contrast;
sl_status sl_sets_contrast_of(sl_sets_contrast *out, const sl_answer_sets *sets, size_t on,
                              size_t off) SL_MUSTUSE;
void sl_sets_contrast_close(sl_sets_contrast *contrast);

/* stageline.candidates/1: inputs, choices, sets with their metrics; contrasts of the on-policy and
 * the static answers of a file and, of two files with a set each, of the first against the second.
 */
sl_status sl_sets_json(sl_json **document, const sl_answer_sets *sets) SL_MUSTUSE;
/* Its keys "sets" and "contrasts" alone. */
sl_status sl_sets_put(sl_json *to, const sl_answer_sets *sets) SL_MUSTUSE;

#endif
