/* `plot`: the figures of a run, each with its table beside it. */
#include "cli/commands.h"
#include "cli/figures.h"
#include <limits.h>
#include <stdio.h>

typedef struct plot_opts {
    const char *out, *figure;
    sl_figure_form form;
} plot_opts;

static const sl_opt opts[] = {
    { "out", SL_OPT_TEXT, offsetof(plot_opts, out), "DIR", "a new folder (default: figures)" },
    { "format", SL_OPT_TEXT, offsetof(plot_opts, form.format), "F", "svg (default), pdf or png" },
    { "figure", SL_OPT_TEXT, offsetof(plot_opts, figure), "NAME",
      "one only: boundary, rewards, gradients, diversity, alignment, gains" },
    { "width", SL_OPT_TEXT, offsetof(plot_opts, form.width), "W",
      "one-column or two-column of LaTeX; screen (default)" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

static sl_status fill(const char *folder, const char *const *runs, size_t count, const plot_opts *o)
{
    if (count > 1) {
        SL_TRY(sl_figures_seed_tables(folder, runs, count));
        return sl_figures_make_seeds(folder, folder, &o->form);
    }
    SL_TRY(sl_figures_tables(folder, runs[0]));
    return sl_figures_make(folder, folder, &o->form, o->figure);
}

static sl_status plot(const char *const *runs, size_t count, const plot_opts *o)
{
    char folder[PATH_MAX];

    SL_TRY(sl_figures_part(folder, o->out));
    return sl_figures_publish(fill(folder, runs, count, o), folder, o->out);
}

static sl_status plot_run(int argc, char **argv)
{
    plot_opts o = { .out = "figures", .form = { "svg", "screen" } };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_plot, argc, argv));
    if (is_done)
        return SL_OK;
    SL_TRY(sl_figures_check(&o.form, o.figure));
    if (count > 1 && o.figure)
        return SL_FAIL(SL_EUSAGE, "want --figure with one run, found %zu runs", count);
    SL_TRY(plot(argument, count, &o));
    printf("%s\n", o.out);
    return SL_OK;
}

const sl_command sl_command_plot = {
    .name = "plot",
    .operands = "RUN... [--out DIR]",
    .summary =
        "figures by gnuplot, with their data tables\n"
        "Draws what the record of a run holds; a figure without data is left out, with a\n"
        "note. Several runs that differ in their seeds only: mean and band over seeds. The\n"
        "scripts are the program's own; the environment variable STAGELINE_PLOTS names another\n"
        "folder of scripts.",
    .opts = opts,
    .least = 1,
    .most = SL_OPT_LIST_MOST,
    .example = "stageline plot demo-out/run-weak --out figures --format pdf",
    .run = plot_run,
};
