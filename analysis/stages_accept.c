#include "analysis/stages_accept.h"
#include "analysis/stages_branch.h"
#include "analysis/stages_table.h"
#include "base/alloc.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Scores that a start of a strength has, +- room. */
static const struct {
    double strength, score, room;
} bands[] = { { 0, .16, .05 }, { 2, .34, .06 }, { 3, .54, .06 }, { 5, .78, .06 } };

#define WEAK_RATIO 0.75
#define STRONG_RATIO 1.3
#define RATIO_FROM 0.2 /* static gains below this make no ratio */
#define RIGHT_OUTSIDE 0.9
#define RIGHT_OF_ALL 0.8
#define SHARE_OF_BEST 0.93
#define RIGHT_OF_TESTS 0.9

static const struct {
    const char *name;
    double least_difference; /* of a strong start */
} methods[] = { { "dpo", 0.2 }, { "slic-hf", 0.5 } };
enum { METHODS = sizeof methods / sizeof methods[0] };

typedef struct checks {
    sl_stage_check *at;
    size_t count, most;
    const sl_stage_cell *const *cell;
    size_t n;
    const sl_stage_cell **of; /* (n) room for a selection */
    double *number;           /* (n) */
} checks;

static sl_stage_check *next(checks *c, int point, double seed, const char *method)
{
    sl_stage_check *check = &c->at[c->count];

    if (c->count == c->most)
        return NULL;
    c->count++;
    *check = (sl_stage_check){ .point = point, .seed = seed, .method = method, .is_held = 1 };
    return check;
}

static const sl_stage_cell *cell_at(const checks *c, double seed, const char *method,
                                    double strength)
{
    const sl_stage_filter f = { "plain", method, seed, strength };

    return sl_stage_select(c->of, c->cell, c->n, &f) ? c->of[0] : NULL;
}

