/* `bench`: sizes, the list of parts, the result. */
#include "base/sort.h"
#include "base/text.h"
#include "cli/bench.h"
#include "cli/bench_stage.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "train/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { REPEAT_MOST = 101, RUNS_MOST = 1000000 };

static const sl_bench_size sizes[] = {
    { .name = "world",
      .L = 2,
      .D = 48,
      .F = 96,
      .H = 4,
      .K = 4,
      .V = 27,
      .positions = 18,
      .pairs = 32,
      .most_tok = 18 },
    { .name = "15m",
      .L = 6,
      .D = 288,
      .F = 768,
      .H = 6,
      .K = 6,
      .V = 32000,
      .positions = 1024,
      .pairs = 8,
      .most_tok = 512 },
    { .name = "135m",
      .L = 30,
      .D = 576,
      .F = 1536,
      .H = 9,
      .K = 3,
      .V = 49152,
      .positions = 2048,
      .is_tied = 1,
      .pairs = 4,
      .most_tok = 256 },
};
enum { SIZE_COUNT = sizeof sizes / sizeof sizes[0] };

static const sl_bench_part parts[] = {
    { "kernels", "operations one by one, at the shapes of each size", sl_bench_kernels, 0 },
    { "step", "a DPO step on pairs with real lengths", sl_bench_step, 0 },
    { "generate", "sampling with shared prompts, and one sequence alone", sl_bench_generate, 0 },
    { "load", "a checkpoint (--model FOLDER)", sl_bench_load, 0 },
    { "analysis", "the analyzer beside what is usual in Python", sl_bench_analysis, 1 },
    { "coverage", "error, votes and coverage of tests and intervals by simulation",
      sl_bench_coverage, 1 },
};
enum { PART_COUNT = sizeof parts / sizeof parts[0] };

typedef struct bench_opts {
    const char *device, *size, *model, *out, *seeds, *starts, *rows, *item;
    int64_t threads, repeat, runs, branch;
    int is_json, is_full, is_small, is_cpu_time;
} bench_opts;

