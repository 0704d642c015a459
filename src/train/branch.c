#include "train/branch.h"
#include "base/alloc.h"
#include "train/clock.h"
#include "train/emit.h"
#include "train/exact.h"
#include <math.h>

enum { CONTEST_BATCH = 16 }; /* prompts of the votes against the fork, at a time */

/* The branch's answers against the fork's on frozen prompts. Two samplers, since the words of
 * answers live until the next draw. */
typedef struct contest {
    sl_model_sampler sampler[2]; /* branch, fork */
    sl_prompt_text *prompt;      /* (batch) */
    int32_t *prompt_token;       /* (batch, prompt_tok) */
    sl_drawn *drawn[2];          /* (batch) */
    int32_t *token[2];           /* (batch, answer_tok) */
    sl_answer *side[2];          /* (batch) */
    sl_vote *vote;               /* (batch) */
} contest;

typedef struct testing {
    sl_branch *out;
    sl_session *s;
    contest contest;
} testing;

/* --- votes against the fork ------------------------------------------------------------------ */

static void contest_close(contest *c)
{
    for (size_t i = 0; i < 2; i++) {
        if (c->sampler[i].generator)
            sl_model_sampler_close(&c->sampler[i]);
        sl_free(c->drawn[i]);
        sl_free(c->token[i]);
        sl_free(c->side[i]);
    }
    sl_free(c->prompt);
    sl_free(c->prompt_token);
    sl_free(c->vote);
}

static sl_status contest_open(contest *c, const sl_session *s)
{
    const sl_data_limits *l = sl_data_limits_of(s->data);
    const sl_model *model[2] = { s->policy, s->start };

    for (size_t i = 0; i < 2; i++) {
        SL_TRY(sl_model_sampler_open(&c->sampler[i], model[i], CONTEST_BATCH, l->prompt_tok,
                                     l->answer_tok));
        c->sampler[i].decode = s->sampler.decode;
        SL_TRY(sl_take(&c->drawn[i], CONTEST_BATCH, sizeof **c->drawn));
        SL_TRY(sl_take(&c->token[i], (size_t)CONTEST_BATCH * l->answer_tok, sizeof **c->token));
        SL_TRY(sl_take(&c->side[i], CONTEST_BATCH, sizeof **c->side));
    }
    SL_TRY(sl_take(&c->prompt, CONTEST_BATCH, sizeof *c->prompt));
    SL_TRY(sl_take(&c->prompt_token, (size_t)CONTEST_BATCH * l->prompt_tok, sizeof(int32_t)));
    return sl_take(&c->vote, CONTEST_BATCH, sizeof *c->vote);
}

/* Votes on probe prompts [first, first + n): answers of both by the same random streams. */
static sl_status ask(contest *c, sl_session *s, size_t first, size_t n)
{
    const sl_data_limits *l = sl_data_limits_of(s->data);

    for (size_t i = 0; i < n; i++) {
        const uint64_t stream = sl_rng_substream(sl_rng_stream("branch probe"), first + i);

        SL_TRY(sl_data_prompt(&c->prompt[i], c->prompt_token + i * l->prompt_tok, s->data,
                              SL_SPLIT_EVAL, 0, first + i));
        c->drawn[0][i] = c->drawn[1][i] = (sl_drawn){ .stream = stream };
    }
    for (size_t k = 0; k < 2; k++) {
        SL_TRY(
            s->door.draw(&c->sampler[k], c->drawn[k], c->token[k], &s->door.law, c->prompt, n, 1));
        for (size_t i = 0; i < n; i++)
            c->side[k][i] = c->drawn[k][i].answer;
    }
    return sl_judge_votes(c->vote, s->judge, c->prompt, c->side[0], c->side[1], n);
}

static int64_t orders_of(const sl_vote *vote, size_t n)
{
    sl_vote_order order[2];
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (int64_t)sl_vote_orders(order, &vote[i]);
    return sum;
}

static sl_status win_rate(sl_branch_gain *out, testing *t)
{
    const size_t probes = sl_data_limits_of(t->s->data)->probe_count;
    const size_t want = (size_t)t->s->recipe.measure.branch_prompts;
    const size_t count = probes < want ? probes : want;
    double sum = 0.0, sq = 0.0, n;

    *out = (sl_branch_gain){ 0 };
    for (size_t done = 0; done < count; done += CONTEST_BATCH) {
        const size_t batch = count - done < CONTEST_BATCH ? count - done : CONTEST_BATCH;

        SL_TRY(ask(&t->contest, t->s, done, batch));
        t->out->answers += 2 * (int64_t)batch;
        t->out->votes += orders_of(t->contest.vote, batch);
        for (size_t i = 0; i < batch; i++) {
            const double p = t->contest.vote[i].p;

            out->dropped += isnan(p);
            out->used += !isnan(p);
            sum += isnan(p) ? 0.0 : p;
            sq += isnan(p) ? 0.0 : p * p;
        }
    }
    n = out->used;
    out->gain = sum / n - 0.5;
    out->se = sqrt(fmax(0.0, sq / n - sum / n * (sum / n)) / (n - 1.0));
    return SL_OK;
}

/* --- one branch ------------------------------------------------------------------------------ */

