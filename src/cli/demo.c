/* `demo`: the whole loop on the built-in world, from nothing to decided stages. Two starts, a weak
 * and a strong one, each trained for two iterations on the data that the measured stage asks for.
 */
#include "analysis/run_analysis.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/demo_table.h"
#include "cli/figures.h"
#include "cli/progress.h"
#include "cli/recipes.h"
#include "cli/run_recipe.h"
#include "run/files.h"
#include <stdio.h>
#include <string.h>

typedef struct demo_opts {
    const char *out, *device, *format;
    int64_t threads, seed;
    int is_quiet;
} demo_opts;

static const sl_opt opts[] = {
    { "out", SL_OPT_TEXT, offsetof(demo_opts, out), "DIR", "a new folder (default: demo-out)" },
    { "format", SL_OPT_TEXT, offsetof(demo_opts, format), "F", "of figures: svg, pdf or png" },
    { "seed", SL_OPT_I64, offsetof(demo_opts, seed), "N", "of everything (default: 1)" },
    { "device", SL_OPT_TEXT, offsetof(demo_opts, device), "NAME", "cpu or ref" },
    { "threads", SL_OPT_I64, offsetof(demo_opts, threads), "N",
      "default 1: the world's model is too small to share" },
    { "quiet", SL_OPT_FLAG, offsetof(demo_opts, is_quiet), NULL, "no progress lines" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

/* A start: strength s of the generator that the second SFT phase imitates (content s, style s/4).
 */
typedef struct demo_start {
    const char *name, *what;
    double strength;
} demo_start;

static const demo_start starts[] = {
    { "weak", "a weak start (strength 2)", 2.0 },
    { "strong", "a strong start (strength 4)", 4.0 },
};
enum { START_COUNT = sizeof starts / sizeof starts[0] };

/* Runs recipe NAME with overrides ("key=value", NULL-terminated) into folder. */
static sl_status run(const demo_opts *o, const char *recipe_name, const char *const *set,
                     const char *label, const char *folder)
{
    const sl_run_request request = { .label = label,
                                     .folder = folder,
                                     .device = o->device,
                                     .threads = (int)o->threads,
                                     .is_quiet = o->is_quiet };
    char path[SL_RUN_PATH], seed[64];
    sl_recipe recipe = { 0 };

    SL_TRY(sl_recipe_path(path, sizeof path, recipe_name));
    SL_TRY(sl_yaml_load(&recipe, sl_recipe_keys, sl_recipe_key_count, path));
    for (; *set; set++)
        SL_TRY(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, *set));
    snprintf(seed, sizeof seed, "seed=%lld", (long long)o->seed);
    SL_TRY(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, seed));
    snprintf(seed, sizeof seed, "world.seed=%lld", (long long)o->seed);
    SL_TRY(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, seed));
    return sl_run_recipe(&recipe, &request);
}

/* "KEY=VALUE" of a path or a number into out. */
static const char *assign(char out[SL_RUN_PATH + 64], const char *key, const char *value)
{
    snprintf(out, SL_RUN_PATH + 64, "%s=%s", key, value);
    return out;
}

/* Second SFT phase: from the common base to the start's strength. */
static sl_status make_start(const demo_opts *o, const demo_start *start, const char *base,
                            const char *folder)
{
    char policy[SL_RUN_PATH], model[SL_RUN_PATH + 64], content[64], style[64], label[64];
    const char *const set[] = { assign(model, "model.policy", policy),
                                content,
                                style,
                                "train.prompts=2560",
                                "optim.learning_rate=2.0e-3",
                                "optim.warmup=0.5",
                                NULL };

    SL_TRY(sl_run_last_checkpoint(policy, base));
    assign(model, "model.policy", policy);
    snprintf(content, sizeof content, "world.content=%g", start->strength);
    snprintf(style, sizeof style, "world.style=%g", start->strength / 4.0);
    snprintf(label, sizeof label, "%s start, SFT 2", start->name);
    return run(o, "world-start.yaml", set, label, folder);
}

static sl_status train_start(const demo_opts *o, const demo_start *start, const char *policy_run,
                             const char *folder)
{
    char policy[SL_RUN_PATH], model[SL_RUN_PATH + 64];
    const char *const set[] = { model, NULL };

    SL_TRY(sl_run_last_checkpoint(policy, policy_run));
    assign(model, "model.policy", policy);
    return run(o, "world-dpo.yaml", set, start->name, folder);
}

