/* Figures of a run: tables of the analyzer, drawn by gnuplot (plots/fig_NAME.gp), and the page that
 * shows them. */
#ifndef SL_CLI_FIGURES_H
#define SL_CLI_FIGURES_H

#include "base/status.h"
#include <stddef.h>

enum { SL_FIGURE_NEEDS = 3 };
typedef struct sl_figure {
    const char *name, *title, *caption;
    const char *script;                 /* below plots/ */
    const char *table;                  /* file that it draws */
    const char *needs[SL_FIGURE_NEEDS]; /* columns; one row must have numbers in all of them */
    const char *also;                   /* another file that it draws; NULL: none */
} sl_figure;
extern const sl_figure sl_figures[];
extern const size_t sl_figure_count;
extern const sl_figure sl_figure_scores; /* of vote files: not among those of a run */

/* format: svg, pdf or png; width: "screen", "page" (the report's), "one-column", "two-column" (of
 * LaTeX: 3.25 and 6.75 inches, text of 8 and 9 points when included as it is). */
typedef struct sl_figure_form {
    const char *format, *width;
} sl_figure_form;
/* figure: a name or NULL. Errors: SL_EUSAGE with the nearest. */
sl_status sl_figures_check(const sl_figure_form *form, const char *figure) SL_MUSTUSE;
/* Draws OUT/NAME.FORMAT from TABLES/; same tables, same bytes. *is_drawn 0, and no file, when the
 * table has no row to draw. out and tables are existing folders. */
sl_status sl_figure_draw(int *is_drawn, const sl_figure *figure, const char *tables,
                         const char *out, const sl_figure_form *form) SL_MUSTUSE;
/* Draws one figure, or all with NULL; a figure without rows is skipped with a line on stderr. */
sl_status sl_figures_make(const char *tables, const char *out, const sl_figure_form *form,
                          const char *figure) SL_MUSTUSE;
/* Those of several runs that differ in their seeds only, from seed_*.tsv: mean and band. */
sl_status sl_figures_make_seeds(const char *tables, const char *out,
                                const sl_figure_form *form) SL_MUSTUSE;

/* Tables of the means over runs (count, at least 2) that differ in their seeds only. */
sl_status sl_figures_seed_tables(const char *folder, const char *const *runs,
                                 size_t count) SL_MUSTUSE;
/* Analyzes a run (its record alone) and writes its tables into an existing folder. */
sl_status sl_figures_tables(const char *folder, const char *run) SL_MUSTUSE;

/* folder (PATH_MAX) = a new folder beside `out`, which is not there yet. */
sl_status sl_figures_part(char *folder, const char *out) SL_MUSTUSE;
/* With st SL_OK the folder gets its name, else it goes away; a folder is whole or not there. */
sl_status sl_figures_publish(sl_status st, const char *folder, const char *out) SL_MUSTUSE;
/* Removes a temporary folder; passes st on, whose record outlives what the removal may say. */
sl_status sl_figures_drop(sl_status st, const char *folder) SL_MUSTUSE;

/* Writes one self-contained HTML page about runs and vote files (count): verdicts, figures with
 * their data, warnings, tables, recipe, provenance. Replaces PATH as a whole or not at all. */
sl_status sl_report_write(const char *path, const char *const *inputs, size_t count) SL_MUSTUSE;

#endif
