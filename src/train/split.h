/* The gradient of an update split by side (chosen, rejected) and by source (static, on-policy), and
 * the norms of its shards (micro-batches), every few updates. A judge-free signal of the stage.
 * Gradients are linear in the coefficients: one more backward pass gives one side, the other is the
 * difference. */
#ifndef SL_TRAIN_SPLIT_H
#define SL_TRAIN_SPLIT_H

#include "base/arena.h"
#include "model/model.h"
#include "train/update.h"

/* Per layer group; NaN where undefined (no such pairs, zero norm, one shard). */
typedef struct sl_split_row {
    double norm_static, norm_on, cos_static_on, norm_c, norm_r, cos_c_r, sq_small;
} sl_split_row;

typedef struct sl_split {
    sl_model *model;     /* borrowed */
    float *side, *source, *shard; /* (floats) gradients; shard NULL: never more than one shard */
    sl_split_row *row;   /* (group_count) of the last update */
    double *dot, *square, *part; /* (group_count) scratch */
    size_t group_count, floats;
    size_t shards;       /* of this update so far */
    double shard_pairs;  /* pairs of a shard */
    int is_active;       /* this update is split */
} sl_split;

void sl_split_carve(sl_split *split, sl_arena *arena, const sl_tensors *table, int has_shards);
/* Begins an update: every row undefined. */
void sl_split_begin(sl_split *split, int is_active);
/* The backward pass of a micro-batch into the model's gradients and, when active, into the splits. */
sl_status sl_split_backward(sl_split *split, sl_update *u, sl_work *work) SL_MUSTUSE;
/* Closes the update, before the optimizer touches the gradients. */
void sl_split_end(sl_split *split, const sl_update *u);

#endif
