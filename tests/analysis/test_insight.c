/* Records with a planted cause: the displacement report must name it, drift and alignment must be
 * what arithmetic by hand gives, and the ledger must show every visit. */
#include "analysis/insight.h"
#include "base/file.h"
#include "base/rng.h"
#include "harness/harness.h"
#include "run/run.h"
#include <stdio.h>
#include <string.h>

enum { UPDATES = 16, BATCH = 12, LENGTH = 10, VOCAB = 3, WIDE = 64 };

/* Log-ratio of a token of a chosen answer; alike: whether the pair's answers share most tokens. */
typedef double (*plant)(size_t pos, int is_alike);

static sl_run *begin_run(char *path, uint32_t vocab)
{
    sl_run_settings settings = sl_run_settings_defaults();
    sl_json *about = json_pack("{s:{s:s, s:f}}", "loss", "name", "dpo", "beta", 0.1);
    sl_run *run;

    T_OK(sl_file_join(path, 4096, t_scratch(), "run"));
    settings.min_free_bytes = 0;
    settings.vocab = vocab;
    settings.k = vocab == WIDE ? 2 : 0;
    T_OK(sl_run_create(&run, path, about, NULL, &settings));
    sl_json_close(&about);
    return run;
}

static void put_tokens(sl_run *run, const sl_row_pairs *p, plant of, int is_alike)
{
    for (size_t side = 0; side < 2; side++)
        for (size_t pos = 0; pos < LENGTH; pos++) {
            const int is_common = is_alike && pos != 4;
            const sl_row_tokens t = { .step = p->step,
                                      .pair_id = p->pair_id,
                                      .logp = side ? -1.0f : (float)(of(pos, is_alike) - 1.0),
                                      .ref_logp = -1.0f,
                                      .token = (int32_t)(pos + (is_common ? 0 : 100 * side)),
                                      .pos = (uint32_t)pos,
                                      .side = (uint8_t)side };

            T_OK(sl_run_row(run, SL_TABLE_TOKENS, &t, NULL));
        }
}

static void put_pair(sl_run *run, int64_t step, size_t i, plant of)
{
    const int is_alike = i % 2 == 0;
    sl_row_pairs p = { .step = step,
                       .pair_id = (uint64_t)step * 100 + i,
                       .ref_logp_c = -10,
                       .ref_logp_r = -10,
                       .logp_c = -10,
                       .logp_r = -12,
                       .tok_c = LENGTH,
                       .tok_r = LENGTH };

    for (size_t pos = 0; pos < LENGTH; pos++)
        p.logp_c += of(pos, is_alike);
    T_OK(sl_run_row(run, SL_TABLE_PAIRS, &p, NULL));
    put_tokens(run, &p, of, is_alike);
}

static void write_planted(char *path, plant of)
{
    sl_run *run = begin_run(path, 200);

    for (int64_t step = 1; step <= UPDATES; step++) {
        const sl_row_steps s = { .step = step, .entropy = 2.0 - (double)step / 16.0 };

        T_OK(sl_run_row(run, SL_TABLE_STEPS, &s, NULL));
        for (size_t i = 0; i < BATCH; i++)
            put_pair(run, step, i, of);
        T_OK(sl_run_commit(run, SL_UNIT_UPDATE, step));
    }
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
}

static sl_reader *read_run(const char *path)
{
    sl_reader *reader;

    T_OK(sl_reader_open(&reader, path));
    return reader;
}

static sl_displacement displacement_of(plant of)
{
    char path[4096];
    sl_displacement d;
    sl_reader *reader;

    write_planted(path, of);
    reader = read_run(path);
    T_OK(sl_displacement_run(&d, reader));
    sl_reader_close(&reader);
    t_scratch_remove();
    return d;
}

/* --- displacement ----------------------------------------------------------------------------- */

static double rises(size_t pos, int is_alike)
{
    (void)pos, (void)is_alike;
    return 0.1;
}

static double falls_a_little(size_t pos, int is_alike)
{
    (void)pos, (void)is_alike;
    return -0.01;
}

static double ending_falls(size_t pos, int is_alike)
{
    (void)is_alike;
    return pos == LENGTH - 1 ? -3.0 : -0.01;
}

static double alike_fall(size_t pos, int is_alike)
{
    (void)pos;
    return is_alike ? -0.5 : -0.05;
}

