/* The gradient of an update split by side (chosen, rejected) and by source (static, on-policy),
 * every few updates: a judge-free signal of the stage. Gradients are linear in the coefficients:
 * one more backward pass gives one side, the other is the difference. The norms of its shards,
 * which are the micro-batches of full size, at every update: they cost no pass. */
#ifndef SL_TRAIN_GRADSPLIT_H
#define SL_TRAIN_GRADSPLIT_H

#include "base/arena.h"
#include "model/model.h"
#include "train/update.h"

/* Per layer group; NaN where undefined (no such pairs, zero norm, one shard). */
typedef struct sl_gradsplit_row {
    double norm_static, norm_on, cos_static_on, norm_c, norm_r, cos_c_r, sq_small;
} sl_gradsplit_row;

typedef struct sl_gradsplit {
    sl_model *model;              /* borrowed */
    float *side, *source, *shard; /* (floats) gradients; shard NULL: never more than one shard */
    sl_gradsplit_row *row;        /* (group_count) of the last update */
    double *dot, *square, *part;  /* (group_count) scratch */
    size_t group_count, floats;
    size_t shards;  /* whole micro-batches of this update so far */
    size_t pairs;   /* of a shard; 0: none */
    double seconds; /* spent on splits and shards in this update */
    int is_active;  /* this update is split by side and source */
    int has_shards; /* norms of its shards are taken */
} sl_gradsplit;

void sl_gradsplit_carve(sl_gradsplit *split, sl_arena *arena, const sl_tensors *table,
                        int has_shards);
/* The rows alone, for runs that never split. */
void sl_gradsplit_carve_rows(sl_gradsplit *split, sl_arena *arena, const sl_tensors *table);
/* Begins an update: every row undefined. */
void sl_gradsplit_begin(sl_gradsplit *split, int is_active, int has_shards);
/* The backward pass of a micro-batch into the model's gradients and, when active, into the splits.
 */
sl_status sl_gradsplit_backward(sl_gradsplit *split, sl_update *u, sl_work *work) SL_MUSTUSE;
/* Closes the update, before the optimizer touches the gradients: norms and cosines. */
void sl_gradsplit_end(sl_gradsplit *split, const sl_update *u);

#endif
