/* A trace holds the run several times: by another trainer (trl), by a plain loop in float32 (f32)
 * and in float64 (f64). Each is compared. Tolerances: ten times the distance of the trace's own
 * float32 run from its float64 run, which the makers measured. */
#include "cli/train_golden.h"
#include "base/alloc.h"
#include "cli/golden_list.h"
#include "cli/trace.h"
#include "train/step.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIDES = 2 };
static const char *const sides[SIDES] = { "chosen", "rejected" };
static const char *const runs[] = { "f64", "f32", "trl" };
enum { RUNS = sizeof runs / sizeof runs[0] };

/* Sums over the micro-batches of one update, filled by the watch. */
typedef struct logit_sums {
    double mean[SIDES]; /* of the vocabulary's mean logit */
    size_t targets[SIDES], hits;
} logit_sums;

typedef struct trace {
    sl_golden list;
    sl_trace_plan plan;
    sl_recipe recipe;
    sl_session session;
    double *series;     /* (SERIES, steps) */
    double *pair_logp;  /* (SIDES, steps, batch) */
    double *pair_ref;   /* (SIDES, steps, batch) */
    float *logits;      /* (N, V) */
    float *start;       /* (floats) parameters before the first update */
    int32_t *token[3];  /* of prompts, chosen, rejected, one after another */
    int64_t *offset[3]; /* (pairs + 1) */
    size_t wrong[3];    /* tokens of the feed that are not the trace's */
    double seen_tok;    /* prompts counted with each answer */
    logit_sums sums;
} trace;

/* --- series: one number a step ---------------------------------------------------------------- */

static double of_loss(const trace *t)
{
    return t->session.update.means.loss;
}

static double of_grad_norm(const trace *t)
{
    return t->session.optim.group[0].norm;
}

static double of_rate(const trace *t)
{
    return sl_schedule_rate(&t->session.schedule, t->session.update_at);
}

static double reward(const trace *t, size_t i, int side)
{
    const sl_update *u = &t->session.update;
    const double r = side ? u->logp_r[i] - u->ref_r[i] : u->logp_c[i] - u->ref_c[i];

    return t->recipe.method.beta * r;
}

static double mean_reward(const trace *t, int side)
{
    double sum = 0.0;

    for (size_t i = 0; i < t->session.update.P; i++)
        sum += reward(t, i, side);
    return sum / (double)t->session.update.P;
}

static double of_reward_c(const trace *t)
{
    return mean_reward(t, 0);
}

static double of_reward_r(const trace *t)
{
    return mean_reward(t, 1);
}

static double of_margin(const trace *t)
{
    return mean_reward(t, 0) - mean_reward(t, 1);
}

