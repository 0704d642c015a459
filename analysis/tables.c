/* The tables of a run, for figures and people. */
#include "analysis/tables_int.h"
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

double sl_tables_beta(const sl_reader *reader)
{
    const sl_json *loss = json_object_get(sl_reader_json(reader), "loss");
    const sl_json *beta = json_object_get(loss, "beta");

    return json_is_number(beta) ? json_number_value(beta) : NAN;
}

static sl_status margins_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    const sl_row_steps *s;
    const sl_row_pairs *pairs;
    const double beta = sl_tables_beta(reader);
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

/* The columns of diversity.tsv that figures read, each with its standard error. */
static const sl_metric_id diversity_columns[] = { SL_METRIC_DISTINCT_1,  SL_METRIC_DISTINCT_2,
                                                  SL_METRIC_SELF_BLEU_2, SL_METRIC_ENTROPY_1,
                                                  SL_METRIC_TOKENS,      SL_METRIC_REWARD };
enum { DIVERSITY_COLUMNS = sizeof diversity_columns / sizeof diversity_columns[0] };

static sl_status diversity_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    (void)reader;
    for (size_t i = 0; i < a->count; i++)
        for (int origin = SL_ORIGIN_STATIC; origin <= SL_ORIGIN_ON_POLICY; origin++) {
            const sl_answer_set *s = sl_sets_of_run(&a->candidates, a->row[i].measurement, origin);

            if (!s)
                continue;
            sl_table_i64(t, a->row[i].step);
            sl_table_i64(t, a->row[i].measurement);
            sl_table_text(t, sl_origin_word(origin));
            for (size_t k = 0; k < DIVERSITY_COLUMNS; k++) {
                const sl_value v = sl_sets_prompt_value(s, diversity_columns[k]);

                sl_table_f64(t, v.value);
                sl_table_f64(t, v.se);
            }
            sl_table_i64(t, (int64_t)s->answers);
            sl_table_end_row(t);
        }
    return SL_OK;
}

static void metric_row(sl_table_out *t, const sl_measurement *m, const sl_metric *row,
                       const sl_value v[2])
{
    sl_table_i64(t, m->step);
    sl_table_i64(t, m->measurement);
    sl_table_text(t, row->label);
    sl_table_text(t, row->name);
    sl_table_text(t, row->unit);
    for (size_t side = 0; side < 2; side++) {
        sl_table_f64(t, v[side].value);
        sl_table_f64(t, v[side].se);
        sl_table_i64(t, (int64_t)v[side].used);
        sl_table_i64(t, (int64_t)v[side].dropped);
        sl_table_text(t, sl_value_status_name(v[side].status));
    }
    sl_table_f64(t, v[1].value - v[0].value);
    sl_table_f64(t, sqrt(v[0].se * v[0].se + v[1].se * v[1].se));
    sl_table_end_row(t);
}

static sl_status metrics_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    (void)reader;
    for (size_t i = 0; i < a->count; i++) {
        const sl_answer_set *off =
            sl_sets_of_run(&a->candidates, a->row[i].measurement, SL_ORIGIN_STATIC);
        const sl_answer_set *on =
            sl_sets_of_run(&a->candidates, a->row[i].measurement, SL_ORIGIN_ON_POLICY);

        for (size_t k = 0; on && off && k < SL_METRIC_COUNT; k++) {
            const sl_value v[2] = { sl_sets_prompt_value(off, (sl_metric_id)k),
                                    sl_sets_prompt_value(on, (sl_metric_id)k) };

            if (v[0].status != SL_VALUE_INVALID || v[1].status != SL_VALUE_INVALID)
                metric_row(t, &a->row[i], &sl_metrics[k], v);
        }
    }
    return SL_OK;
}

static sl_status distances_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader)
{
    (void)reader;
    for (size_t i = 0; i < a->count; i++) {
        const uint32_t m = a->row[i].measurement;
        const sl_answer_set *on = sl_sets_of_run(&a->candidates, m, SL_ORIGIN_ON_POLICY);
        const sl_answer_set *off = sl_sets_of_run(&a->candidates, m, SL_ORIGIN_STATIC);
        sl_sets_contrast c;

        if (!on || !off)
            continue;
        SL_TRY(sl_sets_contrast_of(&c, &a->candidates, (size_t)(on - a->candidates.set),
                                   (size_t)(off - a->candidates.set)));
        for (size_t k = 0; k < SL_CONTRAST_COUNT; k++) {
            sl_table_i64(t, a->row[i].step);
            sl_table_i64(t, m);
            sl_table_text(t, sl_contrasts[k].label);
            sl_table_text(t, sl_contrasts[k].name);
            sl_table_text(t, sl_contrasts[k].unit);
            sl_table_f64(t, c.value[k].value);
            sl_table_f64(t, c.value[k].se);
            sl_table_i64(t, (int64_t)c.value[k].used);
            sl_table_text(t, sl_value_status_name(c.value[k].status));
            sl_table_end_row(t);
        }
        sl_sets_contrast_close(&c);
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
    { "metrics.tsv",
      "step\tmeasurement\tlabel\tmetric\tunit\tstatic\tstatic_se\tstatic_used\tstatic_dropped\t"
      "static_status\ton_policy\ton_policy_se\ton_policy_used\ton_policy_dropped\t"
      "on_policy_status\tdifference\tdifference_se",
      metrics_table },
    { "distances.tsv", "step\tmeasurement\tlabel\tmetric\tunit\tvalue\tse\tused\tstatus",
      distances_table },
    { "quality.tsv",
      "iteration\tsource\tpairs\taccuracy\tbrier\tnll\tece\tslope\tkl_k1\tkl_k1_se\tkl_k2\tkl_k3\t"
      "clipped",
      sl_quality_table },
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
