/* Gains of the iterations and the cost of the measurements, from the record. */
#include "analysis/run_analysis.h"
#include "base/alloc.h"
#include <string.h>

/* As in the schema's enumerations. */
static const char *const origin_words[] = { "static", "on_policy", "other" };
static const char *const action_words[] = { "keep", "static", "on_policy", "mix", "stop" };

const char *sl_origin_word(int origin)
{
    return origin_words[origin];
}

const char *sl_action_word(int action)
{
    return action_words[action];
}

/* *is_chosen of a gain's row; *is_gain 0 for other evals. */
static sl_status kind_of(int *is_gain, int *is_chosen, sl_reader *reader, uint16_t eval)
{
    const char *name = NULL;

    SL_TRY(sl_reader_name(reader, SL_NAME_EVAL, eval, &name));
    *is_chosen = name && !strcmp(name, "gain");
    *is_gain = *is_chosen || (name && !strcmp(name, "gain_branch"));
    return SL_OK;
}

/* An iteration is numbered by the measurement that began it. */
static int64_t iteration_of(const sl_run_analysis *a, uint32_t measurement)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->row[i].measurement == measurement)
            return a->row[i].iteration;
    return (int64_t)measurement;
}

sl_status sl_run_gains(sl_gain **out, size_t *count, const sl_run_analysis *analysis,
                       sl_reader *reader)
{
    const sl_row_evals *e;
    size_t evals;
    sl_status st = SL_OK;

    *out = NULL;
    *count = 0;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_EVALS, &e, &evals));
    SL_TRY(sl_take(out, evals + 1, sizeof **out));
    for (size_t i = 0; i < evals; i++) {
        int is_gain, is_chosen;

        SL_TRY_OUT(kind_of(&is_gain, &is_chosen, reader, e[i].eval));
        if (!is_gain)
            continue;
        (*out)[(*count)++] = (sl_gain){ .iteration = iteration_of(analysis, e[i].measurement),
                                        .step = e[i].step,
                                        .value = e[i].value,
                                        .se = e[i].se,
                                        .origin = e[i].origin,
                                        .is_chosen = is_chosen };
    }
out:
    if (st != SL_OK) {
        sl_free(*out);
        *out = NULL;
    }
    return st;
}

sl_run_cost sl_run_cost_of(const sl_run_analysis *analysis)
{
    sl_run_cost cost = { 0 };

    for (size_t i = 0; i < analysis->count; i++) {
        const sl_row_boundary *b = &analysis->row[i].derived;

        cost.prompts += b->prompts;
        cost.votes += b->votes;
        cost.fixed_prompts += SL_FIXED_PROMPTS;
        if (b->prompts)
            cost.fixed_votes += SL_FIXED_PROMPTS * (double)b->votes / b->prompts;
    }
    return cost;
}
