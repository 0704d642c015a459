/* Power cuts of a whole run: every call that changes a file is logged, those of HDF5 and zlib too;
 * then, at many moments, any unsynced blocks and any unsynced changes of names are on the disk or
 * not. What was promised is there, nothing is called damage, and the run goes on to the same end. A
 * writer that is spoilt loses something: else this test would see nothing. Short form: some
 * moments; --full: more. */
#include "run/survive.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>

typedef struct outcome {
    size_t cuts, lost;
    const char *why; /* the last */
} outcome;

/* Trains under a plan that logs; the log stays. */
static void train_logged(t_disk_spoil spoil)
{
    const t_disk_plan plan = { .root = survive_root, .is_logged = 1, .spoil = spoil };
    int64_t synced = 0, published = 0;

    t_disk_begin(&plan);
    T_OK(survive_train(-1, &synced, &published));
    (void)t_disk_end(NULL);
    assert_int_equal(synced, SURVIVE_LAST);
    T_OK(sl_file_remove_tree(survive_path));
}

/* What a cut leaves stands in survive_root/cut as run; 1: something is lost. */
static int is_cut_lost(int64_t promised, int resumes, const char **why)
{
    char path[SL_RUN_PATH], identity[SL_RUN_PATH];

    T_OK(sl_file_join(path, sizeof path, survive_root, "cut/run"));
    T_OK(sl_file_join(identity, sizeof identity, path, "run.json"));
    if (survive_is_lost(path, promised, why))
        return 1;
    if (!resumes || (!promised && !sl_file_exists(identity)))
        return 0;
    return !survive_resumes(path, why);
}

static outcome cut_many(size_t cuts, int stops, sl_rng *rng)
{
    t_disk_replay *replay = t_disk_replay_open();
    const size_t events = t_disk_events();
    char path[SL_RUN_PATH];
    outcome o = { 0 };

    T_OK(sl_file_join(path, sizeof path, survive_root, "cut"));
    for (size_t i = 0; i < cuts && !(stops && o.lost); i++) {
        const char *why;
        int64_t promised;

        t_disk_replay_to(replay,
                         events * i / cuts + sl_rng_below(rng, (uint32_t)(events / cuts) + 1));
        promised = t_disk_replay_mark(replay);
        t_disk_replay_cut(replay, path, i % 2 ? 512 : 4096, i % 4 < 2, rng);
        if (is_cut_lost(promised < 0 ? 0 : promised, i % 4 == 0, &why)) {
            o.lost++;
            o.why = why;
        }
        o.cuts++;
        T_OK(sl_file_remove_tree(path));
    }
    t_disk_replay_close(&replay);
    return o;
}

static void test_cuts_lose_nothing(void **state)
{
    sl_rng rng = sl_rng_at(21, sl_rng_stream("cuts of a run"), 0);
    outcome o;

    (void)state;
    survive_begin();
    train_logged(T_DISK_SOUND);
    o = cut_many(survive_is_full ? 1000 : 40, 0, &rng);
    print_message("%zu cuts in %zu events, lost %zu%s%s\n", o.cuts, t_disk_events(), o.lost,
                  o.lost ? ": " : "", o.lost ? o.why : "");
    assert_int_equal(o.lost, 0);
    t_disk_forget();
    survive_end();
}

static void test_spoilt_writers_are_seen(void **state)
{
    static const char *const name[T_DISK_SPOILS] = {
        [T_DISK_NO_SYNC] = "no fdatasync",
        [T_DISK_NO_FOLDER_SYNC] = "no fsync of folders",
        [T_DISK_NO_FILE_SYNC] = "no fsync of files",
        [T_DISK_LATE] = "journal written after its sync",
        [T_DISK_NO_TEXT_SYNC] = "texts not synced",
    };
    sl_rng rng = sl_rng_at(22, sl_rng_stream("cuts of spoilt writers"), 0);

    (void)state;
    survive_begin();
    for (int spoil = T_DISK_SOUND + 1; spoil < T_DISK_SPOILS; spoil++) {
        outcome o;

        train_logged((t_disk_spoil)spoil);
        o = cut_many(survive_is_full ? 100 : 200, !survive_is_full, &rng);
        print_message("%s: %zu of %zu cuts lose (%s)\n", name[spoil], o.lost, o.cuts,
                      o.lost ? o.why : "-");
        assert_true(o.lost > 0);
        t_disk_forget();
    }
    survive_end();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts_lose_nothing),
        cmocka_unit_test(test_spoilt_writers_are_seen),
    };

    survive_options(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
