/* `plot`: the figures of a run, each with its table beside it. */
#include "cli/commands.h"
#include "cli/figures.h"
#include <limits.h>
#include <stdio.h>

typedef struct plot_opts {
    const char *out, *format, *figure;
} plot_opts;

static const sl_opt opts[] = {
    { "out", SL_OPT_TEXT, offsetof(plot_opts, out), "DIR", "a new folder (default: figures)" },
    { "format", SL_OPT_TEXT, offsetof(plot_opts, format), "F", "svg (default), pdf or png" },
    { "figure", SL_OPT_TEXT, offsetof(plot_opts, figure), "NAME",
      "one only: boundary, rewards, gradients, diversity, gains" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

static sl_status fill(const char *folder, const char *run, const plot_opts *o)
{
    SL_TRY(sl_figures_tables(folder, run));
    return sl_figures_make(folder, folder, o->format, o->figure);
}

static sl_status plot(const char *run, const plot_opts *o)
{
    char folder[PATH_MAX];

    SL_TRY(sl_figures_part(folder, o->out));
    return sl_figures_publish(fill(folder, run, o), folder, o->out);
}

static sl_status plot_run(int argc, char **argv)
{
    plot_opts o = { .out = "figures", .format = "svg" };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_plot, argc, argv));
    if (is_done)
        return SL_OK;
    SL_TRY(sl_figures_check(o.format, o.figure));
    SL_TRY(plot(argument[0], &o));
    printf("%s\n", o.out);
    return SL_OK;
}

const sl_command sl_command_plot = {
    .name = "plot",
    .operands = "RUN [--out DIR]",
    .summary = "figures by gnuplot, with their data tables\n"
               "Draws what the record of a run holds; a figure without data is left out, with a\n"
               "note. The scripts are the program's own; the environment variable STAGELINE_PLOTS\n"
               "names another folder of scripts.",
    .opts = opts,
    .least = 1,
    .most = 1,
    .example = "stageline plot demo-out/run-weak --out figures --format pdf",
    .run = plot_run,
};
