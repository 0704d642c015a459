/* What-if losses: reference values of eleven checkpoints, the losses of the training room, slopes
 * by finite differences, and the table of a record written here. */
#include "analysis/whatif.h"
#include "base/alloc.h"
#include "base/file.h"
#include "harness/harness.h"
#include "run/arrays.h"
#include "run/run.h"
#include "train/loss.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- against the training room ---------------------------------------------------------------- */

static sl_logps random_pair(sl_rng *rng)
{
    const double tok_c = 1 + sl_rng_below(rng, 200), tok_r = 1 + sl_rng_below(rng, 200);

    return (sl_logps){ -tok_c * sl_rng_uniform(rng) * 4.0,
                       -tok_r * sl_rng_uniform(rng) * 4.0,
                       -tok_c * sl_rng_uniform(rng) * 4.0,
                       -tok_r * sl_rng_uniform(rng) * 4.0,
                       tok_c,
                       tok_r };
}

static void check_against(const sl_loss *want, const sl_whatif_loss *got, const sl_logps *p,
                          const sl_whatif_settings *set)
{
    const sl_loss_settings s = { .beta = set->beta,
                                 .delta = set->delta,
                                 .lambda = set->lambda,
                                 .gamma = set->gamma,
                                 .smoothing =
                                     strcmp(want->name, "cdpo") && strcmp(want->name, "robust")
                                         ? 0.0
                                         : set->smoothing };
    const double n_c = got->is_mean ? p->tok_c : 1.0, n_r = got->is_mean ? p->tok_r : 1.0;
    const sl_loss_pair reduced = {
        .c = p->c / n_c, .r = p->r / n_r, .ref_c = p->ref_c / n_c, .ref_r = p->ref_r / n_r
    };
    const sl_loss_value w = want->pair(&reduced, &s);
    const sl_whatif_value g = sl_whatif_of(got, p, set);

    T_CLOSE(g.loss, w.loss, TOL_F64);
    T_CLOSE(g.margin, w.margin, TOL_F64);
    T_CLOSE(g.coef_c, w.coef_c / n_c, TOL_F64);
    T_CLOSE(g.coef_r, w.coef_r / n_r, TOL_F64);
}

/* A pairwise loss that training gets and this table does not is found here. */
static void test_every_pairwise_loss_of_training(void **state)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream("whatif"), 0);
    size_t pairwise = 0;

    (void)state;
    for (const char *const *name = sl_loss_names(); *name; name++) {
        const sl_loss *want;
        const sl_whatif_loss *got = sl_whatif_find(*name);

        T_OK(sl_loss_find(&want, *name));
        if (!want->is_pairwise || want->needs_target) /* the record has no third answer */
            continue;
        assert_non_null(got);
        assert_int_equal(got->needs_reference, want->needs_reference);
        assert_int_equal(got->is_mean, want->reduction == SL_LOSS_MEAN);
        assert_int_equal(got->has_beta, !!(want->parameters & SL_LOSS_BETA));
        for (int i = 0; i < 200; i++) {
            const sl_logps p = random_pair(&rng);
            const sl_whatif_settings set = { .beta = 0.01 + sl_rng_uniform(&rng),
                                             .delta = 2.0 * sl_rng_uniform(&rng),
                                             .lambda = sl_rng_uniform(&rng),
                                             .gamma = sl_rng_uniform(&rng),
                                             .smoothing = 0.4 * sl_rng_uniform(&rng) };

            check_against(want, got, &p, &set);
        }
        pairwise++;
    }
    assert_int_equal(pairwise, sl_whatif_loss_count);
}

/* --- slopes and saturation -------------------------------------------------------------------- */

static double loss_at(const sl_whatif_loss *loss, sl_logps p, double dc, double dr)
{
    const sl_whatif_settings set = sl_whatif_defaults();

    p.c += dc;
    p.r += dr;
    return sl_whatif_of(loss, &p, &set).loss;
}

static void test_coefficients_are_slopes(void **state)
{
    const sl_whatif_settings set = sl_whatif_defaults();
    const double h = 1e-5;
    sl_rng rng = sl_rng_at(2, sl_rng_stream("whatif"), 0);

    (void)state;
    for (size_t k = 0; k < sl_whatif_loss_count; k++)
        for (int i = 0; i < 20; i++) {
            const sl_whatif_loss *loss = &sl_whatif_losses[k];
            const sl_logps p = random_pair(&rng);
            const sl_whatif_value v = sl_whatif_of(loss, &p, &set);

            T_CLOSE(v.coef_c, (loss_at(loss, p, h, 0) - loss_at(loss, p, -h, 0)) / (2 * h), TOL_FD);
            T_CLOSE(v.coef_r, (loss_at(loss, p, 0, h) - loss_at(loss, p, 0, -h)) / (2 * h), TOL_FD);
        }
}

static void test_push_is_one_at_the_start_and_goes_out(void **state)
{
    const sl_whatif_settings set = sl_whatif_defaults();
    const sl_logps start = { -20, -20, -20, -20, 10, 10 }, far = { 200, -400, -20, -20, 10, 10 };
    const sl_whatif_loss *dpo = sl_whatif_find("dpo"), *hinge = sl_whatif_find("hinge");

    (void)state;
    for (size_t k = 0; k < sl_whatif_loss_count; k++)
        T_CLOSE(sl_whatif_push(&sl_whatif_losses[k], &start, &set), 1.0, TOL_F64);
    /* sigmoid(-m)/sigmoid(0), m = .1 * 600 */
    T_CLOSE(sl_whatif_push(dpo, &far, &set) * exp(60.0), 2.0 / (1.0 + exp(-60.0)), 1e-9);
    T_CLOSE(sl_whatif_push(hinge, &far, &set), 0.0, TOL_EXACT);
}

