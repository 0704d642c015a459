/* Records with planted sketches: geometry, noise, drift and influence must be what arithmetic by
 * hand gives. */
#include "analysis/gradients.h"
#include "base/file.h"
#include "harness/harness.h"
#include "run/run.h"

enum { SKETCH = 4, UPDATES = 4 };

typedef struct planted {
    int64_t step;
    uint8_t source;
    float sketch[SKETCH];
} planted;

static const planted rows[] = {
    { 2, SL_ORIGIN_STATIC, { 2, 0, 0, 0 } },     { 2, SL_ORIGIN_ON_POLICY, { 0, 2, 0, 0 } },
    { 2, SL_ORIGIN_ON_POLICY, { -1, 0, 0, 0 } }, { 2, SL_ORIGIN_STATIC, { 1, 1, 0, 0 } },
    { 2, SL_ORIGIN_OTHER, { 1, 0, 0, 0 } }, /* the probe set */
    { 2, SL_ORIGIN_OTHER, { 0, 0, 0, 8 } },      { 4, SL_ORIGIN_STATIC, { 0, 1, 0, 0 } },
    { 4, SL_ORIGIN_STATIC, { 0, 2, 0, 0 } },     { 4, SL_ORIGIN_STATIC, { 0, NAN, 0, 0 } },
};
#define ROWS (sizeof rows / sizeof rows[0])

/* Squared norm of the mean gradient: (1/2, 3/4), then (0, 3/2). */
static const double grad_sq[UPDATES] = { 1.0, 0.8125, 1.0, 2.25 };
static const double noise_s[UPDATES] = { 10.0, NAN, 20.0, 60.0 };
static const double noise_g2[UPDATES] = { 0.5, 1.0, -0.25, 0.25 };

static void put_row(sl_run *run, size_t i)
{
    const planted *p = &rows[i];
    const float groups[2] = { 1, 1 }, sides[SKETCH] = { 0 };
    const void *wide[] = { groups, groups, p->sketch, sides, sides };
    sl_row_pair_grad row = { .step = p->step, .pair_id = i + 1, .source = p->source };

    row.norm = (float)sqrt(t_dot(p->sketch, p->sketch, SKETCH)); /* as if nothing collided */
    row.cos_batch = 0.25f;
    T_OK(sl_run_row(run, SL_TABLE_PAIR_GRAD, &row, wide));
}

static sl_reader *write_run(int level)
{
    sl_run_settings settings = sl_run_settings_defaults();
    sl_json *about = json_object();
    sl_reader *reader = NULL;
    char path[4096];
    sl_run *run;

    T_OK(sl_file_join(path, sizeof path, t_scratch(), "run"));
    settings.min_free_bytes = 0;
    settings.level = level;
    settings.groups = 2;
    settings.sketch = SKETCH;
    T_OK(sl_run_create(&run, path, about, NULL, &settings));
    for (int64_t step = 1; step <= UPDATES; step++) {
        const sl_row_steps s = { .step = step,
                                 .grad_norm = sqrt(grad_sq[step - 1]),
                                 .noise_s = noise_s[step - 1],
                                 .noise_g2 = noise_g2[step - 1],
                                 .pairs = 4 };
        const sl_row_clock c = { .step = step,
                                 .step_s = 2.0f,
                                 .norms_s = 0.125f,
                                 .split_s = 0.25f,
                                 .pair_grad_s = step % 2 ? 0.0f : 1.0f };

        T_OK(sl_run_row(run, SL_TABLE_STEPS, &s, NULL));
        T_OK(sl_run_row(run, SL_TABLE_CLOCK, &c, NULL));
        for (size_t i = 0; i < ROWS; i++)
            if (rows[i].step == step)
                put_row(run, i);
        T_OK(sl_run_commit(run, SL_UNIT_UPDATE, step));
    }
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    sl_json_close(&about);
    T_OK(sl_reader_open(&reader, path));
    return reader;
}

