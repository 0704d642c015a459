/* The tensor table: the one list of a model's parameters. Carving, loading, saving, decay mask,
 * gradient norms, checkpoints and golden comparison all walk it. Parameters of a model are one flat
 * float array; row i of the table owns [offset, offset + rows*cols). */
#ifndef SL_MODEL_TENSORS_H
#define SL_MODEL_TENSORS_H

#include "model/config.h"

typedef struct sl_tensor {
    char name[160];     /* the name in the checkpoint; for fused storage of several, the first */
    size_t rows, cols;  /* a vector has rows 1; rank tells */
    size_t offset;      /* floats from the start of the flat arrays */
    uint8_t rank;       /* 1 or 2 */
    uint8_t is_decayed; /* weight decay applies: matrices, not norms and biases */
    uint16_t group;     /* layer group: 1 embedding, 2.. one a block, then final norm + head */
    uint16_t role;      /* SL_TENSOR_ of family.h */
    int16_t layer;      /* -1 outside blocks */
    uint8_t is_bias;    /* of the role's module; else its weight */
    uint8_t storage;    /* sl_storage: as found in the checkpoint, kept on save */
} sl_tensor;

typedef struct sl_tensors {
    sl_tensor *row; /* owned */
    size_t count;
    size_t floats;      /* length of the flat arrays */
    size_t group_count; /* groups 0 .. group_count-1; group 0 stands for all */
} sl_tensors;

sl_status sl_tensors_open(sl_tensors *out, const sl_config *config) SL_MUSTUSE;
void sl_tensors_close(sl_tensors *table);
const char *sl_tensors_group_name(const sl_tensors *table, size_t group, char out[64]);

#endif
