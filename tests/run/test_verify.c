/* verify: a sound run is sound, and a changed byte in any file is noticed without a crash. */
#include "run/play.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/decision.h"
#include "run/verify.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LAST = 6, FLIPS = 6 };
static char path[SL_RUN_PATH];
static int reports;

static void count_report(void *with, const char *file, const char *sentence)
{
    (void)with;
    assert_non_null(file);
    assert_true(sentence[0]);
    reports++;
}

static void begin(void)
{
    (void)snprintf(path, sizeof path, "%s/run", t_scratch());
}

/* Two attempts, several segments, a decision; closed, or left as a kill leaves it. */
static void make_run(int is_killed)
{
    sl_run_settings settings = play_settings();
    sl_row_decisions row = { .bs = 0.5, .lower = 0.4, .upper = 0.6, .expiry = 9 };
    sl_decider *decider;
    sl_run *run;

    settings.seal_every_s = 0.0001;
    play_create(&run, path, &settings);
    play_steps(run, 1, 4);
    T_OK(sl_run_close(&run, SL_ENDED_INTERRUPTED));
    T_OK(sl_decider_open(&decider, path, SL_DECIDER_PERSON, "because"));
    T_OK(sl_decider_put(decider, &row));
    T_OK(sl_decider_put(decider, &row));
    sl_decider_close(&decider);
    settings.seal_every_s = 0;
    settings.fsync_every_s = 100; /* only the syncs asked for */
    if (!is_killed) {
        play_resume(&run, path, 3, &settings);
        play_steps(run, 4, LAST);
        T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
        return;
    }
    if (!fork()) {
        play_resume(&run, path, 3, &settings);
        play_steps(run, 4, LAST);
        T_OK(sl_run_sync(run));
        play_steps(run, LAST + 1, LAST + 1);
        T_OK(sl_run_sync(run));
        _exit(0);
    }
    assert_true(wait(NULL) > 0);
}

static void test_a_sound_run_is_sound(void **state)
{
    sl_verify_result found;
    char want[65];

    (void)state;
    begin();
    make_run(0);
    T_OK(sl_verify(&found, path, SL_VERIFY_LOOK, count_report, NULL));
    assert_int_equal(found.damaged, 0);
    assert_int_equal(found.attempts, 2);
    assert_int_equal(found.last_step, LAST);
    assert_int_equal(found.ended, SL_ENDED_COMPLETE);
    assert_int_equal(found.decisions, 2);
    assert_true(found.segments >= 2);
    assert_int_equal(found.journals, 0);
    assert_true(found.texts >= LAST);
    play_digest(want, path, INT64_MAX);
    assert_string_equal(found.digest, want);
    t_scratch_remove();
}

static void test_repair_keeps_the_digest(void **state)
{
    sl_verify_result before, after;

    (void)state;
    begin();
    make_run(1);
    T_OK(sl_verify(&before, path, SL_VERIFY_LOOK, NULL, NULL));
    assert_int_equal(before.journals, 1);
    T_OK(sl_verify(&after, path, SL_VERIFY_DRY_RUN, NULL, NULL));
    assert_int_equal(after.journals, 1); /* changed nothing */
    reports = 0;
    T_OK(sl_verify(&after, path, SL_VERIFY_REPAIR, count_report, NULL));
    assert_true(reports > 0);
    assert_int_equal(after.journals, 0);
    assert_int_equal(after.segments, before.segments + 1);
    assert_string_equal(after.digest, before.digest);
    assert_int_equal(after.last_step, LAST + 1);
    t_scratch_remove();
}

