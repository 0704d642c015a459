/* The optimizers as rows of one table, over the flat arrays of a model, with global clipping and
 * the statistics of every layer group. Moments belong to it; nothing is allocated by a step. */
#ifndef SL_TRAIN_OPTIM_H
#define SL_TRAIN_OPTIM_H

#include "base/arena.h"
#include "model/model.h"

typedef enum sl_optim_kind { SL_OPTIM_ADAMW, SL_OPTIM_RMSPROP, SL_OPTIM_SGD } sl_optim_kind;
typedef enum sl_optim_decay { SL_DECAY_MATRICES, SL_DECAY_ALL } sl_optim_decay;
extern const char *const sl_optim_names[];       /* by kind, NULL-terminated */
extern const char *const sl_optim_decay_names[]; /* NULL-terminated */

typedef struct sl_optim_settings {
    double beta1, beta2, eps, weight_decay, clip; /* clip: largest global L2 norm; 0: off */
    double momentum;                              /* sgd */
    double alpha;                                 /* rmsprop: decay of the mean square */
    sl_optim_kind kind;
    sl_optim_decay decay; /* which tensors weight_decay applies to */
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
    float *m, *v;          /* (floats) moments, NULL: the row keeps none */
    float *before;         /* (SL_OPTIM_CHUNK) parameters before their update */
    float *scratch;        /* (SL_OPTIM_CHUNK) */
    sl_group_stats *group; /* (group_count) of the last step */
    size_t group_count;
    int64_t update; /* steps taken since sl_optim_reset */
    double clip;    /* factor of the last step */
    double norms_s; /* seconds that the last step spent on norms */
} sl_optim;

/* One optimizer. step updates n floats at offset of the model's parameters from their gradients,
 * which it may overwrite; clip: factor of the gradient; decay: of these floats. */
typedef struct sl_optim_chunk {
    size_t offset, n;
    double learning_rate, clip, decay;
} sl_optim_chunk;
typedef struct sl_optim_row {
    const char *source;
    int keeps_m, keeps_v; /* moments; m of sgd only with momentum */
    void (*step)(sl_optim *optim, const sl_optim_chunk *chunk);
} sl_optim_row;
extern const sl_optim_row sl_optim_rows[]; /* by kind */

/* Moments (floats) that the settings ask for: 0, 1 or 2. */
size_t sl_optim_moments(const sl_optim_settings *settings);
/* Settings come first: they decide what is carved. */
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
