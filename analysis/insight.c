#include "analysis/insight.h"
#include "analysis/table.h"

sl_status sl_insight_run(sl_insight *out, sl_reader *reader)
{
    sl_status st = SL_OK;

    *out = (sl_insight){ 0 };
    SL_TRY_OUT(sl_whatif_run(&out->whatif, reader));
    SL_TRY_OUT(sl_displacement_run(&out->displacement, reader));
    SL_TRY_OUT(sl_drift_run(&out->probe, reader));
    st = sl_alignment_run(&out->alignment, reader);
out:
    if (st != SL_OK)
        sl_insight_close(out);
    return st;
}

void sl_insight_close(sl_insight *insight)
{
    sl_whatif_close(&insight->whatif);
    sl_displacement_close(&insight->displacement);
    sl_drift_close(&insight->probe);
    sl_alignment_close(&insight->alignment);
}

static void whatif_table(sl_table_out *t, const sl_insight *in)
{
    for (size_t i = 0; i < in->whatif.count; i++) {
        const sl_whatif_row *r = &in->whatif.row[i];

        sl_table_text(t, r->loss->name);
        sl_table_f64(t, r->beta);
        sl_table_i64(t, r->is_own);
        sl_table_i64(t, (int64_t)r->pairs);
        sl_table_f64(t, r->mean_loss);
        sl_table_f64(t, r->active);
        sl_table_f64(t, r->saturated);
        sl_table_f64(t, r->mean_coef);
        sl_table_f64(t, r->corr_loss);
        sl_table_f64(t, r->corr_coef);
        sl_table_end_row(t);
    }
}

static void displacement_table(sl_table_out *t, const sl_insight *in)
{
    for (size_t i = 0; i < in->displacement.count; i++) {
        const sl_displacement_row *r = &in->displacement.row[i];
        const double column[] = { r->chosen,        r->chosen_se,   r->rejected,
                                  r->per_tok,       r->fell,        r->rejected_fell,
                                  r->tokens_fell,   r->worst_tenth, r->ending,
                                  r->ending_part,   r->length_corr, r->likeness,
                                  r->likeness_corr, r->like,        r->unlike,
                                  r->entropy };

        sl_table_i64(t, r->iteration);
        sl_table_i64(t, r->first);
        sl_table_i64(t, r->last);
        sl_table_i64(t, (int64_t)r->pairs);
        sl_table_i64(t, (int64_t)r->tokens);
        for (size_t k = 0; k < sizeof column / sizeof column[0]; k++)
            sl_table_f64(t, column[k]);
        sl_table_end_row(t);
    }
}

static void probe_table(sl_table_out *t, const sl_insight *in)
{
    for (size_t i = 0; i < in->probe.count; i++) {
        const sl_drift_row *r = &in->probe.row[i];
        const sl_mean *mean[] = { &r->entropy, &r->logp, &r->previous, &r->first };

        sl_table_i64(t, r->step);
        sl_table_i64(t, (int64_t)r->positions);
        for (size_t k = 0; k < 4; k++) {
            sl_table_f64(t, mean[k]->value);
            sl_table_f64(t, mean[k]->se);
        }
        sl_table_end_row(t);
    }
}

static void alignment_table(sl_table_out *t, const sl_insight *in)
{
    for (size_t i = 0; i < in->alignment.count; i++) {
        const sl_alignment_row *r = &in->alignment.row[i];

        sl_table_i64(t, r->step);
        sl_table_i64(t, r->group);
        sl_table_text(t, r->name ? r->name : "?");
        sl_table_f64(t, r->norm_static);
        sl_table_f64(t, r->norm_on);
        sl_table_f64(t, r->cos_static_on);
        sl_table_f64(t, r->norm_c);
        sl_table_f64(t, r->norm_r);
        sl_table_f64(t, r->cos_c_r);
        sl_table_f64(t, r->noise_scale);
        sl_table_end_row(t);
    }
}

static const struct {
    const char *name, *header;
    void (*fill)(sl_table_out *t, const sl_insight *insight);
} tables[] = {
    { "whatif.tsv",
      "loss\tbeta\town\tpairs\tmean_loss\tactive\tsaturated\tmean_coef\tcorr_loss\tcorr_coef",
      whatif_table },
    { "displacement.tsv",
      "iteration\tfirst\tlast\tpairs\ttokens\tchosen\tchosen_se\trejected\tper_token\tfell\t"
      "rejected_fell\ttokens_fell\tworst_tenth\tending\tending_part\tlength_corr\tlikeness\t"
      "likeness_corr\talike\tunlike\tentropy",
      displacement_table },
    { "probe.tsv",
      "step\tpositions\tentropy\tentropy_se\tlogp\tlogp_se\tdrift_previous\tdrift_previous_se\t"
      "drift_first\tdrift_first_se",
      probe_table },
    { "alignment.tsv",
      "step\tgroup\tname\tnorm_static\tnorm_on\tcos_static_on\tnorm_chosen\tnorm_rejected\t"
      "cos_chosen_rejected\tnoise_scale",
      alignment_table },
};

sl_status sl_insight_tables(const char *folder, const sl_insight *insight)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        sl_table_out t;

        SL_TRY(sl_table_open(&t, folder, tables[i].name, tables[i].header));
        tables[i].fill(&t, insight);
        SL_TRY(sl_table_close(&t));
    }
    return SL_OK;
}
