/* `train`: one recipe, one run. */
#include "base/alloc.h"
#include "cli/commands.h"
#include "cli/grid.h"
#include "cli/run_recipe.h"
#include "cli/train_golden.h"
#include "cli/train_losses.h"
#include <stdio.h>
#include <string.h>

typedef struct train_opts {
    const char *out, *device, *golden;
    int64_t threads;
    int is_resumed, is_quiet, has_losses;
    sl_opt_list set;
} train_opts;

static const sl_opt opts[] = {
    { "out", SL_OPT_TEXT, offsetof(train_opts, out), "RUN", "folder of the run (default: run)" },
    { "resume", SL_OPT_FLAG, offsetof(train_opts, is_resumed), NULL,
      "go on from the newest checkpoint; the run holds its recipe" },
    { "set", SL_OPT_LIST, offsetof(train_opts, set), "KEY=VALUE",
      "override a key, as method.beta=0.3; may be given again" },
    { "golden", SL_OPT_TEXT, offsetof(train_opts, golden), "TRACE.h5",
      "compare step by step with a run of another program" },
    { "losses", SL_OPT_FLAG, offsetof(train_opts, has_losses), NULL,
      "list the losses with settings, formula and source" },
    { "device", SL_OPT_TEXT, offsetof(train_opts, device), "NAME", "cpu, cpu-bf16, ref or cuda" },
    { "threads", SL_OPT_I64, offsetof(train_opts, threads), "N", "0: all processors" },
    { "quiet", SL_OPT_FLAG, offsetof(train_opts, is_quiet), NULL, "no progress lines" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

/* A recipe is optional: the trace says what it was made with. */
static sl_status run_golden(const train_opts *o, const char *path)
{
    const sl_backend *backend = NULL;
    sl_recipe recipe = { 0 };
    sl_status st;

    if (o->is_resumed)
        return SL_FAIL(SL_EUSAGE, "want --golden without --resume, found both");
    SL_TRY(path ? sl_yaml_load(&recipe, sl_recipe_keys, sl_recipe_key_count, path)
                : sl_yaml_defaults(&recipe, sl_recipe_keys, sl_recipe_key_count));
    st = sl_err_where(sl_backend_open(&backend, o->device, (int)o->threads), "--device %s",
                      o->device);
    if (st != SL_OK)
        return st == SL_EARG ? SL_EUSAGE : st;
    return sl_train_golden(o->golden, &recipe, &o->set, backend);
}

/* One run, or a grid of them. */
static sl_status run_any(const train_opts *o, const sl_grid_recipe *recipe, const char *path)
{
    const sl_run_request one = { .label = o->out,
                                 .folder = o->out,
                                 .device = o->device,
                                 .threads = (int)o->threads,
                                 .is_resumed = o->is_resumed,
                                 .is_quiet = o->is_quiet };
    const sl_grid_request many = { .recipe = path,
                                   .out = o->out,
                                   .device = o->device,
                                   .processes = (int)o->threads,
                                   .is_quiet = o->is_quiet };

    if (o->is_resumed && sl_grid_is_folder(o->out))
        return sl_grid_resume(&many);
    return sl_grid_is_one(recipe) ? sl_grid_run(recipe, &many)
                                  : sl_run_recipe(&recipe->recipe, &one);
}

static sl_status train_run(int argc, char **argv)
{
    train_opts o = { .out = "run", .device = "cpu" };
    const char *argument[64];
    size_t count;
    int is_done;
    sl_grid_recipe *recipe = NULL;
    sl_status st;

    if (argc > 64)
        return SL_FAIL(SL_EUSAGE, "want at most 64 words, found %d", argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_train, argc, argv));
    if (is_done)
        return SL_OK;
    if (o.has_losses) {
        sl_print_losses();
        return SL_OK;
    }
    if (o.golden)
        return run_golden(&o, count ? argument[0] : NULL);
    if (o.is_resumed && (count || o.set.count))
        return SL_FAIL(SL_EUSAGE, "want --resume without a recipe or --set, found one: "
                                  "the run holds its own");
    if (!o.is_resumed && !count)
        return SL_FAIL(SL_EUSAGE, "want a recipe, found none");
    SL_TRY(sl_take(&recipe, 1, sizeof *recipe));
    st = o.is_resumed ? SL_OK : sl_grid_load(recipe, argument[0], o.set.at, o.set.count);
    if (st == SL_OK)
        st = run_any(&o, recipe, argument[0]);
    sl_free(recipe);
    SL_TRY(st);
    printf("%s\n", o.out);
    return SL_OK;
}

const sl_command sl_command_train = {
    .name = "train",
    .operands = "RECIPE.yaml [--out RUN] [--resume]",
    .summary =
        "trains by a recipe and records every step\n"
        "SFT, DPO, SLiC-HF and other losses; static, on-policy, mixed or advised data. Ctrl-C "
        "stops\n"
        "at the next step and seals the record. A recipe with section grid is a run for every\n"
        "family, start, method and seed, in as many processes as --threads. docs/formats.md: data\n"
        "and recipes; docs/math.md: losses and optimizers.",
    .opts = opts,
    .most = 1,
    .example = "stageline train recipes/world-start.yaml --out start --set train.prompts=640",
    .run = train_run,
};
