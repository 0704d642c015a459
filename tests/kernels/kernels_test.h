/* What the tests of operations share: buffers with canaries, adversarial fills, comparison of two
 * backends that names shape, seed and first bad index, slopes by finite differences, benchmarks. */
#ifndef SL_TESTS_KERNELS_TEST_H
#define SL_TESTS_KERNELS_TEST_H

#include "harness/harness.h"
#include "kernels/backend.h"
#include <string.h>

typedef enum k_kind { K_NORMAL, K_ZERO, K_HUGE, K_DENORMAL, K_TIES, K_KINDS } k_kind;

/* Sizes that meet every edge of a vector loop. */
extern const size_t k_sizes[4]; /* 1, 3, 17, 129 */
#define K_SIZES 4

/* The backends under test, with 2 threads unless --bench says otherwise. */
const sl_ops *k_ref(void);
const sl_ops *k_cpu(void);
const sl_ops *k_bf16(void);

/* n floats (zero) followed by canaries; held until k_done. */
float *k_new(size_t n);
/* The same filled: k_kind by stream. */
float *k_rand(size_t n, k_kind kind, uint64_t stream);
float *k_copy(const float *x, size_t n);
void *k_bytes(size_t bytes); /* zero; held until k_done */
/* Checks every canary, then frees all buffers. */
void k_done(void);
/* Fills x (n) by kind. */
void k_fill(float *x, size_t n, k_kind kind, uint64_t stream);

/* What is compared now, for messages: printf-like, e.g. "rmsnorm_fwd T 3 D 17 kind 2". */
void k_label(const char *fmt, ...) SL_PRINTF(1, 2);
/* |got - want| <= tol * largest |want| for all n; NaN equals NaN, infinities must be the same. */
#define K_CLOSE(got, want, n, tol) k_close((got), (want), (n), (tol), #got, __FILE__, __LINE__)
void k_close(const float *got, const float *want, size_t n, double tol, const char *what,
             const char *file, int line);

/* Slope in h = 0 of value(h), by the five-point rule. */
#define K_FD_STEP 0.02
double k_slope(double (*value)(void *at, float h), void *at);

/* One row of --bench: run(ops, at) of each backend on equal data. flops and bytes a call; 0: not
 * what limits it. Prints time, GFLOP/s or GB/s, percent of the peak, ref / cpu. */
void k_bench(const char *name, void (*run)(const sl_ops *ops, void *at), void *at, double flops,
             double bytes);

/* main of a test program: runs the tests; `--isa NAME`: with that build of the cpu files, or
 * T_SKIP;
 * `--bench [threads]`: the benchmark instead. */
int k_main(int argc, char **argv, int (*run)(void), void (*bench)(void));

#define K_MAIN(tests, bench)                                                                       \
    static int run_all(void)                                                                       \
    {                                                                                              \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }                                                                                              \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return k_main(argc, argv, run_all, bench);                                                 \
    }

#endif
