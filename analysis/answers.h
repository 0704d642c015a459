/* Metrics of a set of answers: the candidates of one prompt, or one candidate a prompt (a corpus).
 * `sl_metrics` is the table: a row a metric with what it needs, unit, range, source and levels.
 * `sl_answers_measure` gives all values that the inputs allow; sums over prompts give mean,
 * standard error, numbers and status. Labels: docs/math.md, "Metrics". */
#ifndef SL_ANALYSIS_ANSWERS_H
#define SL_ANALYSIS_ANSWERS_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

struct sl_texts; /* analysis/metric.h */

/* What is known of n answers; NULL: unknown. All borrowed. */
typedef struct sl_answers {
    size_t n;
    const struct sl_texts *texts; /* (n) tokens */
    const char *raw;              /* the texts joined by one newline */
    size_t raw_bytes;
    const double *vector; /* (n, dim) embeddings */
    size_t dim;
    const double *score;         /* (n) log-odds of a judge or a reward model; NaN: unknown */
    const double *win;           /* (n, n) P(row beats column) */
    const double *logp;          /* (n) sums over tokens under the law drawn from, nats */
    const double *ref_logp;      /* (n) the same under a reference */
    const double *length;        /* (n) tokens of these sums */
    const uint64_t *id;          /* (n) equal: equal texts */
    const double *token_logp;    /* (token_first[n]) */
    const double *token_entropy; /* (token_first[n]) of the law at each token, nats */
    const size_t *token_first;   /* (n + 1) */
} sl_answers;

enum {
    SL_NEEDS_TEXT = 1,
    SL_NEEDS_VOCABULARY = 2,
    SL_NEEDS_SCORES = 4,
    SL_NEEDS_WINS = 8,
    SL_NEEDS_LOGPS = 16,
    SL_NEEDS_REFERENCE = 32,
    SL_NEEDS_TOKEN_LOGPS = 64,
    SL_NEEDS_TOKEN_ENTROPIES = 128
};
enum { SL_LEVEL_PROMPT = 1, SL_LEVEL_CORPUS = 2 };

/* Positions in an answer, for what changes along it (docs/math.md A9): 0 to 7, 8 to 63, from 64. */
enum { SL_BUCKETS = 3 };
size_t sl_bucket_of(size_t position);
extern const char *const sl_bucket_names[SL_BUCKETS];

/* In the order of the table. */
typedef enum sl_metric_id {
    SL_METRIC_TOKENS,
    SL_METRIC_DISTINCT_1,
    SL_METRIC_DISTINCT_2,
    SL_METRIC_DISTINCT_3,
    SL_METRIC_DISTINCT_4,
    SL_METRIC_EAD_1,
    SL_METRIC_EAD_MEAN,
    SL_METRIC_SELF_BLEU_2,
    SL_METRIC_SELF_BLEU_4,
    SL_METRIC_ENTROPY_1,
    SL_METRIC_ENTROPY_1_SHARE,
    SL_METRIC_ENTROPY_1_MM,
    SL_METRIC_ENTROPY_2,
    SL_METRIC_ZLIB,
    SL_METRIC_LZ78,
    SL_METRIC_LZ76,
    SL_METRIC_COSINE,
    SL_METRIC_COSINE_NEAREST,
    SL_METRIC_INTERNAL,
    SL_METRIC_VENDI_1,
    SL_METRIC_VENDI_2,
    SL_METRIC_VENDI_INF,
    SL_METRIC_VENDI_SHARE,
    SL_METRIC_RANK,
    SL_METRIC_RANK_SQUARES,
    SL_METRIC_PARTICIPATION,
    SL_METRIC_STABLE_RANK,
    SL_METRIC_TOKEN_ENTROPY,
    SL_METRIC_TOKEN_ENTROPY_MEAN,
    SL_METRIC_TOKEN_ENTROPY_FIRST,
    SL_METRIC_TOKEN_ENTROPY_MIDDLE,
    SL_METRIC_TOKEN_ENTROPY_LATE,
    SL_METRIC_SURPRISAL_FIRST,
    SL_METRIC_SURPRISAL_MIDDLE,
    SL_METRIC_SURPRISAL_LATE,
    SL_METRIC_MC_ENTROPY,
    SL_METRIC_MC_ENTROPY_TOKEN,
    SL_METRIC_MC_ENTROPY_TOKEN_MEAN,
    SL_METRIC_HILL_1,
    SL_METRIC_HILL_2,
    SL_METRIC_LOGP_GAP,
    SL_METRIC_LOGP_GAP_TOKEN,
    SL_METRIC_COLLISIONS,
    SL_METRIC_SEEN_MASS,
    SL_METRIC_REWARD,
    SL_METRIC_REWARD_SD,
    SL_METRIC_REWARD_GAP,
    SL_METRIC_BEST_OF_2,
    SL_METRIC_BEST_OF_4,
    SL_METRIC_BEST_OF_8,
    SL_METRIC_BEST_OF_16,
    SL_METRIC_HEADROOM,
    SL_METRIC_VOTE_MARGIN,
    SL_METRIC_STRENGTH_SD,
    SL_METRIC_KL_1,
    SL_METRIC_KL_2,
    SL_METRIC_KL_3,
    SL_METRIC_COUNT
} sl_metric_id;

typedef struct sl_metric {
    const char *name, *label, *unit;
    double lowest, highest; /* range */
    unsigned needs, levels;
    const char *source, *meaning;
} sl_metric;
extern const sl_metric sl_metrics[SL_METRIC_COUNT];
const sl_metric *sl_metric_find(const char *name); /* NULL: none */

typedef struct sl_answers_settings {
    double vocabulary; /* of the tokens; NaN: unknown */
    int level;         /* SL_LEVEL_PROMPT, SL_LEVEL_CORPUS; a corpus is centered for A8 */
} sl_answers_settings;

/* Memory of one thread, used again for every set. */
typedef struct sl_answers_work sl_answers_work;
sl_status sl_answers_work_open(sl_answers_work **out) SL_MUSTUSE;
void sl_answers_work_close(sl_answers_work **work);

/* value (SL_METRIC_COUNT): NaN where undefined; *known: bits SL_NEEDS_* that the answers have. */
sl_status sl_answers_measure(double *value, unsigned *known, const sl_answers *answers,
                             const sl_answers_settings *settings, sl_answers_work *work) SL_MUSTUSE;

/* --- over prompts -------------------------------------------------------------------------------
 */
typedef enum sl_value_status {
    SL_VALUE_OK,
    SL_VALUE_UNDEFINED,  /* the inputs are there, the metric has no value for any of them */
    SL_VALUE_DEGENERATE, /* every prompt has one and the same value: the error 0 says nothing */
    SL_VALUE_INVALID     /* the inputs are not there, or none of them is finite */
} sl_value_status;
const char *sl_value_status_name(sl_value_status status); /* "ok", "undefined", ... */

typedef struct sl_value {
    double value, se; /* NaN: undefined */
    size_t used, dropped;
    sl_value_status status;
} sl_value;

/* Mean and variance on the way, in the order of the prompts (Welford). */
typedef struct sl_sums {
    double mean, squares, least, most;
    size_t used, dropped;
} sl_sums;
void sl_sums_add(sl_sums *sums, double value); /* one that is not finite is dropped */
/* is_known: some prompt had the inputs. */
sl_value sl_sums_value(const sl_sums *sums, int is_known);

#endif
