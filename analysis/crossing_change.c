/* Change points of the series of scores: partitions with a penalty that permutations of the series
 * set, most probable runs, and the e-detector over prompts. */
#include "analysis/bocpd.h"
#include "analysis/changepoint.h"
#include "analysis/crossing_int.h"
#include "base/alloc.h"
#include "base/rng.h"
#include <math.h>
#include <string.h>

enum { PERMUTATIONS = 199, LEAST_SEGMENT = 2, LONGEST_KERNEL = 400 };
#define PENALTY_QUANTILE 0.95
#define HAZARD (1.0 / 15.0)
#define LOG_ALARM 6.907755278982137 /* ln 1000: a false alarm in 1000 prompts, on average */

/* --- penalty ---------------------------------------------------------------------------------- */

/* Rows of the series (T, d): scores, or wins and trials. */
static size_t columns_of(double *x, const sl_path_data *p, sl_cost_kind kind)
{
    for (size_t i = 0; i < p->T; i++) {
        if (kind != SL_COST_BINOMIAL) {
            x[i] = p->bs[i];
            continue;
        }
        x[2 * i] = p->bs[i] * p->n[i];
        x[2 * i + 1] = p->n[i];
    }
    return kind == SL_COST_BINOMIAL ? 2 : 1;
}

static double best_gain(const sl_cost *cost)
{
    const double whole = sl_cost_of(cost, 0, cost->T);
    double best = 0.0;

    for (size_t k = LEAST_SEGMENT; k + LEAST_SEGMENT <= cost->T; k++)
        best = fmax(best, whole - sl_cost_of(cost, 0, k) - sl_cost_of(cost, k, cost->T));
    return best;
}

/* The 95 % quantile of the best single gain when the checkpoints come in any order: what a series
 * without a change gives. */
static sl_status calibrate(double *penalty, const double *x, size_t T, size_t d, sl_cost_kind kind,
                           uint64_t seed)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("permutations"), (uint64_t)kind);
    double gain[PERMUTATIONS], *mixed = NULL;
    uint32_t *order = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&mixed, T * d, sizeof *mixed));
    SL_TRY_OUT(sl_take(&order, T, sizeof *order));
    for (size_t r = 0; r < PERMUTATIONS; r++) {
        sl_cost cost = { 0 };

        for (size_t i = 0; i < T; i++)
            order[i] = (uint32_t)i;
        sl_rng_shuffle(&rng, order, T);
        for (size_t i = 0; i < T; i++)
            memcpy(mixed + i * d, x + order[i] * d, d * sizeof *x);
        st = sl_cost_open(&cost, kind, mixed, T, d);
        gain[r] = st == SL_OK ? best_gain(&cost) : 0.0;
        sl_cost_close(&cost);
        if (st != SL_OK)
            goto out;
    }
    sl_sort_f64(gain, PERMUTATIONS);
    *penalty = sl_quantile_sorted(gain, PERMUTATIONS, PENALTY_QUANTILE);
out:
    sl_free(mixed);
    sl_free(order);
    return st;
}

/* --- partitions ------------------------------------------------------------------------------- */

static double segment_mean(const sl_path_data *p, size_t a, size_t b)
{
    double wins = 0.0, n = 0.0;

    for (size_t i = a; i < b; i++) {
        wins += p->bs[i] * p->n[i];
        n += p->n[i];
    }
    return wins / n;
}

/* Segment ends (count, the last is T): where each new segment begins, and the first one that goes
 * from below the threshold to it or above. */
static void take_changes(sl_estimate *out, const sl_path_data *p, const size_t *end, size_t count)
{
    out->note = count > 1 ? "no change goes from below the threshold to above" : "no change found";
    for (size_t k = 0; k + 1 < count; k++) {
        const size_t a = k ? end[k - 1] : 0;

        if (out->changes < SL_CHANGES_MOST)
            out->change[out->changes++] = p->t[end[k]];
        if (isnan(out->value) && segment_mean(p, a, end[k]) < p->tau &&
            segment_mean(p, end[k], end[k + 1]) >= p->tau) {
            out->value = p->t[end[k]];
            out->lower = p->t[end[k] - 1];
            out->upper = p->t[end[k]];
            out->note = "between the ends of two segments";
        }
    }
}

