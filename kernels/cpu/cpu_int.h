/* The parts of the cpu backend. */
#ifndef SL_KERNELS_CPU_INT_H
#define SL_KERNELS_CPU_INT_H

#include "kernels/ops.h"

/* Overrides what measurably gains; *ops holds the reference before. */
void sl_cpu_fill(sl_ops *ops);

#endif
