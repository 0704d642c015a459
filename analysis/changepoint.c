#include "analysis/changepoint.h"
#include "analysis/interval.h"
#include "base/alloc.h"
#include <math.h>
#include <stdint.h>

void sl_partition_close(sl_partition *p)
{
    sl_free(p->end);
    *p = (sl_partition){ 0 };
}

static double total_cost(const sl_partition *p, const sl_cost *cost)
{
    double sum = 0.0;

    for (size_t k = 0; k < p->count; k++)
        sum += sl_cost_of(cost, k ? p->end[k - 1] : 0, p->end[k]);
    return sum;
}

static sl_status check(const sl_partition_settings *s)
{
    if (!s->min_size || !s->jump)
        return SL_FAIL(SL_EARG, "want min_size and jump of 1 or more, found %zu and %zu",
                       s->min_size, s->jump);
    return SL_OK;
}

/* Follows the best starts back from T. */
static sl_status trace(sl_partition *out, const size_t *from, size_t T)
{
    size_t count = 0;

    for (size_t e = T; e > 0; e = from[e])
        count++;
    SL_TRY(sl_take(&out->end, count + 1, sizeof *out->end));
    out->count = count;
    for (size_t e = T; e > 0; e = from[e])
        out->end[--count] = e;
    return SL_OK;
}

/* Starts that may still begin the last segment of a cheapest partition. */
typedef struct starts {
    size_t *at; /* (count) ascending */
    size_t count;
} starts;

/* The cheapest end of [0, e): F(e), its start in *from. */
static double cheapest(size_t *from, const starts *live, const double *best, const sl_cost *cost,
                       size_t e, const sl_partition_settings *set)
{
    double least = INFINITY;

    for (size_t k = 0; k < live->count && live->at[k] + set->min_size <= e; k++) {
        const size_t s = live->at[k];
        const double sum = best[s] + sl_cost_of(cost, s, e) + set->penalty;

        if (sum < least) {
            least = sum;
            *from = s;
        }
    }
    return least;
}

/* A start s with F(s) + C(s, e) > F(e) loses to e as a start for every end behind e + min_size; up
 * to there e may not begin a segment, so s is kept until then: *out_of[s] is the first end that it
 * need not be tried for. */
static void prune(starts *live, size_t *out_of, const double *best, const sl_cost *cost, size_t e,
                  const sl_partition_settings *set)
{
    size_t kept = 0;

    for (size_t k = 0; k < live->count; k++) {
        const size_t s = live->at[k];

        if (s + set->min_size <= e && !out_of[s] && best[s] + sl_cost_of(cost, s, e) > best[e])
            out_of[s] = e + set->min_size;
        if (!out_of[s] || out_of[s] > e)
            live->at[kept++] = s;
    }
    live->count = kept;
}

static sl_status partition(sl_partition *out, const sl_cost *cost, const sl_partition_settings *set,
                           int is_pruned)
{
    const size_t T = cost->T;
    double *best = NULL; /* F(e): cheapest partition of [0, e), +inf when there is none */
    size_t *from = NULL, *out_of = NULL;
    starts live = { 0 };
    sl_status st = SL_OK;

    *out = (sl_partition){ 0 };
    SL_TRY(check(set));
    SL_TRY_OUT(sl_take(&best, T + 1, sizeof *best));
    SL_TRY_OUT(sl_take(&from, T + 1, sizeof *from));
    SL_TRY_OUT(sl_take(&out_of, T + 1, sizeof *out_of));
    SL_TRY_OUT(sl_take(&live.at, T + 1, sizeof *live.at));
    live.at[live.count++] = 0;
    for (size_t e = 1; e <= T; e++) {
        best[e] = INFINITY;
        if (e != T && e % set->jump)
            continue;
        best[e] = cheapest(&from[e], &live, best, cost, e, set);
        if (is_pruned)
            prune(&live, out_of, best, cost, e, set);
        if (e != T)
            live.at[live.count++] = e;
    }
    SL_TRY_OUT(trace(out, from, T)); /* shorter than min_size: from[T] = 0, one segment */
    out->cost = total_cost(out, cost);
out:
    sl_free(best);
    sl_free(from);
    sl_free(out_of);
    sl_free(live.at);
    return st;
}

sl_status sl_partition_optimal(sl_partition *out, const sl_cost *cost,
                               const sl_partition_settings *set)
{
    return partition(out, cost, set, 0);
}

sl_status sl_partition_pelt(sl_partition *out, const sl_cost *cost,
                            const sl_partition_settings *set)
{
    return partition(out, cost, set, 1);
}

typedef struct split {
    double gain;
    size_t at;
} split;

/* The best split of [a, b), ties to the larger point; gain -inf when there is none. */
static split best_split(const sl_cost *cost, size_t a, size_t b, const sl_partition_settings *set)
{
    const double whole = sl_cost_of(cost, a, b);
    split best = { -INFINITY, 0 };

    for (size_t k = a + 1; k < b; k++) {
        double gain;

        if (k % set->jump || k - a < set->min_size || b - k < set->min_size)
            continue;
        gain = whole - sl_cost_of(cost, a, k) - sl_cost_of(cost, k, b);
        if (gain >= best.gain)
            best = (split){ gain, k };
    }
    return best;
}

