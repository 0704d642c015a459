#include "analysis/stages_branch.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

#define ALPHA 0.05

static int is_tested(const sl_stage_cell *c)
{
    return c->branch.replicates >= 2.0;
}

sl_stage_tested sl_stage_tested_of(const sl_stage_cell *of, const sl_stage_cell *const *cell,
                                   size_t n)
{
    const sl_stage_filter same = { of->variant, of->method, NAN, NAN };
    double squares = 0.0, freedom = 0.0, half;
    sl_stage_tested t = { of->branch.difference, NAN, { NAN, NAN }, SL_STAGE_UNDECIDED };

    if (!is_tested(of))
        return t;
    for (size_t i = 0; i < n; i++)
        if (is_tested(cell[i]) && sl_stage_passes(cell[i], &same)) {
            const double own = cell[i]->branch.replicates - 1.0;

            squares += own * cell[i]->branch.sd * cell[i]->branch.sd;
            freedom += own;
        }
    t.se = sqrt(squares / freedom / of->branch.replicates);
    half = sl_student_quantile(1.0 - ALPHA / 2.0, freedom) * t.se;
    t.interval = (sl_interval){ t.difference - half, t.difference + half };
    if (fabs(t.difference) > 2.0 * t.se)
        t.winner = t.difference > 0.0 ? SL_STAGE_FINE_TUNING : SL_STAGE_INJECTION;
    return t;
}

static void add_cell(sl_stage_branches *b, const sl_stage_cell *c, const sl_stage_tested *t)
{
    const double d = sl_stage_difference(c);
    const int is_right = (c->branch.difference > 0.0) == (d > 0.0);
    const int is_decided = t->winner != SL_STAGE_UNDECIDED;

    sl_stage_count_add(&b->all, is_right);
    if (!(fabs(d) > SL_STAGE_CLEAR))
        return;
    sl_stage_count_add(&b->clear, is_right);
    if (is_decided)
        sl_stage_count_add(&b->decided, is_right);
    if (sl_stage_says_on_policy(c, SL_PLACE_START) == (d > 0.0))
        return;
    sl_stage_count_add(&b->misled, is_right);
    b->misled_open += !is_decided;
}

static double regret_of(const sl_stage_cell *c, sl_stage_rule rule)
{
    return sl_stage_gain(c, SL_STAGE_ORACLE, 1) - sl_stage_gain(c, rule, 1);
}

sl_stage_branches sl_stage_branches_of(const sl_stage_cell *const *cell, size_t n,
                                       const sl_stage_filter *filter)
{
    sl_stage_branches b = { 0 };

    for (size_t i = 0; i < n; i++) {
        const sl_stage_branch *own = &cell[i]->branch;
        sl_stage_tested t;

        if (!is_tested(cell[i]) || !sl_stage_passes(cell[i], filter))
            continue;
        t = sl_stage_tested_of(cell[i], cell, n);
        b.of++;
        b.regret += regret_of(cell[i], SL_STAGE_BRANCHED);
        b.score_regret += regret_of(cell[i], SL_STAGE_GUIDED);
        b.updates += own->updates;
        b.answers += own->answers;
        b.votes += own->votes;
        b.cpu_s += own->cpu_s;
        add_cell(&b, cell[i], &t);
    }
    b.regret /= (double)b.of; /* NaN: none */
    b.score_regret /= (double)b.of;
    b.updates /= (double)b.of;
    b.answers /= (double)b.of;
    b.votes /= (double)b.of;
    b.cpu_s /= (double)b.of;
    sl_stage_count_close(&b.all);
    sl_stage_count_close(&b.clear);
    sl_stage_count_close(&b.decided);
    sl_stage_count_close(&b.misled);
    return b;
}

/* --- thresholds ------------------------------------------------------------------------------ */

/* By the tests that pass, but for those of one seed (NaN: of all). test (n): room. */
static sl_status threshold_of(sl_threshold *out, sl_threshold_test *test,
                              const sl_stage_cell *const *cell, size_t n,
                              const sl_stage_filter *filter, double but)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (is_tested(cell[i]) && sl_stage_passes(cell[i], filter) && cell[i]->seed != but)
            test[kept++] = (sl_threshold_test){ .score = cell[i]->place[SL_PLACE_START].bs,
                                                .difference = cell[i]->branch.difference,
                                                .sd = cell[i]->branch.sd,
                                                .replicates = cell[i]->branch.replicates };
    return sl_threshold_of(out, test, kept);
}

static void judge(sl_stage_calibrated *out, const sl_stage_cell *c, const sl_threshold *others)
{
    const double bs = c->place[SL_PLACE_START].bs, d = sl_stage_difference(c);
    const double tau = others->excludes_half ? others->value : 0.5;

    if (!(fabs(d) > SL_STAGE_CLEAR))
        return;
    sl_stage_count_add(&out->half, (bs >= 0.5) == (d > 0.0));
    sl_stage_count_add(&out->tau, (bs >= tau) == (d > 0.0));
    out->replaced += others->excludes_half != 0;
}

sl_status sl_stage_calibrate(sl_stage_calibrated *out, const sl_stage_cell *const *cell, size_t n,
                             const sl_stage_filter *filter)
{
    sl_threshold_test *test = NULL;
    sl_status st = SL_OK;

    *out = (sl_stage_calibrated){ .replaced = 0 };
    SL_TRY(sl_take(&test, n + 1, sizeof *test));
    SL_TRY_OUT(threshold_of(&out->all, test, cell, n, filter, NAN));
    for (size_t i = 0; i < n; i++) {
        sl_threshold others;

        if (!is_tested(cell[i]) || !sl_stage_passes(cell[i], filter))
            continue;
        SL_TRY_OUT(threshold_of(&others, test, cell, n, filter, cell[i]->seed));
        judge(out, cell[i], &others);
    }
    sl_stage_count_close(&out->half);
    sl_stage_count_close(&out->tau);
out:
    sl_free(test);
    return st;
}
