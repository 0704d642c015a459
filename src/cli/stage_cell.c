/* The cells of one point, in this process and without a record:
 *
 *   start -> exact reward, score of a fixed sample, sequential test on the same votes
 *   start -> one iteration on static pairs, one on on-policy pairs -> exact reward, score
 *   and where the world has two iterations, both sources again from both
 *
 * Branches of one place share prompts, seeds and order. */
#include "analysis/boundary.h"
#include "base/alloc.h"
#include "base/file.h"
#include "cli/bench.h"
#include "cli/stage.h"
#include "datasets/world.h"
#include "run/files.h"
#include "train/clock.h"
#include "train/exact.h"
#include "train/train.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FIXED_PROMPTS = 2000, AFTER_PROMPTS = 1000 };

typedef struct stage_run {
    sl_session session;
    sl_model *model[SL_PLACE_ON + 1]; /* parameters after one iteration; NULL: not kept */
    double *first, *now;              /* (exact_prompts) reward of each prompt */
    sl_boundary boundary;             /* the sequential test on the votes of the start */
    double sum, sum_sq, on, off;      /* over prompts: of means, squares, margins */
    double votes;
    size_t prompts;
    double token_flops, head_flops; /* forward: of a token through the blocks; of a row of logits */
    double flops;                   /* of matrix products so far */
} stage_run;

/* Forward passes over `tokens` with `rows` of logits, `times` over: 1; 3 with the backward pass. */
static void spend(stage_run *r, double times, double tokens, double rows)
{
    r->flops += times * (tokens * r->token_flops + rows * r->head_flops);
}

/* Answers drawn `each` a prompt, the prompt computed once. */
static void spend_drawing(stage_run *r, double prompts, double each)
{
    const double answers = prompts * each * SL_WORLD_ANSWER;

    spend(r, 1.0, prompts * SL_WORLD_PROMPT + answers, answers);
}

/* --- starts ---------------------------------------------------------------------------------- */

/* A folder that is whole or not there: written beside, then renamed. */
static sl_status save_whole(const sl_model *model, const char *folder)
{
    char part[SL_RUN_PATH + 16];

    snprintf(part, sizeof part, "%s.part", folder);
    if (sl_file_exists(part)) /* of an attempt that was killed */
        SL_TRY(sl_file_remove_tree(part));
    SL_TRY(sl_file_new_folder(part));
    SL_TRY(sl_model_save(model, part, 1));
    if (rename(part, folder))
        return SL_FAIL(SL_EIO, "want to rename \"%s\", found: %s", part, strerror(errno));
    return SL_OK;
}

static sl_status start_path(char out[SL_RUN_PATH], const sl_stage_point *p, int which)
{
    char hash[17], name[32];

    SL_TRY(sl_stage_settings(hash, p, which));
    snprintf(name, sizeof name, "start-%s", hash);
    return sl_file_join(out, SL_RUN_PATH, p->folder, name);
}

/* SFT by a recipe, from nothing to a folder. */
static sl_status imitate(const char *folder, const sl_recipe *recipe, const sl_backend *backend)
{
    sl_memory_plan plan;
    sl_session *s;
    sl_status st;

    if (sl_file_exists(folder))
        return SL_OK;
    SL_TRY(sl_take(&s, 1, sizeof *s));
    st = sl_session_open(s, recipe, backend, NULL, &plan);
    if (st == SL_OK) {
        st = sl_train_branch(s, 0.0, NULL);
        if (st == SL_OK)
            st = save_whole(s->policy, folder);
        sl_session_close(s);
    }
    sl_free(s);
    return st;
}

sl_status sl_stage_make_base(const sl_stage_point *p, const sl_backend *backend)
{
    char folder[SL_RUN_PATH];
    sl_recipe recipe;

    SL_TRY(start_path(folder, p, SL_STAGE_BASE));
    SL_TRY(sl_stage_start_recipe(&recipe, p, 1, ""));
    return imitate(folder, &recipe, backend);
}

