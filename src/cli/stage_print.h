/* What the cells of the stage benchmark say, for people and as a document. */
#ifndef SL_CLI_STAGE_PRINT_H
#define SL_CLI_STAGE_PRINT_H

#include "analysis/stages_accept.h"
#include "cli/stage.h"
#include "cli/stage_file.h"

typedef struct sl_stage_show {
    const sl_stage_file *file;
    const sl_stage_world *world;
    const char *out;
    double wall_s, flops_peak;  /* flops per second of one processor's large matrix products */
    size_t measured, processes; /* cells of this call */
    int is_json;
} sl_stage_show;

/* Writes the tables and figures beside the cells, then prints. */
sl_status sl_stage_show_all(const sl_stage_show *show) SL_MUSTUSE;

enum { SL_STAGE_CHECKS = 256 };
/* The cells with room for selections; what the printers below work on. */
typedef struct sl_stage_view {
    const sl_stage_show *show;
    const sl_stage_cell **cell; /* (n) */
    const sl_stage_cell **of;   /* (n) the last selection */
    double *number;             /* (n) */
    size_t n;
    sl_stage_check *check;
    size_t checks;
    double cpu_s, flops; /* of all cells */
} sl_stage_view;

/* The cells of a row and a method (NULL: any) into view->of; returns how many. */
size_t sl_stage_view_pick(const sl_stage_view *view, const char *variant, const char *method);
/* Where verdicts are asked for, and how they are called. */
typedef struct sl_stage_asked {
    sl_place at;
    const char *name; /* of a row of output; NULL: the row's own */
} sl_stage_asked;
enum { SL_STAGE_ASKED = 3 };
extern const sl_stage_asked sl_stage_asked_at[SL_STAGE_ASKED];
/* Nothing where no cell has a branch test. */
sl_status sl_stage_print_branches(const sl_stage_view *view) SL_MUSTUSE;
sl_status sl_stage_print_text(const sl_stage_view *view) SL_MUSTUSE;
sl_status sl_stage_print_document(const sl_stage_view *view) SL_MUSTUSE;

#endif
