/* The tables of a run, for figures and people. */
#include "analysis/diversity.h"
#include "analysis/run_analysis.h"
#include "analysis/table.h"
#include "base/alloc.h"
#include <math.h>

static const char *const stage_words[] = { "undecided", "injection", "fine_tuning" };

static sl_status boundary_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    (void)reader;
    for (size_t i = 0; i < a->count; i++) {
        const sl_measurement *m = &a->row[i];
        const sl_row_boundary *b = &m->derived;

        sl_table_i64(t, m->step);
        sl_table_i64(t, m->iteration);
        sl_table_i64(t, m->measurement);
        sl_table_f64(t, b->bs);
        sl_table_f64(t, b->se);
        sl_table_f64(t, b->lower);
        sl_table_f64(t, b->upper);
        sl_table_f64(t, b->tau);
        sl_table_text(t, stage_words[b->stage]);
        sl_table_text(t, m->decided.step < 0 ? "none" : sl_action_word(m->decided.action));
        sl_table_f64(t, m->decided.step < 0 ? NAN : m->decided.mix_weight);
        sl_table_i64(t, b->votes);
        sl_table_i64(t, b->prompts);
        sl_table_f64(t, b->margin_static);
        sl_table_f64(t, b->margin_on);
        sl_table_end_row(t);
    }
    return SL_OK;
}

/* Implicit rewards beta (logp - ref logp), means over the pairs of an update. */
typedef struct reward_sum {
    double chosen, rejected;
    size_t n;
} reward_sum;

static reward_sum rewards_of(const sl_row_pairs *pairs, size_t count, size_t *at, int64_t step,
                             double beta)
{
    reward_sum r = { 0 };

    while (*at < count && pairs[*at].step < step)
        ++*at;
    for (; *at < count && pairs[*at].step == step; ++*at) {
        r.chosen += beta * (pairs[*at].logp_c - pairs[*at].ref_logp_c);
        r.rejected += beta * (pairs[*at].logp_r - pairs[*at].ref_logp_r);
        r.n++;
    }
    return r;
}

static double beta_of(const sl_reader *reader)
{
    const sl_json *loss = json_object_get(sl_reader_json(reader), "loss");
    const sl_json *beta = json_object_get(loss, "beta");

    return json_is_number(beta) ? json_number_value(beta) : NAN;
}

static sl_status margins_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    const sl_row_steps *s;
    const sl_row_pairs *pairs;
    const double beta = beta_of(reader);
    size_t count, pair_count, at = 0;

    (void)a;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_STEPS, &s, &count));
    SL_TRY(sl_reader_rows(reader, SL_TABLE_PAIRS, &pairs, &pair_count));
    for (size_t i = 0; i < count; i++) {
        const reward_sum r = rewards_of(pairs, pair_count, &at, s[i].step, beta);
        const double n = r.n ? (double)r.n : NAN;

        sl_table_i64(t, s[i].step);
        sl_table_f64(t, s[i].loss);
        sl_table_f64(t, s[i].margin);
        sl_table_f64(t, s[i].accuracy);
        sl_table_f64(t, r.chosen / n);
        sl_table_f64(t, r.rejected / n);
        sl_table_f64(t, s[i].learning_rate);
        sl_table_f64(t, s[i].grad_norm);
        sl_table_i64(t, s[i].pairs);
        sl_table_i64(t, s[i].pairs_on);
        sl_table_f64(t, s[i].entropy);
        sl_table_end_row(t);
    }
    sl_reader_release(reader, SL_TABLE_PAIRS);
    return SL_OK;
}

static sl_status source_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    const sl_row_steps *s;
    size_t count;

    (void)a;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_STEPS, &s, &count));
    for (size_t i = 0; i < count; i++) {
        sl_table_i64(t, s[i].step);
        sl_table_i64(t, s[i].pairs);
        sl_table_i64(t, s[i].pairs_on);
        sl_table_end_row(t);
    }
    return SL_OK;
}

