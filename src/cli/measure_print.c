#include "analysis/run_analysis.h"
#include "cli/measure.h"
#include "cli/print.h"
#include <math.h>
#include <stdio.h>

static sl_json *interval_json(const sl_verdict *v, double level)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:f, s:s}", "value", sl_json_number(v->bs.value), "se",
                     sl_json_number(v->bs.se), "lower", sl_json_number(v->fixed.lower), "upper",
                     sl_json_number(v->fixed.upper), "level", level, "method", "prompt-mean");
}

static sl_json *test_json(const sl_measured *m, const sl_verdict *v)
{
    return json_pack("{s:s, s:f, s:f, s:f, s:I, s:I}", "name", SL_BOUNDARY_RULE, "tau",
                     m->settings->tau, "delta", m->settings->delta, "alpha", m->settings->alpha,
                     "prompts_used", (json_int_t)v->prompts_used, "votes_used",
                     (json_int_t)v->votes);
}

sl_status sl_measured_json(const sl_measured *m, const sl_verdict *v)
{
    const char *certified = v->certified == SL_STAGE_UNDECIDED ? NULL : sl_stage_name(v->certified);
    const double v_all = v->v_on + v->v_off;
    sl_json *tree = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:s, s:o, s:s?, s:{s:o, s:o}, s:I, "
        "s:{s:I, s:I}, s:s?, s:o}",
        "schema", "stageline.measure/1", "policy", m->policy, "data", m->data, "judge", m->judge,
        "prompts", (json_int_t)v->prompts, "votes", (json_int_t)v->votes, "ties",
        (json_int_t)v->ties, "dropped", (json_int_t)v->dropped, "bs",
        interval_json(v, 1.0 - m->settings->alpha), "share_of_votes",
        sl_json_number(v_all > 0.0 ? v->v_on / v_all : NAN), "stage", sl_stage_name(v->stage),
        "test", test_json(m, v), "certified", certified, "sequence", "lower",
        sl_json_number(v->sequence.lower), "upper", sl_json_number(v->sequence.upper),
        "max_prompts", (json_int_t)m->max_prompts, "fixed", "prompts", (json_int_t)m->fixed_prompts,
        "votes", (json_int_t)m->fixed_prompts * m->votes_per_prompt, "run", m->run, "branch",
        m->branch ? sl_measured_branch_json(m->branch, v->stage, v->votes) : json_null());
    sl_status st;

    if (!tree)
        return SL_FAIL(SL_ENOMEM, "want memory for the document, found none");
    st = sl_print_json(tree);
    sl_json_close(&tree);
    return st;
}

/* By stage. */
static const char *const sentences[] = {
    "undecided: the votes do not separate the sides; more prompts would, or the sides are equal",
    "preference injection: static answers win; static data help more",
    "preference fine-tuning: the policy's own answers win; on-policy data help more",
};

sl_status sl_measured_text(const sl_measured *m, const sl_verdict *v)
{
    printf("%s, judged by %s\n", m->policy, m->judge);
    printf("boundary score %.3f [%.3f, %.3f] (confidence sequence), standard error %.3f\n",
           v->bs.value, v->sequence.lower, v->sequence.upper, v->bs.se);
    printf("stage: %s\n", sentences[v->stage]);
    printf("%zu votes on %zu prompts of at most %u (%zu ties, %zu without an answer)", v->votes,
           v->prompts, m->max_prompts, v->ties, v->dropped);
    printf("; a fixed sample of %u prompts takes %u votes\n", m->fixed_prompts,
           m->fixed_prompts * m->votes_per_prompt);
    if (m->branch)
        sl_measured_branch_text(m->branch, v->stage, m->settings->tau, v->votes);
    if (m->run)
        printf("record: %s\n", m->run);
    return SL_OK;
}