static double few_fall(size_t pos, int is_alike)
{
    (void)is_alike;
    return pos == 3 ? -4.0 : -0.02;
}

static double all_fall(size_t pos, int is_alike)
{
    (void)is_alike;
    return pos % 2 ? -0.4 : -0.3;
}

static void check_cause(plant of, sl_displacement_kind kind, int is_benign, const char *words)
{
    sl_displacement d = displacement_of(of);

    if (d.kind != kind || d.is_benign != is_benign || !strstr(d.sentence, words))
        fail_msg("want %s \"%s\", found %s \"%s\"", sl_displacement_names[kind], words,
                 sl_displacement_names[d.kind], d.sentence);
    sl_displacement_close(&d);
}

static void test_planted_causes_are_named(void **state)
{
    (void)state;
    check_cause(rises, SL_DISPLACED_NOT, 1, "have not become less likely");
    check_cause(falls_a_little, SL_DISPLACED_LITTLE, 1, "0.0100 nat a token");
    check_cause(ending_falls, SL_DISPLACED_ENDING, 1, "97 % of the fall");
    check_cause(alike_fall, SL_DISPLACED_ALIKE, 0, "0.500 nat a token, the least alike by 0.050");
    check_cause(few_fall, SL_DISPLACED_FEW_TOKENS, 1, "96 % of what");
    check_cause(all_fall, SL_DISPLACED_EVERYWHERE, 0, "100 % of the pairs fall, by 0.350");
}

static void test_columns_of_a_window(void **state)
{
    sl_displacement d = displacement_of(alike_fall);
    const sl_displacement_row *w = &d.row[0];

    (void)state;
    assert_int_equal(d.count, SL_DISPLACEMENT_WINDOWS);
    assert_int_equal(w->first, 1);
    assert_int_equal(w->last, UPDATES / SL_DISPLACEMENT_WINDOWS);
    assert_int_equal(w->pairs, 24);
    assert_int_equal(w->tokens, 24 * LENGTH);
    T_CLOSE(w->chosen, -2.75, TOL_F64); /* mean of -5 and -.5 */
    T_CLOSE(w->chosen_se, 2.25 * sqrt(24.0 / 23.0) / sqrt(24.0), TOL_F64);
    T_CLOSE(w->rejected, -2.0, TOL_F64);
    T_CLOSE(w->per_tok, -0.275, TOL_F64);
    T_CLOSE(w->fell, 1.0, TOL_EXACT);
    T_CLOSE(w->tokens_fell, 1.0, TOL_EXACT);
    T_CLOSE(w->worst_tenth, 0.5 * 0.1 / 0.275, TOL_4ULP); /* records keep float */
    T_CLOSE(w->ending, -0.275, TOL_4ULP);
    T_CLOSE(w->ending_part, 0.1, TOL_4ULP);
    T_CLOSE(w->likeness, 0.45, TOL_F64); /* 9 of 10 tokens, and none */
    T_CLOSE(w->likeness_corr, -1.0, TOL_F64);
    T_CLOSE(w->entropy, 2.0 - 1.5 / 16.0, TOL_F64);
    assert_true(isnan(w->length_corr)); /* all of one length */
    assert_int_equal(d.examples, SL_DISPLACEMENT_EXAMPLES);
    assert_int_equal(d.example[0] % 2, 0); /* the alike ones fell most */
    sl_displacement_close(&d);
}

static void test_no_reference_is_unknown(void **state)
{
    sl_displacement d = { 0 };
    const sl_displacement_row none = { .pairs = 3, .chosen = NAN };

    (void)state;
    sl_displacement_judge(&d, &none);
    assert_int_equal(d.kind, SL_DISPLACED_UNKNOWN);
    assert_false(d.is_benign);
}

/* --- drift ------------------------------------------------------------------------------------ */

static void put_law(sl_run *run, int64_t step, uint64_t text, const double *p, size_t V)
{
    float logp[WIDE];
    const void *wide[] = { logp };
    sl_row_probe row = { .step = step, .probe_id = text, .token = 0 };

    for (size_t v = 0; v < V; v++) {
        logp[v] = (float)log(p[v]);
        row.entropy -= p[v] > 0.0 ? (float)(p[v] * log(p[v])) : 0.0f;
    }
    row.logp = logp[0];
    T_OK(sl_run_row(run, SL_TABLE_PROBE, &row, wide));
}