static const sl_opt opts[] = {
    { "size", SL_OPT_TEXT, offsetof(bench_opts, size), "NAME",
      "world, 15m or 135m (default: all)" },
    { "model", SL_OPT_TEXT, offsetof(bench_opts, model), "FOLDER", "the checkpoint of load" },
    { "repeat", SL_OPT_I64, offsetof(bench_opts, repeat), "N", "runs, of which the median (5)" },
    { "runs", SL_OPT_I64, offsetof(bench_opts, runs), "N", "simulated runs of coverage (8000)" },
    { "json", SL_OPT_FLAG, offsetof(bench_opts, is_json), NULL, "one JSON document" },
    { "device", SL_OPT_TEXT, offsetof(bench_opts, device), "NAME", "cpu, cpu-bf16, ref or cuda" },
    { "cpu-time", SL_OPT_FLAG, offsetof(bench_opts, is_cpu_time), NULL,
      "time of the processor: for a machine that others use" },
    { "threads", SL_OPT_I64, offsetof(bench_opts, threads), "N", "0: all processors" },
    { "full", SL_OPT_FLAG, offsetof(bench_opts, is_full), NULL, "stage: the large world" },
    { "out", SL_OPT_TEXT, offsetof(bench_opts, out), "DIR", "stage: cells, tables, figures" },
    { "seeds", SL_OPT_TEXT, offsetof(bench_opts, seeds), "LIST", "stage: default 31,32" },
    { "starts", SL_OPT_TEXT, offsetof(bench_opts, starts), "LIST", "stage: strengths" },
    { "rows", SL_OPT_TEXT, offsetof(bench_opts, rows), "ROWS",
      "stage: plain, shown (default), all or a row's name" },
    { "branch", SL_OPT_I64, offsetof(bench_opts, branch), "R",
      "stage: branch tests of R replicates, too" },
    { "item", SL_OPT_TEXT, offsetof(bench_opts, item), "NAME", "analysis: one item (all)" },
    { "small", SL_OPT_FLAG, offsetof(bench_opts, is_small), NULL, "analysis: sizes of a test" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

sl_status sl_bench_time(double *seconds, const sl_bench *bench, sl_status (*run)(void *state),
                        void *state)
{
    double (*const clock)(void) = bench->clock ? bench->clock : sl_clock_now;
    double took[REPEAT_MOST];

    SL_TRY(run(state));
    for (int64_t i = 0; i < bench->repeat; i++) {
        const double begun = clock();

        SL_TRY(run(state));
        took[i] = clock() - begun;
    }
    sl_sort(took, (size_t)bench->repeat, sizeof *took, ascending);
    *seconds = took[bench->repeat / 2];
    return SL_OK;
}

static sl_json *rate(double amount, double seconds)
{
    return amount > 0.0 ? sl_json_number(amount / seconds) : json_null();
}

static void print_row(const sl_bench *bench, const sl_bench_row *row)
{
    char flops[32] = "", bytes[32] = "", tokens[32] = "";

    if (row->flops > 0.0)
        (void)snprintf(flops, sizeof flops, "%8.1f GFLOP/s %3.0f %%",
                       row->flops / row->seconds / 1e9,
                       100.0 * row->flops / row->seconds / bench->flops_peak);
    if (row->bytes > 0.0)
        (void)snprintf(bytes, sizeof bytes, "%8.1f GB/s    %3.0f %%",
                       row->bytes / row->seconds / 1e9,
                       100.0 * row->bytes / row->seconds / bench->bytes_peak);
    if (row->tokens > 0.0)
        (void)snprintf(tokens, sizeof tokens, "%10.0f tokens/s", row->tokens / row->seconds);
    printf("%-9s %-34s %10.3f ms %s%s%s\n", row->bench, row->name, row->seconds * 1e3, flops, bytes,
           tokens);
    (void)fflush(stdout);
}

sl_status sl_bench_add(sl_bench *bench, const sl_bench_row *row)
{
    const double flops = row->flops / row->seconds, bytes = row->bytes / row->seconds;
    sl_json *tree =
        json_pack("{s:s, s:s, s:f, s:o, s:o, s:o, s:o, s:o}", "bench", row->bench, "name",
                  row->name, "seconds", row->seconds, "flops_per_s", rate(row->flops, row->seconds),
                  "bytes_per_s", rate(row->bytes, row->seconds), "tokens_per_s",
                  rate(row->tokens, row->seconds), "share_of_sgemm",
                  row->flops > 0.0 ? sl_json_number(flops / bench->flops_peak) : json_null(),
                  "share_of_triad",
                  row->bytes > 0.0 ? sl_json_number(bytes / bench->bytes_peak) : json_null());

    if (!tree || json_array_append_new(bench->rows, tree) != 0)
        return SL_FAIL(SL_ENOMEM, "want memory for a result, found none");
    if (!bench->is_json)
        print_row(bench, row);
    return SL_OK;
}

sl_status sl_bench_config(sl_config *out, const sl_bench_size *size)
{
    sl_json *tree =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "model_type",
                  sl_family_names()[0], "num_hidden_layers", (json_int_t)size->L, "hidden_size",
                  (json_int_t)size->D, "intermediate_size", (json_int_t)size->F,
                  "num_attention_heads", (json_int_t)size->H, "num_key_value_heads",
                  (json_int_t)size->K, "vocab_size", (json_int_t)size->V, "max_position_embeddings",
                  (json_int_t)size->positions, "tie_word_embeddings", size->is_tied);

    if (!tree)
        return SL_FAIL(SL_ENOMEM, "want memory for a config, found none");
    return sl_config_parse(out, tree, size->name);
}

sl_status sl_bench_model(sl_model **out, const sl_bench *bench, const sl_bench_size *size,
                         int is_trainable)
{
    sl_config config;

    SL_TRY(sl_bench_config(&config, size));
    return sl_model_create(out, &config, bench->backend, &(sl_init){ .seed = 1 }, is_trainable);
}

double sl_bench_matrices(const sl_config *c)
{
    const double attention = (double)(c->H * c->E + 2 * c->K * c->E) * (double)c->D +
                             (double)(c->H * c->E) * (double)c->D;
    const double mlp = (c->mlp == SL_MLP_GATED ? 3.0 : 2.0) * (double)c->D * (double)c->F;

    return (double)c->L * (attention + mlp) + (double)c->V * (double)c->D;
}

static sl_status choose_sizes(const sl_bench_size **chosen, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < SIZE_COUNT; i++)
        if (!name || !strcmp(name, sizes[i].name))
            chosen[n++] = &sizes[i];
    chosen[n] = NULL;
    return n ? SL_OK : SL_FAIL(SL_EUSAGE, "want --size world, 15m or 135m, found \"%s\"", name);
}

static int is_wanted(const sl_bench_part *part, const char *name)
{
    return name ? !strcmp(name, part->name) : !part->is_alone;
}

