/* Everything that a run record says by itself: its measurements and decisions derived again from
 * the votes, and the tables behind the figures. */
#ifndef SL_ANALYSIS_RUN_ANALYSIS_H
#define SL_ANALYSIS_RUN_ANALYSIS_H

#include "analysis/decide.h"
#include "analysis/insight.h"
#include "analysis/sets.h"
#include "base/json.h"
#include "run/reader.h"

#define SL_BOUNDARY_RULE "indifference-kelly"

/* The statistics columns of a `boundary` row; step, names and `final` are the caller's. */
sl_status sl_boundary_row(sl_row_boundary *row, const sl_boundary *b,
                          uint32_t max_prompts) SL_MUSTUSE;
/* One look at a measurement whose votes came from elsewhere: v (count), one prompt after another,
 * as the record will hold them; the default test over all prompts. What sl_run_analyze derives
 * again. */
sl_status sl_boundary_look(sl_row_boundary *row, const sl_row_votes *v, size_t count) SL_MUSTUSE;
/* One measurement of a run, derived from its votes. */
typedef struct sl_measurement {
    int64_t step;
    uint32_t measurement, iteration;
    sl_row_boundary derived;  /* at the end of the measurement */
    sl_row_boundary recorded; /* its final row */
    sl_row_decisions decided; /* recorded; action keep and step -1 when there was none */
    sl_row_decisions answer;  /* derived; ids and names are the caller's */
    sl_stage derived_stage;
    int derived_action;
    int is_same; /* derived = recorded, look by look, bit for bit */
} sl_measurement;

typedef struct sl_run_analysis {
    sl_measurement *row; /* (count), ascending; owned */
    size_t count;
    size_t looks, differences; /* of all looks compared */
    char first_difference[256];
    sl_answer_sets candidates; /* of all measurements, static and on-policy */
} sl_run_analysis;

/* Errors: SL_EFORMAT when the record is damaged. */
sl_status sl_run_analyze(sl_run_analysis *out, sl_reader *reader) SL_MUSTUSE;
void sl_run_analysis_close(sl_run_analysis *analysis);

/* What an iteration gained in exact reward, with the source that was chosen or, from a branch that
 * was thrown away, with the other one. */
typedef struct sl_gain {
    int64_t iteration, step;
    double value, se;
    int origin; /* SL_ORIGIN_ */
    int is_chosen;
} sl_gain;
/* *out (*count), owned by the caller. Runs without a known reward have none. */
sl_status sl_run_gains(sl_gain **out, size_t *count, const sl_run_analysis *analysis,
                       sl_reader *reader) SL_MUSTUSE;

/* What the measurements cost, beside the fixed sample of arXiv 2508.10530 with as many votes a
 * prompt. */
enum { SL_FIXED_PROMPTS = 2000 };
typedef struct sl_run_cost {
    uint64_t prompts, votes;
    double fixed_prompts, fixed_votes;
} sl_run_cost;
sl_run_cost sl_run_cost_of(const sl_run_analysis *analysis);

/* Words of tables and documents: "static", "on_policy", "other"; "keep", "static", ... */
const char *sl_origin_word(int origin);
const char *sl_action_word(int action);
/* Writes the tables (boundary, margins, gradients, source, diversity, gains .tsv) into an existing
 * folder. docs/tables.md names their columns. */
sl_status sl_run_tables(const char *folder, const sl_run_analysis *analysis,
                        sl_reader *reader) SL_MUSTUSE;
/* The analysis as a JSON document (stageline.run/1); owned by the caller. */
sl_status sl_run_analysis_json(sl_json **out, const sl_run_analysis *analysis,
                               const sl_insight *insight, sl_reader *reader,
                               const char *path) SL_MUSTUSE;

#endif