/* One flipped bit in a file is reported; the file is put back. */
static void flip(const char *name, double at_share, unsigned bit)
{
    char file[SL_RUN_PATH + 64], *bytes;
    sl_verify_result found;
    sl_status st;
    FILE *stream;
    size_t size, at;

    (void)snprintf(file, sizeof file, "%s/%s", path, name);
    stream = fopen(file, "rb"); /* as it stands: sl_file_read would inflate it */
    assert_non_null(stream);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    size = (size_t)ftell(stream);
    rewind(stream);
    T_OK(sl_take(&bytes, size + 1, 1));
    assert_int_equal(fread(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
    at = (size_t)(at_share * (double)size);
    bytes[at] = (char)(bytes[at] ^ 1 << bit);
    T_OK(sl_file_write_atomic(file, bytes, size));
    reports = 0;
    st = sl_verify(&found, path, SL_VERIFY_LOOK, count_report, NULL);
    if (st == SL_OK)
        print_message("not noticed: %s byte %zu of %zu bit %u\n", name, at, size, bit);
    assert_int_not_equal(st, SL_OK);
    assert_true(st == SL_EFORMAT || st == SL_EVERSION || st == SL_EIO);
    sl_err_clear();
    bytes[at] = (char)(bytes[at] ^ 1 << bit);
    T_OK(sl_file_write_atomic(file, bytes, size));
    sl_free(bytes);
}

static void flip_some(const char *name, sl_rng *rng, double share)
{
    for (int i = 0; i < FLIPS; i++)
        flip(name, share * sl_rng_uniform(rng), sl_rng_below(rng, 8));
}

static void test_a_flipped_bit_in_any_file_is_noticed(void **state)
{
    static const char *const files[] = { "run.json", "run.h5", "rank000/seg-000001.h5",
                                         "rank000/texts-000001.jsonl.gz", "rank000/seg-000002.h5" };
    sl_rng rng = sl_rng_at(4, sl_rng_stream("verify"), 0);
    sl_verify_result found;

    (void)state;
    begin();
    make_run(0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        flip_some(files[i], &rng, 1);
    flip_some("decisions.log", &rng, 0.6); /* behind that nothing says what was synced */
    T_OK(sl_verify(&found, path, SL_VERIFY_LOOK, NULL, NULL));
    t_scratch_remove();
}

static void test_a_flipped_bit_in_an_open_journal_is_noticed(void **state)
{
    sl_rng rng = sl_rng_at(8, sl_rng_stream("verify"), 0);
    sl_rank_list list;
    char folder[SL_RUN_PATH], name[64];

    (void)state;
    begin();
    make_run(1);
    T_OK(sl_rank_folder(folder, path, 0));
    T_OK(sl_rank_list_open(&list, folder));
    (void)snprintf(name, sizeof name, "rank000/journal-%06u.log", list.row[list.count - 1].number);
    flip_some(name, &rng, 0.5);
    (void)snprintf(name, sizeof name, "rank000/texts-%06u.jsonl", list.row[list.count - 1].number);
    flip_some(name, &rng, 0.03); /* behind that texts of the last batch */
    flip_some("run.json", &rng, 1);
    sl_rank_list_close(&list);
    t_scratch_remove();
}

static void test_a_missing_segment_is_named(void **state)
{
    char file[SL_RUN_PATH + 64];
    sl_verify_result found;
    sl_run_scan_result scan;

    (void)state;
    begin();
    make_run(0);
    (void)snprintf(file, sizeof file, "%s/rank000/seg-000001.h5", path);
    assert_int_equal(unlink(file), 0);
    (void)snprintf(file, sizeof file, "%s/rank000/texts-000001.jsonl.gz", path);
    assert_int_equal(unlink(file), 0);
    reports = 0;
    T_FAILS(sl_verify(&found, path, SL_VERIFY_LOOK, count_report, NULL), SL_EFORMAT,
            "damaged file");
    assert_true(reports > 0);
    T_FAILS(sl_run_scan(&scan, path), SL_EFORMAT, "want segment 1");
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sound_run_is_sound),
        cmocka_unit_test(test_repair_keeps_the_digest),
        cmocka_unit_test(test_a_flipped_bit_in_any_file_is_noticed),
        cmocka_unit_test(test_a_flipped_bit_in_an_open_journal_is_noticed),
        cmocka_unit_test(test_a_missing_segment_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
