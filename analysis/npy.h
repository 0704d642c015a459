/* Rows of a matrix in a .npy file (NumPy's format, versions 1 to 3): float32 or float64,
 * little-endian, row-major, two axes. Rows are streamed. */
#ifndef SL_ANALYSIS_NPY_H
#define SL_ANALYSIS_NPY_H

#include "base/status.h"
#include <stddef.h>

enum { SL_NPY_DIM_MOST = 65536 };

typedef struct sl_npy sl_npy;
/* Errors: SL_EIO; SL_EFORMAT with the path. */
sl_status sl_npy_open(sl_npy **out, const char *path) SL_MUSTUSE;
void sl_npy_close(sl_npy **npy);
size_t sl_npy_rows(const sl_npy *npy);
size_t sl_npy_dim(const sl_npy *npy);
size_t sl_npy_left(const sl_npy *npy); /* rows not read yet */
/* row (dim) = the next one. Errors: SL_EFORMAT after the last. */
sl_status sl_npy_next(double *row, sl_npy *npy) SL_MUSTUSE;

#endif
