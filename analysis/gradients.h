/* What the record says of the gradients of pairs: noise scale over the updates, smoothed; and where
 * every pair has a gradient (record.level 3), norms, geometry, diversity and influence on the probe
 * set from its sketches. Formulas: docs/math.md, "Gradients of pairs". */
#ifndef SL_ANALYSIS_GRADIENTS_H
#define SL_ANALYSIS_GRADIENTS_H

#include "analysis/interval.h"
#include "analysis/metric.h"
#include "run/reader.h"

#define SL_NOISE_KEEP 0.95 /* of the moving averages of S and G2 */

/* An update with a noise scale. */
typedef struct sl_noise_row {
    int64_t step;
    double pairs;                 /* of the update */
    sl_noise_scale now;           /* of this update alone */
    double noise, squared, scale; /* moving averages of S and G2; their ratio, NaN: G2 <= 0 */
} sl_noise_row;

/* An update with gradients of its pairs. */
typedef struct sl_geometry_row {
    int64_t step;
    size_t pairs, pairs_on, dropped; /* used; of these on-policy; left out: not finite */
    double norm;                     /* mean, as recorded */
    sl_noise_scale noise;            /* with pairs as shards, from recorded norms */
    sl_gradient_geometry geometry;   /* of the sketches, as all below */
    double conflict;                 /* share of two pairs with a negative inner product */
    double vendi;                    /* order 1, of the cosine kernel */
    double cos_static_on;            /* of the two mean gradients; NaN: one source */
    double cos_previous, cos_previous_corrected;       /* of the mean gradient with that before */
    sl_mean influence, influence_static, influence_on; /* over pairs */
    size_t probes;                                     /* answers of the probe set */
} sl_geometry_row;

/* A pair of such an update. */
typedef struct sl_influence_row {
    int64_t step;
    uint64_t pair;
    uint8_t source; /* SL_ORIGIN_ */
    double norm, cos_batch;
    double influence; /* mean over the probe set of -<g, grad log p>; NaN: no probe */
} sl_influence_row;

typedef struct sl_gradients {
    sl_noise_row *noise;
    sl_geometry_row *geometry;
    sl_influence_row *influence;
    size_t noises, geometries, influences;
    double cost, norms, splits, pairs; /* shares of the time of the updates; NaN: not recorded */
} sl_gradients;
sl_status sl_gradients_run(sl_gradients *out, sl_reader *reader) SL_MUSTUSE;
void sl_gradients_close(sl_gradients *gradients);

#endif