sl_status sl_stage_make_start(char folder[SL_RUN_PATH], const sl_stage_point *p,
                              const sl_backend *backend)
{
    char base[SL_RUN_PATH];
    sl_recipe recipe;

    SL_TRY(sl_stage_make_base(p, backend));
    SL_TRY(start_path(base, p, SL_STAGE_BASE));
    SL_TRY(start_path(folder, p, SL_STAGE_POLICY));
    SL_TRY(sl_stage_start_recipe(&recipe, p, 2, base));
    return imitate(folder, &recipe, backend);
}

/* --- where a policy stands ------------------------------------------------------------------- */

static sl_status watch_begin(void *state, uint32_t measurement, int64_t step, uint32_t most)
{
    stage_run *r = state;
    sl_boundary_settings set = sl_boundary_defaults();

    (void)measurement;
    (void)step;
    (void)most;
    r->sum = r->sum_sq = r->on = r->off = r->votes = 0.0;
    r->prompts = 0;
    sl_boundary_close(&r->boundary);
    return sl_boundary_begin(&r->boundary, &set);
}

/* Every prompt counts for the fixed sample; the test takes them until it has enough. */
static sl_status watch_votes(void *state, const sl_prompt_votes *v, int *is_enough)
{
    const sl_prompt_mean prompt = { v->mean,       v->v_on,  v->v_off, v->margin_on,
                                    v->margin_off, v->votes, v->ties,  v->dropped };
    stage_run *r = state;

    *is_enough = 0;
    r->prompts++;
    r->votes += v->votes;
    r->sum += v->mean;
    r->sum_sq += v->mean * v->mean;
    r->on += v->margin_on;
    r->off += v->margin_off;
    return sl_boundary_is_settled(&r->boundary) ? SL_OK : sl_boundary_add(&r->boundary, &prompt);
}

static sl_status watch_look(void *state, sl_row_boundary *row)
{
    (void)state;
    *row = (sl_row_boundary){ 0 };
    return SL_OK;
}

static sl_status watch_end(void *state, sl_row_decisions *row)
{
    (void)state;
    *row = (sl_row_decisions){ 0 };
    return SL_OK;
}

/* The score of the start by one pass over the votes, with the sequential test beside it. */
static sl_status score_start(sl_stage_cell *cell, stage_run *r)
{
    const sl_advisor watch = { .state = r,
                               .begin = watch_begin,
                               .observe = watch_votes,
                               .look = watch_look,
                               .decide = watch_end };
    sl_session *s = &r->session;
    sl_stage_place *start = &cell->place[SL_PLACE_START];
    sl_recorder recorder = { .measurement = 0 };
    sl_row_boundary row;
    sl_row_decisions decision;
    double n;

    s->sampler.model = s->start;
    SL_TRY(sl_measure_run(&row, &decision, s->measure, &s->door, &watch, &recorder));
    n = (double)r->prompts;
    spend_drawing(r, n, (double)s->recipe.measure.on);
    start->bs = r->sum / n;
    start->bs_se = sqrt((r->sum_sq / n - start->bs * start->bs) / (n - 1.0));
    cell->margin_on = r->on / n;
    cell->margin_off = r->off / n;
    cell->fixed_votes = r->votes;
    cell->stage = r->boundary.stage;
    cell->votes = (double)r->boundary.votes;
    cell->prompts = (double)r->boundary.prompts;
    return SL_OK;
}

static sl_status look(sl_stage_place *place, stage_run *r, double *per_prompt,
                      const sl_model *model)
{
    sl_session *s = &r->session;
    const size_t n = (size_t)s->recipe.measure.exact_prompts;
    sl_exact e;

    SL_TRY(sl_exact_measure(&e, per_prompt, s, model));
    spend_drawing(r, (double)n, 1.0);
    spend_drawing(r, (double)n, 1.0); /* the same tokens again, for their logits */
    place->reward = e.reward;
    place->entropy = e.entropy;
    place->kl = e.kl;
    place->accuracy = e.accuracy;
    sl_exact_gain(&place->gain, &place->gain_se, r->first, per_prompt, n);
    return SL_OK;
}