static void check_first(const sl_geometry_row *r)
{
    const double root = sqrt(0.5), big = (2.0 + root) / 4.0, small = (2.0 - root) / 4.0;
    const double unit_sq = root * root + (1.0 + root) * (1.0 + root);

    assert_int_equal(r->step, 2);
    assert_int_equal(r->pairs, 4);
    assert_int_equal(r->pairs_on, 2);
    assert_int_equal(r->dropped, 0);
    assert_int_equal(r->probes, 2);
    T_CLOSE(r->norm, (2.0 + 2.0 + 1.0 + sqrt(2.0)) / 4.0, TOL_4ULP);
    T_CLOSE(r->geometry.diversity, 11.0 / 13.0, TOL_F64);
    T_CLOSE(r->geometry.mean_cosine, (unit_sq - 4.0) / 12.0, TOL_F64);
    T_CLOSE(r->geometry.resultant, sqrt(unit_sq) / 4.0, TOL_F64);
    T_CLOSE(r->geometry.snr, 0.8125 / (31.0 / 12.0 / 4.0), TOL_F64);
    T_CLOSE(r->conflict, 2.0 / 6.0, TOL_F64);
    T_CLOSE(r->vendi, exp(-big * log(big) - small * log(small)), TOL_F64);
    T_CLOSE(r->cos_static_on, -1.0 / sqrt(10.0 * 5.0), TOL_F64);
    T_CLOSE(r->noise.noise, 31.0 / 12.0, TOL_4ULP); /* trace of the covariance */
    T_CLOSE(r->noise.squared_gradient, 1.0 / 6.0, TOL_4ULP);
    T_CLOSE(r->cos_previous, NAN, TOL_F64);
    T_CLOSE(r->influence.value, -0.25, TOL_F64);
    T_CLOSE(r->influence_static.value, -0.75, TOL_F64);
    T_CLOSE(r->influence_on.value, 0.25, TOL_F64);
}

static void check_second(const sl_geometry_row *r)
{
    assert_int_equal(r->step, 4);
    assert_int_equal(r->pairs, 2);
    assert_int_equal(r->dropped, 1);
    T_CLOSE(r->conflict, 0.0, TOL_F64);
    T_CLOSE(r->vendi, 1.0, TOL_F64);
    T_CLOSE(r->cos_static_on, NAN, TOL_F64);
    T_CLOSE(r->noise.squared_gradient, 2.0, TOL_F64);
    T_CLOSE(r->cos_previous, 1.125 / (1.5 * sqrt(0.8125)), TOL_F64);
    T_CLOSE(r->cos_previous_corrected, 1.125 / sqrt(2.0 / 6.0), TOL_4ULP);
    T_CLOSE(r->influence.value, NAN, TOL_F64);
}

static void test_geometry_by_hand(void **state)
{
    sl_reader *reader = write_run(3);
    sl_gradients g;

    (void)state;
    T_OK(sl_gradients_run(&g, reader));
    assert_int_equal(g.geometries, 2);
    check_first(&g.geometry[0]);
    check_second(&g.geometry[1]);
    assert_int_equal(g.influences, 6);
    assert_true(g.influence[0].pair == 1 && g.influence[5].pair == 8);
    T_CLOSE(g.influence[0].influence, -1.0, TOL_F64);
    T_CLOSE(g.influence[2].influence, 0.5, TOL_F64);
    T_CLOSE(g.influence[5].influence, NAN, TOL_F64);
    sl_gradients_close(&g);
    sl_reader_close(&reader);
    t_scratch_remove();
}

/* S and G2 are averaged apart, newest with weight 1, those before by .95 each. */
static void test_noise_is_averaged_before_it_is_divided(void **state)
{
    sl_reader *reader = write_run(0);
    const double w = 1.0 + 0.95, both = 1.0 + 0.95 + 0.95 * 0.95;
    sl_gradients g;

    (void)state;
    T_OK(sl_gradients_run(&g, reader));
    assert_int_equal(g.noises, 3); /* update 2 has none */
    assert_int_equal(g.geometries, 0);
    T_CLOSE(g.noise[0].scale, 20.0, TOL_F64);
    T_CLOSE(g.noise[1].now.simple, NAN, TOL_F64); /* the noise dominates this update alone */
    T_CLOSE(g.noise[1].noise, (20.0 + 0.95 * 10.0) / w, TOL_F64);
    T_CLOSE(g.noise[1].scale, (20.0 + 0.95 * 10.0) / (-0.25 + 0.95 * 0.5), TOL_F64);
    T_CLOSE(g.noise[2].squared, (0.25 - 0.95 * 0.25 + 0.95 * 0.95 * 0.5) / both, TOL_F64);
    T_CLOSE(g.noise[2].noise, (60.0 + 0.95 * 20.0 + 0.95 * 0.95 * 10.0) / both, TOL_F64);
    T_CLOSE(g.norms, 0.125 / 2.0, TOL_F64);
    T_CLOSE(g.splits, 0.25 / 2.0, TOL_F64);
    T_CLOSE(g.pairs, 0.5 / 2.0, TOL_F64);
    T_CLOSE(g.cost, 0.875 / 2.0, TOL_F64);
    sl_gradients_close(&g);
    sl_reader_close(&reader);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geometry_by_hand),
        cmocka_unit_test(test_noise_is_averaged_before_it_is_divided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