/* Splits the segment with the largest gain, ties to the earlier; 0 when no split pays. */
static int split_once(sl_partition *p, split *option, const sl_cost *cost,
                      const sl_partition_settings *set)
{
    size_t best = 0, a;

    for (size_t k = 1; k < p->count; k++)
        if (option[k].gain > option[best].gain)
            best = k;
    if (isinf(option[best].gain) || (!set->breaks && option[best].gain <= set->penalty))
        return 0;
    for (size_t k = p->count; k > best; k--) {
        p->end[k] = p->end[k - 1];
        option[k] = option[k - 1];
    }
    p->count++;
    p->end[best] = option[best].at;
    a = best ? p->end[best - 1] : 0;
    option[best] = best_split(cost, a, p->end[best], set);
    option[best + 1] = best_split(cost, p->end[best], p->end[best + 1], set);
    return 1;
}

sl_status sl_partition_binary(sl_partition *out, const sl_cost *cost,
                              const sl_partition_settings *set)
{
    split *option = NULL;
    sl_status st = SL_OK;

    *out = (sl_partition){ 0 };
    SL_TRY(check(set));
    SL_TRY_OUT(sl_take(&out->end, cost->T + 1, sizeof *out->end));
    SL_TRY_OUT(sl_take(&option, cost->T + 1, sizeof *option));
    out->count = 1;
    out->end[0] = cost->T;
    option[0] = best_split(cost, 0, cost->T, set);
    while ((!set->breaks || out->count <= set->breaks) && split_once(out, option, cost, set))
        ;
    out->cost = total_cost(out, cost);
out:
    sl_free(option);
    if (st != SL_OK)
        sl_partition_close(out);
    return st;
}

sl_status sl_noise_by_differences(double *out, const double *x, size_t T)
{
    double *d = NULL, median;

    *out = NAN;
    if (T < 2)
        return SL_OK;
    SL_TRY(sl_take(&d, T, sizeof *d));
    for (size_t t = 0; t + 1 < T; t++)
        d[t] = x[t + 1] - x[t];
    sl_sort_f64(d, T - 1);
    median = sl_quantile_sorted(d, T - 1, 0.5);
    for (size_t t = 0; t + 1 < T; t++)
        d[t] = fabs(d[t] - median);
    sl_sort_f64(d, T - 1);
    *out = 1.4826 * sl_quantile_sorted(d, T - 1, 0.5) / sqrt(2.0);
    sl_free(d);
    return SL_OK;
}

/* --- scores ------------------------------------------------------------------------------------
 */

static double gap(size_t a, size_t b)
{
    return a > b ? (double)(a - b) : (double)(b - a);
}

/* Largest distance from a point of x to the nearest of y; inf when y is empty and x is not. */
static double directed(const size_t *x, size_t m, const size_t *y, size_t n)
{
    double most = 0.0;

    for (size_t i = 0; i < m; i++) {
        double nearest = INFINITY;

        for (size_t j = 0; j < n; j++)
            nearest = fmin(nearest, gap(x[i], y[j]));
        most = fmax(most, nearest);
    }
    return most;
}

static double pairs(double n)
{
    return 0.5 * n * (n - 1.0);
}

/* Share of pairs of observations on which two partitions agree (Rand, JASA 66, 1971). */
static double rand_index(const size_t *x, size_t m, const size_t *y, size_t n)
{
    const double all = pairs((double)x[m - 1]);
    double apart = 0.0, both = 0.0;

    for (size_t i = 0; i < m; i++) {
        const size_t a = i ? x[i - 1] : 0;

        apart += pairs((double)(x[i] - a));
        for (size_t j = 0; j < n; j++) {
            const size_t b = j ? y[j - 1] : 0;
            const size_t low = a > b ? a : b, high = x[i] < y[j] ? x[i] : y[j];

            both += high > low ? pairs((double)(high - low)) : 0.0;
        }
    }
    for (size_t j = 0; j < n; j++)
        apart += pairs((double)(y[j] - (j ? y[j - 1] : 0)));
    return 1.0 - (apart - 2.0 * both) / all;
}

sl_partition_score sl_partition_compare(const size_t *truth, size_t truths, const size_t *found,
                                        size_t finds, double margin)
{
    const size_t m = truths - 1, n = finds - 1; /* without the ends of the series */
    double hits = 0.0;
    sl_partition_score s;

    for (size_t i = 0; i < m; i++)
        hits += directed(truth + i, 1, found, n) < margin;
    s.hausdorff = fmax(directed(truth, m, found, n), directed(found, n, truth, m));
    s.precision = n ? hits / (double)n : 0.0;
    s.recall = m ? hits / (double)m : 0.0;
    s.rand = rand_index(truth, truths, found, finds);
    return s;
}