static sl_status partitions(sl_estimate *pelt, sl_estimate *binary, const sl_path_data *p,
                            sl_cost_kind kind)
{
    sl_partition_settings set = { .min_size = LEAST_SEGMENT, .jump = 1 };
    double *x = NULL;
    sl_cost cost = { 0 };
    sl_partition parts = { 0 };
    size_t d;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&x, 2 * p->T, sizeof *x));
    d = columns_of(x, p, kind);
    SL_TRY_OUT(calibrate(&set.penalty, x, p->T, d, kind, p->seed));
    SL_TRY_OUT(sl_cost_open(&cost, kind, x, p->T, d));
    pelt->penalty = binary->penalty = set.penalty;
    SL_TRY_OUT(sl_partition_pelt(&parts, &cost, &set));
    take_changes(pelt, p, parts.end, parts.count);
    sl_partition_close(&parts);
    SL_TRY_OUT(sl_partition_binary(&parts, &cost, &set));
    take_changes(binary, p, parts.end, parts.count);
out:
    sl_partition_close(&parts);
    sl_cost_close(&cost);
    sl_free(x);
    return st;
}

/* --- runs and alarms -------------------------------------------------------------------------- */

/* The most probable run after the last checkpoint, the most probable one before it began, ... */
static sl_status runs(sl_estimate *out, const sl_path_data *p)
{
    sl_bocpd b;
    size_t *run = NULL, *end = NULL, count = 0;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_bocpd_open(&b, sl_bocpd_binomial(1.0, 1.0), HAZARD, 1e-8));
    SL_TRY_OUT(sl_take(&run, p->T + 1, sizeof *run));
    SL_TRY_OUT(sl_take(&end, p->T + 1, sizeof *end));
    for (size_t i = 0; i < p->T; i++) {
        SL_TRY_OUT(sl_bocpd_add(&b, p->bs[i] * p->n[i], p->n[i]));
        run[i] = b.now.map_run > i + 1 ? i + 1 : b.now.map_run;
    }
    for (size_t e = p->T; e > 0; e -= run[e - 1] ? run[e - 1] : 1)
        end[p->T - ++count] = e;
    take_changes(out, p, end + (p->T - count), count);
out:
    sl_free(run);
    sl_free(end);
    sl_bocpd_close(&b);
    return st;
}

/* All prompts of all checkpoints as one stream. */
static sl_status alarm(sl_estimate *out, const sl_path_data *p)
{
    sl_detector d;

    SL_TRY(sl_detector_open(&d, p->tau, sl_kelly_lambda, 5));
    out->note = "no alarm";
    for (size_t i = 0; i < p->T; i++)
        for (size_t k = 0; k < p->at[i].prompts; k++) {
            sl_detector_add(&d, p->at[i].mean[k]);
            if (d.log_mean_sr < LOG_ALARM)
                continue;
            out->value = p->t[i];
            out->note = "checkpoint of the alarm, a bound from above; one false alarm in 1000 "
                        "prompts below the threshold";
            return SL_OK;
        }
    return SL_OK;
}

sl_status sl_crossing_changes(sl_estimate *estimate, const sl_path_data *p)
{
    for (int kind = 0; kind < SL_COST_KINDS; kind++) {
        sl_estimate *pelt = &estimate[SL_CROSSING_PELT_L2 + kind];
        sl_estimate *binary = &estimate[SL_CROSSING_BINARY_L2 + kind];

        if (p->T < 2 * LEAST_SEGMENT)
            pelt->note = binary->note = "fewer than 4 checkpoints";
        else if (kind == SL_COST_RBF && p->T > LONGEST_KERNEL)
            pelt->note = binary->note = "more than 400 checkpoints";
        else
            SL_TRY(partitions(pelt, binary, p, (sl_cost_kind)kind));
    }
    SL_TRY(runs(&estimate[SL_CROSSING_BOCPD], p));
    return alarm(&estimate[SL_CROSSING_DETECTOR], p);
}
