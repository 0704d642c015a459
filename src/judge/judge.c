#include "judge/judge.h"
#include "base/alloc.h"
#include "base/text.h"
#include "judge/judge_int.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const sl_judge_row *const judges[] = { &sl_judge_truth,    &sl_judge_stored,
                                              &sl_judge_reward,   &sl_judge_command,
                                              &sl_judge_endpoint, &sl_judge_ensemble };
static const char *const names[] = { "truth",    "stored",   "reward", "command",
                                     "endpoint", "ensemble", NULL };
enum { JUDGE_COUNT = sizeof judges / sizeof judges[0] };

struct sl_judge {
    const sl_judge_row *row;
    void *state; /* the row's */
    char *label;
};

sl_judge_settings sl_judge_defaults(void)
{
    return (sl_judge_settings){ .name = "truth",
                                .temperature = 1.0,
                                .max_tok = 8,
                                .start_s = 300.0,
                                .timeout_s = 60.0,
                                .backoff_s = 1.0,
                                .batch = 8,
                                .retries = 4 };
}

const char *const *sl_judge_names(void)
{
    return names;
}

sl_vote sl_vote_empty(void)
{
    return (sl_vote){
        .p = NAN, .score_a = NAN, .score_b = NAN, .p_ab = NAN, .p_ba = NAN, .agreement = NAN
    };
}

void sl_vote_by_scores(sl_vote *vote, double score_a, double score_b, double temperature)
{
    vote->p = 1.0 / (1.0 + exp((score_b - score_a) / temperature));
    vote->score_a = score_a;
    vote->score_b = score_b;
    vote->is_given = 1;
}

static sl_status find(const sl_judge_row **out, const char *name)
{
    const char *near;
    sl_status st;

    for (size_t i = 0; i < JUDGE_COUNT; i++)
        if (!strcmp(judges[i]->name, name)) {
            *out = judges[i];
            return SL_OK;
        }
    near = sl_text_nearest(name, names);
    st = SL_FAIL(SL_EARG, "want a judge of the table, found \"%.64s\"", name);
    return sl_err_hint(st, "did you mean \"%s\"?", near ? near : names[0]);
}

static sl_status check(const sl_judge_settings *s)
{
    if (!(s->temperature > 0.0 && isfinite(s->temperature)))
        return SL_FAIL(SL_EARG, "want a judge's temperature > 0, found %g", s->temperature);
    if (!(s->timeout_s > 0.0 && s->start_s >= 0.0 && s->backoff_s >= 0.0) || !s->batch)
        return SL_FAIL(SL_EARG,
                       "want timeout and batch > 0 and no negative delay, found timeout "
                       "%g s, batch %u, start %g s, back-off %g s",
                       s->timeout_s, s->batch, s->start_s, s->backoff_s);
    return SL_OK;
}

static sl_status name_judge(sl_judge *judge, const sl_judge_settings *s)
{
    const char *identity = sl_judge_identity(judge);
    char text[64];

    if (s->label || s->model || !identity)
        return sl_strdup(&judge->label, s->label ? s->label : s->model ? s->model : s->name);
    snprintf(text, sizeof text, "%s-%.12s", judge->row->name, identity);
    return sl_strdup(&judge->label, text);
}

sl_status sl_judge_open(sl_judge **out, const sl_judge_settings *settings, const sl_data *data)
{
    const sl_judge_settings *s = settings;
    sl_status st = SL_OK;
    sl_judge *judge = NULL;

    *out = NULL;
    SL_TRY(check(s));
    SL_TRY_OUT(sl_take(&judge, 1, sizeof *judge));
    SL_TRY_OUT(find(&judge->row, s->name));
    SL_TRY_OUT(judge->row->open(&judge->state, s, data));
    SL_TRY_OUT(name_judge(judge, s));
    *out = judge;
    return SL_OK;
out:
    sl_judge_close(&judge);
    return st;
}

void sl_judge_close(sl_judge **judge)
{
    sl_judge *j = *judge;

    if (!j)
        return;
    if (j->row && j->row->close && j->state)
        j->row->close(j->state);
    sl_free(j->label);
    sl_free(j);
    *judge = NULL;
}

const char *sl_judge_name(const sl_judge *judge)
{
    return judge->label;
}

const char *sl_judge_identity(const sl_judge *judge)
{
    return judge->row->identity ? judge->row->identity(judge->state) : NULL;
}

sl_status sl_judge_votes(sl_vote *vote, sl_judge *judge, const sl_prompt_text *prompt,
                         const sl_answer *a, const sl_answer *b, size_t count)
{
    sl_status st;

    for (size_t i = 0; i < count; i++)
        vote[i] = sl_vote_empty();
    st = sl_err_where(judge->row->votes(vote, judge->state, prompt, a, b, count), "judge \"%s\"",
                      judge->label);
    for (size_t i = 0; i < count; i++)
        vote[i].is_tie = vote[i].p == 0.5;
    return st;
}

size_t sl_vote_orders(sl_vote_order out[2], const sl_vote *vote)
{
    size_t n = 0;

    if (isfinite(vote->p) && isfinite(vote->p_ab))
        out[n++] = (sl_vote_order){ vote->p_ab, 0 };
    if (isfinite(vote->p) && isfinite(vote->p_ba))
        out[n++] = (sl_vote_order){ vote->p_ba, 1 };
    if (!n)
        out[n++] = (sl_vote_order){ vote->p, 0 };
    return n;
}

int sl_judge_label(double *label_p, const sl_vote *vote, double temperature, sl_rng *rng)
{
    const double logit = log(vote->p) - log1p(-vote->p);
    const double p = 1.0 / (1.0 + exp(-logit / temperature));
    const int a_wins = sl_rng_uniform(rng) < p;

    *label_p = a_wins ? p : 1.0 - p;
    return a_wins;
}
