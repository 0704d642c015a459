/* The optimizer: AdamW over the flat arrays of a model, with global clipping and the statistics of
 * every layer group. Moments belong to it; nothing is allocated by a step. */
#ifndef SL_TRAIN_OPTIM_H
#define SL_TRAIN_OPTIM_H

#include "base/arena.h"
#include "model/model.h"

typedef struct sl_optim_settings {
    double beta1, beta2, eps, weight_decay, clip; /* clip: largest global L2 norm; 0: off */
} sl_optim_settings;

/* Of one layer group (0: all): L2 norms before clipping. */
typedef struct sl_group_stats {
    double norm, max_abs, param_norm, update_norm;
    uint32_t bad; /* NaN and infinite entries of the gradient */
} sl_group_stats;

enum { SL_OPTIM_CHUNK = 16384 }; /* floats updated at once, to know the update's norm */

typedef struct sl_optim {
    sl_model *model; /* borrowed */
    sl_optim_settings settings;
    float *m, *v;          /* (floats) moments */
    float *before;         /* (SL_OPTIM_CHUNK) */
    sl_group_stats *group; /* (group_count) of the last step */
    size_t group_count;
    int64_t update; /* steps taken since sl_optim_reset */
    double clip;    /* factor of the last step */
} sl_optim;

void sl_optim_carve(sl_optim *optim, sl_arena *arena, const sl_tensors *table);
void sl_optim_reset(sl_optim *optim); /* zero moments, update 0 */
/* Fills group statistics of the model's gradients, then clips and updates the parameters, then
 * zeroes the gradients. Errors: SL_ENUMERIC naming the first bad tensor; parameters stay as they
 * were. */
sl_status sl_optim_step(sl_optim *optim, double learning_rate) SL_MUSTUSE;
/* L2 norm of every layer group of x (floats) -> norm (group_count), [0] = all. */
void sl_group_norms(double *norm, const sl_model *model, const float *x);
/* Inner products of x and y by layer group -> dot (group_count). */
void sl_group_dots(double *dot, const sl_model *model, const float *x, const float *y);

#endif
