/* The stage benchmark: worlds, rows of settings and cells. A point is a start of one strength and
 * seed under one row of settings; it gives a cell for each method. */
#ifndef SL_CLI_STAGE_H
#define SL_CLI_STAGE_H

#include "analysis/stages.h"
#include "model/model.h"
#include "run/files.h"
#include "train/recipe.h"

enum { SL_STAGE_STRENGTHS = 8 };

/* Lists of "key=value" over the recipes of the built-in world, each NULL-terminated. */
typedef struct sl_stage_world {
    const char *name, *what;
    const char *const *start;                    /* world-start.yaml, first phase */
    const char *const *second;                   /* and over that, second phase */
    const char *const *pairs;                    /* world-dpo.yaml */
    const char *const *method[SL_STAGE_METHODS]; /* and over that */
    double strength[SL_STAGE_STRENGTHS];
    size_t strengths;
    int iterations;
} sl_stage_world;
extern const sl_stage_world sl_stage_mini, sl_stage_full;

/* A row of settings. */
typedef struct sl_stage_variant {
    const char *name, *what;
    const char *const *start;                    /* over the first phase; NULL: the plain start */
    const char *const *pairs;                    /* over the pairs of both methods; may be NULL */
    const char *const *method[SL_STAGE_METHODS]; /* NULL: not run with this method */
    double rate;                                 /* factor of the learning rate; 0: 1 */
    int is_stress; /* outside the conditions in which the score is meant to work */
    int is_shown;  /* in the default table */
} sl_stage_variant;
extern const sl_stage_variant sl_stage_variants[]; /* the first: "plain" */
extern const size_t sl_stage_variant_count;

typedef struct sl_stage_point {
    const sl_stage_world *world;
    const sl_stage_variant *variant;
    int64_t seed;
    double strength;
    const char *folder; /* of the benchmark */
} sl_stage_point;

/* The effective recipes: of a start (phase 1 or 2; policy: the folder of phase 1, or "") and of a
 * method. */
sl_status sl_stage_start_recipe(sl_recipe *out, const sl_stage_point *point, int phase,
                                const char *policy) SL_MUSTUSE;
sl_status sl_stage_pair_recipe(sl_recipe *out, const sl_stage_point *point, size_t method,
                               const char *policy) SL_MUSTUSE;
/* What the numbers of a cell depend on: a hash of its recipes, in hex; also of what precedes any
 * method. */
enum { SL_STAGE_BASE = -2, SL_STAGE_POLICY = -1 }; /* in place of a method */
sl_status sl_stage_settings(char out[17], const sl_stage_point *point, int method) SL_MUSTUSE;

/* An empty cell with its names. */
void sl_stage_name_cell(sl_stage_cell *cell, const sl_stage_point *point, size_t method);
/* Makes the first phase of a start, where it is not there yet. */
sl_status sl_stage_make_base(const sl_stage_point *point, const sl_backend *backend) SL_MUSTUSE;
/* And the start; folder: where it stands. */
sl_status sl_stage_make_start(char folder[SL_RUN_PATH], const sl_stage_point *point,
                              const sl_backend *backend) SL_MUSTUSE;
/* Measures the cells of a point; cell (SL_STAGE_METHODS), *count of them. */
sl_status sl_stage_measure(sl_stage_cell *cell, size_t *count, const sl_stage_point *point,
                           const sl_backend *backend, const volatile int *stop) SL_MUSTUSE;
/* The branch test at the start of a cell that was measured, into cell->branch. */
sl_status sl_stage_test_branches(sl_stage_cell *cell, const sl_stage_point *point, size_t method,
                                 size_t replicates, const sl_backend *backend,
                                 const volatile int *stop) SL_MUSTUSE;

#endif
