/* The gradient of every pair by itself, every few updates: norms, cosines with the gradient of the
 * update and of each source, and count sketches (docs/math.md C4) from which the analyzer has all
 * inner products. Each answer is one more forward and backward pass with coefficient 1, so that its
 * sketch is of the gradient of its log-probability (reward model: of its reward), whatever the
 * loss; a pair's gradient is their sum by the coefficients of the loss, and the mean over the pairs
 * is the gradient of the update. */
#ifndef SL_TRAIN_PAIRGRAD_H
#define SL_TRAIN_PAIRGRAD_H

#include "base/arena.h"
#include "run/schema.h"
#include "train/gradsplit.h"

enum {
    SL_PAIRGRAD_LEVEL = 3, /* of the record, from which they are taken */
    SL_PAIRGRAD_SEED = 0,  /* of the hash: the same in every run, so that runs compare */
    SL_PAIRGRAD_SIDES = 3  /* chosen, rejected, target */
};

typedef struct sl_pairgrad {
    sl_model *model;    /* borrowed */
    size_t m;           /* numbers of a sketch; 0: gradients of pairs are not taken */
    sl_packer packer;   /* of one answer with its prompt */
    float *logp, *ones; /* (N) of its targets */
    float *part,
        *sum;      /* (floats) of an answer; of the chosen answer and target, then of the pair */
    double *parts; /* (SL_SKETCH_PARTS, m) scratch */
    double *sketch_of;               /* (SL_PAIRGRAD_SIDES, m) of the answers */
    double *dot, *square, *whole_sq; /* (group_count) */
    double on_sq, on_whole;          /* of the on-policy part: squared norm, product with whole */
    const float *on;                 /* (floats) on-policy part; NULL: the update has one source */
    size_t pairs, pairs_on;          /* of the update */
    /* What the last call made. */
    sl_row_pair_grad row; /* but step */
    float *group_norm, *group_cos, *sketch, *sketch_c, *sketch_r;
    double *group_sq; /* (group_count) sum over the pairs of this update so far */
} sl_pairgrad;

void sl_pairgrad_carve(sl_pairgrad *pg, sl_arena *arena, const sl_tensors *table,
                       const sl_data_limits *limits, size_t m);
/* After the splits of an update have ended, before the optimizer touches the gradients. */
void sl_pairgrad_begin(sl_pairgrad *pg, const sl_update *u, const sl_gradsplit *split);
/* The gradient of pair i of the update. Overwrites the activations in work. */
sl_status sl_pairgrad_pair(sl_pairgrad *pg, const sl_update *u, size_t i, sl_work *work) SL_MUSTUSE;
/* The gradient of the log-probability of an answer, as a row of source `other`. */
sl_status sl_pairgrad_answer(sl_pairgrad *pg, const sl_sequence *answer, uint64_t id,
                             sl_work *work) SL_MUSTUSE;
/* After all pairs: unless the splits have shards, the pairs are shards of one. */
void sl_pairgrad_end(const sl_pairgrad *pg, sl_gradsplit *split);

#endif
