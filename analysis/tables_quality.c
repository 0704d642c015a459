/* Margins of pairs against the judge, and how far the policy is from its reference (docs/math.md
 * B6, B8). */
#include "analysis/metric.h"
#include "analysis/tables_int.h"
#include "base/alloc.h"
#include <math.h>

enum { BINS = 10 };

/* The pairs of one iteration and source. */
typedef struct part {
    double *margin, *label; /* (n) of the reward; P(chosen is better) */
    double *ratio;          /* (2 n) log p - log p_ref of both answers */
    size_t n;
} part;

/* The reward margin does not depend on the loss: log-ratios, times beta. */
static void add_pair(part *p, const sl_row_pairs *row, double beta)
{
    const double chosen = row->logp_c - row->ref_logp_c, rejected = row->logp_r - row->ref_logp_r;

    p->ratio[2 * p->n] = chosen;
    p->ratio[2 * p->n + 1] = rejected;
    p->margin[p->n] = beta * (chosen - rejected);
    p->label[p->n++] = isfinite(row->label_p) ? (double)row->label_p : 1.0;
}

static sl_status put_part(sl_table_out *t, const part *p, uint32_t iteration, int source)
{
    sl_calibration c;
    sl_kl kl;

    SL_TRY(sl_calibration_of(&c, p->margin, p->label, p->n, BINS));
    sl_kl_of(&kl, NULL, p->ratio, 2 * p->n);
    sl_table_i64(t, iteration);
    sl_table_text(t, sl_origin_word(source));
    sl_table_i64(t, (int64_t)p->n);
    sl_table_f64(t, c.accuracy);
    sl_table_f64(t, c.brier);
    sl_table_f64(t, c.nll);
    sl_table_f64(t, c.ece);
    sl_table_f64(t, isnan(c.accuracy) ? NAN : c.slope);
    sl_table_f64(t, kl.k1);
    sl_table_f64(t, kl.k1_se);
    sl_table_f64(t, kl.k2);
    sl_table_f64(t, kl.k3);
    sl_table_i64(t, (int64_t)kl.clipped);
    sl_table_end_row(t);
    return SL_OK;
}

static sl_status put_iterations(sl_table_out *t, part *p, const sl_row_pairs *row, size_t count,
                                double beta)
{
    for (size_t i = 0, end; i < count; i = end) { /* rows ascend by step, so by iteration */
        for (end = i; end < count && row[end].iteration == row[i].iteration; end++)
            ;
        for (int source = SL_ORIGIN_STATIC; source <= SL_ORIGIN_OTHER; source++) {
            p->n = 0;
            for (size_t k = i; k < end; k++)
                if (row[k].source == source)
                    add_pair(p, &row[k], beta);
            if (p->n)
                SL_TRY(put_part(t, p, row[i].iteration, source));
        }
    }
    return SL_OK;
}

sl_status sl_quality_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    const sl_row_pairs *row;
    size_t count;
    part p = { 0 };
    sl_status st = SL_OK;

    (void)a;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_PAIRS, &row, &count));
    SL_TRY_OUT(sl_take(&p.margin, count + 1, sizeof *p.margin));
    SL_TRY_OUT(sl_take(&p.label, count + 1, sizeof *p.label));
    SL_TRY_OUT(sl_take(&p.ratio, 2 * count + 1, sizeof *p.ratio));
    st = put_iterations(t, &p, row, count, sl_tables_beta(reader));
out:
    sl_free(p.margin);
    sl_free(p.label);
    sl_free(p.ratio);
    sl_reader_release(reader, SL_TABLE_PAIRS);
    return st;
}
