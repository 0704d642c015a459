/* The verdict on a sequence of checkpoints of one name under one judge: crossed, always injection,
 * always fine-tuning or undecided, with the reason in a sentence; and everything else that locates
 * the crossing, for comparison (docs/math.md, D3).
 *
 * The default rule is the bracket: a confidence sequence at alpha/T for each of T checkpoints, the
 * last one below the threshold before the first one above. It assumes nothing about the path and
 * holds however the votes were stopped. Its point is the isotonic crossing, cut to the bracket. */
#ifndef SL_ANALYSIS_CROSSING_H
#define SL_ANALYSIS_CROSSING_H

#include "analysis/boundary.h"
#include "analysis/locate.h"
#include <stddef.h>
#include <stdint.h>

/* One checkpoint: prompt means in the order of the test; borrowed. */
typedef struct sl_checkpoint {
    double step;
    const double *mean; /* (prompts) in [0,1] */
    size_t prompts;
} sl_checkpoint;

typedef enum sl_crossing_method {
    SL_CROSSING_ISOTONIC,  /* point; bootstrap of prompts */
    SL_CROSSING_LOGISTIC,  /* point; Fieller's interval, overdispersion taken in */
    SL_CROSSING_SEGMENTED, /* the knee, where the rise begins: not the crossing */
    SL_CROSSING_PELT_L2,   /* change points: the first that goes from below to above */
    SL_CROSSING_PELT_NORMAL,
    SL_CROSSING_PELT_RBF,
    SL_CROSSING_PELT_BINOMIAL,
    SL_CROSSING_BINARY_L2,
    SL_CROSSING_BINARY_NORMAL,
    SL_CROSSING_BINARY_RBF,
    SL_CROSSING_BINARY_BINOMIAL,
    SL_CROSSING_BOCPD,    /* most probable runs, beta-binomial */
    SL_CROSSING_DETECTOR, /* e-detector (Shiryaev-Roberts): checkpoint of its alarm */
    SL_CROSSING_METHODS
} sl_crossing_method;
extern const char *const sl_crossing_names[SL_CROSSING_METHODS];

enum { SL_CHANGES_MOST = 16 };
typedef struct sl_estimate {
    double value, lower, upper;     /* steps; -inf, +inf: outside the series; NaN: undefined */
    double penalty;                 /* of change points, by permutation; NaN: none */
    double change[SL_CHANGES_MOST]; /* steps at which a new segment begins */
    size_t changes;
    const char *note; /* why it is undefined, or what to know; NULL: nothing */
} sl_estimate;

typedef struct sl_crossing {
    sl_path path;
    double low, high;  /* bracket; -inf, +inf where open; NaN undecided */
    double value;      /* the point; NaN unless crossed */
    double back;       /* first step after `high` that is below again; NaN: none */
    size_t T, decided; /* checkpoints; of them not holding the threshold */
    char reason[320];
    sl_estimate estimate[SL_CROSSING_METHODS];
} sl_crossing;
extern const char *const sl_path_names[SL_PATH_COUNT];
extern const char *const sl_crossing_rule; /* the default rule and why, a sentence */

/* at (T), steps ascending. test: threshold and level. Everything random comes from the seed. */
sl_status sl_crossing_of(sl_crossing *out, const sl_checkpoint *at, size_t T,
                         const sl_boundary_settings *test, uint64_t seed) SL_MUSTUSE;

#endif
