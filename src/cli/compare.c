/* `compare`: models, families, methods and data orders side by side. */
#include "analysis/compare.h"
#include "base/alloc.h"
#include "base/file.h"
#include "cli/analyze.h"
#include "cli/commands.h"
#include "cli/compare_view.h"
#include "cli/document.h"
#include "cli/grid.h"
#include "cli/print.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct compare_opts {
    const char *out, *format, *allow_bad, *baselines;
    sl_figure_form form;
    double level;
    int is_json, is_soft;
} compare_opts;

static const sl_opt opts[] = {
    { "out", SL_OPT_TEXT, offsetof(compare_opts, out), "DIR",
      "a new folder with tables and figures" },
    { "format", SL_OPT_TEXT, offsetof(compare_opts, format), "F", "text (default), latex or csv" },
    { "figure", SL_OPT_TEXT, offsetof(compare_opts, form.format), "F",
      "format of the figures: svg (default), pdf or png" },
    { "width", SL_OPT_TEXT, offsetof(compare_opts, form.width), "W",
      "of the figures: one-column or two-column of LaTeX; screen (default)" },
    { "level", SL_OPT_F64, offsetof(compare_opts, level), "L", "of the intervals (0.95)" },
    { "json", SL_OPT_FLAG, offsetof(compare_opts, is_json), NULL, "one JSON document" },
    { "soft", SL_OPT_FLAG, offsetof(compare_opts, is_soft), NULL,
      "scores become votes by sigmoid of their difference" },
    { "baselines", SL_OPT_TEXT, offsetof(compare_opts, baselines), "FILE",
      "answers of the baselines, for the score at equal length" },
    { "allow-bad", SL_OPT_TEXT, offsetof(compare_opts, allow_bad), "SHARE",
      "share of bad rows of a file that is taken (0.01)" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

static const sl_sheet sheets[] = {
    { "models",
      "Scores of models against their baselines, with their stages",
      { { "row", "", 0 },
        { "family", "family", 0 },
        { "model", "model", 0 },
        { "baseline", "baseline", 0 },
        { "judge", "judge", 0 },
        { "prompts", "prompts", 0 },
        { "votes", "votes", 0 },
        { "bs", "score", 4 },
        { "se", "se", 4 },
        { "lower", "lower", 4 },
        { "upper", "upper", 4 },
        { "interval", "interval", 0 },
        { "stage", "stage", 0 },
        { "votes_used", "votes used", 0 },
        { "chars", "chars", 0 },
        { "lc_bs", "equal length", 4 } } },
    { "runs",
      "Runs: family, method, data; per byte or character of text in the last twentieth of the "
      "pairs",
      { { "run", "run", 0 },
        { "family", "family", 0 },
        { "parameters", "parameters", 0 },
        { "method", "method", 0 },
        { "source", "data", 0 },
        { "order", "order", 0 },
        { "pairs", "pairs", 0 },
        { "on_policy", "on-policy", 3 },
        { "nats_per_byte_chosen", "nat/B chosen", 4 },
        { "nats_per_byte_rejected", "nat/B rejected", 4 },
        { "margin_per_byte", "margin/B", 4 },
        { "margin_per_char", "margin/char", 4 },
        { "gain", "gain", 3 },
        { "votes", "votes", 0 } } },
    { "progress",
      "Progress by pairs seen, per byte or character of text",
      { { "run", "run", 0 },
        { "pairs", "pairs", 0 },
        { "step", "step", 0 },
        { "nats_per_byte_chosen", "nat/B chosen", 4 },
        { "nats_per_byte_rejected", "nat/B rejected", 4 },
        { "margin_per_byte", "margin/B", 4 },
        { "margin_per_char", "margin/char", 4 },
        { "on_policy", "on-policy", 3 } } },
    { "paired",
      "Paired differences on common prompts, a prompt a cluster",
      { { "unit", "unit", 0 },
        { "judge", "judge", 0 },
        { "baseline", "baseline", 0 },
        { "a", "a", 0 },
        { "b", "b", 0 },
        { "prompts", "prompts", 0 },
        { "difference", "a - b", 4 },
        { "se", "se", 4 },
        { "lower", "lower", 4 },
        { "upper", "upper", 4 },
        { "p", "p", -3 },
        { "p_holm", "p by Holm", -3 } } },
    { "strengths",
      "Bradley-Terry strengths by judge (log odds, sum 0)",
      { { "judge", "judge", 0 },
        { "model", "model", 0 },
        { "strength", "strength", 4 },
        { "se", "se", 4 },
        { "lower", "lower", 4 },
        { "upper", "upper", 4 },
        { "ridge", "ridge", 4 } } },
    { "differences",
      "Bradley-Terry differences of all pairs of models",
      { { "judge", "judge", 0 },
        { "a", "a", 0 },
        { "b", "b", 0 },
        { "difference", "a - b", 4 },
        { "se", "se", 4 },
        { "lower", "lower", 4 },
        { "upper", "upper", 4 },
        { "p_a_beats_b", "P(a beats b)", 4 },
        { "p", "p", -3 },
        { "p_holm", "p by Holm", -3 } } },
};

static const sl_figure figures[] = {
    { "models",
      "Scores of models",
      "",
      "fig_models.gp",
      "models.tsv",
      { "row", "bs", "lower" },
      NULL },
    { "progress",
      "Margin by pairs",
      "",
      "fig_progress.gp",
      "progress.tsv",
      { "pairs", "margin_per_byte" },
      NULL },
};

static const sl_compare_view plain = {
    .sheet = sheets,
    .sheets = sizeof sheets / sizeof sheets[0],
    .printed = sizeof sheets / sizeof sheets[0],
    .figure = figures,
    .figures = sizeof figures / sizeof figures[0],
    .last = "multiplicity",
    .key = "multiplicity",
};

/* --- output ---------------------------------------------------------------------------------- */

static void print_sheets(const sl_compare_view *view, const sl_json *document,
                         const sl_sheet_format *format)
{
    int is_first = 1;

    for (size_t i = 0; i < view->printed; i++) {
        const sl_json *rows = json_object_get(document, view->sheet[i].name);

        if (!json_array_size(rows))
            continue;
        if (!is_first)
            putchar('\n');
        is_first = 0;
        format->write(stdout, &view->sheet[i], rows);
    }
}

static sl_status write_sheet(const char *folder, const sl_sheet *sheet, const sl_json *rows,
                             const sl_sheet_format *format)
{
    char path[PATH_MAX], name[64], *text = NULL;
    size_t bytes;
    FILE *to;
    sl_status st;

    SL_TRY(sl_sheet_table(folder, sheet, rows));
    if (!strcmp(format->name, "text"))
        return SL_OK;
    snprintf(name, sizeof name, "%s.%s", sheet->name, format->suffix);
    SL_TRY(sl_file_join(path, sizeof path, folder, name));
    to = open_memstream(&text, &bytes);
    if (!to)
        return SL_FAIL(SL_ENOMEM, "want memory for a table, found none");
    format->write(to, sheet, rows);
    st = fclose(to) ? SL_FAIL(SL_ENOMEM, "want memory for a table, found none")
                    : sl_file_write_atomic(path, text, bytes);
    free(text);
    return st;
}

static sl_status fill(const char *folder, const sl_compare_view *view, const sl_json *document,
                      const sl_sheet_format *format, const sl_figure_form *form)
{
    for (size_t i = 0; i < view->sheets; i++)
        SL_TRY(write_sheet(folder, &view->sheet[i], json_object_get(document, view->sheet[i].name),
                           format));
    for (size_t i = 0; i < view->figures; i++) {
        int is_drawn; /* a comparison without runs has no progress to draw */

        SL_TRY(sl_figure_draw(&is_drawn, &view->figure[i], folder, folder, form));
    }
    return SL_OK;
}

/* Whole or not at all: made under another name in the same place, then renamed. */
static sl_status write_folder(const compare_opts *o, const sl_compare_view *view,
                              const sl_json *document, const sl_sheet_format *format)
{
    char folder[PATH_MAX];
    sl_status st;

    SL_TRY(sl_figures_part(folder, o->out));
    st = fill(folder, view, document, format, &o->form);
    return sl_figures_publish(st, folder, o->out);
}

static sl_status put_out(const compare_opts *o, const sl_compare_view *view,
                         const sl_json *document, const sl_sheet_format *format)
{
    const char *last = sl_doc_text(document, view->key, NULL);

    if (o->out)
        SL_TRY(write_folder(o, view, document, format));
    if (o->is_json)
        return sl_print_json(document);
    print_sheets(view, document, format);
    if (last && !strcmp(format->name, "text"))
        printf("\n%s: %s\n", view->last, last);
    return SL_OK;
}

/* --- inputs ---------------------------------------------------------------------------------- */

static sl_status read_all(sl_vote_set *votes, sl_compare_set *set, const char **run,
                          sl_reader **reader, const char *const *path, size_t count)
{
    set->run = run;
    set->reader = reader;
    for (size_t i = 0; i < count; i++) {
        SL_TRY(sl_analyze_read(votes, path[i]));
        if (!sl_analyze_is_run(path[i]))
            continue;
        run[set->runs] = path[i];
        SL_TRY(sl_reader_open(&reader[set->runs++], path[i]));
    }
    if (!votes->points && !set->runs)
        return SL_FAIL(SL_EFORMAT, "want votes or runs, found none in %s", path[0]);
    return SL_OK;
}

static sl_status compare_grid(const compare_opts *o, const char *folder,
                              const sl_sheet_format *format)
{
    sl_json *document = NULL;
    sl_status st;

    SL_TRY(sl_compare_grid_folder(&document, folder, 1.0 - o->level));
    st = put_out(o, &sl_compare_grid_view, document, format);
    sl_json_close(&document);
    return st;
}

static sl_status compare(const compare_opts *o, const char *const *path, size_t count)
{
    const sl_sheet_format *format;
    const char *run[SL_OPT_LIST_MOST];
    sl_reader *reader[SL_OPT_LIST_MOST] = { NULL };
    sl_rows_limit limit;
    sl_vote_set votes = { .is_soft = o->is_soft, .limit = &limit };
    sl_compare_set set = { .votes = &votes, .alpha = 1.0 - o->level };
    sl_json *document = NULL;
    sl_status st = SL_OK;

    if (!(o->level > 0.0 && o->level < 1.0))
        return SL_FAIL(SL_EUSAGE, "want --level in (0, 1), found %g", o->level);
    SL_TRY(sl_sheet_format_find(&format, o->format));
    SL_TRY(sl_figures_check(&o->form, NULL));
    if (count == 1 && sl_grid_is_folder(path[0]))
        return compare_grid(o, path[0], format);
    SL_TRY(sl_analyze_limit(&limit, o->allow_bad));
    SL_TRY_OUT(read_all(&votes, &set, run, reader, path, count));
    SL_TRY_OUT(sl_analyze_baselines(&votes, o->baselines));
    SL_TRY_OUT(sl_compare(&document, &set));
    st = put_out(o, &plain, document, format);
out:
    for (size_t i = 0; i < count; i++)
        sl_reader_close(&reader[i]);
    sl_json_close(&document);
    sl_votes_close(&votes);
    return st;
}

static sl_status compare_run(int argc, char **argv)
{
    compare_opts o = { .format = "text", .form = { "svg", "screen" }, .level = 0.95 };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_compare, argc, argv));
    return is_done ? SL_OK : compare(&o, argument, count);
}

const sl_command sl_command_compare = {
    .name = "compare",
    .operands = "PATH... [--out DIR]",
    .summary =
        "families, methods and data orders side by side\n"
        "PATH is a run, a file of votes, or an AlpacaEval file; alone the folder of a grid, whose\n"
        "families, starts and methods stand side by side. Models against their baselines\n"
        "with stages; runs by nats and margin a byte of text over pairs; paired tests on\n"
        "common prompts; Bradley-Terry strengths of all models; p values also by Holm.",
    .opts = opts,
    .least = 1,
    .most = SL_OPT_LIST_MOST,
    .example = "stageline compare demo-out/run-weak demo-out/run-strong --out compared",
    .run = compare_run,
};
