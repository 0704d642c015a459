/* How a document of `compare` is shown: its lists as tables, figures of them, a last line. */
#ifndef SL_CLI_COMPARE_VIEW_H
#define SL_CLI_COMPARE_VIEW_H

#include "cli/figures.h"
#include "cli/sheet.h"

typedef struct sl_compare_view {
    const sl_sheet *sheet;
    size_t sheets, printed; /* the first ones are printed, all are written */
    const sl_figure *figure;
    size_t figures;
    const char *last, *key; /* last line: this word and the text of that key of the document */
} sl_compare_view;

/* The document of a grid's folder (src/cli/grid.h) and how it is shown. Runs that are not there yet
 * are left out, and it says so. */
extern const sl_compare_view sl_compare_grid_view;
sl_status sl_compare_grid_folder(sl_json **out, const char *folder, double alpha) SL_MUSTUSE;

#endif
