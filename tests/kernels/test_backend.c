#include "harness/harness.h"
#include "kernels/backend.h"
#include <string.h>

static void test_every_slot_is_named_and_filled(void **state)
{
    static const char *const names[] = { "ref", "cpu" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const sl_backend *b = NULL;
        void (*slot[SL_OP_COUNT])(void);

        T_OK(sl_backend_open(&b, names[i], 1));
        assert_string_equal(b->name, names[i]);
        assert_int_equal(b->threads, 1);
        assert_non_null(strstr(b->blas, "OpenBLAS"));
        assert_non_null(b->isa);
        memcpy(slot, b->ops, sizeof slot);
        for (size_t op = 0; op < SL_OP_COUNT; op++) {
            assert_non_null(slot[op]);
            assert_non_null(sl_op_names[op]);
        }
    }
    assert_string_equal(sl_op_names[0], "linear_fwd");
    assert_string_equal(sl_op_names[offsetof(sl_ops, sample) / sizeof(void (*)(void))], "sample");
    assert_string_equal(sl_op_names[offsetof(sl_ops, max_abs) / sizeof(void (*)(void))], "max_abs");
    assert_string_equal(sl_op_names[SL_OP_COUNT - 1], "count_sketch");
}

static void test_cpu_overrides_and_ref_does_not(void **state)
{
    const sl_backend *ref = NULL, *cpu = NULL;

    (void)state;
    T_OK(sl_backend_open(&ref, "ref", 0));
    T_OK(sl_backend_open(&cpu, "cpu", 0));
    assert_true(cpu->threads > 0);
    assert_true(ref->ops->linear_fwd == sl_ref_ops()->linear_fwd);
    assert_true(ref->ops->linear_fwd != cpu->ops->linear_fwd);
}

static void test_refusals(void **state)
{
    const sl_backend *b = NULL;

    (void)state;
    T_FAILS(sl_backend_open(&b, "cpi", 1), SL_EARG, "found \"cpi\"");
    T_FAILS(sl_backend_open(&b, "cpi", 1), SL_EARG, "did you mean \"cpu\"?");
    T_FAILS(sl_backend_open(&b, "cpu", -1), SL_EARG, "found -1");
    T_FAILS(sl_backend_open(&b, "cuda", 1), SL_EDEVICE,
            "want a CUDA device, found a build without CUDA");
    assert_null(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_slot_is_named_and_filled),
        cmocka_unit_test(test_cpu_overrides_and_ref_does_not),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
