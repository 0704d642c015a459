/* The journal parser against any bytes: libFuzzer's entry, and a driver of our own that replays
 * files and pseudo-random mutations. Half of the mutations get their checksums mended, so that the
 * checks behind them are reached. usage: fuzz_journal [-n MUTATIONS] [FILE...] */
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/rng.h"
#include "run/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUZZ_SEED = 0x51ed5eed, FUZZ_BYTES = 8192, FUZZ_UNITS = 6, MUTATIONS = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
                abort(); /* a unit that was given must be readable */
    }
    sl_journal_tail(journal, &tail);
    if (tail.whole_bytes > tail.bad_offset)
        abort();
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
    }
    sl_err_clear();
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
    const char start[] = "{\"major\":1,\"minor\":0,\"run_sha256\":\"\",\"rank\":0,\"journal\":1,"
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

/* Gives every frame that still lies inside new checksums. */
static void mend(unsigned char *data, size_t size)
{
    sl_frame f;
    size_t at = 0;

    while (sl_frame_peek(&f, data, size, at)) {
        sl_frame_encode(data + at, &f, FUZZ_SEED);
        at += sl_frame_bytes(f.payload_bytes);
    }
}

#ifdef SL_LIBFUZZER
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

/* Begins with a sound journal; half of the changes get their checksums mended. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    if (size < SL_COMMIT_BYTES && room >= FUZZ_BYTES)
        size = make_journal(data);
    size = LLVMFuzzerMutate(data, size, room);
    if (seed % 2)
        mend(data, size);
    return size;
}
#else
/* Without this the fuzzing might only ever see the first check. */
static void expect_sound(const unsigned char *data, size_t size)
{
    const sl_layout l = layout();
    sl_journal *journal;
    sl_unit unit;
    int found = 1, units = 0;

    if (sl_journal_open_memory(&journal, data, size, NULL, 0, FUZZ_SEED, &l) != SL_OK)
        abort();
    while (sl_journal_next(journal, &unit, &found) == SL_OK && found)
        units++;
    sl_journal_close(&journal);
    if (units != FUZZ_UNITS)
        abort();
}

static void mutate(unsigned char *data, size_t size, sl_rng *rng)
{
    static const unsigned char edges[] = { 0, 1, 0x7f, 0x80, 0xff };
    const uint32_t changes = 1 + sl_rng_below(rng, 4);

    for (uint32_t i = 0; i < changes; i++) {
        unsigned char *at = data + sl_rng_below(rng, (uint32_t)size);

        if (sl_rng_below(rng, 2))
            *at ^= (unsigned char)(1u << sl_rng_below(rng, 8));
        else
            *at = edges[sl_rng_below(rng, sizeof edges)];
    }
}

static void run_mutations(long count)
{
    static unsigned char sound[FUZZ_BYTES], data[FUZZ_BYTES];
    const size_t size = make_journal(sound);
    sl_rng rng = sl_rng_at(1, sl_rng_stream("fuzz"), 0);

    expect_sound(sound, size);
    for (long i = 0; i < count; i++) {
        const size_t cut = sl_rng_below(&rng, 4) ? size : sl_rng_below(&rng, (uint32_t)size) + 1;
        unsigned char *exact = NULL;

        memcpy(data, sound, size);
        mutate(data, cut, &rng);
        if (i % 2)
            mend(data, cut);
        if (sl_take(&exact, cut, 1) != SL_OK) /* its own size, so that a step too far is seen */
            abort();
        memcpy(exact, data, cut);
        LLVMFuzzerTestOneInput(exact, cut);
        sl_free(exact);
    }
}

static int replay(const char *path)
{
    char *data;
    size_t size;

    if (sl_file_read(&data, &size, path, 64 << 20) != SL_OK) {
        fprintf(stderr, "%s: %s\n", sl_err_place(), sl_err_message());
        return 1;
    }
    LLVMFuzzerTestOneInput((uint8_t *)data, size);
    sl_free(data);
    return 0;
}

int main(int argc, char **argv)
{
    long mutations = argc == 1 ? MUTATIONS : 0;
    int failed = 0;

    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "-n") && i + 1 < argc)
            mutations = strtol(argv[++i], NULL, 10);
        else
            failed |= replay(argv[i]);
    run_mutations(mutations);
    return failed;
}
#endif