/* Two texts of one token over checkpoints 1, 2, ...: the laws of the second; the first has 1/2, 1/2
 * throughout. */
static sl_drift drift_of(const double (*law)[VOCAB], int64_t count)
{
    static const double half[] = { 0.5, 0.5, 0.0 };
    char path[4096];
    sl_run *run = begin_run(path, VOCAB);
    sl_reader *reader;
    sl_drift d;

    for (int64_t step = 1; step <= count; step++) {
        put_law(run, step, 7, half, VOCAB);
        put_law(run, step, 9, law[step - 1], VOCAB);
        T_OK(sl_run_commit(run, SL_UNIT_UPDATE, step));
    }
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    reader = read_run(path);
    T_OK(sl_drift_run(&d, reader));
    sl_reader_close(&reader);
    t_scratch_remove();
    assert_int_equal(d.count, count);
    return d;
}

static void test_drift_between_checkpoints(void **state)
{
    static const double law[][VOCAB] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0.5, 0.5, 0 }, { 1, 0, 0 } };
    sl_drift d = drift_of(law, 4);
    const sl_mean *m = d.row[1].mean;

    (void)state;
    assert_int_equal(d.row[0].mean[SL_DRIFT_PREVIOUS].used, 0);
    assert_true(isnan(d.row[0].mean[SL_DRIFT_KL_FIRST].value));
    T_CLOSE(d.row[0].mean[SL_DRIFT_ENTROPY].value, log(2.0) / 2.0, TOL_4ULP);
    /* one text stays, the other goes to the far end: 0 and sqrt(ln 2), 0 and 1, 0 and infinity */
    T_CLOSE(m[SL_DRIFT_PREVIOUS].value, sqrt(log(2.0)) / 2.0, TOL_F64);
    T_CLOSE(m[SL_DRIFT_PREVIOUS].se, sqrt(log(2.0)) / 2.0, TOL_F64);
    T_CLOSE(m[SL_DRIFT_TV_PREVIOUS].value, 0.5, TOL_F64);
    T_CLOSE(m[SL_DRIFT_TV_FIRST].se, 0.5, TOL_F64);
    assert_true(isnan(m[SL_DRIFT_KL_PREVIOUS].value) && isnan(m[SL_DRIFT_KL_PREVIOUS].se));
    /* (1, 0) against (1/2, 1/2): H(3/4) - ln(2)/2 */
    T_CLOSE(d.row[2].mean[SL_DRIFT_FIRST].value,
            sqrt(-0.75 * log(0.75) - 0.25 * log(0.25) - 0.5 * log(2.0)) / 2.0, 1e-3);
    assert_int_equal(d.row[2].mean[SL_DRIFT_FIRST].used, 2);
    m = d.row[3].mean; /* back at (1, 0): KL((1, 0), (1/2, 1/2)) = ln 2, to the first 0 */
    T_CLOSE(m[SL_DRIFT_KL_PREVIOUS].value, log(2.0) / 2.0, 1e-3);
    T_CLOSE(m[SL_DRIFT_KL_PREVIOUS].se, log(2.0) / 2.0, 1e-3);
    T_CLOSE(m[SL_DRIFT_TV_PREVIOUS].value, 0.25, 1e-3);
    T_CLOSE(m[SL_DRIFT_KL_FIRST].value, 0.0, TOL_F64);
    T_CLOSE(m[SL_DRIFT_TV_FIRST].value, 0.0, TOL_F64);
    sl_drift_close(&d);
}

