/* Linear layers by OpenBLAS. Three ways, chosen by the number of multiply-adds alone: one thread,
 * rows of the result split over our threads (OpenBLAS inside a parallel region uses one), or
 * OpenBLAS with its own threads, which cost too much in small products. */
#include "kernels/cpu/cpu_int.h"
#include <cblas.h>
#include <omp.h>

#undef I /* complex.h, by way of cblas.h; here I counts input features */

/* Multiply-adds from which OpenBLAS's own threads win over the split by rows. */
#define LARGE 1e8

/* c = op(a) b + beta c. */
typedef struct product {
    float *c;           /* (rows, cols) */
    const float *a, *b; /* op(a) (rows, inner); op(b) (inner, cols) */
    size_t lda, ldb;    /* floats from row to row of a, of b as they lie in memory */
    CBLAS_TRANSPOSE op_a, op_b;
    size_t rows, cols, inner;
    float beta;
    const float *bias; /* (cols) or NULL: c starts as the bias */
} product;

/* Rows [first, first + count) of the product, by one call. */
static void run_rows(const product *p, size_t first, size_t count)
{
    const float *a = p->op_a == CblasNoTrans ? p->a + first * p->lda : p->a + first;
    float *c = p->c + first * p->cols; /* (count, cols) */

    for (size_t r = 0; p->bias && r < count; r++)
        for (size_t j = 0; j < p->cols; j++)
            c[r * p->cols + j] = p->bias[j];
    cblas_sgemm(CblasRowMajor, p->op_a, p->op_b, (blasint)count, (blasint)p->cols,
                (blasint)p->inner, 1.0f, a, (blasint)p->lda, p->b, (blasint)p->ldb, p->beta, c,
                (blasint)p->cols);
}

static void run(const product *p)
{
    const double work = (double)p->rows * (double)p->cols * (double)p->inner;

    if (work >= LARGE) {
        run_rows(p, 0, p->rows);
        return;
    }
#pragma omp parallel if (work > 8.0 * SL_CPU_WORTH)
    {
        const size_t n = (size_t)omp_get_num_threads(), me = (size_t)omp_get_thread_num();
        const size_t first = p->rows * me / n, end = p->rows * (me + 1) / n;

        if (end > first)
            run_rows(p, first, end - first);
    }
}

void SL_CPU(linear_fwd)(float *y, const float *x, const float *w, const float *b, size_t T,
                        size_t O, size_t I)
{
    const product p = { .c = y,
                        .a = x,
                        .b = w,
                        .lda = I,
                        .ldb = I,
                        .op_a = CblasNoTrans,
                        .op_b = CblasTrans,
                        .rows = T,
                        .cols = O,
                        .inner = I,
                        .beta = b ? 1.0f : 0.0f,
                        .bias = b };

    run(&p);
}

static void linear_bwd_x_cpu(float *dx, const float *dy, const float *w, size_t T, size_t O,
                             size_t I, int add)
{
    const product p = { .c = dx,
                        .a = dy,
                        .b = w,
                        .lda = O,
                        .ldb = I,
                        .op_a = CblasNoTrans,
                        .op_b = CblasNoTrans,
                        .rows = T,
                        .cols = I,
                        .inner = O,
                        .beta = add ? 1.0f : 0.0f };

    run(&p);
}

/* Columns whose sums one task keeps in double. */
#define COLUMNS 16

void SL_CPU(column_sums)(float *db, const float *dy, size_t T, size_t O)
{
#pragma omp parallel for schedule(static) if (T * O > SL_CPU_WORTH)
    for (size_t o = 0; o < O; o += COLUMNS) {
        const size_t count = O - o < COLUMNS ? O - o : COLUMNS;
        double sum[COLUMNS] = { 0 };

        for (size_t t = 0; t < T; t++)
            for (size_t c = 0; c < count; c++)
                sum[c] += (double)dy[t * O + o + c];
        for (size_t c = 0; c < count; c++)
            db[o + c] = (float)(db[o + c] + sum[c]);
    }
}

static void linear_bwd_w_cpu(float *dw, float *db, const float *dy, const float *x, size_t T,
                             size_t O, size_t I)
{
    const product p = { .c = dw,
                        .a = dy,
                        .b = x,
                        .lda = O,
                        .ldb = I,
                        .op_a = CblasTrans,
                        .op_b = CblasNoTrans,
                        .rows = O,
                        .cols = I,
                        .inner = T,
                        .beta = 1.0f };

    run(&p);
    if (db)
        SL_CPU(column_sums)(db, dy, T, O);
}

void SL_CPU(linear)(sl_ops *ops)
{
    ops->linear_fwd = SL_CPU(linear_fwd);
    ops->linear_bwd_x = linear_bwd_x_cpu;
    ops->linear_bwd_w = linear_bwd_w_cpu;
}
