/* The analysis of a run as one JSON document, for scripts: docs/documents.md. */
#include "analysis/insight.h"
#include "analysis/run_analysis.h"
#include "base/alloc.h"

static sl_status no_memory(void)
{
    return SL_FAIL(SL_ENOMEM, "want memory for the analysis document, found none");
}

/* Appends a value that the list owns from now on; NULL: it could not be made. */
static sl_status append(sl_json *list, sl_json *value)
{
    return value && json_array_append_new(list, value) == 0 ? SL_OK : no_memory();
}

static sl_json *decision_json(const sl_measurement *m)
{
    sl_json *derived = json_pack("{s:s, s:o}", "action", sl_action_word(m->derived_action),
                                 "mix_weight", sl_json_number(m->answer.mix_weight));

    if (m->decided.step < 0)
        return json_pack("{s:n, s:o}", "recorded", "derived", derived);
    return json_pack("{s:{s:I, s:s, s:o, s:s}, s:o}", "recorded", "step",
                     (json_int_t)m->decided.step, "action", sl_action_word(m->decided.action),
                     "mix_weight", sl_json_number(m->decided.mix_weight), "stage",
                     sl_stage_name(m->decided.stage), "derived", derived);
}

static sl_json *measurement_json(const sl_measurement *m)
{
    const sl_row_boundary *b = &m->derived;

    return json_pack(
        "{s:I, s:I, s:I, s:{s:o, s:o, s:o, s:o, s:f, s:s}, s:f, s:f, s:s, s:s?, s:I, s:I, s:I, s:I,"
        " s:I, s:o, s:o, s:o, s:o, s:o, s:b}",
        "measurement", (json_int_t)m->measurement, "step", (json_int_t)m->step, "iteration",
        (json_int_t)m->iteration, "bs", "value", sl_json_number(b->bs), "se", sl_json_number(b->se),
        "lower", sl_json_number(b->lower), "upper", sl_json_number(b->upper), "level",
        1.0 - b->alpha, "method", "confidence-sequence", "tau", b->tau, "delta", b->delta, "stage",
        sl_stage_name(b->stage), "certified",
        b->certified == SL_STAGE_UNDECIDED ? NULL : sl_stage_name(b->certified), "prompts",
        (json_int_t)b->prompts, "votes", (json_int_t)b->votes, "ties", (json_int_t)b->ties,
        "dropped", (json_int_t)b->dropped, "max_prompts", (json_int_t)b->max_prompts, "log_e_ft",
        sl_json_number(b->log_e_ft), "log_e_inj", sl_json_number(b->log_e_inj), "margin_static",
        sl_json_number(b->margin_static), "margin_on", sl_json_number(b->margin_on), "decision",
        decision_json(m), "is_same", m->is_same);
}

static sl_status add_measurements(sl_json *list, const sl_run_analysis *a)
{
    for (size_t i = 0; i < a->count; i++)
        SL_TRY(append(list, measurement_json(&a->row[i])));
    return SL_OK;
}

static sl_status add_gains(sl_json *list, const sl_run_analysis *a, sl_reader *reader)
{
    sl_gain *gain = NULL;
    size_t count;
    sl_status st = SL_OK;

    SL_TRY(sl_run_gains(&gain, &count, a, reader));
    for (size_t i = 0; i < count && st == SL_OK; i++)
        st = append(list, json_pack("{s:I, s:I, s:s, s:b, s:o, s:o}", "iteration",
                                    (json_int_t)gain[i].iteration, "step", (json_int_t)gain[i].step,
                                    "origin", sl_origin_word(gain[i].origin), "chosen",
                                    gain[i].is_chosen, "gain", sl_json_number(gain[i].value), "se",
                                    sl_json_number(gain[i].se)));
    sl_free(gain);
    return st;
}

static sl_json *cost_json(const sl_run_analysis *a)
{
    const sl_run_cost c = sl_run_cost_of(a);

    return json_pack("{s:I, s:I, s:f, s:f}", "prompts", (json_int_t)c.prompts, "votes",
                     (json_int_t)c.votes, "fixed_prompts", c.fixed_prompts, "fixed_votes",
                     c.fixed_votes);
}

static sl_status fill(sl_json *tree, const sl_run_analysis *a, sl_reader *reader, const char *path)
{
    sl_reader_state state;
    int bad;

    SL_TRY(sl_reader_state_get(reader, &state));
    bad = json_object_set_new(tree, "schema", json_string("stageline.run/1"));
    bad |= json_object_set_new(tree, "path", json_string(path));
    bad |= json_object_set_new(
        tree, "state", json_string(state.is_running ? "running" : sl_ended_name(state.ended)));
    bad |= json_object_set_new(tree, "attempts", json_integer((json_int_t)state.attempts));
    bad |= json_object_set_new(tree, "last_step", json_integer((json_int_t)state.last_step));
    bad |= json_object_set_new(tree, "measurements", json_array());
    bad |= json_object_set_new(tree, "looks", json_integer((json_int_t)a->looks));
    bad |= json_object_set_new(tree, "differences", json_integer((json_int_t)a->differences));
    bad |= json_object_set_new(tree, "first_difference",
                               a->differences ? json_string(a->first_difference) : json_null());
    bad |= json_object_set_new(tree, "gains", json_array());
    bad |= json_object_set_new(tree, "cost", cost_json(a));
    if (bad)
        return no_memory();
    SL_TRY(add_measurements(json_object_get(tree, "measurements"), a));
    SL_TRY(add_gains(json_object_get(tree, "gains"), a, reader));
    return sl_sets_put(tree, &a->candidates);
}

sl_status sl_run_analysis_json(sl_json **out, const sl_run_analysis *analysis,
                               const sl_insight *insight, sl_reader *reader, const char *path)
{
    sl_json *tree = json_object();
    sl_status st = tree ? fill(tree, analysis, reader, path) : no_memory();

    if (st == SL_OK)
        st = sl_insight_json(tree, insight);
    if (st != SL_OK)
        sl_json_close(&tree);
    *out = tree;
    return st;
}