static void test_shape_of_laws(void **state)
{
    static const double law[][VOCAB] = { { 0.5, 0.25, 0.25 }, { 1, 0, 0 } };
    sl_drift d = drift_of(law, 2);
    const sl_mean *m = d.row[0].mean;

    (void)state;
    /* entropies ln 2 and 3/2 ln 2 */
    T_CLOSE(m[SL_DRIFT_ENTROPY_SHARE].value, 1.25 * log(2.0) / log(3.0), TOL_4ULP);
    /* 0 and 1/4 ln^2 2: -ln p is 1/2 ln 2 from its mean everywhere */
    T_CLOSE(m[SL_DRIFT_VARENTROPY].value, log(2.0) * log(2.0) / 8.0, 1e-3);
    T_CLOSE(m[SL_DRIFT_TOP_MASS].value, 1.0, TOL_F64);
    T_CLOSE(m[SL_DRIFT_TOP_GAP].value, 0.125, 1e-3);
    T_CLOSE(m[SL_DRIFT_LOGIT_GAP].value, log(2.0) / 2.0, 1e-3);
    T_CLOSE(m[SL_DRIFT_LOGIT_GAP].se, log(2.0) / 2.0, 1e-3);
    m = d.row[1].mean;
    T_CLOSE(m[SL_DRIFT_TOP_GAP].value, 0.5, TOL_F64);
    assert_true(isnan(m[SL_DRIFT_LOGIT_GAP].value)); /* infinite */
    T_CLOSE(m[SL_DRIFT_VARENTROPY].value, 0.0, TOL_F64);
    sl_drift_close(&d);
}

static void random_law(double *p, sl_rng *rng)
{
    double sum = 0.0;

    for (size_t v = 0; v < WIDE; v++)
        sum += p[v] = exp(2.0 * sl_rng_normal(rng));
    for (size_t v = 0; v < WIDE; v++)
        p[v] /= sum;
}

/* KL(p, q), and what rounding to half precision, relative error 2^-11 of each ln, does to it to
 * first order (docs/math.md C5). */
static double kl_and_error(double *error, const double *p, const double *q)
{
    double kl = 0.0;

    *error = 0.0;
    for (size_t v = 0; v < WIDE; v++)
        kl += p[v] * log(p[v] / q[v]);
    for (size_t v = 0; v < WIDE; v++)
        *error += 0x1p-11 * (p[v] * fabs(log(p[v])) * fabs(log(p[v] / q[v]) - kl) +
                             fabs(p[v] - q[v]) * fabs(log(q[v])));
    return kl;
}

static void test_kl_within_its_stated_error(void **state)
{
    char path[4096];
    double p[WIDE], q[WIDE], error, kl;
    sl_rng rng = sl_rng_at(5, sl_rng_stream("test"), 0);

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        sl_run *run = begin_run(path, WIDE);
        sl_reader *reader;
        sl_drift d;

        random_law(q, &rng);
        random_law(p, &rng);
        put_law(run, 1, 7, q, WIDE);
        put_law(run, 2, 7, p, WIDE);
        T_OK(sl_run_commit(run, SL_UNIT_UPDATE, 2));
        T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
        reader = read_run(path);
        T_OK(sl_drift_run(&d, reader));
        kl = kl_and_error(&error, p, q);
        assert_true(error < 0.02 * kl);
        assert_true(fabs(d.row[1].mean[SL_DRIFT_KL_PREVIOUS].value - kl) < 1.05 * error);
        sl_drift_close(&d);
        sl_reader_close(&reader);
        t_scratch_remove();
    }
}

/* --- entropy along answers ---------------------------------------------------------------------
 */

static void put_top(sl_run *run, const sl_row_pairs *pair, uint32_t pos, const double *p, double H)
{
    static const uint32_t id[] = { 4, 9 };
    const float logp[] = { (float)log(p[0]), (float)log(p[1]) };
    const void *wide[] = { id, logp };
    const sl_row_tokens token = {
        .step = pair->step, .pair_id = pair->pair_id, .pos = pos, .entropy = (float)H
    };
    const sl_row_topk top = {
        .step = pair->step, .pair_id = pair->pair_id, .pos = pos, .rest = (float)(1.0 - p[0] - p[1])
    };

    T_OK(sl_run_row(run, SL_TABLE_TOKENS, &token, NULL));
    if (pair->pair_id != 3) /* a pair without top-k between two that have it */
        T_OK(sl_run_row(run, SL_TABLE_TOPK, &top, wide));
}

