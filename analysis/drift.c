#include "analysis/drift.h"
#include "analysis/metric.h"
#include "base/alloc.h"
#include <math.h>

typedef struct probe_work {
    sl_reader *reader;
    const sl_row_probe *row;
    size_t count, V;
    float *narrow;                                       /* (V) */
    double *now, *other, *law;                           /* (V) log-probabilities, probabilities */
    double *sum[SL_DRIFT_COLUMNS], *n[SL_DRIFT_COLUMNS]; /* (texts) of one checkpoint */
    double *mean;                                        /* (texts) */
    size_t texts_most;
} probe_work;

const char *const sl_drift_names[SL_DRIFT_COLUMNS] = {
    [SL_DRIFT_ENTROPY] = "entropy",
    [SL_DRIFT_LOGP] = "logp",
    [SL_DRIFT_PREVIOUS] = "drift_previous",
    [SL_DRIFT_FIRST] = "drift_first",
    [SL_DRIFT_ENTROPY_SHARE] = "entropy_share",
    [SL_DRIFT_VARENTROPY] = "varentropy",
    [SL_DRIFT_TOP_MASS] = "top_10",
    [SL_DRIFT_TOP_GAP] = "top_gap",
    [SL_DRIFT_LOGIT_GAP] = "logit_gap",
    [SL_DRIFT_KL_PREVIOUS] = "kl_previous",
    [SL_DRIFT_KL_FIRST] = "kl_first",
    [SL_DRIFT_TV_PREVIOUS] = "tv_previous",
    [SL_DRIFT_TV_FIRST] = "tv_first",
};

static void work_close(probe_work *w)
{
    sl_free(w->narrow);
    sl_free(w->now);
    sl_free(w->other);
    sl_free(w->law);
    sl_free(w->mean);
    for (size_t k = 0; k < SL_DRIFT_COLUMNS; k++) {
        sl_free(w->sum[k]);
        sl_free(w->n[k]);
    }
}

static sl_status work_open(probe_work *w, size_t texts_most)
{
    w->texts_most = texts_most;
    SL_TRY(sl_take(&w->narrow, w->V + 1, sizeof *w->narrow));
    SL_TRY(sl_take(&w->now, w->V + 1, sizeof *w->now));
    SL_TRY(sl_take(&w->other, w->V + 1, sizeof *w->other));
    SL_TRY(sl_take(&w->law, w->V + 1, sizeof *w->law));
    SL_TRY(sl_take(&w->mean, texts_most, sizeof *w->mean));
    for (size_t k = 0; k < SL_DRIFT_COLUMNS; k++) {
        SL_TRY(sl_take(&w->sum[k], texts_most, sizeof(double)));
        SL_TRY(sl_take(&w->n[k], texts_most, sizeof(double)));
    }
    return SL_OK;
}

/* Half precision ends at -65504: what is below stands as -inf, and 0 * -inf is not a number. Far
 * enough from that end to tell a difference with it from one of two stored values. */
static const double lowest = -1e6;

static sl_status read_wide(double *out, probe_work *w, size_t row)
{
    SL_TRY(sl_reader_wide(w->reader, SL_TABLE_PROBE, 0, row, 1, w->narrow));
    for (size_t v = 0; v < w->V; v++)
        out[v] = fmax((double)w->narrow[v], lowest);
    return SL_OK;
}

/* End of the checkpoint that begins at `first`. */
static size_t checkpoint_end(const probe_work *w, size_t first)
{
    size_t end = first;

    while (end < w->count && w->row[end].step == w->row[first].step)
        end++;
    return end;
}

/* The row of the same text and position among [first, end), where it stands at `hint`; `end`
 * otherwise: a frozen set comes in one order. */
static size_t same_position(const probe_work *w, size_t first, size_t end, size_t hint, size_t row)
{
    const size_t at = first + hint;

    return at < end && w->row[at].probe_id == w->row[row].probe_id &&
                   w->row[at].pos == w->row[row].pos
               ? at
               : end;
}

/* Infinity is kept: a mean with it is no number. */
static void note(probe_work *w, sl_drift_column column, size_t text, double value)
{
    if (isnan(value))
        return;
    w->sum[column][text] += value;
    w->n[column][text]++;
}

/* Half precision has no probability for some token that `now` can say. */
static int is_beyond(const probe_work *w)
{
    for (size_t v = 0; v < w->V; v++)
        if (w->other[v] == lowest && exp(w->now[v]) > 0.0)
            return 1;
    return 0;
}

/* Distances of row from another checkpoint [first, end), to the columns of the one before or of
 * the first one. */
