/* A trainer that is killed, or whose disk fails, at every single call that changes a file: its own
 * calls and those of HDF5 and zlib, from the first mkdir of the run to the last unlink after the
 * packed run.h5. Short form: a seeded sample of the calls; --full: all. */
#include "run/survive.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLE = 8, IN_A_ROW = 20 };

static t_disk_plan plan_of(t_disk_fault fault, size_t at, int error)
{
    return (t_disk_plan){ .root = survive_root, .fault = fault, .at = at, .error = error };
}

/* Calls of a whole run; they differ a little from run to run, since threads do. */
static size_t count_calls(void)
{
    const t_disk_plan plan = plan_of(T_DISK_NONE, 0, 0);
    const survived story = survive_child(&plan, 1);
    size_t all = 0;

    assert_false(story.is_killed || story.is_refused);
    assert_int_equal(survive_check(&story), 1);
    for (int kind = 0; kind < T_DISK_CALLS; kind++)
        all += story.calls[kind];
    print_message("calls of a run: %zu writes, %zu syncs, %zu renames, %zu unlinks, %zu new\n",
                  story.calls[T_DISK_WRITE], story.calls[T_DISK_SYNC], story.calls[T_DISK_RENAME],
                  story.calls[T_DISK_UNLINK], story.calls[T_DISK_NEW]);
    return all;
}

/* The next call to try. */
static size_t next(size_t at, size_t all, sl_rng *rng)
{
    return at + 1 + (survive_is_full ? 0 : sl_rng_below(rng, (uint32_t)(2 * all / SAMPLE)));
}

static void test_killed_at_every_call(void **state)
{
    static const t_disk_fault faults[] = { T_DISK_KILL, T_DISK_KILL_HALF };
    sl_rng rng = sl_rng_at(11, sl_rng_stream("kill at a call"), 0);
    size_t all, kills = 0;

    (void)state;
    survive_begin();
    all = count_calls();
    for (size_t f = 0; f < 2; f++)
        for (size_t at = 0, is_done = 0; !is_done; at = next(at, all, &rng)) {
            const t_disk_plan plan = plan_of(faults[f], at, 0);
            const survived story = survive_child(&plan, 1);

            is_done = !story.is_killed;
            kills += story.is_killed != 0;
            (void)survive_check(&story);
        }
    print_message("killed %zu times, lost 0\n", kills);
    assert_true(kills > SAMPLE);
    survive_end();
}

static void test_the_disk_fails_at_every_call(void **state)
{
    static const int errors[] = { ENOSPC, EDQUOT, EIO, EROFS };
    static const t_disk_fault faults[] = { T_DISK_FAIL, T_DISK_FAIL_ON };
    sl_rng rng = sl_rng_at(12, sl_rng_stream("fail at a call"), 0);
    size_t all, trials = 0, refused = 0;

    (void)state;
    survive_begin();
    all = count_calls();
    for (size_t e = 0; e < 4; e++) {
        for (size_t at = 0, is_done = 0; !is_done; at = next(at, all, &rng)) {
            const t_disk_plan plan = plan_of(faults[(at + e) % 2], at, errors[e]);
            const survived story = survive_child(&plan, 1);

            is_done = !story.has_hit;
            trials += story.has_hit != 0;
            refused += story.is_refused != 0;
            (void)survive_check(&story);
        }
        print_message("up to %s: failed %zu times, %zu of them refused, lost 0\n",
                      strerror(errors[e]), trials, refused);
    }
    assert_true(refused > SAMPLE && refused <= trials);
    survive_end();
}

static void test_short_and_interrupted_calls(void **state)
{
    const t_disk_plan plan = { .root = survive_root, .fault = T_DISK_SLOW };
    survived story;

    (void)state;
    survive_begin();
    story = survive_child(&plan, 1);
    assert_false(story.is_refused);
    assert_int_equal(survive_check(&story), 1);
    survive_end();
}

/* Killed in the middle of a recovery, again and again, each time a call further on. */
static void test_killed_while_it_recovers(void **state)
{
    sl_rng rng = sl_rng_at(13, sl_rng_stream("kill a recovery"), 0);
    const int trials = survive_is_full ? 20 : 1;
    size_t all, kills = 0;

    (void)state;
    survive_begin();
    all = count_calls();
    for (int i = 0; i < trials; i++) {
        t_disk_plan plan = plan_of(T_DISK_KILL, all / 4 + sl_rng_below(&rng, (uint32_t)all / 2), 0);
        survived story = survive_child(&plan, 1);
        const int64_t synced = story.synced, published = story.checkpoint;

        for (int again = 0; again < IN_A_ROW; again++) {
            plan = plan_of(again % 2 ? T_DISK_KILL_HALF : T_DISK_KILL, sl_rng_below(&rng, 40), 0);
            story = survive_child(&plan, 0);
            kills += story.is_killed != 0;
            story.synced = story.synced > synced ? story.synced : synced;
        }
        story.checkpoint = story.checkpoint > published ? story.checkpoint : published;
        assert_int_equal(survive_check(&story), 1);
    }
    print_message("killed %zu times while it recovered, lost 0\n", kills);
    survive_end();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_at_every_call),
        cmocka_unit_test(test_the_disk_fails_at_every_call),
        cmocka_unit_test(test_short_and_interrupted_calls),
        cmocka_unit_test(test_killed_while_it_recovers),
    };

    survive_options(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
