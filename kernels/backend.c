/* Backends by name. Each is filled once, under a lock; afterwards the tables are constant. The
 * threads of OpenMP and of BLAS are one setting of the process: the last open decides. */
#include "kernels/backend.h"
#include "base/text.h"
#include "kernels/cpu/cpu_int.h"
#include "kernels/ref/ref_int.h"
#include <cblas.h>
#include <omp.h>
#include <string.h>

const char *const sl_op_names[SL_OP_COUNT] = {
    "linear_fwd",    "linear_bwd_x", "linear_bwd_w",  "embed_fwd",     "embed_bwd",
    "gather",        "scatter_add",  "rmsnorm_fwd",   "rmsnorm_bwd",   "layernorm_fwd",
    "layernorm_bwd", "rope",         "attention_fwd", "attention_bwd", "attention_decode",
    "gated_fwd",     "gated_bwd",    "act_fwd",       "act_bwd",       "add",
    "logp_fwd",      "logp_bwd",     "topk",          "sample",        "adamw",
    "scale",         "sum_sq",       "dot",           "max_abs",       "count_sketch",
};

static const char *fill_ref(sl_ops *ops)
{
    sl_ref_fill(ops);
    return "base";
}

static const char *fill_cpu(sl_ops *ops)
{
    sl_ref_fill(ops);
    return sl_cpu_fill(ops, NULL);
}

static const char *fill_cpu_bf16(sl_ops *ops)
{
    sl_ref_fill(ops);
    return sl_cpu_fill_bf16(ops, NULL);
}

/* A row of the table of backends. fill NULL: not in this build. */
typedef struct backend_row {
    sl_backend backend;
    sl_ops ops;
    const char *(*fill)(sl_ops *ops); /* returns the instruction set */
    const char *missing;              /* what a build without it lacks: "want X, found Y" */
} backend_row;

static backend_row rows[] = {
    { .backend = { .name = "ref" }, .fill = fill_ref },
    { .backend = { .name = "cpu" }, .fill = fill_cpu },
    { .backend = { .name = "cpu-bf16" }, .fill = fill_cpu_bf16 },
    { .backend = { .name = "cuda" },
#if HAVE_CUDA
      .fill = sl_cuda_fill,
#endif
      .missing = "want a CUDA device, found a build without CUDA" },
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static backend_row *find(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].backend.name, name) == 0)
            return &rows[i];
    return NULL;
}

static sl_status fail_name(const char *name)
{
    const char *names[ROW_COUNT + 1] = { NULL };
    const char *near = NULL;
    sl_status st;

    for (size_t i = 0; i < ROW_COUNT; i++)
        names[i] = rows[i].backend.name;
    near = sl_text_nearest(name, names);
    st = SL_FAIL(SL_EARG, "want a backend (ref, cpu, cpu-bf16, cuda), found \"%s\"", name);
    return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
}

/* Every slot of ops is set. The slots are read as an array of function pointers. */
static sl_status check_slots(const char *name, const sl_ops *ops)
{
    void (*slot[SL_OP_COUNT])(void);

    memcpy(slot, ops, sizeof slot);
    for (size_t i = 0; i < SL_OP_COUNT; i++)
        if (!slot[i])
            return SL_FAIL(SL_EDEVICE, "want op %s of backend %s, found an empty slot",
                           sl_op_names[i], name);
    return SL_OK;
}

static sl_status open_row(backend_row *row, int threads)
{
    if (!row->fill)
        return SL_FAIL(SL_EDEVICE, "%s", row->missing);
    if (threads == 0)
        threads = omp_get_num_procs();
    omp_set_num_threads(threads);
    openblas_set_num_threads(threads);
    if (!row->backend.ops)
        row->backend.isa = row->fill(&row->ops);
    SL_TRY(check_slots(row->backend.name, &row->ops));
    row->backend.ops = &row->ops;
    row->backend.blas = openblas_get_config();
    row->backend.threads = threads;
    return SL_OK;
}

sl_status sl_backend_open(const sl_backend **out, const char *name, int threads)
{
    backend_row *row = find(name);
    sl_status st = SL_OK;

    *out = NULL;
    if (!row)
        return fail_name(name);
    if (threads < 0)
        return SL_FAIL(SL_EARG, "want threads >= 0, found %d", threads);
#pragma omp critical(sl_backend_open)
    st = open_row(row, threads);
    if (st == SL_OK)
        *out = &row->backend;
    return st;
}

const sl_ops *sl_ref_ops(void)
{
    static sl_ops ops;

#pragma omp critical(sl_ref_ops)
    sl_ref_fill(&ops);
    return &ops;
}
