/* Figures of a run: tables of the analyzer, drawn by gnuplot (plots/fig_NAME.gp), and the page that
 * shows them. */
#ifndef SL_CLI_FIGURES_H
#define SL_CLI_FIGURES_H

#include "base/status.h"
#include <stddef.h>

enum { SL_FIGURE_NEEDS = 3 };
typedef struct sl_figure {
    const char *name, *title, *caption;
    const char *table;                  /* file that it draws */
    const char *needs[SL_FIGURE_NEEDS]; /* columns; one row must have numbers in all of them */
} sl_figure;
extern const sl_figure sl_figures[];
extern const size_t sl_figure_count;

/* format: svg, pdf or png; figure: a name or NULL. Errors: SL_EUSAGE with the nearest. */
sl_status sl_figures_check(const char *format, const char *figure) SL_MUSTUSE;
/* Draws OUT/NAME.FORMAT from TABLES/; same tables, same bytes. *is_drawn 0, and no file, when the
 * table has no row to draw. out and tables are existing folders. */
sl_status sl_figure_draw(int *is_drawn, const sl_figure *figure, const char *tables,
                         const char *out, const char *format) SL_MUSTUSE;
/* Draws one figure, or all with NULL; a figure without rows is skipped with a line on stderr. */
sl_status sl_figures_make(const char *tables, const char *out, const char *format,
                          const char *figure) SL_MUSTUSE;

/* Analyzes a run (its record alone) and writes its tables into an existing folder. */
sl_status sl_figures_tables(const char *folder, const char *run) SL_MUSTUSE;

/* folder (PATH_MAX) = a new folder beside `out`, which is not there yet. */
sl_status sl_figures_part(char *folder, const char *out) SL_MUSTUSE;
/* With st SL_OK the folder gets its name, else it goes away; a folder is whole or not there. */
sl_status sl_figures_publish(sl_status st, const char *folder, const char *out) SL_MUSTUSE;
/* Removes a temporary folder; passes st on, whose record outlives what the removal may say. */
sl_status sl_figures_drop(sl_status st, const char *folder) SL_MUSTUSE;

/* Writes one self-contained HTML page about runs (count): verdicts, tables, figures, recipe,
 * provenance. Replaces PATH as a whole or not at all. */
sl_status sl_report_write(const char *path, const char *const *runs, size_t count) SL_MUSTUSE;

#endif
