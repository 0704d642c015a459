#include "harness/harness.h"
#include "base/rng.h"
#include <string.h>

/* Known answers of Random123 (tests/kat_vectors, "philox4x32 10"). */
static void test_philox_known_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } rows[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
          { 0xffffffff, 0xffffffff },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
          { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t out[4];

        sl_philox(out, rows[i].counter, rows[i].key);
        assert_memory_equal(out, rows[i].want, sizeof out);
    }
}

/* The layout that rng.h promises: seed 0, stream 0, step 0 is counter (block,0,0,0), key 0. */
static void test_stream_layout(void **state)
{
    const uint64_t seed = 0x1122334455667788, stream = 0x99aabbccddeeff00, step = 0x1234;
    const uint32_t key[2] = { 0x55667788, 0x11223344 };
    sl_rng rng = sl_rng_at(seed, stream, step), zero = sl_rng_at(0, 0, 0);

    (void)state;
    assert_int_equal(sl_rng_u32(&zero), 0x6627e8d5);
    assert_int_equal(sl_rng_u32(&zero), 0xe169c58d);
    for (uint32_t block = 0; block < 3; block++) {
        const uint32_t counter[4] = { block, 0x1234, 0xddeeff00, 0x99aabbcc };
        uint32_t want[4];

        sl_philox(want, counter, key);
        for (int i = 0; i < 4; i++)
            assert_int_equal(sl_rng_u32(&rng), want[i]);
    }
}

static void test_streams_and_steps_differ(void **state)
{
    const uint64_t a = sl_rng_stream("habit"), b = sl_rng_stream("order");
    uint64_t ids[2000];

    (void)state;
    assert_true(a != b);
    assert_true(a == sl_rng_stream("habit"));
    for (uint64_t i = 0; i < 2000; i++) {
        sl_rng rng = sl_rng_at(1, i < 1000 ? sl_rng_substream(a, i) : b, i);
        const uint64_t high = sl_rng_u32(&rng);

        ids[i] = high << 32 | sl_rng_u32(&rng);
        for (uint64_t j = 0; j < i; j++)
            assert_true(ids[i] != ids[j]);
    }
}

/* Chi-square of 256 cells: mean 255, deviation sqrt(2*255) = 22.6; five deviations either way. */
static void check_cells(const size_t cells[256], size_t n)
{
    const double want = (double)n / 256;
    double sum = 0.0;

    for (size_t i = 0; i < 256; i++)
        sum += ((double)cells[i] - want) * ((double)cells[i] - want) / want;
    assert_true(sum > 255 - 5 * 22.6 && sum < 255 + 5 * 22.6);
}

static void test_uniform_is_uniform(void **state)
{
    enum { N = 256000 };
    sl_rng rng = sl_rng_at(3, sl_rng_stream("test uniform"), 0);
    size_t high[256] = { 0 }, low[256] = { 0 }, below[256] = { 0 };

    (void)state;
    for (size_t i = 0; i < N; i++) {
        const double u = sl_rng_uniform(&rng);
        const uint64_t bits = (uint64_t)(u * 0x1p53);

        assert_true(u >= 0.0 && u < 1.0);
        high[bits >> 45]++;
        low[bits & 255]++; /* the last of the 53 bits are random too */
        below[sl_rng_below(&rng, 256 * 3) / 3]++;
    }
    check_cells(high, N);
    check_cells(low, N);
    check_cells(below, N);
}

/* Moments against theory, five standard errors: normal (0, 1, kurtosis 3); Gumbel mean Euler's
 * constant, variance pi^2/6. */
static void test_moments(void **state)
{
    enum { N = 200000 };
    sl_rng rng = sl_rng_at(4, sl_rng_stream("test moments"), 0);
    double sum = 0.0, squares = 0.0, fourth = 0.0, gumbel = 0.0, gumbel_squares = 0.0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        const double z = sl_rng_normal(&rng), g = sl_rng_gumbel(&rng);

        assert_true(isfinite(z) && isfinite(g));
        sum += z;
        squares += z * z;
        fourth += z * z * z * z;
        gumbel += g;
        gumbel_squares += (g - 0.57721566490153286) * (g - 0.57721566490153286);
    }
    assert_true(fabs(sum / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(squares / N - 1.0) < 5 * sqrt(2.0 / N));
    assert_true(fabs(fourth / N - 3.0) < 5 * sqrt(96.0 / N));
    assert_true(fabs(gumbel / N - 0.57721566490153286) < 5 * sqrt(1.6449340668 / N));
    /* variance of the squared deviation: (5.4 - 1) * (pi^2/6)^2, kurtosis 5.4 */
    assert_true(fabs(gumbel_squares / N - 1.6449340668) < 5 * 1.6449340668 * sqrt(4.4 / N));
}

static void test_below_covers_its_range(void **state)
{
    sl_rng rng = sl_rng_at(5, 1, 0);

    (void)state;
    for (uint32_t n = 1; n < 40; n++) {
        uint64_t seen = 0;

        for (int i = 0; i < 2000; i++) {
            const uint32_t x = sl_rng_below(&rng, n);

            assert_true(x < n);
            seen |= UINT64_C(1) << x;
        }
        assert_true(seen == (UINT64_C(1) << n) - 1);
    }
    for (int i = 0; i < 100; i++)
        assert_true(sl_rng_below(&rng, 0xffffffff) < 0xffffffff);
}

static void test_shuffle_is_a_permutation(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 17, 1000 };
    sl_rng rng = sl_rng_at(6, 1, 0);

    (void)state;
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        uint32_t index[1000];
        char seen[1000] = { 0 };

        for (uint32_t i = 0; i < sizes[k]; i++)
            index[i] = i;
        sl_rng_shuffle(&rng, index, sizes[k]);
        for (size_t i = 0; i < sizes[k]; i++) {
            assert_true(index[i] < sizes[k] && !seen[index[i]]);
            seen[index[i]] = 1;
        }
    }
}

/* All 24 orders of 4 are equally likely: chi-square with 23 degrees, deviation sqrt(46) = 6.8. */
static void test_shuffle_is_fair(void **state)
{
    enum { N = 48000 };
    sl_rng rng = sl_rng_at(7, 1, 0);
    size_t seen[256] = { 0 };
    double sum = 0.0;

    (void)state;
    for (int i = 0; i < N; i++) {
        uint32_t x[4] = { 0, 1, 2, 3 };

        sl_rng_shuffle(&rng, x, 4);
        seen[x[0] | x[1] << 2 | x[2] << 4 | x[3] << 6]++;
    }
    for (int i = 0; i < 256; i++)
        if (seen[i])
            sum += ((double)seen[i] - N / 24.0) * ((double)seen[i] - N / 24.0) / (N / 24.0);
    assert_true(sum < 23 + 5 * 6.8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_stream_layout),
        cmocka_unit_test(test_streams_and_steps_differ),
        cmocka_unit_test(test_uniform_is_uniform),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_below_covers_its_range),
        cmocka_unit_test(test_shuffle_is_a_permutation),
        cmocka_unit_test(test_shuffle_is_fair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
