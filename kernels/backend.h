/* A backend is a name, memory functions and the ops table. It is chosen once, by --device; there is
 * never a silent fallback. backend.c alone has #if HAVE_CUDA. */
#ifndef SL_KERNELS_BACKEND_H
#define SL_KERNELS_BACKEND_H

#include "base/status.h"
#include "kernels/ops.h"

typedef struct sl_backend {
    const char *name; /* "ref", "cpu", "cpu-bf16" */
    const char *blas; /* name and version of the BLAS, for the record */
    const char *isa;  /* instruction set of the kernels: "base", "avx2", "avx512"; "avx512+amx" */
    int threads;
    const sl_ops *ops;
} sl_backend;

/* *out is borrowed, valid for the life of the process. threads 0: all processors.
 * Errors: SL_EARG with the nearest name; SL_EDEVICE when the device is not there or a slot is
 * missing (named). */
sl_status sl_backend_open(const sl_backend **out, const char *name, int threads) SL_MUSTUSE;

#endif
