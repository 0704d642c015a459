#include "cli/figures.h"
#include "analysis/run_analysis.h"
#include "analysis/seeds.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/gnuplot.h"
#include "cli/recipes.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TABLE_BYTES_MOST = 1 << 30, FIGURE_BYTES_MOST = 1 << 28, COLUMNS_MOST = 64 };

const sl_figure sl_figures[] = {
    { "boundary",
      "Boundary score",
      "Boundary score of every measurement with its confidence sequence; the dashed threshold "
      "parts "
      "preference injection (below: static data next) from preference fine-tuning (above: "
      "on-policy data next). Larger marks are decisions: which data came next. Below: the pairs of "
      "every update by source.",
      "fig_boundary.gp",
      "boundary.tsv",
      { "step", "bs" },
      "source.tsv" },
    { "rewards",
      "Rewards and margin",
      "Implicit reward of the chosen and the rejected answers of every update, and their margin. "
      "It starts anew at zero when an iteration takes a new reference.",
      "fig_rewards.gp",
      "margins.tsv",
      { "step", "margin" },
      NULL },
    { "gradients",
      "Gradient norms",
      "Norm of the gradient of every group of parameters, before clipping.",
      "fig_gradients.gp",
      "gradients.tsv",
      { "step", "norm" },
      NULL },
    { "diversity",
      "Diversity and quality",
      "Share of distinct word pairs within a prompt's answers against their mean score, with "
      "standard errors. The dashed line follows the policy; numbers are steps.",
      "fig_diversity.gp",
      "diversity.tsv",
      { "quality", "distinct_2" },
      NULL },
    { "alignment",
      "Gradient alignment",
      "Cosine between the parts of the gradient, over all parameters: static and on-policy pairs "
      "(where an update had both), chosen and rejected answers.",
      "fig_alignment.gp",
      "alignment.tsv",
      { "step", "cos_chosen_rejected" },
      NULL },
    { "gains",
      "True gains",
      "Gain in exact reward of every iteration with the source that was chosen (filled) and of the "
      "branch with the other source (hollow), with standard errors. Static on the left.",
      "fig_gains.gp",
      "gains.tsv",
      { "iteration", "gain" },
      NULL },
};
const sl_figure sl_figure_scores = {
    "scores",
    "Boundary scores",
    "Share of the votes that on-policy answers win, of every checkpoint and judge: 95 % interval "
    "over prompts (thick) and anytime-valid interval (thin). Left of the dashed line preference "
    "injection, right of it preference fine-tuning; hollow points are undecided.",
    "fig_scores.gp",
    "scores.tsv",
    { "point", "bs" },
    NULL
};
const size_t sl_figure_count = sizeof sl_figures / sizeof sl_figures[0];
/* The caption of a band is one: what it is of stands in the title. */
static const char band[] =
    "Mean over the runs, and the 95 % interval of the mean over their seeds.";
static const sl_figure seed_figures[] = {
    { "seed_boundary",
      "Boundary score over seeds",
      band,
      "fig_band.gp",
      "seed_boundary.tsv",
      { "step", "mean" },
      NULL },
    { "seed_margin",
      "Margin over seeds",
      band,
      "fig_band.gp",
      "seed_margin.tsv",
      { "step", "mean" },
      NULL },
    { "seed_gradient",
      "Gradient norm over seeds",
      band,
      "fig_band.gp",
      "seed_gradient.tsv",
      { "step", "mean" },
      NULL },
};
static const char *const formats[] = { "svg", "pdf", "png", NULL };
static const char *const widths[] = { "screen", "one-column", "two-column", "page", NULL };

static sl_status want_one_of(const char *what, const char *word, const char *const *list)
{
    const char *near;
    sl_status st;

    for (size_t i = 0; list[i]; i++)
        if (!strcmp(list[i], word))
            return SL_OK;
    st = SL_FAIL(SL_EUSAGE, "want a %s, found \"%s\"", what, word);
    near = sl_text_nearest(word, list);
    return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
}

sl_status sl_figures_check(const sl_figure_form *form, const char *figure)
{
    const char *names[sizeof sl_figures / sizeof sl_figures[0] + 1] = { NULL };

    for (size_t i = 0; i < sl_figure_count; i++)
        names[i] = sl_figures[i].name;
    SL_TRY(want_one_of("format (svg, pdf, png)", form->format, formats));
    SL_TRY(want_one_of("width (screen, one-column, two-column)", form->width, widths));
    return figure
               ? want_one_of("figure (boundary, rewards, gradients, diversity, alignment, gains)",
                             figure, names)
               : SL_OK;
}

