/* Long runs: memory and descriptors stay flat over many steps, the clock on the wall may jump while
 * they go on, and counts go beyond 2^31. Short form: 200,000 steps; --full: 2 million. */
#include "run/play.h"

#include "run/segment_int.h"
#include "run/userblock_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PARTS = 10, MEMORY_MIB = 24, DAY = 86400 };
static int64_t steps = 200000;
static atomic_int jumps;

/* The clock on the wall goes a day forward, a day back, ... with every look at it; the other one
 * only ever forward. */
int clock_gettime(clockid_t which, struct timespec *out)
{
    const int failed = (int)syscall(SYS_clock_gettime, which, out);

    if (!failed && which == CLOCK_REALTIME)
        out->tv_sec += atomic_fetch_add(&jumps, 1) % 2 ? DAY : -DAY;
    return failed;
}

static size_t descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    (void)closedir(dir);
    return n;
}

/* MiB of memory of its own, without mapped files. */
static long memory(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %ld", &kib) == 1)
            break;
    (void)fclose(f);
    return kib / 1024;
}

static double now_s(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void one_step(sl_run *run, int64_t step)
{
    struct timespec wall;
    sl_row_steps row = { .step = step, .samples = step, .loss = 1.0 / (double)(step + 1) };
    sl_row_clock clock = { .step = step, .mono_s = now_s() };

    assert_int_equal(clock_gettime(CLOCK_REALTIME, &wall), 0);
    clock.utc_s = (double)wall.tv_sec;
    T_OK(sl_run_row(run, SL_TABLE_STEPS, &row, NULL));
    T_OK(sl_run_row(run, SL_TABLE_CLOCK, &clock, NULL));
    T_OK(sl_run_commit(run, SL_UNIT_UPDATE, step));
}

static void test_flat_under_a_jumping_clock(void **state)
{
    sl_run_settings settings = play_settings();
    const size_t files_before = descriptors();
    const int is_sanitized = getenv("STAGELINE_SANITIZED") != NULL;
    char path[SL_RUN_PATH];
    sl_run_scan_result scan;
    sl_run_stats stats;
    size_t files = 0;
    long first = 0;
    sl_run *run;

    (void)state;
    settings.level = 0;
    settings.fsync_every_s = 1;
    settings.seal_bytes = 1 << 20;
    (void)snprintf(path, sizeof path, "%s/run", t_scratch());
    play_create(&run, path, &settings);
    for (int part = 1; part <= PARTS; part++) {
        const double began = now_s();

        for (int64_t s = steps * (part - 1) / PARTS + 1; s <= steps * part / PARTS; s++)
            one_step(run, s);
        T_OK(sl_run_sync(run));
        sl_run_stats_get(&stats, run);
        print_message("%lld steps: %ld MiB, %zu descriptors, %u seals, %.1f us a step\n",
                      (long long)(steps * part / PARTS), memory(), descriptors(), stats.seals,
                      1e6 * (now_s() - began) / (double)(steps / PARTS));
        if (part == 2) {
            first = memory();
            files = descriptors();
        }
        if (part > 2 && !is_sanitized) /* which keeps freed memory for a while */
            assert_true(memory() <= first + MEMORY_MIB);
        if (part > 2) /* a seal may be at work: its files come and go */
            assert_true(descriptors() <= files + 4 && files <= descriptors() + 4);
    }
    assert_true(stats.seals > 0);
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    assert_int_equal(descriptors(), files_before);
    T_OK(sl_run_scan(&scan, path));
    assert_int_equal(scan.last_step, steps);
    assert_true(atomic_load(&jumps) > steps);
    t_scratch_remove();
}

/* Counts of rows, bytes and frames are 64 bits wide wherever they are written down. */
static void test_counts_beyond_31_bits(void **state)
{
    static const uint64_t big = ((uint64_t)1 << 31) + 5, huge = ((uint64_t)1 << 40) + 3;
    unsigned char payload[SL_COMMIT_BYTES];
    sl_segment_info out, info = { .number = 1,
                                  .attempt = 1,
                                  .first_step = (int64_t)big,
                                  .last_step = (int64_t)huge,
                                  .last_seq = huge,
                                  .bytes = huge,
                                  .previous_bytes = huge };
    sl_commit back, commit = { .kind = SL_UNIT_UPDATE, .text_bytes = huge };
    sl_frame frame = { .type = SL_FRAME_COMMIT,
                       .payload = payload,
                       .payload_bytes = sizeof payload };
    sl_json *object = NULL;

    (void)state;
    for (int t = 0; t < SL_TABLE_UNITS; t++)
        commit.so_far[t] = big + (uint64_t)t;
    sl_commit_encode(payload, &commit);
    assert_true(sl_commit_decode(&back, &frame));
    assert_true(back.text_bytes == huge);
    for (int t = 0; t < SL_TABLE_UNITS; t++)
        assert_true(back.so_far[t] == big + (uint64_t)t);
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        info.rows[t] = big + (uint64_t)t;
    (void)snprintf(info.uuid_text, sizeof info.uuid_text, "%s",
                   "00000000-0000-4000-8000-000000000000");
    for (size_t i = 0; i < 64; i++)
        info.run_sha256[i] = info.sha256[i] = info.previous_sha256[i] = 'a';
    T_OK(sl_segment_info_to_json(&object, &info));
    T_OK(sl_json_put(object, "bytes", json_integer((json_int_t)huge)));
    T_OK(sl_json_put(object, "sha256", json_string(info.sha256)));
    T_OK(sl_segment_info_from_json(&out, object));
    sl_json_close(&object);
    assert_true(out.bytes == huge && out.last_seq == huge && out.previous_bytes == huge);
    assert_true(out.first_step == (int64_t)big && out.last_step == (int64_t)huge);
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        assert_true(out.rows[t] == big + (uint64_t)t);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat_under_a_jumping_clock),
        cmocka_unit_test(test_counts_beyond_31_bits),
    };

    if (argc > 1 && !strcmp(argv[1], "--full"))
        steps = 2000000;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
