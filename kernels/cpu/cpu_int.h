/* The parts of the cpu backend. Its files are compiled once for each instruction set that gains
 * (meson.build), so every outer name carries the set: SL_CPU(linear) is sl_cpu_linear_avx2 in one
 * of them. level.c picks one table when the backend is opened. */
#ifndef SL_KERNELS_CPU_INT_H
#define SL_KERNELS_CPU_INT_H

#include "kernels/ops.h"

#ifndef SL_CPU_LEVEL
#define SL_CPU_LEVEL base
#endif
#define SL_CPU_PASTE(op, level) sl_cpu_##op##_##level
#define SL_CPU_NAME(op, level) SL_CPU_PASTE(op, level)
#define SL_CPU(op) SL_CPU_NAME(op, SL_CPU_LEVEL)

/* Elementary operations (multiply-adds, exponentials times 10) below which a second thread costs
 * more than it brings: about 5 us of one core. */
#define SL_CPU_WORTH 40000

void SL_CPU(linear)(sl_ops *ops);
void SL_CPU(embed)(sl_ops *ops);
void SL_CPU(rmsnorm)(sl_ops *ops);
void SL_CPU(layernorm)(sl_ops *ops);
void SL_CPU(rope)(sl_ops *ops);
void SL_CPU(attention)(sl_ops *ops);
void SL_CPU(attention_bwd)(sl_ops *ops);
void SL_CPU(decode)(sl_ops *ops);
void SL_CPU(act)(sl_ops *ops);
void SL_CPU(logp)(sl_ops *ops);
void SL_CPU(topk)(sl_ops *ops);
void SL_CPU(sample)(sl_ops *ops);
void SL_CPU(adamw)(sl_ops *ops);
void SL_CPU(flat)(sl_ops *ops);
void SL_CPU(sketch)(sl_ops *ops);

/* Shared by the linear layers of both precisions: linear_fwd of ops.h in float32; db (O) += sums of
 * the columns of dy (T,O). */
void SL_CPU(linear_fwd)(float *y, const float *x, const float *w, const float *b, size_t T,
                        size_t O, size_t I);
void SL_CPU(column_sums)(float *db, const float *dy, size_t T, size_t O);

/* Overrides the linear layers of *ops by products of numbers rounded to bf16. */
void SL_CPU(linear_bf16)(sl_ops *ops);

/* Overrides what measurably gains; *ops holds the reference before. */
void SL_CPU(fill)(sl_ops *ops);

/* Fills *ops with the build for instruction set name (NULL: the best of this processor); returns
 * its name, or NULL when this processor or build lacks it. */
const char *sl_cpu_fill(sl_ops *ops, const char *name);
/* The same with linear layers in bf16; the name tells the unit that multiplies too. */
const char *sl_cpu_fill_bf16(sl_ops *ops, const char *name);

#endif
