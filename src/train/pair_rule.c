#include "train/pair_rule.h"
#include <math.h>

const char *const sl_pair_rule_names[] = { "two", "best-worst", "best-random", "margin", NULL };
const char *const sl_labels_names[] = { "drawn", "best", NULL };

/* The different answers of a prompt. */
typedef struct contest {
    const sl_pair_settings *set;
    const double *score; /* of all answers */
    double label[SL_CANDIDATES_MOST];
    size_t at[SL_CANDIDATES_MOST]; /* (count) places of the different answers */
    size_t count;
} contest;

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* Scores by which answers are ranked. Gumbel noise makes the probability that a stands before b
 * sigmoid((score_a - score_b) / temperature), for every pair (Plackett-Luce). */
static void label(contest *c, sl_rng *rng)
{
    for (size_t k = 0; k < c->count; k++) {
        const double score = c->score[c->at[k]];

        c->label[k] = c->set->labels == SL_LABELS_BEST
                          ? score
                          : score / c->set->temperature + sl_rng_gumbel(rng);
    }
}

static int is_far(const contest *c, size_t a, size_t b)
{
    const double gap = fabs(c->score[c->at[a]] - c->score[c->at[b]]);

    return gap >= c->set->margin && (gap > 0.0 || c->set->labels == SL_LABELS_DRAWN);
}

/* Place of the first (sign 1) or last (sign -1) by label, the earliest of equals. */
static size_t end_of(const contest *c, double sign)
{
    size_t best = 0;

    for (size_t k = 1; k < c->count; k++)
        if (sign * c->label[k] > sign * c->label[best])
            best = k;
    return best;
}

static void set_order(size_t pair[2], const contest *c, size_t a, size_t b)
{
    pair[0] = c->label[a] >= c->label[b] ? a : b;
    pair[1] = c->label[a] >= c->label[b] ? b : a;
}

/* One uniform decides, so that the label is that of a vote on the two. */
static void pick_two(size_t pair[2], contest *c, sl_rng *rng)
{
    const double gap = c->score[c->at[0]] - c->score[c->at[1]];
    const int first = c->set->labels == SL_LABELS_BEST
                          ? gap >= 0.0
                          : sl_rng_uniform(rng) < sigmoid(gap / c->set->temperature);

    pair[0] = first ? 0 : 1;
    pair[1] = first ? 1 : 0;
}

static void pick_best_worst(size_t pair[2], contest *c, sl_rng *rng)
{
    label(c, rng);
    pair[0] = end_of(c, 1.0);
    pair[1] = end_of(c, -1.0);
}

static void pick_best_random(size_t pair[2], contest *c, sl_rng *rng)
{
    size_t other;

    label(c, rng);
    pair[0] = end_of(c, 1.0);
    other = sl_rng_below(rng, (uint32_t)c->count - 1);
    pair[1] = other < pair[0] ? other : other + 1;
}

/* Where no pair is far enough apart, one that is not: it is dropped as such. */
static void pick_margin(size_t pair[2], contest *c, sl_rng *rng)
{
    uint32_t far = 0, wanted;

    label(c, rng);
    for (size_t a = 0; a < c->count; a++)
        for (size_t b = a + 1; b < c->count; b++)
            far += is_far(c, a, b) != 0;
    wanted = far ? sl_rng_below(rng, far) : 0;
    set_order(pair, c, 0, 1);
    for (size_t a = 0; a < c->count; a++)
        for (size_t b = a + 1; b < c->count; b++)
            if (is_far(c, a, b) && wanted-- == 0)
                set_order(pair, c, a, b);
}

static void (*const rules[])(size_t pair[2], contest *c, sl_rng *rng) = {
    [SL_RULE_TWO] = pick_two,
    [SL_RULE_BEST_WORST] = pick_best_worst,
    [SL_RULE_BEST_RANDOM] = pick_best_random,
    [SL_RULE_MARGIN] = pick_margin,
};

static void find_different(contest *c, const uint64_t *id, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t before = 0;

        while (before < i && id[before] != id[i])
            before++;
        if (before == i)
            c->at[c->count++] = i;
    }
}

sl_pick sl_pair_pick(const sl_pair_settings *set, const double *score, const uint64_t *id, size_t n,
                     sl_rng *rng)
{
    contest c = { .set = set, .score = score };
    sl_pick pick = { .label_p = NAN, .fate = SL_PAIR_SAME };
    size_t pair[2] = { 0, 0 };
    double gap;

    find_different(&c, id, n);
    pick.duplicates = (uint32_t)(n - c.count);
    if (c.count < 2)
        return pick;
    rules[set->rule](pair, &c, rng);
    pick.chosen = c.at[pair[0]];
    pick.rejected = c.at[pair[1]];
    gap = score[pick.chosen] - score[pick.rejected];
    pick.is_tie = gap == 0.0;
    pick.label_p = sigmoid(set->labels == SL_LABELS_BEST ? gap : gap / set->temperature);
    pick.fate = is_far(&c, pair[0], pair[1]) ? SL_PAIR_KEPT : SL_PAIR_CLOSE;
    return pick;
}
