#include "cli/advise.h"
#include "analysis/run_analysis.h"
#include <math.h>
#include <stdio.h>

static sl_status begin(void *state, uint32_t measurement, int64_t step, uint32_t max_prompts)
{
    sl_advise *a = state;

    (void)measurement;
    (void)step;
    a->max_prompts = max_prompts;
    sl_boundary_close(&a->boundary);
    return sl_boundary_begin(&a->boundary, &a->settings);
}

static sl_status observe(void *state, const sl_prompt_votes *votes, int *is_enough)
{
    sl_advise *a = state;
    const sl_prompt_mean prompt = { .mean = votes->mean,
                                    .v_on = votes->v_on,
                                    .v_off = votes->v_off,
                                    .margin_on = votes->margin_on,
                                    .margin_off = votes->margin_off,
                                    .votes = votes->votes,
                                    .ties = votes->ties,
                                    .dropped = votes->dropped };

    SL_TRY(sl_boundary_add(&a->boundary, &prompt));
    *is_enough = sl_boundary_is_settled(&a->boundary);
    return SL_OK;
}

static sl_status look(void *state, sl_row_boundary *row)
{
    const sl_advise *a = state;

    return sl_boundary_row(row, &a->boundary, a->max_prompts);
}

static sl_status branch(void *state, const double *off, const double *on, size_t replicates)
{
    sl_advise *a = state;

    sl_decision_branch(&a->decided, off, on, replicates);
    return SL_OK;
}

static sl_status decide(void *state, sl_row_decisions *row)
{
    sl_advise *a = state;

    return sl_decision_row(row, &a->decided, &a->rule, &a->boundary, row->mix_weight);
}

static sl_status save(void *state, sl_json **out)
{
    const sl_advise *a = state;

    return sl_decision_state_save(out, &a->decided);
}

static sl_status load(void *state, const sl_json *saved)
{
    sl_advise *a = state;

    return sl_decision_state_load(&a->decided, saved);
}

/* By way of the recipe as a record holds it, so that the analyzer of the record reads the same. */
static sl_status read_rule(sl_advise *a, const sl_recipe *recipe)
{
    sl_json *tree = NULL;
    sl_status st;

    SL_TRY(sl_yaml_dump(&tree, recipe, sl_recipe_keys, sl_recipe_key_count));
    st = sl_decision_rule_read(&a->rule, tree);
    sl_json_close(&tree);
    return st;
}

sl_status sl_advise_open(sl_advise *a, const sl_recipe *recipe)
{
    *a = (sl_advise){ .settings = sl_boundary_defaults() };
    a->settings.tau = recipe->measure.tau;
    a->settings.delta = recipe->measure.delta;
    a->settings.alpha = recipe->measure.alpha;
    SL_TRY(sl_err_where(sl_boundary_check(&a->settings), "section \"measure\""));
    SL_TRY(sl_err_where(read_rule(a, recipe), "section \"policy\""));
    snprintf(a->parameters, sizeof a->parameters,
             "{\"tau\":%.17g,\"delta\":%.17g,\"alpha\":%.17g,\"consecutive\":%d,\"advice\":\"%s\","
             "\"width\":%.17g,\"ema\":%.17g,\"forget\":%.17g,\"change\":%.17g,\"least\":%.17g}",
             a->settings.tau, a->settings.delta, a->settings.alpha, a->rule.consecutive,
             sl_advice_names[a->rule.advice], a->rule.width, a->rule.ema, a->rule.forget,
             a->rule.change, a->rule.least);
    a->door = (sl_advisor){ .state = a,
                            .begin = begin,
                            .observe = observe,
                            .look = look,
                            .branch = branch,
                            .decide = decide,
                            .save = save,
                            .load = load,
                            .rule = SL_BOUNDARY_RULE,
                            .parameters = a->parameters };
    return SL_OK;
}

void sl_advise_close(sl_advise *a)
{
    sl_boundary_close(&a->boundary);
}