/* Tables and figures of a run, from its record alone. */
static sl_status show_run(sl_demo_table *table, const demo_opts *o, const demo_start *start,
                          const char *folder, const char *tables)
{
    const sl_figure_form form = { o->format, "screen" };
    sl_run_analysis analysis = { 0 };
    sl_insight insight = { 0 };
    sl_reader *reader = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_file_new_folder(tables));
    SL_TRY_OUT(sl_reader_open(&reader, folder));
    SL_TRY_OUT(sl_run_analyze(&analysis, reader));
    if (analysis.differences)
        SL_TRY_OUT(SL_FAIL(SL_EINTERNAL, "bug: the record gives another analysis: %s",
                           analysis.first_difference));
    SL_TRY_OUT(sl_insight_run(&insight, reader));
    SL_TRY_OUT(sl_run_tables(tables, &analysis, reader));
    SL_TRY_OUT(sl_insight_tables(tables, &insight));
    SL_TRY_OUT(sl_demo_table_add(table, start->name, &analysis, reader));
    SL_TRY_OUT(sl_figures_make(tables, tables, &form, NULL));
out:
    sl_insight_close(&insight);
    sl_run_analysis_close(&analysis);
    sl_reader_close(&reader);
    return st;
}

typedef struct demo_paths {
    char base[SL_RUN_PATH], start[START_COUNT][SL_RUN_PATH], run[START_COUNT][SL_RUN_PATH],
        tables[START_COUNT][SL_RUN_PATH], report[SL_RUN_PATH];
} demo_paths;

static sl_status name_paths(demo_paths *p, const char *out)
{
    SL_TRY(sl_file_join(p->base, SL_RUN_PATH, out, "start-base"));
    SL_TRY(sl_file_join(p->report, SL_RUN_PATH, out, "report.html"));
    for (size_t i = 0; i < START_COUNT; i++) {
        char name[64];

        snprintf(name, sizeof name, "start-%s", starts[i].name);
        SL_TRY(sl_file_join(p->start[i], SL_RUN_PATH, out, name));
        snprintf(name, sizeof name, "run-%s", starts[i].name);
        SL_TRY(sl_file_join(p->run[i], SL_RUN_PATH, out, name));
        snprintf(name, sizeof name, "figures-%s", starts[i].name);
        SL_TRY(sl_file_join(p->tables[i], SL_RUN_PATH, out, name));
    }
    return SL_OK;
}

static sl_status demo(const demo_opts *o)
{
    static const char *const none[] = { NULL };
    static demo_paths p;
    sl_demo_table table = { 0 };
    const char *runs[START_COUNT];

    SL_TRY(name_paths(&p, o->out));
    SL_TRY(sl_err_hint(sl_file_new_folder(o->out), "give another --out"));
    SL_TRY(run(o, "world-start.yaml", none, "common base, SFT 1", p.base));
    for (size_t i = 0; i < START_COUNT; i++) {
        SL_TRY(make_start(o, &starts[i], p.base, p.start[i]));
        SL_TRY(train_start(o, &starts[i], p.start[i], p.run[i]));
        SL_TRY(show_run(&table, o, &starts[i], p.run[i], p.tables[i]));
        runs[i] = p.run[i];
    }
    SL_TRY(sl_demo_table_print(&table, o->out));
    return sl_report_write(p.report, runs, START_COUNT);
}

static sl_status demo_run(int argc, char **argv)
{
    demo_opts o = { .out = "demo-out", .device = "cpu", .format = "svg", .threads = 1, .seed = 1 };
    const char *argument[1];
    size_t count;
    int is_done;

    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_demo, argc, argv));
    return is_done ? SL_OK : demo(&o);
}

const sl_command sl_command_demo = {
    .name = "demo",
    .operands = "[--out DIR]",
    .summary =
        "the main job from nothing, on the built-in world\n"
        "Trains a weak and a strong start for two iterations each; before every iteration the\n"
        "boundary score decides between static and on-policy data. Under a minute.",
    .opts = opts,
    .example = "stageline demo --out demo-out",
    .run = demo_run,
};
