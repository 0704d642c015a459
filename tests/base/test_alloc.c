#include "harness/fault.h"
#include "harness/harness.h"
#include "base/alloc.h"
#include <string.h>

static void test_take_is_zeroed_and_counted(void **state)
{
    const size_t before = sl_alloc_count();
    double *x = NULL;

    (void)state;
    T_OK(sl_take(&x, 1000, sizeof *x));
    for (size_t i = 0; i < 1000; i++)
        assert_true(x[i] == 0.0);
    assert_int_equal(sl_alloc_count(), before + 1);
    sl_free(x);
    sl_free(NULL);
    assert_int_equal(sl_alloc_count(), before + 1);
}

static void test_aligned_take(void **state)
{
    (void)state;
    for (size_t align = 16; align <= 4096; align *= 2)
        for (size_t bytes = 0; bytes <= 130; bytes += 13) {
            unsigned char *p = sl_alloc_get()->take(bytes, align);

            assert_non_null(p);
            assert_int_equal((uintptr_t)p % align, 0);
            for (size_t i = 0; i < bytes; i++)
                assert_int_equal(p[i], 0);
            sl_free(p);
        }
    assert_null(sl_alloc_get()->take(SIZE_MAX - 8, 64));
}

static void test_overflow_is_refused(void **state)
{
    void *p = &p;
    size_t product = 7;

    (void)state;
    T_FAILS(sl_take(&p, SIZE_MAX / 2, 3), SL_ENOMEM, "bytes");
    assert_null(p);
    T_OK(sl_mul(&product, SIZE_MAX / 3, 3));
    assert_true(product == SIZE_MAX / 3 * 3);
    T_OK(sl_mul(&product, 0, SIZE_MAX));
    assert_int_equal(product, 0);
    T_FAILS(sl_mul(&product, SIZE_MAX / 2 + 1, 2), SL_EARG, "want a size below");
}

static void test_grow_keeps_contents(void **state)
{
    int32_t *list = NULL;
    size_t room = 0;

    (void)state;
    for (int32_t i = 0; i < 1000; i++) {
        T_OK(sl_grow(&list, &room, (size_t)i + 1, sizeof *list));
        assert_true(room > (size_t)i);
        list[i] = i;
    }
    for (int32_t i = 0; i < 1000; i++)
        assert_int_equal(list[i], i);
    T_FAILS(sl_grow(&list, &room, SIZE_MAX / 2, sizeof *list), SL_ENOMEM, "bytes");
    assert_int_equal(list[999], 999);
    sl_free(list);
}

/* n appends cost far fewer than n resizes */
static void test_grow_is_amortised(void **state)
{
    const size_t before = sl_alloc_count();
    char *text = NULL;
    size_t room = 0;

    (void)state;
    for (size_t i = 1; i <= 100000; i++)
        T_OK(sl_grow(&text, &room, i, 1));
    assert_true(sl_alloc_count() - before < 20);
    sl_free(text);
}

static void test_fault_table_fails_the_nth(void **state)
{
    char *a = NULL, *b = NULL;

    (void)state;
    t_fault_begin(1, 0);
    T_OK(sl_strdup(&a, "one"));
    T_FAILS(sl_strdup(&b, "two"), SL_ENOMEM, "found none");
    assert_null(b);
    T_OK(sl_strdup(&b, "two"));
    assert_string_equal(b, "two");
    assert_int_equal(t_fault_held(), 2);
    sl_free(a);
    sl_free(b);
    assert_int_equal(t_fault_held(), 0);
    assert_int_equal(t_fault_end(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_is_zeroed_and_counted),
        cmocka_unit_test(test_aligned_take),
        cmocka_unit_test(test_overflow_is_refused),
        cmocka_unit_test(test_grow_keeps_contents),
        cmocka_unit_test(test_grow_is_amortised),
        cmocka_unit_test(test_fault_table_fails_the_nth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