static sl_status exact_gain(sl_branch_gain *out, testing *t)
{
    sl_session *s = t->s;
    const size_t n = (size_t)s->recipe.measure.exact_prompts;
    sl_exact e;

    SL_TRY(sl_exact_measure(&e, s->exact_after, s, s->policy));
    sl_exact_gain(&out->gain, &out->se, s->exact_before, s->exact_after, n);
    out->used = (uint32_t)n;
    out->dropped = 0;
    t->out->answers += (int64_t)n;
    return SL_OK;
}

/* In place of the record's: a branch leaves no trace but what it cost. */
static sl_status count_drawn(void *state, const sl_drawn_prompt *drawn)
{
    sl_branch *out = state;

    out->answers += (int64_t)drawn->each;
    out->votes += orders_of(drawn->vote, drawn->votes);
    return SL_OK;
}

/* The iteration whose streams a replicate has; no run has one like it. */
static int64_t iteration_of(int64_t step, size_t replicate)
{
    const uint64_t stream = sl_rng_substream(sl_rng_stream("branch"), (uint64_t)step);

    return (int64_t)(sl_rng_substream(stream, replicate) >> 1 | UINT64_C(1) << 62);
}

static sl_status run_one(testing *t, size_t source, size_t replicate)
{
    sl_branch_gain *gain = &t->out->row[source][replicate];
    sl_session *s = t->s;

    SL_TRY(sl_model_copy(s->policy, s->start));
    s->iteration = iteration_of(s->step, replicate);
    SL_TRY(sl_train_branch(s, (double)source, NULL));
    return t->out->is_exact ? exact_gain(gain, t) : win_rate(gain, t);
}

/* --- the test -------------------------------------------------------------------------------- */

static int64_t updates_of_epoch(const sl_session *s)
{
    return sl_session_updates(s) / s->feed.settings.epochs;
}

sl_status sl_branch_check(const sl_session *s)
{
    const int64_t k = s->recipe.measure.branch, epoch = updates_of_epoch(s);

    if (!k || k < epoch || (k % epoch == 0 && k <= sl_session_updates(s)))
        return SL_OK;
    return sl_err_hint(
        SL_FAIL(SL_EARG,
                "want at most %lld updates of a branch, an epoch, or whole epochs of "
                "an iteration of %lld updates, found %lld",
                (long long)epoch, (long long)sl_session_updates(s), (long long)k),
        "a whole iteration is the horizon of the decision");
}

/* The first updates of an iteration, by its own schedule. */
static void cut(sl_feed_settings *feed, int64_t updates, int64_t epoch)
{
    if (updates < epoch)
        feed->prompts = (size_t)updates * feed->batch;
    feed->epochs = updates < epoch ? 1 : updates / epoch;
}

static sl_status run_all(testing *t)
{
    sl_session *s = t->s;
    sl_exact e;

    if (t->out->is_exact) {
        SL_TRY(sl_exact_measure(&e, s->exact_before, s, s->start));
        t->out->answers += s->recipe.measure.exact_prompts;
    } else {
        SL_TRY(contest_open(&t->contest, s));
    }
    for (size_t r = 0; r < t->out->replicates; r++)
        for (size_t source = 0; source < SL_BRANCH_SOURCES; source++)
            SL_TRY(sl_err_where(run_one(t, source, r), "branch on %s data, replicate %zu",
                                source ? "on-policy" : "static", r));
    return SL_OK;
}

static sl_status record(const sl_branch *b, sl_session *s)
{
    static const char *const names[] = { "branch_gain_static", "branch_gain_on_policy" };
    static const uint8_t origins[] = { SL_ORIGIN_STATIC, SL_ORIGIN_ON_POLICY };

    for (size_t r = 0; r < b->replicates; r++)
        for (size_t source = 0; source < SL_BRANCH_SOURCES; source++) {
            const sl_branch_gain *g = &b->row[source][r];

            SL_TRY(sl_emit_eval(s, &(sl_eval){ names[source], g->gain, g->se, g->used, g->dropped,
                                               origins[source], (uint16_t)r }));
        }
    return SL_OK;
}

sl_status sl_branch_test(sl_branch *out, sl_session *s)
{
    const sl_feed_settings feed = s->feed.settings;
    const sl_feed_sink sink = s->feed.sink;
    const int64_t iteration = s->iteration;
    const sl_recipe *r = &s->recipe;
    const double begun = sl_clock_now();
    testing t = { .out = out, .s = s };
    sl_status st;

    *out = (sl_branch){ .is_exact = r->measure.exact_prompts > 0,
                        .replicates = (size_t)r->measure.branch_replicates,
                        .updates = r->measure.branch };
    cut(&s->feed.settings, out->updates, updates_of_epoch(s));
    s->feed.sink = (sl_feed_sink){ .state = out, .drawn = count_drawn };
    st = run_all(&t);
    contest_close(&t.contest);
    s->feed.settings = feed;
    s->feed.sink = sink;
    s->iteration = iteration;
    s->sampler.model = s->start;
    SL_TRY(st);
    SL_TRY(sl_model_copy(s->policy, s->start));
    out->seconds = sl_clock_now() - begun;
    return record(out, s);
}
