/* The journal parser: what was written is read, what was changed is noticed, torn is told from
 * damaged. */
#include "run/play.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/journal_out_int.h"

#include <stdio.h>
#include <string.h>

enum { UNITS = 5, SYNCED = 3 };

/* One small journal of evals rows and texts in memory; units 1..SYNCED were synced before the rest.
 */
static struct {
    rec_run run;
    char folder[SL_RUN_PATH];
    unsigned char *data, *text;
    size_t bytes, text_bytes;
    size_t unit_end[UNITS], text_end[UNITS], synced_bytes; /* offsets */
    uint32_t seed;
} j;

static void put_unit(sl_journal_out *out, int64_t step)
{
    const size_t row_bytes = sl_table_packed_bytes(SL_TABLE_EVALS, &j.run.identity.layout);

    for (int i = 0; i < 2; i++) {
        const sl_row_evals row = { .step = step, .value = (double)(10 * step + i) };

        sl_row_pack(sl_unit_out_row(&out->unit, SL_TABLE_EVALS, row_bytes), SL_TABLE_EVALS, &row,
                    NULL, &j.run.identity.layout);
    }
    memcpy(sl_unit_out_text(&out->unit, 6), "text.\n", 6);
    T_OK(sl_journal_out_commit(out, SL_UNIT_EVALS, step));
}

static void make(int has_end)
{
    char path[SL_RUN_PATH], *read;
    sl_journal_out out;
    sl_journal_begin begin = { .number = 1, .attempt = 1, .resumed_from = -1 };

    rec_run_open(&j.run, t_scratch());
    memcpy(j.folder, j.run.folder, sizeof j.folder);
    begin.rank_folder = j.folder;
    begin.identity = &j.run.identity;
    j.seed = sl_journal_seed(j.run.identity.uuid, 0, 1);
    T_OK(sl_journal_out_open(&out, &begin));
    for (int64_t s = 1; s <= UNITS; s++) {
        put_unit(&out, s);
        j.unit_end[s - 1] = (size_t)out.journal_bytes;
        j.text_end[s - 1] = (size_t)out.commit.text_bytes;
        if (s != SYNCED)
            continue;
        T_OK(sl_journal_out_sync(&out));
        j.synced_bytes = (size_t)out.journal_bytes;
    }
    if (has_end)
        T_OK(sl_journal_out_end(&out, SL_ENDED_COMPLETE));
    sl_journal_out_close(&out);
    T_OK(sl_rank_path(path, j.folder, SL_FILE_JOURNAL, 1));
    T_OK(sl_file_read(&read, &j.bytes, path, 1 << 20));
    j.data = (unsigned char *)read;
    T_OK(sl_rank_path(path, j.folder, SL_FILE_TEXTS, 1));
    T_OK(sl_file_read(&read, &j.text_bytes, path, 1 << 20));
    j.text = (unsigned char *)read;
}

static void drop(void)
{
    sl_free(j.data);
    sl_free(j.text);
    rec_run_close(&j.run);
    t_scratch_remove();
}

typedef struct expecter {
    int64_t step;
    int i;
} expecter;

static sl_status expect_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                             size_t row_bytes)
{
    expecter *e = with;

    for (size_t k = 0; k < count; k++) {
        sl_row_evals row;

        sl_row_unpack(&row, table, rows + k * row_bytes);
        assert_int_equal(row.step, e->step);
        T_CLOSE(row.value, (double)(10 * e->step + e->i), TOL_EXACT);
        e->i++;
    }
    return SL_OK;
}

/* Reads memory; every unit given must be one that was written. The number of units, -1: no START.
 */
static int read_units(const unsigned char *data, size_t bytes, size_t text_bytes, sl_tail *tail)
{
    sl_journal *journal;
    sl_unit unit;
    int found = 1, units = 0;

    if (sl_journal_open_memory(&journal, data, bytes, j.text, text_bytes, j.seed,
                               &j.run.identity.layout) != SL_OK) {
        sl_err_clear();
        return -1;
    }
    for (;;) {
        expecter e = { .step = units + 1 };
        const char *text;
        size_t n;

        T_OK(sl_journal_next(journal, &unit, &found));
        if (!found)
            break;
        assert_int_equal(unit.commit.step, ++units);
        assert_int_equal(unit.commit.rows, 2);
        T_OK(sl_unit_rows(journal, &unit, SL_TABLE_EVALS, expect_rows, &e));
        assert_int_equal(e.i, 2);
        text = sl_unit_text(journal, &unit, &n); /* after a sync a line of spaces, then ours */
        assert_true(n == 6 || n == 6 + SL_FRAME_BLOCK - SYNCED * 6);
        assert_memory_equal(text + n - 6, "text.\n", 6);
    }
    sl_journal_tail(journal, tail);
    sl_journal_close(&journal);
    return units;
}

