/* One bit of a run's own files is another, at 1000 places of each kind of file (here: a few of
 * them; usage: test_flips [FLIPS]): verify notices every one. Two runs: one that ended, and one
 * whose tail is still in its journal. */
#include "run/play.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "run/decision.h"
#include "run/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 6, FILE_BYTES = 64 << 20 };

static long flips = 16;
static char ended[SL_RUN_PATH], open_run[SL_RUN_PATH];

static void publish(sl_run *run)
{
    char folder[SL_RUN_PATH], file[SL_RUN_PATH + 16];

    T_OK(sl_run_checkpoint_begin(run, folder, STEPS));
    (void)snprintf(file, sizeof file, "%s/model", folder);
    T_OK(sl_file_write_atomic(file, "weights and moments", 19));
    (void)snprintf(file, sizeof file, "%s/start", folder);
    T_OK(sl_file_new_folder(file));
    (void)snprintf(file, sizeof file, "%s/start/model", folder);
    T_OK(sl_file_write_atomic(file, "weights at the start", 20));
    T_OK(sl_run_checkpoint_publish(run, folder, STEPS));
}

static void decide(const char *path)
{
    sl_row_decisions row = { .expiry = 100,
                             .bs = 0.6,
                             .lower = 0.55,
                             .upper = 0.7,
                             .mix_weight = 0.5,
                             .action = SL_ACTION_MIX,
                             .stage = SL_STAGE_FINE_TUNING };
    sl_decider *d;

    T_OK(sl_decider_open(&d, path, SL_DECIDER_WATCH, "{\"tau\":0.5}"));
    for (int i = 0; i < 2; i++)
        T_OK(sl_decider_put(d, &row));
    sl_decider_close(&d);
}

/* Steps that are durable, and a process that is gone. */
static void leave_open(const char *path)
{
    const sl_run_settings settings = play_settings();
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        sl_run *run;

        play_create(&run, path, &settings);
        play_steps(run, 1, STEPS);
        _exit(sl_run_sync(run) == SL_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static int setup(void **state)
{
    const sl_run_settings settings = play_settings();
    sl_run *run;

    (void)state;
    T_OK(sl_file_join(ended, sizeof ended, t_scratch(), "ended"));
    T_OK(sl_file_join(open_run, sizeof open_run, t_scratch(), "open"));
    play_create(&run, ended, &settings);
    play_steps(run, 1, STEPS);
    publish(run);
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    decide(ended);
    leave_open(open_run);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    t_scratch_remove();
    return 0;
}

/* What verify says: its verdict, its counts, its sentences. */
typedef struct verdict {
    sl_status status;
    sl_verify_result result;
    uint64_t sentences;
} verdict;

static void hear(void *with, const char *path, const char *sentence)
{
    verdict *v = with;

    (void)path;
    v->sentences = v->sentences * 31 + strlen(sentence) + 1;
}

static verdict look(const char *path)
{
    verdict v = { .sentences = 0 };

    v.status = sl_verify(&v.result, path, SL_VERIFY_LOOK, hear, &v);
    sl_err_clear();
    return v;
}

static int is_same(const verdict *a, const verdict *b)
{
    return a->status == b->status && a->sentences == b->sentences &&
           !memcmp(&a->result, &b->result, sizeof a->result);
}

static void put(const char *path, const char *bytes, size_t count)
{
    FILE *f = fopen(path, "r+b"); /* in place: the file stays the one that is locked */

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, count, f), count);
    assert_int_equal(fclose(f), 0);
}

static void flip_bits(const char *run, const char *name)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream(name), 0);
    const verdict clean = look(run);
    char path[SL_RUN_PATH], *bytes = NULL;
    size_t count;
    FILE *f;

    T_OK(sl_file_join(path, sizeof path, run, name));
    T_OK(sl_take(&bytes, FILE_BYTES, 1));
    f = fopen(path, "rb");
    assert_non_null(f);
    count = fread(bytes, 1, FILE_BYTES, f);
    assert_int_equal(fclose(f), 0);
    assert_true(count > 0);
    for (long i = 0; i < flips; i++) {
        const size_t at = sl_rng_below(&rng, (uint32_t)count);
        const char bit = (char)(1 << sl_rng_below(&rng, 8));
        verdict v;

        bytes[at] ^= bit;
        put(path, bytes, count);
        v = look(run);
        if (is_same(&v, &clean))
            fail_msg("%s: bit %d of byte %zu of %zu is another, and verify says nothing", name,
                     (unsigned char)bit, at, count);
        bytes[at] ^= bit;
    }
    put(path, bytes, count);
    {
        const verdict again = look(run);

        assert_true(is_same(&again, &clean));
    }
    sl_free(bytes);
}

static void test_flips_of_a_run_that_ended(void **state)
{
    static const char *const files[] = {
        "run.json",
        "run.h5",
        "decisions.log",
        "rank000/seg-000001.h5",
        "rank000/texts-000001.jsonl.gz",
        "checkpoints/step-000000000006/model",
        "checkpoints/step-000000000006/start/model",
        "checkpoints/step-000000000006/sums.json",
    };
    const verdict clean = look(ended);

    (void)state;
    assert_int_equal(clean.status, SL_OK);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        flip_bits(ended, files[i]);
}

static void test_flips_of_an_open_tail(void **state)
{
    const verdict clean = look(open_run);

    (void)state;
    assert_int_equal(clean.status, SL_OK);
    assert_int_equal(clean.result.last_step, STEPS);
    flip_bits(open_run, "run.json");
    flip_bits(open_run, "rank000/journal-000001.log");
    flip_bits(open_run, "rank000/texts-000001.jsonl");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flips_of_a_run_that_ended),
        cmocka_unit_test(test_flips_of_an_open_tail),
    };

    if (argc > 1)
        flips = strtol(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, setup, teardown);
}