static sl_status score_after(sl_stage_place *place, stage_run *r, const sl_model *model)
{
    sl_session *s = &r->session;
    sl_fixed_score score;

    s->sampler.model = model;
    SL_TRY(sl_measure_fixed(&score, s->measure, &s->door, 0, AFTER_PROMPTS));
    spend_drawing(r, AFTER_PROMPTS, (double)s->recipe.measure.on);
    s->sampler.model = s->start;
    place->bs = score.bs;
    place->bs_se = score.se;
    return SL_OK;
}

/* --- data ------------------------------------------------------------------------------------ */

static void describe_pairs(sl_stage_data *out, const sl_fed *fed, size_t count)
{
    double sum = 0.0, sq = 0.0, gap = 0.0, close = 0.0, apart = 0.0;
    const double n = (double)count;

    for (size_t i = 0; i < count; i++) {
        const sl_answer *c = &fed[i].pair.chosen, *r = &fed[i].pair.rejected;
        const double a = (double)c->score, b = (double)r->score;

        for (uint32_t t = 0; t < c->count; t++)
            apart += c->token[t] != r->token[t];
        sum += a + b;
        sq += a * a + b * b;
        gap += fabs(a - b);
        close += fabs(a - b) < 1.0;
    }
    out->hamming = apart / n;
    out->reward = sum / (2.0 * n);
    out->reward_sd = sqrt(sq / (2.0 * n) - out->reward * out->reward);
    out->gap = gap / n;
    out->close = close / n;
}

/* --- cells ----------------------------------------------------------------------------------- */

/* The pairs of the iteration: two answers to a prompt that is computed once; a reference sees them
 * too, and on-policy answers were drawn. */
static void spend_training(stage_run *r, double mix)
{
    const sl_session *s = &r->session;
    const double pairs = (double)s->feed.kept, answers = 2.0 * pairs * SL_WORLD_ANSWER;
    const double tokens = pairs * SL_WORLD_PROMPT + answers;

    spend(r, s->feed.reference ? 4.0 : 3.0, tokens, answers);
    if (mix > 0.0)
        spend_drawing(r, (double)s->feed.count, (double)s->recipe.policy.candidates);
}

/* One iteration on a source from where `from` stands; the policy is what comes out. */
static sl_status iterate(stage_run *r, const sl_model *from, double mix, int64_t iteration)
{
    sl_session *s = &r->session;

    if (from != s->start)
        SL_TRY(sl_model_copy(s->start, from));
    SL_TRY(sl_model_copy(s->policy, from));
    s->iteration = iteration;
    SL_TRY(sl_train_branch(s, mix, NULL));
    spend_training(r, mix);
    return SL_OK;
}

static sl_status first_iteration(sl_stage_cell *cell, stage_run *r)
{
    sl_session *s = &r->session;

    for (int source = 0; source < SL_STAGE_SOURCES; source++) {
        const sl_place at = source ? SL_PLACE_ON : SL_PLACE_OFF;

        SL_TRY(iterate(r, s->start, source, 0));
        describe_pairs(&cell->data[source], s->feed.fed, s->feed.kept);
        SL_TRY(look(&cell->place[at], r, r->now, s->policy));
        SL_TRY(score_after(&cell->place[at], r, s->policy));
        SL_TRY(sl_model_clone(&r->model[at], s->policy, 0));
    }
    return SL_OK;
}

static sl_status second_iteration(sl_stage_cell *cell, stage_run *r)
{
    static const sl_place from[] = { SL_PLACE_OFF, SL_PLACE_OFF, SL_PLACE_ON, SL_PLACE_ON };
    sl_session *s = &r->session;

    for (size_t i = 0; i < 4; i++) {
        sl_stage_place *place = &cell->place[SL_PLACE_OFF_OFF + i];

        SL_TRY(iterate(r, r->model[from[i]], (double)(i % 2), 1));
        SL_TRY(look(place, r, r->now, s->policy));
        SL_TRY(score_after(place, r, s->policy));
    }
    return SL_OK;
}