static void test_extreme_margins_stay_finite(void **state)
{
    const sl_whatif_settings set = sl_whatif_defaults();
    const double size[] = { 1e4, -1e4, 1e6, -1e6 };

    (void)state;
    for (size_t k = 0; k < sl_whatif_loss_count; k++)
        for (size_t i = 0; i < 4; i++) {
            const sl_logps p = {
                -1e6 + fmin(size[i], 0), -1e6 - fmax(size[i], 0), -1e6, -1e6, 3, 4
            };
            const sl_whatif_value v = sl_whatif_of(&sl_whatif_losses[k], &p, &set);

            assert_true(isfinite(v.loss) && isfinite(v.coef_c) && isfinite(v.coef_r));
        }
}

/* --- a record --------------------------------------------------------------------------------- */

enum { PAIRS = 40 };
#define BETA 0.25

static sl_row_pairs pair_row(sl_rng *rng, size_t i)
{
    const sl_logps p = random_pair(rng);
    const double m = BETA * ((p.c - p.ref_c) - (p.r - p.ref_r));

    return (sl_row_pairs){ .step = 1,
                           .pair_id = 1 + i,
                           .logp_c = p.c,
                           .logp_r = p.r,
                           .ref_logp_c = p.ref_c,
                           .ref_logp_r = p.ref_r,
                           .tok_c = (uint32_t)p.tok_c,
                           .tok_r = (uint32_t)p.tok_r,
                           .margin = m,
                           .loss = log1p(exp(-m)),
                           .coef_c = -BETA / (1.0 + exp(m)),
                           .coef_r = BETA / (1.0 + exp(m)) };
}

static void write_run(char *path, double wrong_by)
{
    sl_run_settings settings = sl_run_settings_defaults();
    sl_json *about = json_pack("{s:{s:s, s:f}}", "loss", "name", "dpo", "beta", BETA);
    sl_rng rng = sl_rng_at(3, sl_rng_stream("whatif"), 0);
    sl_run *run;

    T_OK(sl_file_join(path, 4096, t_scratch(), "run"));
    settings.min_free_bytes = 0;
    T_OK(sl_run_create(&run, path, about, NULL, &settings));
    for (size_t i = 0; i < PAIRS; i++) {
        sl_row_pairs row = pair_row(&rng, i);

        row.loss += i == 7 ? wrong_by : 0.0;
        T_OK(sl_run_row(run, SL_TABLE_PAIRS, &row, NULL));
    }
    T_OK(sl_run_commit(run, SL_UNIT_UPDATE, 1));
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    sl_json_close(&about);
}

static void read_run(sl_whatif *w, const char *path)
{
    sl_reader *reader;

    T_OK(sl_reader_open(&reader, path));
    T_OK(sl_whatif_run(w, reader));
    sl_reader_close(&reader);
}

static const sl_whatif_row *row_of(const sl_whatif *w, const char *name, double beta)
{
    for (size_t i = 0; i < w->count; i++)
        if (!strcmp(w->row[i].loss->name, name) && w->row[i].beta == beta)
            return &w->row[i];
    fail_msg("want a row %s at beta %g, found none", name, beta);
    return NULL;
}

static void test_rows_of_a_record(void **state)
{
    char path[4096];
    sl_whatif w;
    sl_rng rng = sl_rng_at(3, sl_rng_stream("whatif"), 0);
    const sl_whatif_row *own, *hinge;
    double mean = 0.0, hinge_mean = 0.0, off = 0.0;

    (void)state;
    write_run(path, 0.0);
    read_run(&w, path);
    for (size_t i = 0; i < PAIRS; i++) {
        const sl_row_pairs p = pair_row(&rng, i);
        const double rest = 1.0 - p.margin / BETA * 0.1;

        mean += p.loss / PAIRS;
        hinge_mean += fmax(rest, 0.0) / PAIRS;
        off += (rest <= 0.0) / (double)PAIRS;
    }
    own = row_of(&w, "dpo", BETA);
    hinge = row_of(&w, "hinge", 0.1);
    assert_true(own->is_own && !hinge->is_own);
    assert_int_equal(own->pairs, PAIRS);
    T_CLOSE(own->mean_loss, mean, TOL_F64);
    T_CLOSE(own->corr_loss, 1.0, TOL_F64);
    T_CLOSE(own->corr_coef, 1.0, TOL_F64);
    T_CLOSE(hinge->mean_loss, hinge_mean, TOL_F64);
    T_CLOSE(hinge->saturated, off, TOL_F64);
    T_CLOSE(hinge->mean_coef, 0.1 * (1.0 - off), TOL_F64);
    assert_true(off > 0.1 && off < 0.9); /* both kinds occur */
    T_CLOSE(w.largest_difference, 0.0, TOL_F64);
    sl_whatif_close(&w);
    t_scratch_remove();
}

static void test_a_wrong_recorded_loss_is_seen(void **state)
{
    char path[4096];
    sl_whatif w;

    (void)state;
    write_run(path, 1e-3);
    read_run(&w, path);
    T_CLOSE(w.largest_difference, 1e-3, 1e-9);
    sl_whatif_close(&w);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pairwise_loss_of_training),
        cmocka_unit_test(test_coefficients_are_slopes),
        cmocka_unit_test(test_push_is_one_at_the_start_and_goes_out),
        cmocka_unit_test(test_extreme_margins_stay_finite),
        cmocka_unit_test(test_rows_of_a_record),
        cmocka_unit_test(test_a_wrong_recorded_loss_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