/* field (COLUMNS_MOST) = the fields of a line; returns how many there are. */
static size_t split(sl_span *field, sl_span line)
{
    size_t n = 0;

    for (;;) {
        const char *tab = memchr(line.at, '\t', line.bytes);
        const size_t bytes = tab ? (size_t)(tab - line.at) : line.bytes;

        field[n++] = (sl_span){ line.at, bytes };
        if (!tab || n == COLUMNS_MOST)
            return n;
        line = (sl_span){ tab + 1, line.bytes - bytes - 1 };
    }
}

static int is_number(sl_span field)
{
    char text[64], *end;

    if (!field.bytes || field.bytes >= sizeof text)
        return 0;
    memcpy(text, field.at, field.bytes);
    text[field.bytes] = 0;
    return isfinite(strtod(text, &end)) && !*end;
}

/* at (SL_FIGURE_NEEDS) = the figure's columns in the header. */
static sl_status find_columns(size_t *at, const sl_figure *figure, sl_span header)
{
    sl_span field[COLUMNS_MOST];
    const size_t n = split(field, header);

    for (size_t k = 0; k < SL_FIGURE_NEEDS && figure->needs[k]; k++) {
        const char *want = figure->needs[k];

        for (at[k] = 0; at[k] < n; at[k]++)
            if (field[at[k]].bytes == strlen(want) && !memcmp(field[at[k]].at, want, strlen(want)))
                break;
        if (at[k] == n)
            return SL_FAIL(SL_EFORMAT, "want column \"%s\", found none", want);
    }
    return SL_OK;
}

static int is_drawable(const sl_figure *figure, const size_t *at, sl_span line)
{
    sl_span field[COLUMNS_MOST];
    const size_t n = split(field, line);

    for (size_t k = 0; k < SL_FIGURE_NEEDS && figure->needs[k]; k++)
        if (at[k] >= n || !is_number(field[at[k]]))
            return 0;
    return 1;
}

/* *has_rows: one row has numbers in every column that the figure needs. */
static sl_status look_at_table(int *has_rows, const sl_figure *figure, const char *path)
{
    size_t at[SL_FIGURE_NEEDS], bytes;
    char *text = NULL;
    sl_span line, rest;
    sl_status st = SL_OK;

    *has_rows = 0;
    SL_TRY(sl_file_read(&text, &bytes, path, TABLE_BYTES_MOST));
    rest = (sl_span){ text, bytes };
    if (!sl_text_line(&line, &rest))
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "want a header line, found none"));
    SL_TRY_OUT(find_columns(at, figure, line));
    while (!*has_rows && sl_text_line(&line, &rest))
        *has_rows = is_drawable(figure, at, line);
out:
    sl_free(text);
    return sl_err_where(st, "%s", path);
}

/* cairo puts the time into a PDF: the same tables must give the same bytes, so it is the epoch. */
static void drop_date(char *text, size_t bytes)
{
    static const char mark[] = "/CreationDate (D:", epoch[] = "19700101000000";
    char *at = memmem(text, bytes, mark, sizeof mark - 1);

    if (at && (size_t)(text + bytes - at) > sizeof mark + sizeof epoch)
        memcpy(at + sizeof mark - 1, epoch, sizeof epoch - 1);
}

/* gnuplot writes beside the figure; what came out whole takes its name. */
static sl_status publish(const char *path, const char *drawn)
{
    char *text = NULL;
    size_t bytes;
    sl_status st = sl_file_read(&text, &bytes, drawn, FIGURE_BYTES_MOST);

    if (st == SL_OK && !bytes)
        st = SL_FAIL(SL_EIO, "want a figure, found gnuplot wrote nothing");
    if (st == SL_OK) {
        drop_date(text, bytes);
        st = sl_file_write_atomic(path, text, bytes);
    }
    sl_free(text);
    return sl_err_where(st, "%s", path);
}

/* Absolute, so that no name begins with a sign that gnuplot reads as a pipe. */
static sl_status absolute(char out[PATH_MAX], const char *path)
{
    if (realpath(path, out))
        return SL_OK;
    return sl_err_where(SL_FAIL(SL_EIO, "want it, found: %s", strerror(errno)), "%s", path);
}

/* The script of a figure and the folder where it and its style are. */
static sl_status find_script(char script[PATH_MAX], char folder[PATH_MAX], const sl_figure *figure)
{
    SL_TRY(sl_plot_path(folder, PATH_MAX, figure->script));
    SL_TRY(absolute(script, folder));
    strcpy(folder, script);
    *strrchr(folder, '/') = 0;
    return SL_OK;
}

