#include "analysis/ranking.h"
#include "base/alloc.h"
#include "base/sort.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const sl_ranking_verdict_names[] = { "undecided", "better", "worse", NULL };

static int by_prompt(const void *x, const void *y)
{
    const sl_ranked_pair *a = x, *b = y;

    return a->prompt < b->prompt ? -1 : a->prompt > b->prompt;
}

static double win(double difference)
{
    return difference > 0.0 ? 1.0 : difference < 0.0 ? 0.0 : 0.5;
}

static sl_ranked_share share_of(const double *x, size_t n, double alpha)
{
    const sl_mean mean = sl_mean_of(x, n);

    return (sl_ranked_share){ mean.value, sl_student_interval(&mean, alpha) };
}

/* Means of every prompt; returns how many. pair (count) by prompts. */
static size_t fill_means(double *scorer, double *rule, double *gain, const sl_ranked_pair *pair,
                         size_t count)
{
    size_t prompts = 0;

    for (size_t i = 0, next; i < count; i = next, prompts++) {
        double won = 0.0, ruled = 0.0;

        for (next = i; next < count && pair[next].prompt == pair[i].prompt; next++) {
            won += win(pair[next].score);
            ruled += win(pair[next].rule);
        }
        scorer[prompts] = won / (double)(next - i);
        rule[prompts] = ruled / (double)(next - i);
        gain[prompts] = scorer[prompts] - rule[prompts];
    }
    return prompts;
}

static sl_ranking_verdict verdict_of(const sl_interval *gain)
{
    return gain->lower > 0.0   ? SL_RANKING_BETTER
           : gain->upper < 0.0 ? SL_RANKING_WORSE
                               : SL_RANKING_UNDECIDED;
}

sl_status sl_ranking_of(sl_ranking *out, const sl_ranked_pair *pair, size_t count, double alpha)
{
    sl_ranked_pair *sorted = NULL; /* (count) */
    double *mean = NULL;           /* (3, count) */
    sl_status st = SL_OK;

    for (size_t i = 0; i < count; i++)
        if (!isfinite(pair[i].score) || !isfinite(pair[i].rule))
            return SL_FAIL(SL_ENUMERIC, "want finite differences of pair %zu, found %g and %g", i,
                           pair[i].score, pair[i].rule);
    SL_TRY_OUT(sl_take(&sorted, count + 1, sizeof *sorted));
    SL_TRY_OUT(sl_take(&mean, 3 * count + 1, sizeof *mean));
    if (count) {
        memcpy(sorted, pair, count * sizeof *sorted);
        sl_sort(sorted, count, sizeof *sorted, by_prompt);
    }
    *out = (sl_ranking){ .pairs = count, .alpha = alpha };
    out->prompts = fill_means(mean, mean + count, mean + 2 * count, sorted, count);
    out->scorer = share_of(mean, out->prompts, alpha);
    out->rule = share_of(mean + count, out->prompts, alpha);
    out->gain = share_of(mean + 2 * count, out->prompts, alpha);
    out->scorer.interval = sl_interval_clip(out->scorer.interval);
    out->rule.interval = sl_interval_clip(out->rule.interval);
    out->verdict = verdict_of(&out->gain.interval);
out:
    sl_free(sorted);
    sl_free(mean);
    return st;
}
