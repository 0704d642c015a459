#include "harness/harness.h"
#include "base/status.h"
#include <string.h>
#include <threads.h>

static sl_status checked(int value)
{
    SL_CHECK(value > 0);
    return SL_OK;
}

static sl_status tried(sl_status st)
{
    SL_TRY(st);
    return SL_FAIL(SL_EARG, "after");
}

static void test_record(void **state)
{
    (void)state;
    assert_int_equal(SL_FAIL(SL_EFORMAT, "want %d, found %d", 1, 2), SL_EFORMAT);
    assert_int_equal(sl_err_code(), SL_EFORMAT);
    assert_string_equal(sl_err_message(), "want 1, found 2");
    assert_string_equal(sl_err_place(), "");
    assert_int_equal(sl_err_where(SL_EFORMAT, "field \"%s\"", "chosen"), SL_EFORMAT);
    assert_int_equal(sl_err_where(SL_EFORMAT, "pairs.jsonl:%d", 381), SL_EFORMAT);
    assert_string_equal(sl_err_place(), "pairs.jsonl:381 field \"chosen\"");
    assert_int_equal(sl_err_hint(SL_EFORMAT, "first"), SL_EFORMAT);
    assert_int_equal(sl_err_hint(SL_EFORMAT, "second"), SL_EFORMAT);
    assert_string_equal(sl_err_hint_text(), "first");
    assert_memory_equal(sl_err_source(), "tests/base/test_status.c:", 25);
    sl_err_clear();
    assert_int_equal(sl_err_code(), SL_OK);
    assert_string_equal(sl_err_message(), "");
}

static void test_first_error_wins(void **state)
{
    (void)state;
    assert_int_equal(SL_FAIL(SL_EIO, "first"), SL_EIO);
    assert_int_equal(SL_FAIL(SL_EARG, "second"), SL_EARG);
    assert_int_equal(sl_err_code(), SL_EIO);
    assert_string_equal(sl_err_message(), "first");
    sl_err_clear();
}

static void test_ok_leaves_no_trace(void **state)
{
    (void)state;
    assert_int_equal(sl_err_where(SL_OK, "place"), SL_OK);
    assert_int_equal(sl_err_hint(SL_OK, "hint"), SL_OK);
    assert_string_equal(sl_err_place(), "");
    assert_string_equal(sl_err_hint_text(), "");
}

/* "a" 600 times does not fit: places keep their front, which is the outermost part. */
static void test_long_and_hostile_text_is_contained(void **state)
{
    char long_text[601];

    (void)state;
    memset(long_text, 'a', 600);
    long_text[600] = 0;
    assert_int_equal(SL_FAIL(SL_EFORMAT, "%s", long_text), SL_EFORMAT);
    assert_int_equal(strlen(sl_err_message()), 511);
    assert_int_equal(sl_err_where(SL_EFORMAT, "%s", long_text), SL_EFORMAT);
    assert_int_equal(sl_err_where(SL_EFORMAT, "outer"), SL_EFORMAT);
    assert_memory_equal(sl_err_place(), "outer aaa", 9);
    assert_int_equal(strlen(sl_err_place()), 511);
    sl_err_clear();
    assert_int_equal(SL_FAIL(SL_EFORMAT, "found \"%s\"", "a\n\x1b[2Jb"), SL_EFORMAT);
    assert_string_equal(sl_err_message(), "found \"a??[2Jb\"");
    sl_err_clear();
}

static void test_macros(void **state)
{
    (void)state;
    assert_int_equal(checked(1), SL_OK);
    T_FAILS(checked(0), SL_EINTERNAL, "bug: value > 0");
    assert_int_equal(tried(SL_ENUMERIC), SL_ENUMERIC);
    T_FAILS(tried(SL_OK), SL_EARG, "after");
}

static int worker(void *record)
{
    const sl_status st = sl_err_where(SL_FAIL(SL_ENUMERIC, "nan"), "step 3");

    sl_err_save(record);
    return st == SL_ENUMERIC ? 0 : 1;
}

static void test_record_is_of_the_thread(void **state)
{
    sl_err_record record;
    thrd_t thread;
    int failed = 1;

    (void)state;
    assert_int_equal(thrd_create(&thread, worker, &record), thrd_success);
    assert_int_equal(thrd_join(thread, &failed), thrd_success);
    assert_int_equal(failed, 0);
    assert_int_equal(sl_err_code(), SL_OK);
    assert_int_equal(sl_err_restore(&record), SL_ENUMERIC);
    assert_string_equal(sl_err_place(), "step 3");
    assert_string_equal(sl_err_message(), "nan");
    sl_err_clear();
}

static void test_table(void **state)
{
    static const struct {
        sl_status st;
        int exit_code;
    } want[] = { { SL_OK, 0 },           { SL_ENOMEM, 1 },   { SL_EIO, 1 },
                 { SL_EFORMAT, 1 },      { SL_EVERSION, 1 }, { SL_ESHAPE, 1 },
                 { SL_EARG, 1 },         { SL_ENUMERIC, 3 }, { SL_EDEVICE, 1 },
                 { SL_EUNSUPPORTED, 1 }, { SL_EUSAGE, 2 },   { SL_EINTERRUPT, 1 },
                 { SL_EINTERNAL, 70 } };

    (void)state;
    assert_int_equal(sizeof want / sizeof want[0], SL_STATUS_COUNT);
    for (size_t i = 0; i < SL_STATUS_COUNT; i++) {
        assert_int_equal(sl_status_exit(want[i].st), want[i].exit_code);
        assert_true(strlen(sl_status_text(want[i].st)) > 1);
    }
    assert_int_equal(sl_status_exit(SL_STATUS_COUNT), 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_first_error_wins),
        cmocka_unit_test(test_ok_leaves_no_trace),
        cmocka_unit_test(test_long_and_hostile_text_is_contained),
        cmocka_unit_test(test_macros),
        cmocka_unit_test(test_record_is_of_the_thread),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