static void test_round_trip(void **state)
{
    sl_tail tail;

    (void)state;
    make(1);
    assert_int_equal(read_units(j.data, j.bytes, j.text_bytes, &tail), UNITS);
    assert_int_equal(tail.kind, SL_TAIL_END);
    assert_int_equal(tail.ended, SL_ENDED_COMPLETE);
    assert_int_equal(tail.last_step, UNITS);
    assert_int_equal(tail.whole_bytes, j.bytes);
    assert_int_equal(j.synced_bytes % SL_FRAME_BLOCK, 0);
    drop();
}

/* Cut anywhere: exactly the units that end before the cut, and never a word of damage. */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    make(0);
    for (size_t cut = 0; cut <= j.bytes; cut++) {
        sl_tail tail = { .kind = SL_TAIL_TORN };
        int want = 0;

        while (want < UNITS && j.unit_end[want] <= cut)
            want++;
        if (read_units(j.data, cut, j.text_bytes, &tail) < 0)
            assert_true(cut < j.unit_end[0]);
        else
            assert_int_equal(read_units(j.data, cut, j.text_bytes, &tail), want);
        assert_true(tail.kind == SL_TAIL_TORN || tail.kind == SL_TAIL_OPEN);
    }
    drop();
}

/* A flipped bit is noticed wherever it stands; it is damage where a later frame says "synced". */
static void test_every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    make(1);
    for (size_t at = 0; at < j.bytes; at++) {
        sl_tail tail;
        int units;

        j.data[at] ^= (unsigned char)(1 << at % 8);
        units = read_units(j.data, j.bytes, j.text_bytes, &tail);
        j.data[at] ^= (unsigned char)(1 << at % 8);
        if (units < 0)
            continue;
        assert_true(tail.kind == SL_TAIL_TORN || tail.kind == SL_TAIL_CORRUPT);
        assert_true(tail.bad_offset <= at);
        if (at < j.synced_bytes)
            assert_int_equal(tail.kind, SL_TAIL_CORRUPT);
    }
    drop();
}

/* Before END was written, units that were never synced may be torn in any order. */
static void test_unsynced_damage_is_torn(void **state)
{
    (void)state;
    make(0);
    for (size_t at = j.synced_bytes; at < j.unit_end[UNITS - 1]; at++) {
        sl_tail tail;

        j.data[at] ^= 4;
        assert_true(read_units(j.data, j.bytes, j.text_bytes, &tail) < UNITS);
        assert_int_equal(tail.kind, SL_TAIL_TORN);
        assert_true(tail.whole_bytes >= j.synced_bytes);
        j.data[at] ^= 4;
    }
    drop();
}

/* Units whose text ends at or before this byte. */
static int units_before(size_t bytes)
{
    int units = 0;

    while (units < UNITS && j.text_end[units] <= bytes)
        units++;
    return units;
}

static void test_texts_belong_to_their_units(void **state)
{
    sl_tail tail;

    (void)state;
    make(0);
    for (size_t n = 0; n <= j.text_bytes; n++) {
        const int units = units_before(n);

        assert_int_equal(read_units(j.data, j.bytes, n, &tail), units);
        if (units < SYNCED)
            assert_int_equal(tail.kind, SL_TAIL_CORRUPT);
        else if (units < UNITS)
            assert_int_equal(tail.kind, SL_TAIL_TORN);
    }
    for (size_t at = 0; at < j.text_bytes; at++) {
        j.text[at] ^= 1;
        assert_int_equal(read_units(j.data, j.bytes, j.text_bytes, &tail), units_before(at));
        j.text[at] ^= 1;
    }
    drop();
}

/* Frames of another run, rank or journal behind the end: a reused block, no unit, no damage. */
static void test_stale_bytes_never_match(void **state)
{
    unsigned char *mixed;
    sl_frame f;
    sl_tail tail;
    size_t used;

    (void)state;
    make(0);
    T_OK(sl_take(&mixed, 2 * j.bytes, 1));
    memcpy(mixed, j.data, j.bytes);
    used = j.bytes;
    for (size_t at = 0; at < j.bytes; at += sl_frame_bytes(f.payload_bytes)) {
        assert_true(sl_frame_decode(&f, j.data, j.bytes, at, j.seed));
        f.seq += 100;
        f.synced_seq = 1000;
        sl_frame_encode(mixed + used, &f, sl_journal_seed(j.run.identity.uuid, 0, 2));
        used += sl_frame_bytes(f.payload_bytes);
    }
    assert_int_equal(read_units(mixed, used, j.text_bytes, &tail), UNITS);
    assert_int_equal(tail.kind, SL_TAIL_TORN);
    assert_int_equal(tail.bad_offset, j.bytes);
    sl_free(mixed);
    drop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_flipped_bit_is_noticed),
        cmocka_unit_test(test_unsynced_damage_is_torn),
        cmocka_unit_test(test_texts_belong_to_their_units),
        cmocka_unit_test(test_stale_bytes_never_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
