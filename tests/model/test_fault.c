/* The n-th allocation fails, once or from then on, for every n until none fires: the code is
 * SL_ENOMEM, nothing leaks, nothing half made is handed out. Paths that parse JSON are left out:
 * jansson's lexer loses characters when its memory ends. */
#include "harness/fault.h"
#include "model/sample.h"
#include "model_test.h"
#include <string.h>

#define TINY                                                                                       \
    "{\"model_type\":\"qwen3\",\"hidden_size\":4,\"num_attention_heads\":2,\"vocab_size\":5,"      \
    "\"num_key_value_heads\":1,\"head_dim\":2,\"intermediate_size\":2,\"num_hidden_layers\":2}"

static const sl_backend *backend;
static sl_model *whole;

static sl_status create(void)
{
    const sl_init init = { .seed = 1 };
    sl_model *m = NULL;
    sl_config c;
    sl_status st = sl_config_copy(&c, sl_model_config(whole));

    if (st == SL_OK)
        st = sl_model_create(&m, &c, backend, &init, 1);
    assert_true((st == SL_OK) == (m != NULL));
    sl_model_close(&m);
    return st;
}

static sl_status clone(void)
{
    sl_model *m = NULL;
    const sl_status st = sl_model_clone(&m, whole, 1);

    assert_true((st == SL_OK) == (m != NULL));
    sl_model_close(&m);
    return st;
}

static sl_status open_work(void)
{
    const sl_packed_limits limits = { 8, 1, 1, 8, 8 };
    sl_work *work = NULL;
    const sl_status st = sl_work_open(&work, sl_model_config(whole), backend, &limits, 1);

    assert_true((st == SL_OK) == (work != NULL));
    sl_work_close(&work);
    return st;
}

static sl_status open_generator(void)
{
    sl_generator *g = NULL;
    const sl_status st = sl_generator_open(&g, sl_model_config(whole), backend, 4, 3, 5);

    assert_true((st == SL_OK) == (g != NULL));
    sl_generator_close(&g);
    return st;
}

static void sweep(sl_status (*call)(void))
{
    for (int is_lasting = 0; is_lasting < 2; is_lasting++) {
        int fired = 1;

        for (size_t n = 0; fired; n++) {
            sl_status st = SL_OK;

            assert_true(n < 10000);
            t_fault_begin(n, is_lasting);
            st = call();
            sl_err_clear();
            assert_int_equal(t_fault_held(), 0);
            fired = t_fault_end();
            assert_int_equal(st, fired ? SL_ENOMEM : SL_OK);
        }
    }
}

static void test_create(void **state)
{
    (void)state;
    sweep(create);
}

static void test_clone(void **state)
{
    (void)state;
    sweep(clone);
}

static void test_work(void **state)
{
    (void)state;
    sweep(open_work);
}

static void test_generator(void **state)
{
    (void)state;
    sweep(open_generator);
}

static int open_all(void **state)
{
    const sl_init init = { .seed = 1 };
    sl_config c = t_config(TINY);

    (void)state;
    T_OK(sl_backend_open(&backend, "ref", 1));
    T_OK(sl_model_create(&whole, &c, backend, &init, 1));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    sl_model_close(&whole);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_work),
        cmocka_unit_test(test_generator),
    };

    /* an arena in pass-through mode cannot report that memory ran out: it asserts */
    unsetenv("SL_ARENA_MALLOC");
    return cmocka_run_group_tests(tests, open_all, close_all);
}
