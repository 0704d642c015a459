#include "kernels_test.h"
#include "kernels/cpu/cpu_int.h"
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CANARIES 16
#define CANARY 0xc0ffee11u
#define MOST_BUFFERS 4096

const size_t k_sizes[K_SIZES] = { 1, 3, 17, 129 };

static int k_threads = 2;
static const char *k_isa; /* NULL: the one that the backend picks */

typedef struct buffer {
    float *x;
    size_t n;
} buffer;

static buffer held[MOST_BUFFERS];
static size_t held_count;
static char label[256];

const sl_ops *k_ref(void)
{
    return sl_ref_ops();
}

const sl_ops *k_cpu(void)
{
    static sl_ops ops;
    const sl_backend *backend = NULL;

    T_OK(sl_backend_open(&backend, "cpu", k_threads));
    if (!k_isa)
        return backend->ops;
    ops = *sl_ref_ops();
    assert_non_null(sl_cpu_fill(&ops, k_isa));
    return &ops;
}

const sl_ops *k_bf16(void)
{
    static sl_ops ops;

    (void)k_cpu(); /* sets the threads */
    ops = *sl_ref_ops();
    assert_non_null(sl_cpu_fill_bf16(&ops, k_isa));
    return &ops;
}

int k_main(int argc, char **argv, int (*run)(void), void (*bench)(void))
{
    sl_ops ops;

    if (argc > 2 && strcmp(argv[1], "--isa") == 0) {
        k_isa = argv[2];
        if (!sl_cpu_fill(&ops, k_isa))
            return T_SKIP;
        return run();
    }
    if (argc < 2 || strcmp(argv[1], "--bench") != 0)
        return run();
    k_threads = argc > 2 ? atoi(argv[2]) : 2;
    bench();
    k_done();
    return 0;
}

float *k_new(size_t n)
{
    const uint32_t canary = CANARY;
    float *x = calloc(n + CANARIES, sizeof *x);

    assert_non_null(x);
    assert_true(held_count < MOST_BUFFERS);
    for (size_t i = 0; i < CANARIES; i++)
        memcpy(x + n + i, &canary, sizeof canary);
    held[held_count++] = (buffer){ x, n };
    return x;
}

void *k_bytes(size_t bytes)
{
    return k_new(bytes / sizeof(float) + 1);
}

void k_fill(float *x, size_t n, k_kind kind, uint64_t stream)
{
    t_fill(x, n, 1.0f, stream);
    for (size_t i = 0; i < n; i++) {
        if (kind == K_ZERO)
            x[i] = 0.0f;
        else if (kind == K_HUGE)
            x[i] *= 1e12f;
        else if (kind == K_DENORMAL)
            x[i] *= 1e-39f;
        else if (kind == K_TIES)
            x[i] = rintf(x[i]);
    }
}

float *k_rand(size_t n, k_kind kind, uint64_t stream)
{
    float *x = k_new(n);

    k_fill(x, n, kind, stream);
    return x;
}

float *k_copy(const float *x, size_t n)
{
    float *y = k_new(n);

    memcpy(y, x, n * sizeof *y);
    return y;
}

void k_done(void)
{
    const uint32_t canary = CANARY;

    for (; held_count > 0; held_count--) {
        const buffer *b = &held[held_count - 1];

        for (size_t i = 0; i < CANARIES; i++)
            if (memcmp(b->x + b->n + i, &canary, sizeof canary) != 0)
                fail_msg("%s: canary %zu after %zu floats is gone", label, i, b->n);
        free(b->x);
    }
}

void k_label(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(label, sizeof label, fmt, args);
    va_end(args);
}

