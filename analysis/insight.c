#include "analysis/insight.h"
#include "analysis/run_analysis.h"
#include "analysis/table.h"
#include <inttypes.h>
#include <stdio.h>

sl_status sl_insight_run(sl_insight *out, sl_reader *reader)
{
    sl_status st = SL_OK;

    *out = (sl_insight){ 0 };
    SL_TRY_OUT(sl_whatif_run(&out->whatif, reader));
    SL_TRY_OUT(sl_displacement_run(&out->displacement, reader));
    SL_TRY_OUT(sl_drift_run(&out->probe, reader));
    SL_TRY_OUT(sl_alignment_run(&out->alignment, reader));
    SL_TRY_OUT(sl_gradients_run(&out->gradients, reader));
    st = sl_spread_run(&out->spread, reader);
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
    sl_gradients_close(&insight->gradients);
    sl_spread_close(&insight->spread);
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

        sl_table_i64(t, r->step);
        sl_table_i64(t, (int64_t)r->positions);
        for (size_t k = 0; k < SL_DRIFT_COLUMNS; k++) {
            sl_table_f64(t, r->mean[k].value);
            sl_table_f64(t, r->mean[k].se);
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

static void noise_table(sl_table_out *t, const sl_insight *in)
{
    for (size_t i = 0; i < in->gradients.noises; i++) {
        const sl_noise_row *r = &in->gradients.noise[i];
        const double column[] = { r->pairs,      r->now.noise, r->now.squared_gradient,
                                  r->now.simple, r->noise,     r->squared,
                                  r->scale };

        sl_table_i64(t, r->step);
        for (size_t k = 0; k < sizeof column / sizeof column[0]; k++)
            sl_table_f64(t, column[k]);
        sl_table_end_row(t);
    }
}

static void geometry_table(sl_table_out *t, const sl_insight *in)
{
    for (size_t i = 0; i < in->gradients.geometries; i++) {
        const sl_geometry_row *r = &in->gradients.geometry[i];
        const sl_gradient_geometry *g = &r->geometry;
        const double column[] = { r->norm,
                                  r->noise.simple,
                                  g->mean_cosine,
                                  g->resultant,
                                  g->diversity,
                                  g->batch_bound,
                                  g->snr,
                                  r->conflict,
                                  r->vendi,
                                  r->cos_static_on,
                                  r->cos_previous,
                                  r->cos_previous_corrected,
                                  r->influence.value,
                                  r->influence.se,
                                  r->influence_static.value,
                                  r->influence_on.value };

        sl_table_i64(t, r->step);
        sl_table_i64(t, (int64_t)r->pairs);
        sl_table_i64(t, (int64_t)r->pairs_on);
        sl_table_i64(t, (int64_t)r->dropped);
        sl_table_i64(t, (int64_t)r->probes);
        for (size_t k = 0; k < sizeof column / sizeof column[0]; k++)
            sl_table_f64(t, column[k]);
        sl_table_end_row(t);
    }
}

static void influence_table(sl_table_out *t, const sl_insight *in)
{
    for (size_t i = 0; i < in->gradients.influences; i++) {
        const sl_influence_row *r = &in->gradients.influence[i];
        char id[24];

        snprintf(id, sizeof id, "%" PRIu64, r->pair);
        sl_table_i64(t, r->step);
        sl_table_text(t, id);
        sl_table_text(t, sl_origin_word(r->source));
        sl_table_f64(t, r->norm);
        sl_table_f64(t, r->cos_batch);
        sl_table_f64(t, r->influence);
        sl_table_end_row(t);
    }
}

static void entropy_table(sl_table_out *t, const sl_insight *in)
{
    for (size_t i = 0; i < in->spread.count; i++) {
        const sl_spread_row *r = &in->spread.row[i];
        const sl_value *value[] = { &r->entropy, &r->low, &r->high, &r->rest };

        sl_table_i64(t, r->iteration);
        sl_table_text(t, sl_origin_word(r->source));
        sl_table_text(t, sl_spread_sides[r->side]);
        sl_table_text(t, sl_bucket_names[r->place]);
        sl_table_i64(t, (int64_t)r->tokens);
        sl_table_i64(t, (int64_t)r->low.used);
        for (size_t k = 0; k < sizeof value / sizeof value[0]; k++) {
            sl_table_f64(t, value[k]->value);
            sl_table_f64(t, value[k]->se);
        }
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
      "drift_first\tdrift_first_se\tentropy_share\tentropy_share_se\tvarentropy\tvarentropy_se\t"
      "top_10\ttop_10_se\ttop_gap\ttop_gap_se\tlogit_gap\tlogit_gap_se\tkl_previous\t"
      "kl_previous_se\tkl_first\tkl_first_se\ttv_previous\ttv_previous_se\ttv_first\ttv_first_se",
      probe_table },
    { "alignment.tsv",
      "step\tgroup\tname\tnorm_static\tnorm_on\tcos_static_on\tnorm_chosen\tnorm_rejected\t"
      "cos_chosen_rejected\tnoise_scale",
      alignment_table },
    { "noise.tsv", "step\tpairs\tnoise\tsquared\tscale\tmean_noise\tmean_squared\tmean_scale",
      noise_table },
    { "geometry.tsv",
      "step\tpairs\tpairs_on\tdropped\tprobes\tnorm\tnoise_scale\tcosine\tresultant\tdiversity\t"
      "batch_bound\tsnr\tconflict\tvendi\tcos_static_on\tcos_previous\tcos_previous_corrected\t"
      "influence\tinfluence_se\tinfluence_static\tinfluence_on",
      geometry_table },
    { "influence.tsv", "step\tpair\tsource\tnorm\tcos_batch\tinfluence", influence_table },
    { "entropy.tsv",
      "iteration\tsource\tside\tplace\ttokens\tanswers\tentropy\tentropy_se\tlow\tlow_se\thigh\t"
      "high_se\trest\trest_se",
      entropy_table },
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
