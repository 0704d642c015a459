#include "analysis/interval.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "analysis/special.h"
#include "base/sort.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

sl_mean sl_mean_of(const double *x, size_t n)
{
    sl_mean m = { NAN, NAN, NAN, 0, 0 };
    double sum = 0.0, sq = 0.0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) {
            sum += x[i];
            m.used++;
        }
    m.dropped = n - m.used;
    if (!m.used)
        return m;
    m.value = sum / (double)m.used;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]))
            sq += (x[i] - m.value) * (x[i] - m.value);
    if (m.used > 1) {
        m.sd = sqrt(sq / (double)(m.used - 1));
        m.se = m.sd / sqrt((double)m.used);
    }
    return m;
}

sl_interval sl_interval_clip(sl_interval i)
{
    if (i.lower < 0.0)
        i.lower = 0.0;
    if (i.upper > 1.0)
        i.upper = 1.0;
    return i;
}

sl_interval sl_wilson(double k, double n, double alpha)
{
    const double z = sl_normal_quantile(1.0 - alpha / 2.0), p = k / n, z2 = z * z;
    double centre, half;

    if (n <= 0.0)
        return (sl_interval){ 0.0, 1.0 };
    centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    half = z / (1.0 + z2 / n) * sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n));
    return sl_interval_clip((sl_interval){ centre - half, centre + half });
}

sl_interval sl_student_interval(const sl_mean *mean, double alpha)
{
    const double t =
        mean->used > 1 ? sl_student_quantile(1.0 - alpha / 2.0, (double)mean->used - 1.0) : NAN;

    return (sl_interval){ mean->value - t * mean->se, mean->value + t * mean->se };
}

