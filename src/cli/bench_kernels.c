/* The peaks, and single operations at the shapes of a step. */
#include "base/arena.h"
#include "cli/bench.h"
#include "train/clock.h"
#include <stdio.h>

enum { GEMM = 1536, TRIAD = 1 << 25, ROWS = 512 };

/* Arrays of one operation; what they mean depends on it. */
typedef struct operands {
    const sl_ops *ops;
    float *y, *x, *w, *aux;
    int32_t *token;
    sl_row_stats *stats;
    size_t T, O, I;
} operands;

static sl_status gemm(void *state)
{
    const operands *p = state;

    p->ops->linear_fwd(p->y, p->x, p->w, NULL, p->T, p->O, p->I);
    return SL_OK;
}

static sl_status gemm_bwd_x(void *state)
{
    const operands *p = state;

    p->ops->linear_bwd_x(p->x, p->y, p->w, p->T, p->O, p->I, 0);
    return SL_OK;
}

static sl_status gemm_bwd_w(void *state)
{
    const operands *p = state;

    p->ops->linear_bwd_w(p->w, NULL, p->y, p->x, p->T, p->O, p->I);
    return SL_OK;
}

static sl_status triad(void *state)
{
    const operands *p = state;

    p->ops->add(p->y, p->x, p->T);
    return SL_OK;
}

static void carve(operands *p, sl_arena *arena)
{
    p->y = sl_arena_f32(arena, p->T, p->O);
    p->x = sl_arena_f32(arena, p->T, p->I);
    p->w = sl_arena_f32(arena, p->O, p->I);
    p->aux = sl_arena_f32(arena, 2, p->T);
    p->token = sl_arena_i32(arena, 1, p->T);
    p->stats = sl_arena_take(arena, p->T, sizeof *p->stats);
}

/* Small numbers everywhere: zero and denormal operands have a speed of their own. */
static void fill(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((i * 2654435761u >> 16) % 1000) * 1e-4f - 0.05f;
}

static sl_status open_operands(operands *p, sl_arena *arena)
{
    sl_arena measure = SL_ARENA_MEASURE;

    carve(p, &measure);
    SL_TRY(sl_arena_open(arena, measure.used_bytes));
    carve(p, arena);
    fill(p->y, p->T * p->O);
    fill(p->x, p->T * p->I);
    fill(p->w, p->O * p->I);
    return SL_OK;
}

static sl_status peak_of(double *per_second, const sl_bench *bench, operands p,
                         sl_status (*run)(void *), double amount)
{
    sl_arena arena = { 0 };
    double seconds = 0.0;
    sl_status st;

    p.ops = bench->backend->ops;
    st = open_operands(&p, &arena);
    if (st == SL_OK)
        st = sl_bench_time(&seconds, bench, run, &p);
    sl_arena_close(&arena);
    *per_second = seconds > 0.0 ? amount / seconds : 0.0;
    return st;
}

sl_status sl_bench_peak(sl_bench *bench)
{
    SL_TRY(peak_of(&bench->flops_peak, bench, (operands){ .T = GEMM, .O = GEMM, .I = GEMM }, gemm,
                   2.0 * GEMM * GEMM * GEMM));
    SL_TRY(peak_of(&bench->bytes_peak, bench, (operands){ .T = TRIAD, .O = 1, .I = 1 }, triad,
                   12.0 * TRIAD));
    if (!bench->is_json)
        printf("%s, %s, %d threads: sgemm %.1f GFLOP/s, triad %.1f GB/s\n", bench->backend->name,
               bench->backend->isa, bench->backend->threads, bench->flops_peak / 1e9,
               bench->bytes_peak / 1e9);
    return SL_OK;
}

sl_status sl_bench_peak_of_one(double *flops_per_s, const char *device)
{
    sl_bench bench = { .repeat = 3, .clock = sl_clock_cpu };

    SL_TRY(sl_err_where(sl_backend_open(&bench.backend, device, 1), "--device"));
    return peak_of(flops_per_s, &bench, (operands){ .T = GEMM, .O = GEMM, .I = GEMM }, gemm,
                   2.0 * GEMM * GEMM * GEMM);
}

static sl_status logp_fwd(void *state)
{
    const operands *p = state;

    p->ops->logp_fwd(p->aux, p->stats, p->y, p->token, p->T, p->O);
    return SL_OK;
}

static sl_status norm(void *state)
{
    const operands *p = state;

    p->ops->rmsnorm_fwd(p->y, p->aux, p->x, p->w, p->T, p->O, 1e-6f);
    return SL_OK;
}

static sl_status gated(void *state)
{
    const operands *p = state;

    p->ops->gated_fwd(p->y, p->x, p->T, p->O, SL_ACT_SILU);
    return SL_OK;
}

/* One operation at the shape (T, O, I); flops and bytes of one call. */
static sl_status one(sl_bench *bench, const char *size, const char *name, operands p,
                     sl_status (*run)(void *), double flops, double bytes)
{
    char text[64];
    double seconds = 0.0;
    sl_arena arena = { 0 };
    sl_status st;

    p.ops = bench->backend->ops;
    (void)snprintf(text, sizeof text, "%s %s (%zu,%zu,%zu)", size, name, p.T, p.O, p.I);
    st = open_operands(&p, &arena);
    if (st == SL_OK)
        st = sl_bench_time(&seconds, bench, run, &p);
    sl_arena_close(&arena);
    SL_TRY(st);
    return sl_bench_add(
        bench,
        &(sl_bench_row){
            .bench = "kernels", .name = text, .seconds = seconds, .flops = flops, .bytes = bytes });
}

static sl_status of_size(sl_bench *b, const char *name, const sl_config *c)
{
    const size_t qkv = (c->H + 2 * c->K) * c->E, tile = ROWS / 4;
    const operands in = { .T = ROWS, .O = qkv, .I = c->D },
                   head = { .T = tile, .O = c->V, .I = c->D };
    const operands up = { .T = ROWS, .O = 2 * c->F, .I = c->D };
    const operands rows = { .T = ROWS, .O = c->D, .I = c->D };
    const operands gate = { .T = ROWS, .O = c->F, .I = 2 * c->F };
    const double qkv_flops = 2.0 * ROWS * (double)qkv * (double)c->D;
    const double up_flops = 4.0 * ROWS * (double)c->F * (double)c->D;

    SL_TRY(one(b, name, "qkv forward", in, gemm, qkv_flops, 0));
    SL_TRY(one(b, name, "gate+up forward", up, gemm, up_flops, 0));
    SL_TRY(one(b, name, "gate+up backward x", up, gemm_bwd_x, up_flops, 0));
    SL_TRY(one(b, name, "gate+up backward W", up, gemm_bwd_w, up_flops, 0));
    SL_TRY(one(b, name, "head forward", head, gemm,
               2.0 * (double)tile * (double)c->V * (double)c->D, 0));
    SL_TRY(one(b, name, "log-softmax of a tile", head, logp_fwd, 0,
               4.0 * (double)tile * (double)c->V));
    SL_TRY(one(b, name, "RMSNorm", rows, norm, 0, 8.0 * ROWS * (double)c->D));
    return one(b, name, "gated activation", gate, gated, 0, 12.0 * ROWS * (double)c->F);
}

sl_status sl_bench_kernels(sl_bench *bench)
{
    for (size_t i = 0; bench->size[i]; i++) {
        sl_config config;
        sl_status st;

        SL_TRY(sl_bench_config(&config, bench->size[i]));
        st = of_size(bench, bench->size[i]->name, &config);
        sl_config_close(&config);
        SL_TRY(st);
    }
    return SL_OK;
}
