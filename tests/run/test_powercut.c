/* Power cuts: the writes and syncs of a run are logged; then, at many moments, any subset of the
 * unsynced blocks is on the disk. Nothing synced may be lost and nothing called damage. The blocks
 * that a sync covered are never written again. */
#include "run/play.h"

#include "base/alloc.h"
#include "run/io_int.h"
#include "run/journal_out_int.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEPS = 40, CUTS = 1500, EVENTS_MAX = 1000, FILE_MAX = 1 << 20 };

/* Journal (0) and texts (1), append-only. */
static struct {
    unsigned char *data[2];
    size_t size[2];
    struct event {
        int file, is_sync;
        size_t end;   /* size of the file after it */
        int64_t step; /* the last step that a sync of both made durable */
    } event[EVENTS_MAX];
    size_t events;
    int fd[2];
    int64_t committed;
} disk;

static int file_of(int fd)
{
    return fd == disk.fd[1];
}

static ssize_t logged_write(int fd, const void *data, size_t bytes)
{
    const int f = file_of(fd);

    assert_true(disk.size[f] + bytes <= FILE_MAX && disk.events < EVENTS_MAX);
    memcpy(disk.data[f] + disk.size[f], data, bytes);
    disk.size[f] += bytes;
    disk.event[disk.events++] = (struct event){ f, 0, disk.size[f], 0 };
    return (ssize_t)bytes;
}

static int logged_sync(int fd)
{
    const int f = file_of(fd);

    assert_true(disk.events < EVENTS_MAX);
    assert_int_equal(disk.size[f] % SL_FRAME_BLOCK, 0); /* so no synced block is written again */
    disk.event[disk.events++] = (struct event){ f, 1, disk.size[f], f ? 0 : disk.committed };
    return 0;
}

static void write_run(rec_run *run)
{
    static const sl_io_table logged = { logged_write, logged_sync };
    const sl_journal_begin begin = { .rank_folder = run->folder,
                                     .identity = &run->identity,
                                     .number = 1,
                                     .attempt = 1,
                                     .resumed_from = -1 };
    const size_t row_bytes = sl_table_packed_bytes(SL_TABLE_TOKENS, &run->identity.layout);
    sl_rng rng = sl_rng_at(5, sl_rng_stream("powercut"), 0);
    sl_journal_out out;

    disk.fd[1] = -1;
    sl_io_set(&logged);
    T_OK(sl_journal_out_open(&out, &begin));
    disk.fd[1] = out.text_fd;
    for (int64_t s = 1; s <= STEPS; s++) {
        for (uint32_t i = 0, n = 1 + sl_rng_below(&rng, 90); i < n; i++) {
            const sl_row_tokens row = { .step = s, .pos = i };

            sl_row_pack(sl_unit_out_row(&out.unit, SL_TABLE_TOKENS, row_bytes), SL_TABLE_TOKENS,
                        &row, NULL, &run->identity.layout);
        }
        for (uint32_t i = 0, n = sl_rng_below(&rng, 900); i < n; i++)
            memcpy(sl_unit_out_text(&out.unit, 6), "text.\n", 6);
        T_OK(sl_journal_out_commit(&out, SL_UNIT_UPDATE, s));
        disk.committed = s;
        if (sl_rng_below(&rng, 3) == 0)
            T_OK(sl_journal_out_sync(&out));
    }
    sl_journal_out_close(&out);
    sl_io_set(NULL);
}

/* What a cut after event `at` leaves of file f: synced bytes, and any subset of later blocks. */
static size_t make_image(unsigned char *image, int f, size_t at, size_t block, sl_rng *rng)
{
    size_t synced = 0, written = 0, size;

    for (size_t i = 0; i < at; i++)
        if (disk.event[i].file == f) {
            written = disk.event[i].end;
            if (disk.event[i].is_sync)
                synced = written;
        }
    size = synced + (written > synced ? sl_rng_below(rng, (uint32_t)(written - synced) + 1) : 0);
    if (sl_rng_below(rng, 2))
        size = written;
    memset(image, 0, size);
    memcpy(image, disk.data[f], synced);
    for (size_t from = synced; from < size; from += block)
        if (sl_rng_below(rng, 3)) {
            const size_t n = size - from < block ? size - from : block;

            memcpy(image + from, disk.data[f] + from, n);
        }
    return size;
}

static int64_t durable_at(size_t at)
{
    int64_t step = 0;

    for (size_t i = 0; i < at; i++)
        if (disk.event[i].is_sync && disk.event[i].step > step)
            step = disk.event[i].step;
    return step;
}

static void check_cut(const rec_run *run, unsigned char *const image[2], const size_t size[2],
                      int64_t durable)
{
    const uint32_t seed = sl_journal_seed(run->identity.uuid, 0, 1);
    sl_journal *journal;
    sl_unit unit;
    sl_tail tail;
    int found = 1;

    if (sl_journal_open_memory(&journal, image[0], size[0], image[1], size[1], seed,
                               &run->identity.layout) != SL_OK) {
        sl_err_clear();
        assert_int_equal(durable, 0);
        return;
    }
    while (found)
        T_OK(sl_journal_next(journal, &unit, &found));
    sl_journal_tail(journal, &tail);
    assert_true(tail.last_step >= durable || !durable);
    assert_int_not_equal(tail.kind, SL_TAIL_CORRUPT);
    sl_journal_close(&journal);
}

static void test_no_cut_loses_what_was_synced(void **state)
{
    unsigned char *image[2];
    sl_rng rng = sl_rng_at(6, sl_rng_stream("cuts"), 0);
    rec_run run;

    (void)state;
    for (int f = 0; f < 2; f++) {
        T_OK(sl_take(&disk.data[f], FILE_MAX, 1));
        T_OK(sl_take(&image[f], FILE_MAX, 1));
    }
    rec_run_open(&run, t_scratch());
    write_run(&run);
    assert_true(durable_at(disk.events) > STEPS / 2);
    for (int i = 0; i < CUTS; i++) {
        const size_t at = sl_rng_below(&rng, (uint32_t)disk.events + 1);
        const size_t block = i % 2 ? 512 : 4096;
        size_t size[2];

        for (int f = 0; f < 2; f++)
            size[f] = make_image(image[f], f, at, block, &rng);
        check_cut(&run, image, size, durable_at(at));
    }
    for (int f = 0; f < 2; f++) {
        sl_free(disk.data[f]);
        sl_free(image[f]);
    }
    rec_run_close(&run);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_cut_loses_what_was_synced) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