double sl_quantile_sorted(const double *x, size_t n, double p)
{
    const double at = p * (double)(n - 1);
    const size_t low = (size_t)at;

    if (low + 1 >= n)
        return x[n - 1];
    return x[low] + (at - (double)low) * (x[low + 1] - x[low]);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void sl_sort_f64(double *x, size_t n)
{
    sl_sort(x, n, sizeof *x, by_value);
}

/* Brings the k-th smallest of x (n) to its place, none larger before and none smaller behind
 * (Hoare, CACM 4, 1961). */
static void select_at(double *x, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    sl_rng rng = sl_rng_at(0, sl_rng_stream("select"), 0); /* no order of x is a bad one */

    while (low < high) {
        const double pivot = x[low + sl_rng_u32(&rng) % (high - low + 1)];
        size_t i = low, j = high;

        for (;; i++, j--) {
            double held;

            while (x[i] < pivot)
                i++;
            while (pivot < x[j])
                j--;
            if (i >= j)
                break;
            held = x[i];
            x[i] = x[j];
            x[j] = held;
        }
        if (k < i)
            high = i - 1;
        else if (k > j)
            low = j + 1;
        else
            break;
    }
}

double sl_median_of(double *x, size_t n)
{
    double below = -INFINITY;

    select_at(x, n, n / 2);
    if (n % 2)
        return x[n / 2];
    for (size_t i = 0; i < n / 2; i++)
        below = fmax(below, x[i]);
    return 0.5 * (below + x[n / 2]);
}

/* Intraclass correlation from sums of squares between and within P prompts of m votes each. */
static double icc_anova(double between, double within, double P, double m)
{
    const double msb = m * between / (P - 1.0), msw = within / (P * (m - 1.0));

    return (msb - msw) / (msb + (m - 1.0) * msw);
}

sl_clustered sl_clustered_votes(const double *votes, const size_t *first, size_t P, double alpha)
{
    sl_clustered c = { .mean = { NAN, NAN, NAN, 0, 0 } };
    const size_t m = P ? first[1] - first[0] : 0;
    double sum = 0.0, between = 0.0, within = 0.0;
    int is_even = 1;

    for (size_t i = 0; i < P; i++)
        sum += sl_mean_of(votes + first[i], first[i + 1] - first[i]).value;
    for (size_t i = 0; i < P; i++) {
        const size_t n = first[i + 1] - first[i];
        const double mean = sl_mean_of(votes + first[i], n).value;

        between += (mean - sum / (double)P) * (mean - sum / (double)P);
        for (size_t v = first[i]; v < first[i + 1]; v++)
            within += (votes[v] - mean) * (votes[v] - mean);
        is_even = is_even && n == m;
    }
    c.mean.used = P;
    c.mean.value = P ? sum / (double)P : NAN;
    c.mean.sd = P > 1 ? sqrt(between / (double)(P - 1)) : NAN;
    c.mean.se = c.mean.sd / sqrt((double)P);
    c.naive_se = P ? sl_mean_of(votes, first[P]).se : NAN;
    c.icc = is_even && m > 1 && P > 1 ? icc_anova(between, within, (double)P, (double)m) : NAN;
    c.design_effect = 1.0 + ((double)m - 1.0) * c.icc;
    c.n_effective = (double)(P ? first[P] : 0) / c.design_effect;
    c.student = sl_student_interval(&c.mean, alpha);
    return c;
}

/* Sum of x at index (n), in four sums that do not wait for one another; *most: the largest index
 * seen. */
static double sum_at(uint32_t *most, const double *x, size_t bound, const uint32_t *index, size_t n)
{
    enum { SUMS = 4 };
    double sum[SUMS] = { 0 };
    uint32_t largest = 0;
    size_t i = 0;

    for (size_t k = 0; k < n; k++)
        largest = index[k] > largest ? index[k] : largest;
    *most = largest;
    if (largest >= bound)
        return NAN;
    for (; i + SUMS <= n; i += SUMS)
        for (size_t k = 0; k < SUMS; k++)
            sum[k] += x[index[i + k]];
    for (; i < n; i++)
        sum[0] += x[index[i]];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

sl_status sl_bootstrap_given(sl_bootstrap *out, double *means, const double *x, size_t n,
                             const uint32_t *index, size_t B, double alpha)
{
    double *sorted = NULL;

    for (size_t r = 0; r < B; r++) {
        uint32_t most;

        means[r] = sum_at(&most, x, n, index + r * n, n) / (double)n;
        SL_CHECK(most < n);
    }
    SL_TRY(sl_take(&sorted, B, sizeof *sorted));
    memcpy(sorted, means, B * sizeof *sorted);
    sl_sort_f64(sorted, B);
    out->se = sl_mean_of(means, B).sd;
    out->interval.lower = sl_quantile_sorted(sorted, B, alpha / 2.0);
    out->interval.upper = sl_quantile_sorted(sorted, B, 1.0 - alpha / 2.0);
    sl_free(sorted);
    return SL_OK;
}

sl_status sl_bootstrap_mean(sl_bootstrap *out, const double *x, size_t n, size_t B, double alpha,
                            uint64_t seed)
{
    uint32_t *index = NULL;
    double *means = NULL;
    size_t draws = 0;
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("bootstrap"), 0);
    sl_status st = SL_OK;

    if (!n || !B || n > UINT32_MAX)
        return SL_FAIL(SL_EARG, "want 1 to 2^32-1 items and a replicate, found %zu and %zu", n, B);
    SL_TRY(sl_mul(&draws, n, B));
    SL_TRY_OUT(sl_take(&index, draws, sizeof *index));
    SL_TRY_OUT(sl_take(&means, B, sizeof *means));
    for (size_t i = 0; i < draws; i++)
        index[i] = sl_rng_below(&rng, (uint32_t)n);
    st = sl_bootstrap_given(out, means, x, n, index, B, alpha);
out:
    sl_free(index);
    sl_free(means);
    return st;
}

double sl_posterior_above_half(double wins, double losses, double a)
{
    return sl_beta_cdf(0.5, a + losses, a + wins); /* 1 - I_{1/2}(a+W, a+L), by symmetry */
}
