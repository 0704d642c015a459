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

static sl_status decide(void *state, sl_row_decisions *row)
{
    sl_advise *a = state;

    return sl_decision_row(row, &a->hysteresis, &a->boundary);
}

static sl_status save(void *state, sl_json **out)
{
    const sl_advise *a = state;

    *out = json_pack("{s:i, s:i}", "state", a->hysteresis.state, "count", a->hysteresis.count);
    return *out ? SL_OK : SL_FAIL(SL_ENOMEM, "want memory for the advisor's state, found none");
}

static sl_status load(void *state, const sl_json *saved)
{
    sl_advise *a = state;
    int64_t stage, count;

    SL_TRY(sl_json_i64(&stage, saved, "state"));
    SL_TRY(sl_json_i64(&count, saved, "count"));
    if (stage < SL_STAGE_UNDECIDED || stage > SL_STAGE_FINE_TUNING)
        return SL_FAIL(SL_EFORMAT, "want an advisor state of 0 to 2, found %lld", (long long)stage);
    a->hysteresis.state = (sl_stage)stage;
    a->hysteresis.count = (int)count;
    return SL_OK;
}

sl_status sl_advise_open(sl_advise *a, const sl_recipe *recipe)
{
    *a = (sl_advise){ .settings = sl_boundary_defaults(),
                      .hysteresis = { .consecutive = (int)recipe->measure.consecutive } };
    a->settings.tau = recipe->measure.tau;
    a->settings.delta = recipe->measure.delta;
    a->settings.alpha = recipe->measure.alpha;
    SL_TRY(sl_err_where(sl_boundary_check(&a->settings), "section \"measure\""));
    snprintf(a->parameters, sizeof a->parameters,
             "{\"tau\":%.17g,\"delta\":%.17g,\"alpha\":%.17g,\"consecutive\":%d}", a->settings.tau,
             a->settings.delta, a->settings.alpha, a->hysteresis.consecutive);
    a->door = (sl_advisor){ .state = a,
                            .begin = begin,
                            .observe = observe,
                            .look = look,
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