static sl_status open_run(stage_run *r, const sl_recipe *recipe, const sl_backend *backend,
                          const volatile int *stop)
{
    const sl_config *c;
    sl_memory_plan plan;

    SL_TRY(sl_session_open(&r->session, recipe, backend, stop, &plan));
    c = sl_model_config(r->session.policy);
    r->head_flops = 2.0 * (double)(c->V * c->D);
    r->token_flops = 2.0 * sl_bench_matrices(c) - r->head_flops;
    r->first = r->session.exact_before;
    r->now = r->session.exact_after;
    return SL_OK;
}

static void close_run(stage_run *r)
{
    for (size_t i = 0; i <= SL_PLACE_ON; i++)
        sl_model_close(&r->model[i]);
    sl_boundary_close(&r->boundary);
    sl_session_close(&r->session);
}

/* The start is the same for both methods: the second takes over what the first measured. */
static void take_over(sl_stage_cell *cell, const sl_stage_cell *from)
{
    cell->place[SL_PLACE_START] = from->place[SL_PLACE_START];
    cell->margin_on = from->margin_on;
    cell->margin_off = from->margin_off;
    cell->stage = from->stage;
    cell->votes = from->votes;
    cell->prompts = from->prompts;
    cell->fixed_votes = from->fixed_votes;
}

static sl_status run_cell(sl_stage_cell *cell, stage_run *r, double *first,
                          const sl_stage_cell *known)
{
    const size_t bytes = (size_t)r->session.recipe.measure.exact_prompts * sizeof *first;
    sl_stage_place *start = &cell->place[SL_PLACE_START];

    if (known) {
        take_over(cell, known);
        memcpy(r->first, first, bytes);
    } else {
        SL_TRY(look(start, r, r->first, r->session.start));
        start->gain = start->gain_se = 0.0;
        memcpy(first, r->first, bytes);
        SL_TRY(score_start(cell, r));
    }
    SL_TRY(first_iteration(cell, r));
    return r->session.recipe.train.iterations > 1 ? second_iteration(cell, r) : SL_OK;
}

void sl_stage_name_cell(sl_stage_cell *cell, const sl_stage_point *p, size_t method)
{
    sl_stage_cell_init(cell);
    snprintf(cell->world, sizeof cell->world, "%s", p->world->name);
    snprintf(cell->variant, sizeof cell->variant, "%s", p->variant->name);
    snprintf(cell->method, sizeof cell->method, "%s", sl_stage_methods[method]);
    cell->seed = (double)p->seed;
    cell->strength = p->strength;
}

sl_status sl_stage_measure(sl_stage_cell *cell, size_t *count, const sl_stage_point *p,
                           const sl_backend *backend, const volatile int *stop)
{
    double spent, *first = NULL;
    char policy[SL_RUN_PATH];
    stage_run *r = NULL;
    sl_recipe recipe;
    sl_status st = SL_OK;

    *count = 0;
    SL_TRY(sl_stage_make_start(policy, p, backend));
    spent = sl_clock_cpu();
    SL_TRY_OUT(sl_take(&r, 1, sizeof *r));
    for (size_t method = 0; method < SL_STAGE_METHODS; method++) {
        sl_stage_cell *c = &cell[*count];

        if (!p->variant->method[method])
            continue;
        sl_stage_name_cell(c, p, method);
        SL_TRY_OUT(sl_stage_pair_recipe(&recipe, p, method, policy));
        if (!first)
            SL_TRY_OUT(sl_take(&first, (size_t)recipe.measure.exact_prompts, sizeof *first));
        SL_TRY_OUT(open_run(r, &recipe, backend, stop));
        st = run_cell(c, r, first, *count ? cell : NULL);
        close_run(r);
        SL_TRY_OUT(sl_err_where(st, "cell %s/%s/%lld/%g/%s", c->world, c->variant,
                                (long long)p->seed, p->strength, c->method));
        c->flops = r->flops;
        c->cpu_s = sl_clock_cpu() - spent;
        spent += c->cpu_s;
        (*count)++;
        memset(r, 0, sizeof *r);
    }
out:
    sl_free(first);
    sl_free(r);
    return st;
}