static sl_status compare(probe_work *w, int is_first, size_t text, size_t row, size_t hint,
                         size_t first, size_t end)
{
    const size_t other = same_position(w, first, end, hint, row);
    sl_logit_distance d;

    if (other == end)
        return SL_OK;
    SL_TRY(read_wide(w->other, w, other));
    sl_logit_distance_of(&d, w->now, w->other, w->V);
    note(w, is_first ? SL_DRIFT_FIRST : SL_DRIFT_PREVIOUS, text, d.root_js);
    note(w, is_first ? SL_DRIFT_KL_FIRST : SL_DRIFT_KL_PREVIOUS, text,
         is_beyond(w) ? INFINITY : fmax(d.kl_pq, 0.0));
    note(w, is_first ? SL_DRIFT_TV_FIRST : SL_DRIFT_TV_PREVIOUS, text, d.tv);
    return SL_OK;
}

static sl_mean mean_of(probe_work *w, size_t column, size_t texts)
{
    for (size_t i = 0; i < texts; i++) {
        if (isinf(w->sum[column][i]))
            return (sl_mean){ .value = NAN, .se = NAN };
        w->mean[i] = w->n[column][i] > 0.0 ? w->sum[column][i] / w->n[column][i] : NAN;
    }
    return sl_mean_of(w->mean, texts);
}

/* Row i is one of the checkpoint [a, ...); the other arguments as those of fill. */
static sl_status add_row(probe_work *w, size_t text, size_t i, size_t before, size_t a,
                         size_t first_end)
{
    const double entropy = (double)w->row[i].entropy;
    sl_logit_signals s;

    note(w, SL_DRIFT_ENTROPY, text, entropy);
    note(w, SL_DRIFT_LOGP, text, (double)w->row[i].logp);
    if (!w->V)
        return SL_OK;
    SL_TRY(read_wide(w->now, w, i));
    sl_logit_signals_of(&s, w->law, w->now, w->V, SL_DRIFT_TOP);
    note(w, SL_DRIFT_ENTROPY_SHARE, text, w->V > 1 ? entropy / log((double)w->V) : NAN);
    note(w, SL_DRIFT_VARENTROPY, text, s.varentropy);
    note(w, SL_DRIFT_TOP_MASS, text, s.topk_mass);
    note(w, SL_DRIFT_TOP_GAP, text, s.prob_gap);
    note(w, SL_DRIFT_LOGIT_GAP, text, s.logit_gap < -lowest / 2.0 ? s.logit_gap : INFINITY);
    if (!a)
        return SL_OK;
    SL_TRY(compare(w, 0, text, i, i - a, before, a));
    return compare(w, 1, text, i, i - a, 0, first_end);
}

/* Checkpoint [a, b); the one before [before, a), none when before = a; the first [0, first_end). */
static sl_status fill(sl_drift_row *out, probe_work *w, size_t before, size_t a, size_t b,
                      size_t first_end)
{
    size_t text = 0;

    for (size_t k = 0; k < SL_DRIFT_COLUMNS; k++)
        for (size_t i = 0; i < w->texts_most; i++)
            w->sum[k][i] = w->n[k][i] = 0.0;
    for (size_t i = a; i < b; i++) {
        text += i > a && w->row[i].probe_id != w->row[i - 1].probe_id;
        SL_TRY(add_row(w, text, i, before, a, first_end));
    }
    out->step = w->row[a].step;
    out->positions = b - a;
    for (size_t k = 0; k < SL_DRIFT_COLUMNS; k++)
        out->mean[k] = mean_of(w, k, text + 1);
    return SL_OK;
}

static sl_status fill_all(sl_drift *out, probe_work *w)
{
    const size_t first_end = checkpoint_end(w, 0);
    size_t before = 0, capacity = 0;

    for (size_t a = 0; a < w->count;) {
        const size_t b = checkpoint_end(w, a);

        SL_TRY(sl_grow(&out->row, &capacity, out->count + 1, sizeof *out->row));
        SL_TRY(fill(&out->row[out->count], w, before, a, b, first_end));
        out->count++;
        before = a;
        a = b;
    }
    return SL_OK;
}

/* Texts of a checkpoint, at most. */
static size_t most_texts(const probe_work *w)
{
    size_t most = 1, texts = 1;

    for (size_t i = 1; i < w->count; i++) {
        if (w->row[i].step != w->row[i - 1].step)
            texts = 1;
        else
            texts += w->row[i].probe_id != w->row[i - 1].probe_id;
        most = texts > most ? texts : most;
    }
    return most;
}

sl_status sl_drift_run(sl_drift *out, sl_reader *reader)
{
    probe_work w = { .reader = reader, .V = sl_reader_layout(reader)->width[SL_WIDTH_VOCAB] };
    sl_status st = SL_OK;

    *out = (sl_drift){ 0 };
    if (!sl_reader_has(reader, SL_TABLE_PROBE))
        return SL_OK;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_PROBE, &w.row, &w.count));
    SL_TRY_OUT(work_open(&w, most_texts(&w)));
    st = fill_all(out, &w);
out:
    work_close(&w);
    sl_reader_release(reader, SL_TABLE_PROBE);
    if (st != SL_OK)
        sl_drift_close(out);
    return st;
}

void sl_drift_close(sl_drift *p)
{
    sl_free(p->row);
    *p = (sl_drift){ 0 };
}
