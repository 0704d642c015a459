#include "analysis/drift.h"
#include "analysis/metric.h"
#include "base/alloc.h"
#include <math.h>

typedef struct probe_work {
    sl_reader *reader;
    const sl_row_probe *row;
    size_t count, V;
    float *narrow;         /* (V) */
    double *now, *other;   /* (V) log-probabilities */
    double *sum[4], *n[4]; /* (texts) of one checkpoint: entropy, logp, previous, first */
    double *mean;          /* (texts) */
    size_t texts_most;
} probe_work;
enum { COLUMNS = 4 };

static void work_close(probe_work *w)
{
    sl_free(w->narrow);
    sl_free(w->now);
    sl_free(w->other);
    sl_free(w->mean);
    for (size_t k = 0; k < COLUMNS; k++) {
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
    SL_TRY(sl_take(&w->mean, texts_most, sizeof *w->mean));
    for (size_t k = 0; k < COLUMNS; k++) {
        SL_TRY(sl_take(&w->sum[k], texts_most, sizeof(double)));
        SL_TRY(sl_take(&w->n[k], texts_most, sizeof(double)));
    }
    return SL_OK;
}

/* Half precision ends at -65504: what is below stands as -inf, and 0 * -inf is not a number. */
static const double lowest = -1e5;

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

static void note(probe_work *w, size_t column, size_t text, double value)
{
    if (!isfinite(value))
        return;
    w->sum[column][text] += value;
    w->n[column][text]++;
}

/* Divergence of row from that of another checkpoint [first, end). */
static sl_status compare(probe_work *w, size_t column, size_t text, size_t row, size_t hint,
                         size_t first, size_t end)
{
    const size_t other = same_position(w, first, end, hint, row);
    sl_logit_distance d;

    if (other == end)
        return SL_OK;
    SL_TRY(read_wide(w->other, w, other));
    sl_logit_distance_of(&d, w->now, w->other, w->V);
    note(w, column, text, d.root_js);
    return SL_OK;
}

static sl_mean mean_of(probe_work *w, size_t column, size_t texts)
{
    for (size_t i = 0; i < texts; i++)
        w->mean[i] = w->n[column][i] > 0.0 ? w->sum[column][i] / w->n[column][i] : NAN;
    return sl_mean_of(w->mean, texts);
}

/* Checkpoint [a, b); the one before [before, a), none when before = a; the first [0, first_end). */
static sl_status fill(sl_drift_row *out, probe_work *w, size_t before, size_t a, size_t b,
                      size_t first_end)
{
    size_t text = 0;

    for (size_t k = 0; k < COLUMNS; k++)
        for (size_t i = 0; i < w->texts_most; i++)
            w->sum[k][i] = w->n[k][i] = 0.0;
    for (size_t i = a; i < b; i++) {
        text += i > a && w->row[i].probe_id != w->row[i - 1].probe_id;
        note(w, 0, text, (double)w->row[i].entropy);
        note(w, 1, text, (double)w->row[i].logp);
        if (!a || !w->V)
            continue;
        SL_TRY(read_wide(w->now, w, i));
        SL_TRY(compare(w, 2, text, i, i - a, before, a));
        SL_TRY(compare(w, 3, text, i, i - a, 0, first_end));
    }
    out->step = w->row[a].step;
    out->positions = b - a;
    out->entropy = mean_of(w, 0, text + 1);
    out->logp = mean_of(w, 1, text + 1);
    out->previous = mean_of(w, 2, text + 1);
    out->first = mean_of(w, 3, text + 1);
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
