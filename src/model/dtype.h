/* Element types of safetensors files and the conversions of those that weights are stored in. */
#ifndef SL_MODEL_DTYPE_H
#define SL_MODEL_DTYPE_H

#include "model/config.h"

typedef struct sl_dtype {
    const char *name; /* as in the file */
    unsigned bits;    /* of an element */
    int is_weight;    /* storage is meaningful */
    sl_storage storage;
} sl_dtype;

/* NULL when unknown. */
const sl_dtype *sl_dtype_find(const char *name);
const sl_dtype *sl_dtype_of(sl_storage storage);

/* out (n) = in (n elements, little-endian, any alignment); exact. */
void sl_dtype_widen(float *out, const void *in, size_t n, sl_storage storage);
/* out (n elements) = in (n) to the nearest, ties to even; NaN stays NaN. */
void sl_dtype_narrow(void *out, const float *in, size_t n, sl_storage storage);

#endif