void k_close(const float *got, const float *want, size_t n, double tol, const char *what,
             const char *file, int line)
{
    double size = FLT_MIN;

    for (size_t i = 0; i < n; i++)
        if (isfinite(want[i]) && fabs((double)want[i]) > size)
            size = fabs((double)want[i]);
    for (size_t i = 0; i < n; i++) {
        const double g = (double)got[i], w = (double)want[i];

        if (g == w || (isnan(g) && isnan(w)))
            continue;
        if (!isfinite(g) || !isfinite(w) || fabs(g - w) > tol * size) {
            print_error("%s: %s[%zu of %zu]: want %.9g, found %.9g, off by %.3g of %.3g "
                        "(tolerance %.3g)\n",
                        label, what, i, n, w, g, fabs(g - w) / size, size, tol);
            _fail(file, line);
        }
    }
}

double k_slope(double (*value)(void *at, float h), void *at)
{
    const float h = (float)K_FD_STEP;
    const double near = value(at, h) - value(at, -h);
    const double far = value(at, 2 * h) - value(at, -2 * h);

    return (8.0 * near - far) / (12.0 * (double)h);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of the fastest call within BENCH_S: what the machine can do, whatever else runs on it. */
#define BENCH_S 0.1
#define BENCH_CALLS 4

static double time_of(void (*run)(const sl_ops *ops, void *at), const sl_ops *ops, void *at)
{
    const double begin = now_s();
    double best = INFINITY;

    for (int calls = 0; calls < BENCH_CALLS || now_s() - begin < BENCH_S; calls++) {
        const double start = now_s();

        run(ops, at);
        best = fmin(best, now_s() - start);
    }
    return best;
}

/* The roofs of this machine and moment: a large sgemm, and a triad that no cache holds. */
#define GEMM_N 768
#define TRIAD_N (1u << 23)

typedef struct roof {
    float *a, *b, *c;
} roof;

static void run_gemm(const sl_ops *ops, void *at)
{
    const roof *r = at;

    (void)ops;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, GEMM_N, GEMM_N, GEMM_N, 1.0f, r->a,
                GEMM_N, r->b, GEMM_N, 0.0f, r->c, GEMM_N);
}

static void run_triad(const sl_ops *ops, void *at)
{
    const roof *r = at;

    (void)ops;
#pragma omp parallel for
    for (size_t i = 0; i < TRIAD_N; i++)
        r->a[i] = r->b[i] + 3.0f * r->c[i];
}

static void measure_roofs(double *flops_per_s, double *bytes_per_s)
{
    static double flops, bytes;
    roof r;

    if (flops == 0.0) {
        r = (roof){ malloc(4 * TRIAD_N), malloc(4 * TRIAD_N), malloc(4 * TRIAD_N) };
        assert_true(r.a && r.b && r.c);
        memset(r.b, 0, 4 * TRIAD_N);
        memset(r.c, 0, 4 * TRIAD_N);
        bytes = 12.0 * TRIAD_N / time_of(run_triad, NULL, &r);
        flops = 2.0 * GEMM_N * GEMM_N * GEMM_N / time_of(run_gemm, NULL, &r);
        free(r.a);
        free(r.b);
        free(r.c);
        printf("peaks: sgemm %.1f GFLOP/s, triad %.1f GB/s\n", flops * 1e-9, bytes * 1e-9);
    }
    *flops_per_s = flops;
    *bytes_per_s = bytes;
}

void k_bench(const char *name, void (*run)(const sl_ops *ops, void *at), void *at, double flops,
             double bytes)
{
    double peak_flops, peak_bytes;

    (void)k_cpu();
    measure_roofs(&peak_flops, &peak_bytes);
    const double cpu_s = time_of(run, k_cpu(), at), ref_s = time_of(run, k_ref(), at);

    printf("%-44s %10.1f us", name, cpu_s * 1e6);
    if (flops > 0.0)
        printf(" %7.1f GFLOP/s %5.1f%%", flops / cpu_s * 1e-9, 100.0 * flops / cpu_s / peak_flops);
    else
        printf(" %7.1f GB/s    %5.1f%%", bytes / cpu_s * 1e-9, 100.0 * bytes / cpu_s / peak_bytes);
    printf("   ref/cpu %6.1f\n", ref_s / cpu_s);
}