/* Vocabulary 64, k = 2: 1/2, 1/4 and 1/4 on one token more, or on the 62 others alike. */
static void test_entropy_of_the_likeliest_tokens(void **state)
{
    static const double p[] = { 0.5, 0.25 };
    const double low = 1.5 * log(2.0), high = low + 0.25 * log(62.0);
    char path[4096];
    sl_run *run = begin_run(path, WIDE);
    sl_reader *reader;
    sl_spread s;

    (void)state;
    for (int64_t step = 1; step <= 2; step++) {
        for (uint64_t id = 2; id <= 4; id++) {
            const sl_row_pairs pair = { .step = step,
                                        .pair_id = id,
                                        .iteration = (uint32_t)step - 1,
                                        .source = SL_ORIGIN_ON_POLICY };

            T_OK(sl_run_row(run, SL_TABLE_PAIRS, &pair, NULL));
            for (uint32_t pos = 0; pos < 9; pos++) /* the last one by itself */
                put_top(run, &pair, pos, p, pos == 8 ? 7.0 : id == 4 ? high : low);
        }
        T_OK(sl_run_commit(run, SL_UNIT_UPDATE, step));
    }
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    reader = read_run(path);
    T_OK(sl_spread_run(&s, reader));
    assert_int_equal(s.count, 4); /* two iterations, two places */
    assert_int_equal(s.row[2].iteration, 1);
    assert_int_equal(s.row[2].source, SL_ORIGIN_ON_POLICY);
    assert_int_equal(s.row[2].side, 0);
    assert_int_equal(s.row[2].tokens, 16);
    assert_int_equal(s.row[2].low.used, 2);
    T_CLOSE(s.row[2].low.value, low, 1e-3);
    T_CLOSE(s.row[2].high.value, high, 1e-3);
    T_CLOSE(s.row[2].rest.value, 0.25, TOL_EXACT);
    T_CLOSE(s.row[2].entropy.value, (low + high) / 2.0, TOL_4ULP);
    T_CLOSE(s.row[2].entropy.se, (high - low) / 2.0, TOL_4ULP);
    assert_int_equal(s.row[3].place, 1);
    assert_int_equal(s.row[3].tokens, 2);
    T_CLOSE(s.row[3].entropy.value, 7.0, TOL_EXACT);
    sl_spread_close(&s);
    sl_reader_close(&reader);
    t_scratch_remove();
}

/* --- alignment -------------------------------------------------------------------------------- */

static void test_alignment_by_group(void **state)
{
    static const double cosine[] = { 0.8, 0.6, 0.2, -0.2 };
    char path[4096];
    sl_run *run = begin_run(path, VOCAB);
    sl_reader *reader;
    sl_alignment a;
    uint16_t group[2];

    (void)state;
    T_OK(sl_run_name(run, &group[0], SL_NAME_GROUP, "all"));
    T_OK(sl_run_name(run, &group[1], SL_NAME_GROUP, "head"));
    for (int64_t step = 1; step <= 8; step++) {
        const sl_row_steps s = { .step = step, .pairs = 8 };

        T_OK(sl_run_row(run, SL_TABLE_STEPS, &s, NULL));
        for (size_t k = 0; k < 2; k++) {
            sl_row_grad_groups g = { .step = step, .group = group[k], .norm = 2 };

            g.norm_static = g.norm_on = g.cos_static_on = g.norm_c = g.norm_r = g.cos_c_r =
                g.sq_small = NAN;
            if (step % 2 == 0) { /* only every other update is split */
                g.norm_static = 1;
                g.cos_static_on = (float)cosine[step / 2 - 1] * (k ? 0.5f : 1.0f);
                g.cos_c_r = -0.5;
                g.sq_small = 6;
                g.shard_pairs = 2;
            }
            T_OK(sl_run_row(run, SL_TABLE_GRAD_GROUPS, &g, NULL));
        }
        T_OK(sl_run_commit(run, SL_UNIT_UPDATE, step));
    }
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    reader = read_run(path);
    T_OK(sl_alignment_run(&a, reader));
    assert_int_equal(a.count, 8);
    assert_int_equal(a.groups, 2);
    assert_string_equal(a.group[1].name, "head");
    T_CLOSE(a.group[0].early.value, 0.7, TOL_4ULP);
    T_CLOSE(a.group[0].late.value, 0.0, TOL_4ULP);
    T_CLOSE(a.group[1].early.value, 0.35, TOL_4ULP);
    T_CLOSE(a.group[0].chosen_rejected.value, -0.5, TOL_4ULP);
    /* G2 = (8*4 - 2*6)/6, S = (6 - 4)/(1/2 - 1/8) */
    T_CLOSE(a.row[0].noise_scale, (2.0 / 0.375) / (20.0 / 6.0), TOL_F64);
    sl_alignment_close(&a);
    sl_reader_close(&reader);
    t_scratch_remove();
}

