/* What tests and intervals promise, checked by simulation: error, cost and coverage on votes whose
 * law is known. The same code at a short size in the tests and at full size in `bench coverage`;
 * everything random comes from the seed. */
#ifndef SL_ANALYSIS_SIMULATE_H
#define SL_ANALYSIS_SIMULATE_H

#include "analysis/crossing.h"
#include "base/rng.h"

#define SL_SIMULATE_ICC 0.3      /* correlation of the votes of one prompt */
enum { SL_SIMULATE_CAP = 2000 }; /* prompts at most */

/* The mean of `votes` votes of one prompt with probability p: one vote is a coin; several share a
 * probability drawn from Beta(a, b) with a + b = 1/ICC - 1 and mean p (beta-binomial). */
double sl_simulate_prompt(sl_rng *rng, double p, int votes);

/* A rule on votes of probability p, and the prompts that another program needed (8000 runs). */
typedef struct sl_simulate_case {
    const char *rule;
    double p;
    int votes;
    double prompts; /* mean, expected; NaN: nothing stated */
} sl_simulate_case;
extern const sl_simulate_case sl_simulate_cases[];
extern const size_t sl_simulate_case_count;

/* A share of runs with what can be said of it: upper is the exact 99 % upper limit (Clopper and
 * Pearson, Biometrika 26, 1934). */
typedef struct sl_simulate_share {
    size_t hits, runs;
    double value, upper;
} sl_simulate_share;

typedef struct sl_simulate_result {
    sl_simulate_share error, undecided; /* the wrong side; at p = 1/2 any, none with a zone */
    double mean, p95;                   /* prompts used */
} sl_simulate_result;
sl_status sl_simulate_rule(sl_simulate_result *out, const sl_simulate_case *c, size_t runs,
                           uint64_t seed) SL_MUSTUSE;

/* Runs whose confidence sequence at level 1 - alpha leaves p out at any of its looks, one after
 * every prompt. */
typedef enum sl_simulate_sequence {
    SL_SIMULATE_BETTING,
    SL_SIMULATE_BERNSTEIN,
    SL_SIMULATE_SEQUENCES
} sl_simulate_sequence;
extern const char *const sl_simulate_sequence_names[SL_SIMULATE_SEQUENCES];
sl_status sl_simulate_misses(sl_simulate_share *out, sl_simulate_sequence kind, double p, int votes,
                             double alpha, size_t runs, uint64_t seed) SL_MUSTUSE;

/* Paths of T checkpoints: straight rise, jump, knee, flat at 1/2. */
typedef struct sl_simulate_path {
    const char *name;
    double (*bs)(double u); /* of a checkpoint at u in [0,1] */
    double crossing, knee;  /* u; NaN: none */
} sl_simulate_path;
extern const sl_simulate_path sl_simulate_paths[];
extern const size_t sl_simulate_path_count;

enum { SL_SIMULATE_CHECKPOINTS = 9 };
typedef struct sl_simulate_cover {
    sl_simulate_share bracket;                       /* misses among the runs that crossed */
    sl_simulate_share estimate[SL_CROSSING_METHODS]; /* misses among the runs with an interval */
    size_t path[SL_PATH_COUNT];                      /* verdicts */
} sl_simulate_cover;
sl_status sl_simulate_crossing(sl_simulate_cover *out, const sl_simulate_path *path, size_t prompts,
                               int votes, size_t runs, uint64_t seed) SL_MUSTUSE;

#endif