static void SL_PRINTF(2, 3) say(sl_stage_check *check, const char *format, ...)
{
    const size_t used = strlen(check->text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(check->text + used, sizeof check->text - used, format, arguments);
    va_end(arguments);
}

/* 1: the score rises with the strength of the start and stands in its bands. */
static sl_status scores(checks *c, double seed)
{
    const size_t strengths = sl_stage_strengths(c->number, c->cell, c->n);
    sl_stage_check *check = next(c, 1, seed, NULL);
    double before = 0.0;

    SL_CHECK(check);
    snprintf(check->text, sizeof check->text, "scores");
    for (size_t i = 0; i < strengths; i++) {
        const sl_stage_cell *at = cell_at(c, seed, methods[0].name, c->number[i]);
        const double bs = at ? at->place[SL_PLACE_START].bs : NAN;

        if (!at)
            continue;
        say(check, " %.3f", bs);
        check->is_held &= bs > before;
        before = bs;
        for (size_t b = 0; b < sizeof bands / sizeof bands[0]; b++)
            if (bands[b].strength == at->strength && fabs(bs - bands[b].score) > bands[b].room) {
                check->is_held = 0;
                say(check, " (want %.2f +- %.2f)", bands[b].score, bands[b].room);
            }
    }
    return SL_OK;
}

/* 2: at weak starts both sources help and static data help more. */
static sl_status weak(checks *c, double seed, size_t m)
{
    const sl_stage_cell *a = cell_at(c, seed, methods[m].name, 0.0);
    const sl_stage_cell *b = cell_at(c, seed, methods[m].name, 1.0);
    sl_stage_check *check;

    if (!a || !b)
        return SL_OK;
    check = next(c, 2, seed, methods[m].name);
    SL_CHECK(check);
    for (int i = 0; i < 2; i++) {
        const sl_stage_cell *at = i ? b : a;
        const double on = at->place[SL_PLACE_ON].gain;

        say(check, "s=%g: on/static %.2f, gain on %.2f; ", at->strength, sl_stage_ratio(at), on);
        check->is_held &= sl_stage_ratio(at) <= WEAK_RATIO && on > 0.0;
    }
    return SL_OK;
}

/* 3: at strong starts on-policy data help more. */
static sl_status strong(checks *c, double seed, size_t m)
{
    const sl_stage_cell *a = cell_at(c, seed, methods[m].name, 4.0);
    const sl_stage_cell *b = cell_at(c, seed, methods[m].name, 5.0);
    sl_stage_check *check;

    if (!a || !b)
        return SL_OK;
    check = next(c, 3, seed, methods[m].name);
    SL_CHECK(check);
    for (int i = 0; i < 2; i++) {
        const sl_stage_cell *at = i ? b : a;
        const double off = at->place[SL_PLACE_OFF].gain;

        say(check, "s=%g: on-static %.2f, static %.2f; ", at->strength, sl_stage_difference(at),
            off);
        check->is_held &= sl_stage_difference(at) >= methods[m].least_difference;
        check->is_held &= off <= RATIO_FROM || sl_stage_ratio(at) >= STRONG_RATIO;
    }
    return SL_OK;
}

/* 4: the score names the better source. */
static sl_status right(checks *c)
{
    const sl_stage_filter f = { "plain", NULL, NAN, NAN };
    const size_t n = sl_stage_select(c->of, c->cell, c->n, &f);
    const sl_stage_verdicts v = sl_stage_verdicts_of(c->of, n, SL_PLACE_START);
    sl_stage_check *check = next(c, 4, NAN, NULL);

    SL_CHECK(check);
    check->is_held =
        v.outside.of && v.outside.share >= RIGHT_OUTSIDE && v.all.share >= RIGHT_OF_ALL;
    snprintf(check->text, sizeof check->text,
             "right in %zu of %zu clear cells with a score outside [%.2f, %.2f], in %zu of %zu of "
             "all",
             v.outside.right, v.outside.of, SL_STAGE_NEAR_LOW, SL_STAGE_NEAR_HIGH, v.all.right,
             v.all.of);
    return SL_OK;
}

/* 7: the branch test names the better source. */
static sl_status branches(checks *c)
{
    const sl_stage_filter f = { "plain", NULL, NAN, NAN };
    const sl_stage_branches b = sl_stage_branches_of(c->cell, c->n, &f);
    sl_stage_check *check;

    if (!b.of)
        return SL_OK;
    check = next(c, 7, NAN, NULL);
    SL_CHECK(check);
    check->is_held = b.clear.of && b.clear.share >= RIGHT_OF_TESTS;
    snprintf(check->text, sizeof check->text,
             "right in %zu of %zu clear cells, in %zu of the %zu in which the test decides",
             b.clear.right, b.clear.of, b.decided.right, b.decided.of);
    return SL_OK;
}

/* 5: two iterations guided by the score against the rules that do not look. */
static sl_status guided(checks *c, size_t m)
{
    const sl_stage_filter f = { "plain", methods[m].name, NAN, NAN };
    const size_t n = sl_stage_select(c->of, c->cell, c->n, &f);
    double gain[SL_STAGE_RULES];
    sl_stage_check *check;

    for (int r = 0; r < SL_STAGE_RULES; r++)
        gain[r] = sl_stage_rule_of(c->of, n, (sl_stage_rule)r, 2).gain;
    if (!isfinite(gain[SL_STAGE_GUIDED]))
        return SL_OK;
    check = next(c, 5, NAN, methods[m].name);
    SL_CHECK(check);
    check->is_held = gain[SL_STAGE_GUIDED] >= gain[SL_STAGE_STATIC] &&
                     gain[SL_STAGE_GUIDED] >= gain[SL_STAGE_ON_POLICY] &&
                     gain[SL_STAGE_GUIDED] >= SHARE_OF_BEST * gain[SL_STAGE_ORACLE];
    snprintf(check->text, sizeof check->text,
             "guided %.2f, always on-policy %.2f, always static %.2f, best %.2f: %.0f %% of it",
             gain[SL_STAGE_GUIDED], gain[SL_STAGE_ON_POLICY], gain[SL_STAGE_STATIC],
             gain[SL_STAGE_ORACLE], 100.0 * gain[SL_STAGE_GUIDED] / gain[SL_STAGE_ORACLE]);
    return SL_OK;
}

static sl_status one_iteration(checks *c, const double *seed, size_t seeds)
{
    for (size_t i = 0; i < seeds; i++) {
        SL_TRY(scores(c, seed[i]));
        for (size_t m = 0; m < METHODS; m++) {
            SL_TRY(weak(c, seed[i], m));
            SL_TRY(strong(c, seed[i], m));
        }
    }
    SL_TRY(right(c));
    return branches(c);
}

sl_status sl_stage_accept(sl_stage_check *check, size_t *count, size_t most,
                          const sl_stage_cell *const *cell, size_t n)
{
    checks c = { .at = check, .most = most, .cell = cell, .n = n };
    double *seed = NULL;
    size_t seeds;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&c.of, n + 1, sizeof *c.of));
    SL_TRY_OUT(sl_take(&c.number, n + 1, sizeof *c.number));
    SL_TRY_OUT(sl_take(&seed, n + 1, sizeof *seed));
    seeds = sl_stage_seeds(seed, cell, n);
    if (n && !strcmp(cell[0]->world, "mini"))
        SL_TRY_OUT(one_iteration(&c, seed, seeds));
    for (size_t m = 0; m < METHODS; m++)
        SL_TRY_OUT(guided(&c, m));
out:
    sl_free(c.of);
    sl_free(c.number);
    sl_free(seed);
    *count = c.count;
    return st;
}
