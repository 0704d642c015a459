#include "harness/fault.h"
#include "harness/harness.h"
#include "base/alloc.h"
#include "base/arena.h"
#include <stdlib.h>
#include <string.h>

typedef struct shapes {
    float *a;         /* (3,5) */
    double *b;        /* (2,2) */
    int32_t *c;       /* (1,17) */
    unsigned char *d; /* (0) */
    float *e;         /* (1,1) */
} shapes;

static void carve(shapes *s, sl_arena *arena)
{
    s->a = sl_arena_f32(arena, 3, 5);
    s->b = sl_arena_f64(arena, 2, 2);
    s->c = sl_arena_i32(arena, 1, 17);
    s->d = sl_arena_take(arena, 0, 1);
    s->e = sl_arena_f32(arena, 1, 1);
}

static void check_open_arena(void)
{
    sl_arena measure = SL_ARENA_MEASURE, arena;
    shapes s;

    carve(&s, &measure);
    assert_null(s.a);
    assert_null(s.e);
    assert_int_equal(measure.used_bytes, 64 + 64 + 128 + 0 + 64);
    T_OK(sl_arena_open(&arena, measure.used_bytes));
    carve(&s, &arena);
    assert_int_equal(arena.used_bytes, measure.used_bytes);
    assert_int_equal((uintptr_t)s.a % 64, 0);
    assert_int_equal((uintptr_t)s.b % 64, 0);
    assert_int_equal((uintptr_t)s.c % 64, 0);
    assert_non_null(s.d);
    for (size_t i = 0; i < 17; i++)
        assert_int_equal(s.c[i], 0);
    memset(s.a, 0xff, 15 * sizeof(float));
    memset(s.c, 0xff, 17 * sizeof(int32_t));
    assert_true(s.b[3] == 0.0 && s.e[0] == 0.0f);
    sl_arena_close(&arena);
    assert_int_equal(arena.is_open, 0);
    assert_null(arena.base);
    sl_arena_close(&arena);
    sl_arena_close(NULL);
}

static void test_measured_is_carved(void **state)
{
    (void)state;
    check_open_arena();
}

static void test_pass_through(void **state)
{
    const size_t before = sl_alloc_count();

    (void)state;
    setenv("SL_ARENA_MALLOC", "1", 1);
    check_open_arena();
    assert_int_equal(sl_alloc_count(), before + 5); /* each take its own */
    unsetenv("SL_ARENA_MALLOC");
}

static void test_open_takes_once(void **state)
{
    const size_t before = sl_alloc_count();

    (void)state;
    check_open_arena();
    assert_int_equal(sl_alloc_count(), before + 1);
}

static void test_no_memory(void **state)
{
    sl_arena arena;

    (void)state;
    t_fault_begin(0, 1);
    T_FAILS(sl_arena_open(&arena, 1 << 20), SL_ENOMEM, "want an arena of 1048576 bytes");
    assert_int_equal(t_fault_end(), 1);
    T_FAILS(sl_arena_open(&arena, SIZE_MAX - 32), SL_ENOMEM, "arena");
}

static int only_own_mode(void **state)
{
    (void)state;
    return unsetenv("SL_ARENA_MALLOC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measured_is_carved),
        cmocka_unit_test(test_pass_through),
        cmocka_unit_test(test_open_takes_once),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, only_own_mode, NULL);
}
