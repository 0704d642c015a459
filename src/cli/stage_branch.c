/* The branch test of a cell: from its start, whole iterations on either source. */
#include "analysis/branch.h"
#include "base/alloc.h"
#include "cli/measure_branch.h"
#include "cli/stage.h"
#include "run/files.h"
#include "train/branch.h"
#include "train/clock.h"

/* The horizon of the decision: a shorter branch favours static data. */
static sl_status set_horizon(sl_recipe *recipe, sl_session *s, size_t replicates)
{
    recipe->measure.branch = sl_session_updates(s);
    recipe->measure.branch_replicates = (int64_t)replicates;
    return sl_branch_check(s);
}

static sl_status test(sl_stage_branch *out, sl_session *s, size_t replicates)
{
    const double begun = sl_clock_cpu();
    sl_branch_verdict v;
    sl_branch b;

    SL_TRY(set_horizon(&s->recipe, s, replicates));
    SL_TRY(sl_branch_test(&b, s));
    sl_measured_branch_verdict(&v, &b);
    *out = (sl_stage_branch){
        .replicates = (double)b.replicates,
        .off = v.off,
        .on = v.on,
        .difference = v.difference.value,
        .sd = v.difference.sd,
        .updates = (double)(b.updates * SL_BRANCH_SOURCES) * (double)b.replicates,
        .answers = (double)b.answers,
        .votes = (double)b.votes,
        .cpu_s = sl_clock_cpu() - begun,
    };
    return SL_OK;
}

sl_status sl_stage_test_branches(sl_stage_cell *cell, const sl_stage_point *p, size_t method,
                                 size_t replicates, const sl_backend *backend,
                                 const volatile int *stop)
{
    char policy[SL_RUN_PATH];
    sl_memory_plan plan;
    sl_session *s = NULL;
    sl_recipe recipe;
    sl_status st;

    SL_TRY(sl_stage_make_start(policy, p, backend));
    SL_TRY(sl_stage_pair_recipe(&recipe, p, method, policy));
    SL_TRY(sl_take(&s, 1, sizeof *s));
    st = sl_session_open(s, &recipe, backend, stop, &plan);
    if (st == SL_OK) {
        st = test(&cell->branch, s, replicates);
        sl_session_close(s);
    }
    sl_free(s);
    return sl_err_where(st, "branch test of cell %s/%s/%lld/%g/%s", cell->world, cell->variant,
                        (long long)p->seed, p->strength, cell->method);
}