static sl_status draw(const sl_figure *figure, const char *tables, const char *out,
                      const sl_figure_form *form)
{
    char in[PATH_MAX], folder[PATH_MAX], script[PATH_MAX], plots[PATH_MAX], name[64];
    char path[PATH_MAX], drawn[PATH_MAX + 16];
    const char *argument[] = { in, drawn, form->format, plots, form->width, figure->name, NULL };
    sl_status st;

    snprintf(name, sizeof name, "%s.%s", figure->name, form->format);
    SL_TRY(absolute(in, tables));
    SL_TRY(absolute(folder, out));
    SL_TRY(sl_file_join(path, sizeof path, folder, name));
    snprintf(drawn, sizeof drawn, "%s.part", path);
    SL_TRY(find_script(script, plots, figure));
    (void)unlink(drawn); /* what a killed gnuplot left, or a link, is not written through */
    st = sl_gnuplot_run(script, argument);
    if (st == SL_OK)
        st = publish(path, drawn);
    unlink(drawn);
    return st;
}

sl_status sl_figure_draw(int *is_drawn, const sl_figure *figure, const char *tables,
                         const char *out, const sl_figure_form *form)
{
    char path[PATH_MAX];

    SL_TRY(sl_file_join(path, sizeof path, tables, figure->table));
    SL_TRY(look_at_table(is_drawn, figure, path));
    if (!*is_drawn)
        return SL_OK;
    return sl_err_where(draw(figure, tables, out, form), "figure \"%s\"", figure->name);
}

/* A figure without rows is told of. */
static sl_status draw_or_say(const sl_figure *figure, const char *tables, const char *out,
                             const sl_figure_form *form)
{
    int is_drawn;

    SL_TRY(sl_figure_draw(&is_drawn, figure, tables, out, form));
    if (!is_drawn)
        fprintf(stderr, "stageline: no figure \"%s\": %s/%s has no rows to draw\n", figure->name,
                tables, figure->table);
    return SL_OK;
}

sl_status sl_figures_make(const char *tables, const char *out, const sl_figure_form *form,
                          const char *figure)
{
    SL_TRY(sl_figures_check(form, figure));
    for (size_t i = 0; i < sl_figure_count; i++)
        if (!figure || !strcmp(figure, sl_figures[i].name))
            SL_TRY(draw_or_say(&sl_figures[i], tables, out, form));
    return SL_OK;
}

sl_status sl_figures_make_seeds(const char *tables, const char *out, const sl_figure_form *form)
{
    SL_TRY(sl_figures_check(form, NULL));
    for (size_t i = 0; i < sizeof seed_figures / sizeof seed_figures[0]; i++)
        SL_TRY(draw_or_say(&seed_figures[i], tables, out, form));
    return SL_OK;
}

sl_status sl_figures_tables(const char *folder, const char *run)
{
    sl_run_analysis analysis = { 0 };
    sl_insight insight = { 0 };
    sl_reader *reader = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_reader_open(&reader, run));
    SL_TRY_OUT(sl_run_analyze(&analysis, reader));
    SL_TRY_OUT(sl_insight_run(&insight, reader));
    SL_TRY_OUT(sl_run_tables(folder, &analysis, reader));
    SL_TRY_OUT(sl_insight_tables(folder, &insight));
out:
    sl_insight_close(&insight);
    sl_run_analysis_close(&analysis);
    sl_reader_close(&reader);
    return st;
}

sl_status sl_figures_seed_tables(const char *folder, const char *const *runs, size_t count)
{
    sl_seeds seeds = { 0 };
    sl_status st = SL_OK;

    for (size_t i = 0; i < count; i++)
        SL_TRY_OUT(sl_seeds_add(&seeds, runs[i]));
    SL_TRY_OUT(sl_seeds_tables(folder, &seeds));
out:
    sl_seeds_close(&seeds);
    return st;
}

sl_status sl_figures_drop(sl_status st, const char *folder)
{
    sl_err_record record;

    if (st == SL_OK)
        return sl_file_remove_tree(folder);
    sl_err_save(&record);
    sl_err_clear();
    if (sl_file_remove_tree(folder) != SL_OK)
        sl_err_clear(); /* what failed first is what the person has to know */
    return sl_err_restore(&record);
}

sl_status sl_figures_part(char *folder, const char *out)
{
    if (sl_file_exists(out))
        return sl_err_hint(SL_FAIL(SL_EARG, "want a new folder, found \"%s\"", out),
                           "give another --out");
    if (snprintf(folder, PATH_MAX, "%s.part-%ld", out, (long)getpid()) >= PATH_MAX)
        return SL_FAIL(SL_EARG, "want --out below %d bytes, found more", PATH_MAX);
    return sl_file_new_folder(folder);
}

sl_status sl_figures_publish(sl_status st, const char *folder, const char *out)
{
    if (st == SL_OK && rename(folder, out))
        st = sl_err_where(SL_FAIL(SL_EIO, "want this folder, found: %s", strerror(errno)), "%s",
                          out);
    return st == SL_OK ? SL_OK : sl_figures_drop(st, folder);
}
