/* Several judges: p is the mean of theirs; agreement is the share of pairs of members on the same
 * side of 1/2 (a tie is a side), Fleiss's P_i (Psychol. Bull. 76, 1971). A pair that one member
 * does not answer has no vote: a mean over the others would be another judge. */
#include "base/alloc.h"
#include "judge/judge_int.h"
#include <math.h>
#include <string.h>

typedef struct ensemble {
    sl_judge **member; /* (count) */
    size_t count;
} ensemble;

/* Whether all members that see an order were asked the same ones. vote (members, pairs). */
static int same_orders(const sl_vote *vote, size_t members, size_t pairs)
{
    int orders = 0;

    for (size_t m = 0; m < members; m++) {
        const sl_vote *v = &vote[m * pairs];
        const int own = (isnan(v->p_ab) ? 0 : 1) + (isnan(v->p_ba) ? 0 : 2);

        if (own && orders && own != orders)
            return 0;
        orders |= own;
    }
    return 1;
}

/* What a member says in an order; one that sees none says the same in both. */
static double in_order(const sl_vote *v, int b_first)
{
    return isnan(v->p_ab) && isnan(v->p_ba) ? v->p : b_first ? v->p_ba : v->p_ab;
}

/* Means of p, and of the two orders where the members share them. */
static void add_means(sl_vote *out, const sl_vote *vote, size_t members, size_t pairs)
{
    double p = 0.0, p_ab = 0.0, p_ba = 0.0;
    int has_order = 0;

    for (size_t m = 0; m < members; m++) {
        const sl_vote *v = &vote[m * pairs];

        p += v->p;
        p_ab += in_order(v, 0);
        p_ba += in_order(v, 1);
        has_order |= !isnan(v->p_ab) || !isnan(v->p_ba);
    }
    out->p = p / (double)members;
    if (!has_order || !same_orders(vote, members, pairs))
        return;
    out->p_ab = p_ab / (double)members;
    out->p_ba = p_ba / (double)members;
}

static double agreement_of(const sl_vote *vote, size_t members, size_t pairs)
{
    double of[3] = { 0.0 }, same = 0.0; /* members for b, for a tie, for a */
    const double n = (double)members;

    for (size_t m = 0; m < members; m++)
        of[vote[m * pairs].p == 0.5 ? 1 : vote[m * pairs].p > 0.5 ? 2 : 0]++;
    for (size_t side = 0; side < 3; side++)
        same += of[side] * (of[side] - 1.0);
    return members > 1 ? same / (n * (n - 1.0)) : NAN;
}

/* out: one vote of all members on a pair; vote: the pair's of the first member. */
static void combine(sl_vote *out, const sl_vote *vote, size_t members, size_t pairs)
{
    out->is_given = 1;
    for (size_t m = 0; m < members; m++) {
        const sl_vote *v = &vote[m * pairs];

        out->attempts += v->attempts;
        out->cut |= v->cut;
        if (v->status != SL_VOTED)
            out->status = v->status;
    }
    if (out->status != SL_VOTED)
        return;
    add_means(out, vote, members, pairs);
    out->agreement = agreement_of(vote, members, pairs);
}

static sl_status ensemble_votes(sl_vote *vote, void *state, const sl_prompt_text *prompt,
                                const sl_answer *a, const sl_answer *b, size_t count)
{
    const ensemble *e = state;
    sl_vote *of = NULL; /* (members, count) */
    sl_status st = SL_OK;

    if (!count)
        return SL_OK;
    SL_TRY(sl_take(&of, e->count * count, sizeof *of));
    for (size_t m = 0; m < e->count && st == SL_OK; m++)
        st = sl_judge_votes(of + m * count, e->member[m], prompt, a, b, count);
    for (size_t i = 0; i < count && st == SL_OK; i++)
        combine(&vote[i], &of[i], e->count, count);
    sl_free(of);
    return st;
}

static void ensemble_close(void *state)
{
    ensemble *e = state;

    for (size_t m = 0; e->member && m < e->count; m++)
        sl_judge_close(&e->member[m]);
    sl_free(e->member);
    sl_free(e);
}

static sl_status ensemble_open(void **state, const sl_judge_settings *set, const sl_data *data)
{
    ensemble *e = NULL;

    if (set->member_count < 2)
        return SL_FAIL(SL_EARG, "want 2 or more judges in an ensemble, found %zu",
                       set->member_count);
    SL_TRY(sl_take(&e, 1, sizeof *e));
    *state = e;
    e->count = set->member_count;
    SL_TRY(sl_take(&e->member, e->count, sizeof(sl_judge *)));
    for (size_t m = 0; m < e->count; m++) {
        if (!strcmp(set->member[m].name, "ensemble"))
            return SL_FAIL(SL_EARG, "want judges in an ensemble, found another ensemble");
        SL_TRY(sl_judge_open(&e->member[m], &set->member[m], data));
    }
    return SL_OK;
}

const sl_judge_row sl_judge_ensemble = {
    .name = "ensemble", .open = ensemble_open, .close = ensemble_close, .votes = ensemble_votes
};