/* Strict: equal rewards count as wrong, as TRL counts them. */
static double of_accuracy(const trace *t)
{
    size_t right = 0;

    for (size_t i = 0; i < t->session.update.P; i++)
        right += reward(t, i, 0) > reward(t, i, 1);
    return (double)right / (double)t->session.update.P;
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double of_logp_c(const trace *t)
{
    return mean_of(t->session.update.logp_c, t->session.update.P);
}

static double of_logp_r(const trace *t)
{
    return mean_of(t->session.update.logp_r, t->session.update.P);
}

static double of_logits_c(const trace *t)
{
    return t->sums.mean[0] / (double)t->sums.targets[0];
}

static double of_logits_r(const trace *t)
{
    return t->sums.mean[1] / (double)t->sums.targets[1];
}

static double of_entropy(const trace *t)
{
    return t->session.update.means.entropy;
}

static double of_hits(const trace *t)
{
    return (double)t->sums.hits / (double)t->sums.targets[0];
}

static double of_tokens(const trace *t)
{
    return t->seen_tok;
}

/* Relative to the largest of the series, at least 1; 0: the kind's. */
typedef struct series {
    const char *name;
    double (*of)(const trace *t);
    double tolerance;
} series;

static const series all_series[] = {
    { "loss", of_loss, 0.0 },
    { "grad_norm", of_grad_norm, 0.0 },
    { "learning_rate", of_rate, 1e-15 },
    { "rewards/chosen", of_reward_c, 1e-5 },
    { "rewards/rejected", of_reward_r, 1e-5 },
    { "rewards/margins", of_margin, 1e-5 },
    { "rewards/accuracies", of_accuracy, 1e-7 },
    { "logps/chosen", of_logp_c, 2e-6 },
    { "logps/rejected", of_logp_r, 2e-6 },
    { "logits/chosen", of_logits_c, 6e-7 },
    { "logits/rejected", of_logits_r, 6e-7 },
    { "entropy", of_entropy, 2e-6 },
    { "mean_token_accuracy", of_hits, 1e-7 },
    { "num_tokens", of_tokens, 0.0 },
};
enum { SERIES = sizeof all_series / sizeof all_series[0] };
static const double pair_tolerance = 3e-6; /* of summed log-probabilities, relative */

/* --- the pairs -------------------------------------------------------------------------------- */

static const char *const columns[3] = { "prompt_ids", "chosen_ids", "rejected_ids" };

static sl_status read_pairs(trace *t)
{
    char name[64];
    size_t count = 0, values = 0;

    for (int k = 0; k < 3; k++) {
        snprintf(name, sizeof name, "data/%s/values", columns[k]);
        SL_TRY(sl_arrays_read(&t->token[k], &values, NULL, t->list.file, name, SL_ARRAY_I32));
        snprintf(name, sizeof name, "data/%s/offsets", columns[k]);
        SL_TRY(sl_arrays_read(&t->offset[k], &count, NULL, t->list.file, name, SL_ARRAY_I64));
        if (count != t->plan.pairs + 1)
            return SL_FAIL(SL_EFORMAT, "/%s: want %zu offsets, found %zu", name, t->plan.pairs + 1,
                           count);
        for (size_t i = 0; i < t->plan.pairs; i++)
            if (t->offset[k][i] < 0 || t->offset[k][i] > t->offset[k][i + 1] ||
                (size_t)t->offset[k][i + 1] > values)
                return SL_FAIL(SL_EFORMAT, "/%s[%zu]: want offsets that rise to %zu, found others",
                               name, i, values);
    }
    return SL_OK;
}

static size_t count_wrong(const trace *t, int column, size_t pair, const int32_t *got, uint32_t n)
{
    const int64_t *at = &t->offset[column][pair];
    const size_t want = (size_t)(at[1] - at[0]);
    size_t wrong = want > n ? want - n : n - want;

    for (size_t i = 0; i < n && i < want; i++)
        wrong += got[i] != t->token[column][(size_t)at[0] + i];
    return wrong;
}

/* The pairs of the last update are those of the trace. */
static void compare_pairs(trace *t, size_t step)
{
    const sl_update *u = &t->session.update;

    for (size_t i = 0; i < u->P; i++) {
        const sl_pair *p = &u->fed[i].pair;
        const size_t at = (step * (size_t)t->recipe.train.batch + i) % t->plan.pairs;

        t->wrong[0] += count_wrong(t, 0, at, p->prompt.token, p->prompt.count);
        t->wrong[1] += count_wrong(t, 1, at, p->chosen.token, p->chosen.count);
        t->seen_tok += (double)p->prompt.count + p->chosen.count;
        if (u->sides == 1)
            continue;
        t->wrong[2] += count_wrong(t, 2, at, p->rejected.token, p->rejected.count);
        t->seen_tok += (double)p->prompt.count + p->rejected.count;
    }
}

/* --- the run ---------------------------------------------------------------------------------- */

/* Mean logit and best token of every target, while its activations stand. */
static sl_status watch(void *state, sl_session *s)
{
    trace *t = state;
    const sl_packed *b = &s->update.packer.packed;
    const size_t V = sl_model_config(s->policy)->V;

    SL_TRY(sl_model_logits(t->logits, s->policy, s->work, b));
    for (size_t n = 0; n < b->N; n++) {
        const size_t side = b->target[n].sequence % s->update.sides;
        const float *z = t->logits + n * V;
        double sum = 0.0;
        size_t best = 0;

        if (side >= SIDES)
            continue;

        for (size_t v = 0; v < V; v++) {
            sum += (double)z[v];
            best = z[v] > z[best] ? v : best;
        }
        t->sums.mean[side] += sum / (double)V;
        t->sums.targets[side]++;
        t->sums.hits += side == 0 && (int32_t)best == b->target[n].token;
    }
    return SL_OK;
}

static void keep_step(trace *t, size_t step)
{
    const sl_update *u = &t->session.update;
    const size_t batch = (size_t)t->recipe.train.batch;

    compare_pairs(t, step);
    for (size_t k = 0; k < SERIES; k++)
        t->series[k * t->plan.steps + step] = all_series[k].of(t);
    for (size_t i = 0; i < u->P && u->sides > 1; i++)
        for (size_t side = 0; side < SIDES; side++) {
            const size_t at = (side * t->plan.steps + step) * batch + i;

            t->pair_logp[at] = side ? u->logp_r[i] : u->logp_c[i];
            t->pair_ref[at] = side ? u->ref_r[i] : u->ref_c[i];
        }
}

static sl_status take_memory(trace *t)
{
    const size_t batch = (size_t)t->recipe.train.batch;
    const size_t floats = sl_model_tensors(t->session.policy)->floats;

    SL_TRY(sl_take(&t->series, SERIES * t->plan.steps, sizeof *t->series));
    SL_TRY(sl_take(&t->pair_logp, SIDES * t->plan.steps * batch, sizeof *t->pair_logp));
    SL_TRY(sl_take(&t->pair_ref, SIDES * t->plan.steps * batch, sizeof *t->pair_ref));
    SL_TRY(sl_take(&t->logits,
                   t->session.update.packer.limits.N * sl_model_config(t->session.policy)->V,
                   sizeof *t->logits));
    SL_TRY(sl_take(&t->start, floats, sizeof *t->start));
    memcpy(t->start, sl_model_parameters(t->session.policy), floats * sizeof *t->start);
    return SL_OK;
}

static sl_status run_steps(trace *t)
{
    sl_session *s = &t->session;

    s->watch = (sl_watch){ t, watch };
    sl_feed_begin(&s->feed, 0);
    sl_optim_reset(&s->optim);
    if (s->start)
        SL_TRY(sl_model_copy(s->start, s->policy));
    for (size_t step = 0; step < t->plan.steps; step++) {
        t->sums = (logit_sums){ 0 };
        SL_TRY(sl_train_step(s));
        keep_step(t, step);
    }
    return SL_OK;
}

/* --- the comparison --------------------------------------------------------------------------- */

static double tolerance_of(const trace *t, const series *s)
{
    return s->of == of_loss        ? t->plan.kind->loss
           : s->of == of_grad_norm ? t->plan.kind->grad_norm
                                   : s->tolerance;
}

static sl_status check_series(trace *t, const char *run)
{
    char name[SL_ARRAY_NAME];

    for (size_t k = 0; k < SERIES; k++) {
        const series *s = &all_series[k];
        const int is_absolute = s->of == of_loss || s->of == of_grad_norm || s->of == of_rate;

        snprintf(name, sizeof name, "%s/%s", run, s->name);
        if (sl_arrays_has(t->list.file, name))
            SL_TRY(sl_golden_doubles(&t->list, name, t->series + k * t->plan.steps, t->plan.steps,
                                     tolerance_of(t, s), !is_absolute));
    }
    return SL_OK;
}

static sl_status check_pair_sums(trace *t, const char *run)
{
    const size_t n = t->plan.steps * (size_t)t->recipe.train.batch;
    char name[SL_ARRAY_NAME];

    for (size_t side = 0; side < SIDES; side++) {
        snprintf(name, sizeof name, "%s/pair_logps/%s", run, sides[side]);
        if (sl_arrays_has(t->list.file, name))
            SL_TRY(
                sl_golden_doubles(&t->list, name, t->pair_logp + side * n, n, pair_tolerance, 1));
        snprintf(name, sizeof name, "%s/pair_ref_logps/%s", run, sides[side]);
        if (sl_arrays_has(t->list.file, name))
            SL_TRY(sl_golden_doubles(&t->list, name, t->pair_ref + side * n, n, pair_tolerance, 1));
    }
    return SL_OK;
}

static sl_status check_pairs(trace *t)
{
    const size_t read = t->session.update.sides > 1 ? 3 : 2;
    char name[SL_ARRAY_NAME];

    for (size_t k = 0; k < 3; k++) {
        snprintf(name, sizeof name, "data/%s/values", columns[k]);
        if (k < read)
            SL_TRY(sl_golden_add(&t->list, name, (double)t->wrong[k], 0.0));
        else
            SL_TRY(sl_golden_input(&t->list, name));
        snprintf(name, sizeof name, "data/%s/offsets", columns[k]);
        SL_TRY(sl_golden_input(&t->list, name));
    }
    return SL_OK;
}

/* |x - want| and |want - start| of one tensor of the trace. */
static sl_status check_final(trace *t, const char *run, const sl_tensor *tensor)
{
    const size_t n = tensor->rows * tensor->cols;
    const float *x = sl_model_parameters(t->session.policy) + tensor->offset;
    const float *from = t->start + tensor->offset;
    double *want = NULL, apart = 0.0, way = 0.0;
    char name[SL_ARRAY_NAME];
    size_t count = 0;

    if (snprintf(name, sizeof name, "final/%s/%s", run, tensor->name) >= (int)sizeof name ||
        !sl_arrays_has(t->list.file, name))
        return SL_OK;
    SL_TRY(sl_arrays_read(&want, &count, NULL, t->list.file, name, SL_ARRAY_F64));
    for (size_t i = 0; i < n && i < count; i++) {
        apart += ((double)x[i] - want[i]) * ((double)x[i] - want[i]);
        way += (want[i] - (double)from[i]) * (want[i] - (double)from[i]);
    }
    sl_free(want);
    return sl_golden_add(&t->list, name, count == n ? sqrt(apart / way) : NAN,
                         t->plan.kind->parameters);
}

static sl_status check_way(trace *t, const sl_tensor *tensor)
{
    const float *x = sl_model_parameters(t->session.policy) + tensor->offset;
    const float *from = t->start + tensor->offset;
    char name[SL_ARRAY_NAME];
    double way = 0.0;

    if (snprintf(name, sizeof name, "final/update_norm/%s", tensor->name) >= (int)sizeof name ||
        !sl_arrays_has(t->list.file, name))
        return SL_OK;
    for (size_t i = 0; i < tensor->rows * tensor->cols; i++)
        way += ((double)x[i] - (double)from[i]) * ((double)x[i] - (double)from[i]);
    return sl_golden_number(&t->list, name, sqrt(way), t->plan.kind->parameters);
}

static sl_status check_all(trace *t)
{
    const sl_tensors *table = sl_model_tensors(t->session.policy);

    SL_TRY(check_pairs(t));
    for (size_t r = 0; r < RUNS; r++) {
        SL_TRY(check_series(t, runs[r]));
        SL_TRY(check_pair_sums(t, runs[r]));
        for (size_t i = 0; i < table->count; i++)
            SL_TRY(check_final(t, runs[r], &table->row[i]));
    }
    for (size_t i = 0; i < table->count; i++)
        SL_TRY(check_way(t, &table->row[i]));
    return SL_OK;
}

static void close_trace(trace *t)
{
    sl_golden_close(&t->list);
    sl_session_close(&t->session);
    sl_free(t->series);
    sl_free(t->pair_logp);
    sl_free(t->pair_ref);
    sl_free(t->logits);
    sl_free(t->start);
    for (int k = 0; k < 3; k++) {
        sl_free(t->token[k]);
        sl_free(t->offset[k]);
    }
}

static sl_status run_and_check(trace *t, const char *path, const sl_opt_list *set,
                               const sl_backend *backend)
{
    sl_memory_plan plan;

    SL_TRY(sl_trace_recipe(&t->plan, &t->recipe, t->list.file, path, set));
    SL_TRY(read_pairs(t));
    SL_TRY(sl_session_open(&t->session, &t->recipe, backend, NULL, &plan));
    SL_TRY(take_memory(t));
    SL_TRY(run_steps(t));
    return check_all(t);
}

sl_status sl_train_golden(const char *path, const sl_recipe *recipe, const sl_opt_list *set,
                          const sl_backend *backend)
{
    trace t = { .recipe = *recipe };
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_golden_open(&t.list, path));
    SL_TRY_OUT(sl_err_where(run_and_check(&t, path, set, backend), "%s", path));
    st = sl_golden_finish(&t.list, path);
out:
    close_trace(&t);
    return st;
}