/* --- the ledger ------------------------------------------------------------------------------- */

static double number(const sl_json *tree, const char *key)
{
    double value = NAN;

    T_OK(sl_json_f64(&value, tree, key));
    return value;
}

static void test_every_visit_of_a_pair(void **state)
{
    char path[4096];
    sl_run *run = begin_run(path, VOCAB);
    sl_reader *reader;
    sl_json *document;
    const sl_json *visits, *second;

    (void)state;
    for (int64_t step = 1; step <= 3; step++) {
        const sl_row_pairs seen = { .step = step,
                                    .pair_id = UINT64_MAX - 1, /* beyond a number of JSON */
                                    .logp_c = -2.5 * (double)step,
                                    .loss = 0.125,
                                    .score_c = NAN,
                                    .tok_c = 4,
                                    .visit = (uint32_t)step - 1,
                                    .flags = step == 2 ? SL_FLAG_CUT_CHOSEN | SL_FLAG_NO_EOS : 0,
                                    .source = SL_ORIGIN_ON_POLICY };
        const sl_row_pairs other = { .step = step, .pair_id = 5 };

        T_OK(sl_run_row(run, SL_TABLE_PAIRS, &other, NULL));
        if (step != 3)
            T_OK(sl_run_row(run, SL_TABLE_PAIRS, &seen, NULL));
        T_OK(sl_run_commit(run, SL_UNIT_UPDATE, step));
    }
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    reader = read_run(path);
    T_OK(sl_pair_json(&document, reader, UINT64_MAX - 1));
    assert_string_equal(json_string_value(json_object_get(document, "pair")),
                        "18446744073709551614");
    visits = json_object_get(document, "visits");
    assert_int_equal(json_array_size(visits), 2);
    second = json_array_get(visits, 1);
    T_CLOSE(number(second, "logp_chosen"), -5.0, TOL_EXACT);
    T_CLOSE(number(second, "loss"), 0.125, TOL_EXACT);
    T_CLOSE(number(second, "visit"), 1, TOL_EXACT);
    assert_true(json_is_null(json_object_get(second, "score_chosen")));
    assert_string_equal(json_string_value(json_object_get(second, "source")), "on_policy");
    assert_int_equal(json_array_size(json_object_get(second, "flags")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(second, "flags"), 0)),
                        "chosen-cut");
    sl_json_close(&document);
    T_FAILS(sl_pair_json(&document, reader, 77), SL_EARG, "found none with id 77 among 5 visits");
    sl_reader_close(&reader);
    t_scratch_remove();
}

static void test_tables_and_document(void **state)
{
    static const char *const names[] = { "whatif.tsv",    "displacement.tsv", "probe.tsv",
                                         "alignment.tsv", "noise.tsv",        "geometry.tsv",
                                         "influence.tsv", "entropy.tsv" };
    char path[4096], table[4200];
    sl_insight insight;
    sl_reader *reader;
    sl_json *tree = json_object();

    (void)state;
    write_planted(path, all_fall);
    reader = read_run(path);
    T_OK(sl_insight_run(&insight, reader));
    T_OK(sl_insight_tables(path, &insight));
    T_OK(sl_insight_json(tree, &insight));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(table, sizeof table, "%s/%s", path, names[i]);
        assert_true(sl_file_exists(table));
    }
    assert_true(json_is_false(json_object_get(json_object_get(tree, "displacement"), "benign")));
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(tree, "displacement"), "windows")),
        SL_DISPLACEMENT_WINDOWS);
    sl_json_close(&tree);
    sl_insight_close(&insight);
    sl_reader_close(&reader);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_causes_are_named),
        cmocka_unit_test(test_columns_of_a_window),
        cmocka_unit_test(test_no_reference_is_unknown),
        cmocka_unit_test(test_drift_between_checkpoints),
        cmocka_unit_test(test_shape_of_laws),
        cmocka_unit_test(test_kl_within_its_stated_error),
        cmocka_unit_test(test_entropy_of_the_likeliest_tokens),
        cmocka_unit_test(test_alignment_by_group),
        cmocka_unit_test(test_every_visit_of_a_pair),
        cmocka_unit_test(test_tables_and_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