static sl_status run_parts(sl_bench *bench, const char *name)
{
    const char *names[PART_COUNT + 2] = { NULL }, *near;
    int found = 0, wants_peak = 0;

    for (size_t i = 0; i < PART_COUNT; i++) {
        names[i] = parts[i].name;
        found |= is_wanted(&parts[i], name);
        wants_peak |= is_wanted(&parts[i], name) && !parts[i].is_alone;
    }
    names[PART_COUNT] = "stage"; /* not one of the parts: it has settings of its own */
    near = name ? sl_text_nearest(name, names) : NULL;
    if (!found)
        return sl_err_hint(SL_FAIL(SL_EUSAGE, "want a benchmark, found \"%s\"", name),
                           near ? "did you mean \"%s\"?" : "stageline bench --help lists them%.0s",
                           near ? near : "");
    if (wants_peak)
        SL_TRY(sl_bench_peak(bench));
    for (size_t i = 0; i < PART_COUNT; i++)
        if (is_wanted(&parts[i], name))
            SL_TRY(sl_err_where(parts[i].run(bench), "bench %s", parts[i].name));
    return SL_OK;
}

/* Null where no peak was measured. */
static sl_json *peak(double per_s)
{
    return per_s > 0.0 ? sl_json_number(per_s) : json_null();
}

static sl_status print_document(const sl_bench *b)
{
    struct rusage usage = { 0 };
    sl_json *tree;
    sl_status st;

    (void)getrusage(RUSAGE_SELF, &usage);
    tree = json_pack("{s:s, s:s, s:s, s:i, s:I, s:o, s:o, s:I, s:O}", "schema", "stageline.bench/1",
                     "device", b->backend->name, "isa", b->backend->isa, "threads",
                     b->backend->threads, "repeat", (json_int_t)b->repeat, "sgemm_flops_per_s",
                     peak(b->flops_peak), "triad_bytes_per_s", peak(b->bytes_peak),
                     "peak_memory_bytes", (json_int_t)usage.ru_maxrss * 1024, "rows", b->rows);
    if (!tree)
        return SL_FAIL(SL_ENOMEM, "want memory for the document, found none");
    st = sl_print_json(tree);
    sl_json_close(&tree);
    return st;
}

static sl_status bench_all(const bench_opts *o, const char *name)
{
    const sl_bench_size *chosen[SIZE_COUNT + 1];
    sl_bench b = { .repeat = o->repeat,
                   .runs = o->runs,
                   .size = chosen,
                   .folder = o->model,
                   .item = o->item,
                   .is_small = o->is_small,
                   .is_json = o->is_json,
                   .clock = o->is_cpu_time ? sl_clock_cpu : NULL };
    sl_status st = SL_OK;

    if (o->repeat < 1 || o->repeat > REPEAT_MOST)
        return SL_FAIL(SL_EUSAGE, "want --repeat in [1, %d], found %lld", REPEAT_MOST,
                       (long long)o->repeat);
    if (o->runs < 16 || o->runs > RUNS_MOST)
        return SL_FAIL(SL_EUSAGE, "want --runs in [16, %d], found %lld", RUNS_MOST,
                       (long long)o->runs);
    SL_TRY(choose_sizes(chosen, o->size));
    SL_TRY(sl_err_where(sl_backend_open(&b.backend, o->device, (int)o->threads), "--device"));
    b.rows = json_array();
    if (!b.rows)
        return SL_FAIL(SL_ENOMEM, "want memory for results, found none");
    st = run_parts(&b, name);
    if (st == SL_OK && b.is_json)
        st = print_document(&b);
    sl_json_close(&b.rows);
    return st;
}

static sl_status bench_stage(const bench_opts *o)
{
    const sl_stage_opts stage = { .out = o->out,
                                  .seeds = o->seeds,
                                  .starts = o->starts,
                                  .rows = o->rows,
                                  .device = o->device,
                                  .processes = o->threads,
                                  .branch = o->branch,
                                  .is_full = o->is_full,
                                  .is_json = o->is_json };

    return sl_bench_stage(&stage);
}

static sl_status bench_run(int argc, char **argv)
{
    bench_opts o = {
        .device = "cpu", .repeat = 5, .runs = 8000, .seeds = "31,32", .rows = "shown"
    };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_bench, argc, argv));
    if (is_done)
        return SL_OK;
    if (count && !strcmp(argument[0], "stage"))
        return bench_stage(&o);
    return bench_all(&o, count ? argument[0] : NULL);
}

const sl_command sl_command_bench = {
    .name = "bench",
    .operands = "[NAME] [--size NAME] [--json]",
    .summary =
        "how fast, as shares of this machine's peaks\n"
        "NAME: kernels, step, generate, load; these without one. analysis: the analyzer beside\n"
        "Python (STAGELINE_PYTHON, python3). coverage: tests and intervals on simulated votes.\n"
        "stage: how often the boundary score is right, on the built-in world; goes on in DIR.",
    .opts = opts,
    .most = 1,
    .example = "stageline bench step --size world --threads 1",
    .run = bench_run,
};
