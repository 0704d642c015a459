/* The polynomials against double precision, at steps that visit every exponent. */
#include "harness/harness.h"
#include "kernels/cpu/vecmath.h"

/* Largest error of got against want, in units in the last place of want. */
static double ulps(float got, double want)
{
    const float w = (float)want;
    const double ulp = (double)nextafterf(fabsf(w), INFINITY) - (double)fabsf(w);

    return fabs((double)got - want) / ulp;
}

static void test_exp(void **state)
{
    double worst = 0.0;

    (void)state;
    for (float x = -87.0f; x < 88.7f; x += 1.0f / 4096)
        worst = fmax(worst, ulps(vec_exp(x), exp((double)x)));
    assert_true(worst < 1.5);
    for (float x = -103.0f; x < -87.0f; x += 1.0f / 256) /* denormal: absolute */
        T_CLOSE(vec_exp(x) * 1e30f, exp((double)x) * 1e30, TOL_4ULP);
    assert_true(vec_exp(0.0f) == 1.0f);
    assert_true(vec_exp(-INFINITY) == 0.0f);
    assert_true(vec_exp(-1e30f) == 0.0f);
    assert_true(isinf(vec_exp(89.0f)) && isinf(vec_exp(INFINITY)) && isinf(vec_exp(1e30f)));
    assert_true(isnan(vec_exp(NAN)));
}

static void test_sigmoid(void **state)
{
    double worst = 0.0;

    (void)state;
    for (float x = -86.0f; x < 100.0f; x += 1.0f / 4096)
        worst = fmax(worst, ulps(vec_sigmoid(x), 1.0 / (1.0 + exp(-(double)x))));
    assert_true(worst < 3.0);
    assert_true(vec_sigmoid(-1e30f) == 0.0f && vec_sigmoid(1e30f) == 1.0f);
    assert_true(isnan(vec_sigmoid(NAN)));
}

static void test_normal_cdf(void **state)
{
    double worst = 0.0;

    (void)state;
    for (float x = -1.0f; x < 8.0f; x += 1.0f / 4096)
        worst = fmax(worst, ulps(vec_normal_cdf(x), 0.5 * erfc(-(double)x * sqrt(0.5))));
    assert_true(worst < 4.0);
    for (float x = -20.0f; x < 8.0f; x += 1.0f / 4096) {
        const double want = 0.5 * erfc(-(double)x * sqrt(0.5));

        assert_true(fabs((double)vec_normal_cdf(x) - want) < 1.2e-7);
        assert_true(x < -5.0f || x > -1.0f || fabs((double)vec_normal_cdf(x) / want - 1.0) < 1e-4);
    }
    assert_true(vec_normal_cdf(0.0f) == 0.5f);
    assert_true(vec_normal_cdf(-1e30f) < 1e-30f && vec_normal_cdf(1e30f) == 1.0f);
    assert_true(isnan(vec_normal_cdf(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),
        cmocka_unit_test(test_sigmoid),
        cmocka_unit_test(test_normal_cdf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
