/* The journal parser against any bytes. Half of the changes get their checksums mended, so that the
 * checks behind them are reached. A journal that opens gives whole units, and knows its tail. */
#include "base/hash.h"
#include "harness/fuzz.h"
#include "run/frames.h"
#include "run/journal.h"
#include <string.h>

enum { FUZZ_SEED = 0x51ed5eed, FUZZ_UNITS = 6 };

static size_t make_seed(char *to);
static size_t mutate(char *text, size_t n, sl_rng *rng);
const t_fuzz_target t_fuzz = { .name = "fuzz journal",
                               .spice = "\1\2\x40\x7f\x80\xff{}\",:0123456789",
                               .changes = 20000,
                               .change = mutate,
                               .make = make_seed };

static sl_layout layout(void)
{
    sl_layout l = sl_layout_defaults();

    l.width[SL_WIDTH_K] = 4;
    l.width[SL_WIDTH_VOCAB] = 16;
    l.width[SL_WIDTH_GROUPS] = 2;
    l.width[SL_WIDTH_SKETCH] = 3;
    return l;
}

/* Touches every byte it is given, so that a sanitizer sees a wrong length. */
static sl_status touch(void *with, sl_table table, const unsigned char *rows, size_t count,
                       size_t row_bytes)
{
    uint64_t *sum = with;

    for (size_t i = 0; i < count * row_bytes; i++)
        *sum += rows[i];
    for (size_t i = 0; i < count; i++) {
        sl_row_any row;

        sl_row_unpack(&row, table, rows + i * row_bytes);
        *sum += (uint64_t)row.step;
        if (sl_row_check(table, rows + i * row_bytes) != SL_OK)
            sl_err_clear();
    }
    return SL_OK;
}

static void read_all(sl_journal *journal, uint64_t *sum)
{
    sl_unit unit;
    sl_tail tail;
    int found = 1;

    while (sl_journal_next(journal, &unit, &found) == SL_OK && found) {
        size_t bytes;
        const char *text = sl_unit_text(journal, &unit, &bytes);

        for (size_t i = 0; i < bytes; i++)
            *sum += (unsigned char)text[i];
        for (int t = 0; t < SL_TABLE_COUNT; t++)
            if (sl_unit_rows(journal, &unit, (sl_table)t, touch, sum) != SL_OK)
                t_expect(0, "a unit that was given to be readable");
    }
    sl_journal_tail(journal, &tail);
    t_expect(tail.whole_bytes <= tail.bad_offset, "a tail behind the whole units");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sl_layout l = layout();
    sl_journal *journal;
    uint64_t sum = 0;

    /* the last quarter also stands for the text file */
    if (sl_journal_open_memory(&journal, data, size, data + size - size / 4, size / 4, FUZZ_SEED,
                               &l) == SL_OK) {
        read_all(journal, &sum);
        sl_journal_close(&journal);
        sl_err_clear();
        t_fuzz_count(1);
    } else {
        t_fuzz_count(0);
    }
    return sum == 1;
}

static size_t add_frame(unsigned char *to, uint16_t type, uint16_t table, uint32_t rows,
                        const void *payload, uint32_t bytes, uint64_t seq)
{
    const sl_frame f = { type, table, bytes, rows, seq, 3, seq ? seq - 1 : 0, payload };

    sl_frame_encode(to, &f, FUZZ_SEED);
    return sl_frame_bytes(bytes);
}

/* A sound journal: START, units of two tables, PAD, END. Its size. */
static size_t make_journal(unsigned char *to)
{
    const char start[] = "{\"major\":1,\"minor\":1,\"run_sha256\":\"\",\"rank\":0,\"journal\":1,"
                         "\"attempt\":1,\"resumed_from\":-1,\"last_seq\":0}";
    const sl_layout l = layout();
    static const sl_table tables[] = { SL_TABLE_TOPK, SL_TABLE_EVALS };
    unsigned char rows[4096] = { 0 }, payload[SL_COMMIT_BYTES];
    const uint32_t ended = SL_ENDED_COMPLETE;
    sl_commit commit = { .step = 3 };
    size_t used = add_frame(to, SL_FRAME_START, 0, 0, start, sizeof start - 1, 1);
    uint64_t seq = 2;

    for (int u = 0; u < FUZZ_UNITS; u++) {
        commit.rows = 0;
        commit.crc32c = 0;
        for (int t = 0; t < 2; t++) {
            const uint32_t bytes = (uint32_t)(2 * sl_table_packed_bytes(tables[t], &l));

            used += add_frame(to + used, SL_FRAME_ROWS, (uint16_t)tables[t], 2, rows, bytes, seq++);
            commit.rows += 2;
            commit.so_far[tables[t]] += 2;
            commit.crc32c = sl_crc32c(commit.crc32c, rows, bytes);
        }
        sl_commit_encode(payload, &commit);
        used += add_frame(to + used, SL_FRAME_COMMIT, 0, 4, payload, sizeof payload, seq++);
        used += add_frame(to + used, SL_FRAME_PAD, 0, 0, rows, 64, seq++);
    }
    return used + add_frame(to + used, SL_FRAME_END, 0, 0, &ended, sizeof ended, seq);
}

/* Without this the fuzzing might only ever see the first check. */
static void expect_sound(const unsigned char *data, size_t size)
{
    const sl_layout l = layout();
    sl_journal *journal;
    sl_unit unit;
    int found = 1, units = 0;

    t_expect(sl_journal_open_memory(&journal, data, size, NULL, 0, FUZZ_SEED, &l) == SL_OK,
             "the sound journal to open");
    while (sl_journal_next(journal, &unit, &found) == SL_OK && found)
        units++;
    sl_journal_close(&journal);
    t_expect(units == FUZZ_UNITS, "all its units");
}

static size_t make_seed(char *to)
{
    const size_t size = make_journal((unsigned char *)to);

    expect_sound((const unsigned char *)to, size);
    return size;
}

static size_t mutate(char *text, size_t n, sl_rng *rng)
{
    return frames_mutate(text, n, rng, FUZZ_SEED);
}