static sl_status gradients_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    const sl_row_grad_groups *g;
    size_t count;

    (void)a;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_GRAD_GROUPS, &g, &count));
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;

        SL_TRY(sl_reader_name(reader, SL_NAME_GROUP, g[i].group, &name));
        sl_table_i64(t, g[i].step);
        sl_table_i64(t, (int64_t)g[i].group - 1); /* names count from 1, group 0 is all */
        sl_table_text(t, name ? name : "?");
        sl_table_f64(t, (double)g[i].norm);
        sl_table_f64(t, (double)g[i].update_ratio);
        sl_table_end_row(t);
    }
    sl_reader_release(reader, SL_TABLE_GRAD_GROUPS);
    return SL_OK;
}

static sl_status diversity_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    sl_diversity d;

    for (size_t i = 0; i < a->count; i++)
        for (int origin = SL_ORIGIN_STATIC; origin <= SL_ORIGIN_ON_POLICY; origin++) {
            SL_TRY(sl_diversity_of(&d, reader, a->row[i].measurement, origin));
            sl_table_i64(t, a->row[i].step);
            sl_table_i64(t, a->row[i].measurement);
            sl_table_text(t, sl_origin_word(origin));
            for (size_t k = 0; k < SL_DIVERSITY_TEXTS; k++) {
                sl_table_f64(t, d.text[k].value);
                sl_table_f64(t, d.text[k].se);
            }
            sl_table_f64(t, d.quality.value);
            sl_table_f64(t, d.quality.se);
            sl_table_i64(t, (int64_t)d.candidates);
            sl_table_end_row(t);
        }
    return SL_OK;
}

static sl_status gains_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    sl_gain *gain = NULL;
    size_t count;

    SL_TRY(sl_run_gains(&gain, &count, a, reader));
    for (size_t i = 0; i < count; i++) {
        sl_table_i64(t, gain[i].iteration);
        sl_table_i64(t, gain[i].step);
        sl_table_text(t, sl_origin_word(gain[i].origin));
        sl_table_i64(t, gain[i].is_chosen);
        sl_table_f64(t, gain[i].value);
        sl_table_f64(t, gain[i].se);
        sl_table_end_row(t);
    }
    sl_free(gain);
    return SL_OK;
}

static sl_status evals_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    const sl_row_evals *e;
    size_t count;

    (void)a;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_EVALS, &e, &count));
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;

        SL_TRY(sl_reader_name(reader, SL_NAME_EVAL, e[i].eval, &name));
        sl_table_i64(t, e[i].step);
        sl_table_text(t, name ? name : "?");
        sl_table_f64(t, e[i].value);
        sl_table_f64(t, e[i].se);
        sl_table_i64(t, e[i].used);
        sl_table_end_row(t);
    }
    return SL_OK;
}

static const struct {
    const char *name, *header;
    sl_status (*fill)(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader);
} tables[] = {
    { "boundary.tsv",
      "step\titeration\tmeasurement\tbs\tse\tlower\tupper\ttau\tstage\taction\tmix_weight\tvotes\t"
      "prompts\tmargin_static\tmargin_on",
      boundary_table },
    { "margins.tsv",
      "step\tloss\tmargin\taccuracy\tchosen_reward\trejected_reward\tlearning_rate\tgrad_norm\t"
      "pairs\tpairs_on\tentropy",
      margins_table },
    { "source.tsv", "step\tpairs\tpairs_on", source_table },
    { "gradients.tsv", "step\tgroup\tname\tnorm\tupdate_ratio", gradients_table },
    { "diversity.tsv",
      "step\tmeasurement\torigin\tdistinct_1\tdistinct_1_se\tdistinct_2\tdistinct_2_se\t"
      "self_bleu_2\tself_bleu_2_se\tngram_entropy_1\tngram_entropy_1_se\tmean_length\t"
      "mean_length_se\tquality\t"
      "quality_se\tcandidates",
      diversity_table },
    { "gains.tsv", "iteration\tstep\torigin\tchosen\tgain\tse", gains_table },
    { "evals.tsv", "step\tname\tvalue\tse\tused", evals_table },
};

sl_status sl_run_tables(const char *folder, const sl_run_analysis *analysis, sl_reader *reader)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        sl_table_out t;
        sl_status st;

        SL_TRY(sl_table_open(&t, folder, tables[i].name, tables[i].header));
        st = tables[i].fill(&t, analysis, reader);
        if (st != SL_OK) {
            sl_table_drop(&t);
            return st;
        }
        SL_TRY(sl_table_close(&t));
    }
    return SL_OK;
}
