/* Sealed segments: what went in comes out, bit by bit; the same rows give the same bytes; damage
 * and hostile files are refused with the file named. */
#include "run/record.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/segment_read_int.h"
#include "run/userblock_int.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libhdf5 1.10.8 leaks when it refuses damaged metadata: the leak sanitizer is told so. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

static rec_run run;
static char seg[SL_RUN_PATH];
static const rec_journal first = { .number = 1,
                                   .attempt = 1,
                                   .resumed_from = -1,
                                   .first_step = 1,
                                   .last_step = 30,
                                   .has_end = 1,
                                   .ended = SL_ENDED_ROTATED };

static int setup(void **state)
{
    sl_segment_info info;

    (void)state;
    rec_run_open(&run, t_scratch());
    rec_write(&run, &first);
    T_OK(sl_segment_build(&info, run.folder, 1, 0, &run.identity, NULL));
    T_OK(sl_rank_path(seg, run.folder, SL_FILE_SEGMENT, 1));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rec_run_close(&run);
    t_scratch_remove();
    return 0;
}

/* Compares visited rows with those that were made. */
typedef struct expect {
    size_t rows;
    int64_t step;
} expect;

static void compare_wide(const rec_row *want, sl_table table, const unsigned char *packed)
{
    size_t count, w = 0;
    const sl_column *c = sl_table_columns(table, &count);

    for (size_t k = 0; k < count; k++) {
        const unsigned char *at;

        if (c[k].width == SL_WIDTH_ONE)
            continue;
        at = packed + sl_wide_offset(table, w, &run.identity.layout);
        for (size_t i = 0; i < run.identity.layout.width[c[k].width]; i++) {
            uint32_t word = 0;

            memcpy(&word, at + i * sl_type_bytes(c[k].type), sl_type_bytes(c[k].type));
            if (c[k].type == SL_TYPE_F16) {
                T_CLOSE(sl_f16_to_f32((uint16_t)word), want->wide[w].f32[i], TOL_EXACT);
            } else {
                assert_int_equal(word, want->wide[w].u32[i]); /* the bits of a float, too */
            }
        }
        w++;
    }
}

static sl_status compare(void *with, sl_table table, const unsigned char *rows, size_t count,
                         size_t row_bytes)
{
    expect *e = with;
    const size_t per = rec_rows_per_step(table);

    for (size_t i = 0; i < count; i++, e->rows++) {
        rec_row want;
        sl_row_any got;

        rec_make_row(&want, table, e->step + (int64_t)(e->rows / per), e->rows % per,
                     &run.identity.layout);
        memset(&got, 0, sizeof got);
        sl_row_unpack(&got, table, rows + i * row_bytes);
        if (memcmp(&got, &want.row, sl_table_get(table)->row_size))
            fail_msg("/%s row %zu differs", sl_table_get(table)->name, e->rows);
        compare_wide(&want, table, rows + i * row_bytes);
    }
    return SL_OK;
}

static void test_rows_come_back(void **state)
{
    (void)state;
    for (int t = 0; t < SL_TABLE_UNITS; t++) {
        const size_t per = rec_rows_per_step((sl_table)t);
        expect all = { .step = 1 }, some = { .step = 1, .rows = 3 };

        T_OK(sl_segment_rows(seg, &run.identity, (sl_table)t, 0, 30 * per, compare, &all));
        assert_int_equal(all.rows, 30 * per);
        T_OK(sl_segment_rows(seg, &run.identity, (sl_table)t, 3, 2, compare, &some));
        assert_int_equal(some.rows, 5);
    }
    T_OK(sl_segment_check(seg, &run.identity));
}

static void test_user_block(void **state)
{
    sl_segment_info info;

    (void)state;
    T_OK(sl_segment_prove(&info, seg));
    assert_string_equal(info.uuid_text, run.identity.uuid_text);
    assert_int_equal(info.number, 1);
    assert_int_equal(info.attempt, 1);
    assert_int_equal(info.resumed_from, -1);
    assert_int_equal(info.first_step, 1);
    assert_int_equal(info.last_step, 30);
    assert_int_equal(info.last_seq, run.seq);
    assert_int_equal(info.rows[SL_TABLE_UNITS], 30);
    assert_int_equal(info.rows[SL_TABLE_TOKENS], 1200);
    assert_int_equal(info.ended, SL_ENDED_ROTATED);
    assert_true(info.text_bytes > 0);
}

/* The same rows give the same bytes, whatever malloc leaves in fresh memory, a second later. */
static void test_same_bytes(void **state)
{
    sl_segment_info info, again;
    char *a = NULL, *b = NULL;
    size_t a_bytes, b_bytes;

    (void)state;
    T_OK(sl_segment_prove(&info, seg));
    T_OK(sl_file_read(&a, &a_bytes, seg, SIZE_MAX / 2));
    (void)usleep(1100000); /* HDF5 counts times in seconds */
    mallopt(M_PERTURB, 0x5a);
    T_OK(sl_segment_build(&again, run.folder, 1, 0, &run.identity, NULL));
    mallopt(M_PERTURB, 0);
    T_OK(sl_file_read(&b, &b_bytes, seg, SIZE_MAX / 2));
    assert_int_equal(a_bytes, b_bytes);
    assert_memory_equal(a, b, a_bytes);
    assert_string_equal(info.sha256, again.sha256);
    sl_free(a);
    sl_free(b);
}

/* The chain: a segment names the one before; a torn tail is left out. */
static void test_next_segment(void **state)
{
    const rec_journal second = { .number = 2,
                                 .attempt = 1,
                                 .resumed_from = -1,
                                 .first_step = 31,
                                 .last_step = 32,
                                 .torn_bytes = 5000 };
    sl_segment_info before, info;
    char path[SL_RUN_PATH];
    expect e = { .step = 31 };

    (void)state;
    rec_write(&run, &second);
    T_OK(sl_segment_info_read(&before, seg));
    T_OK(sl_segment_build(&info, run.folder, 2, 0, &run.identity, &before));
    T_OK(sl_rank_path(path, run.folder, SL_FILE_SEGMENT, 2));
    assert_string_equal(info.previous_sha256, before.sha256);
    assert_int_equal(info.last_step, 32);
    assert_int_equal(info.ended, SL_ENDED_KILLED);
    T_OK(sl_segment_rows(path, &run.identity, SL_TABLE_PAIRS, 0, 4, compare, &e));
    T_OK(sl_segment_check(path, &run.identity));
}

static void test_empty_journal(void **state)
{
    const rec_journal empty = { .number = 3, .attempt = 1, .resumed_from = -1, .last_step = -1 };
    sl_segment_info info;
    char path[SL_RUN_PATH];

    (void)state;
    rec_write(&run, &empty);
    T_OK(sl_segment_build(&info, run.folder, 3, 0, &run.identity, NULL));
    assert_int_equal(info.first_step, -1);
    assert_int_equal(info.last_step, -1);
    T_OK(sl_rank_path(path, run.folder, SL_FILE_SEGMENT, 3));
    T_OK(sl_segment_check(path, &run.identity));
}

/* Every flip of a bit and every cut is noticed, with the file named. */
static void test_damage_is_noticed(void **state)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream("flip"), 0);
    char *good = NULL, path[SL_RUN_PATH];
    size_t bytes;

    (void)state;
    T_OK(sl_file_read(&good, &bytes, seg, SIZE_MAX / 2));
    T_OK(sl_file_join(path, sizeof path, run.path, "damaged.h5"));
    for (int i = 0; i < 150; i++) {
        const int is_cut = i % 5 == 0;
        const size_t at = sl_rng_below(&rng, i % 2 ? 2048 : (uint32_t)bytes);
        sl_status st;

        good[at] ^= (char)(1 << i % 8);
        T_OK(sl_file_write_atomic(path, good, is_cut ? at : bytes));
        st = sl_segment_check(path, &run.identity);
        good[at] ^= (char)(1 << i % 8);
        assert_int_equal(st, SL_EFORMAT);
        assert_non_null(strstr(sl_err_place(), "damaged.h5"));
        sl_err_clear();
    }
    sl_free(good);
}

/* Sum of all rows: what a stranger must not be able to change without notice. */
static sl_status sum_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                          size_t row_bytes)
{
    (void)table;
    *(uint32_t *)with = sl_crc32c(*(uint32_t *)with, rows, count * row_bytes);
    return SL_OK;
}

static sl_status sum_all(uint32_t *crc, const char *path)
{
    *crc = 0;
    for (int t = 0; t < SL_TABLE_COUNT; t++) {
        const size_t rows = t == SL_TABLE_UNITS ? 30 : 30 * rec_rows_per_step((sl_table)t);

        SL_TRY(sl_segment_rows(path, &run.identity, (sl_table)t, 0, rows, sum_rows, crc));
    }
    return SL_OK;
}

/* Gives the file at path a user block whose sum is right: FOLDER/x.h5.tmp -> x.h5. */
static void reseal(const char *folder, const char *path, sl_segment_info *info)
{
    sl_json *object = NULL;

    T_OK(sl_segment_info_to_json(&object, info));
    T_OK(sl_userblock_seal(folder, path, object));
    sl_json_close(&object);
}

/* With a user block that proves the damaged bytes, the library's own sums and our checks remain. */
static void test_proved_damage_is_noticed(void **state)
{
    sl_rng rng = sl_rng_at(2, sl_rng_stream("flip"), 0);
    char *good = NULL, path[SL_RUN_PATH], tmp[SL_RUN_PATH];
    size_t bytes, noticed = 0;
    uint32_t want, found;
    sl_segment_info info;

    (void)state;
    T_OK(sum_all(&want, seg));
    T_OK(sl_segment_info_read(&info, seg));
    T_OK(sl_file_read(&good, &bytes, seg, SIZE_MAX / 2));
    T_OK(sl_file_join(path, sizeof path, run.path, "proved.h5"));
    T_OK(sl_file_join(tmp, sizeof tmp, run.path, "proved.h5.tmp"));
    for (int i = 0; i < 60; i++) {
        const size_t at = 2048 + sl_rng_below(&rng, (uint32_t)bytes - 2048);

        good[at] ^= (char)(1 << i % 8);
        T_OK(sl_file_write_atomic(tmp, good, bytes));
        good[at] ^= (char)(1 << i % 8);
        reseal(run.path, path, &info);
        if (sum_all(&found, path) != SL_OK)
            noticed++;
        else
            assert_int_equal(found, want); /* a byte that no row depends on */
        sl_err_clear();
    }
    assert_true(noticed > 30);
    sl_free(good);
}

/* A user block with this line and a right or wrong CRC, before the rest of the good segment. */
static void write_block(const char *path, const char *line, int is_right)
{
    char *good = NULL;
    size_t bytes;
    uint32_t crc;

    T_OK(sl_file_read(&good, &bytes, seg, SIZE_MAX / 2));
    memset(good, ' ', 2044);
    memcpy(good, line, strlen(line));
    crc = sl_crc32c(0, good, 2044) + !is_right;
    memcpy(good + 2044, &crc, 4);
    T_OK(sl_file_write_atomic(path, good, bytes));
    sl_free(good);
}

static void test_hostile_user_block(void **state)
{
#define HEAD "{\"schema\":\"stageline-run\",\"major\":1,\"minor\":0,"
    static const struct {
        const char *line;
        sl_status code;
        const char *message;
    } cases[] = {
        { "no line break at all", SL_EFORMAT, "line break" },
        { "{\"schema\":\n", SL_EFORMAT, "" },
        { "[1,2]\n", SL_EFORMAT, "object" },
        { "{}\n", SL_EFORMAT, "schema" },
        { "{\"schema\":\"other\"}\n", SL_EFORMAT, "other" },
        { "{\"schema\":\"stageline-run\",\"major\":2}\n", SL_EVERSION, "found 2" },
        { HEAD "\"run_uuid\":7}\n", SL_EFORMAT, "run_uuid" },
        { HEAD "\"run_uuid\":\"0123456789012345678901234567890123456789\"}\n", SL_EFORMAT,
          "at most 36" },
        { HEAD "\"run_uuid\":\"\",\"run_sha256\":\"\",\"rank\":-1}\n", SL_EFORMAT, "found -1" },
        { HEAD "\"run_uuid\":\"\",\"run_sha256\":\"\",\"rank\":4294967296}\n", SL_EFORMAT,
          "found 4294967296" },
    };
    char path[SL_RUN_PATH];
    sl_segment_info info;

    (void)state;
    T_OK(sl_file_join(path, sizeof path, run.path, "hostile.h5"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_block(path, cases[i].line, 1);
        T_FAILS(sl_segment_info_read(&info, path), cases[i].code, cases[i].message);
    }
    write_block(path, "{}\n", 0);
    T_FAILS(sl_segment_info_read(&info, path), SL_EFORMAT, "CRC32C");
    T_OK(sl_file_write_atomic(path, "short", 5));
    T_FAILS(sl_segment_info_read(&info, path), SL_EFORMAT, "found 5");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(seg, path), 0);
    T_FAILS(sl_segment_info_read(&info, path), SL_EFORMAT, "link");
    T_FAILS(sl_segment_info_read(&info, "/dev/null"), SL_EFORMAT, "regular");
}

static void test_other_run_is_refused(void **state)
{
    sl_run_identity other = run.identity;

    (void)state;
    memset(other.uuid_text, '0', 8);
    T_FAILS(sl_segment_check(seg, &other), SL_EFORMAT, "want a segment of run 00000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_come_back),
        cmocka_unit_test(test_user_block),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_next_segment),
        cmocka_unit_test(test_empty_journal),
        cmocka_unit_test(test_damage_is_noticed),
        cmocka_unit_test(test_proved_damage_is_noticed),
        cmocka_unit_test(test_hostile_user_block),
        cmocka_unit_test(test_other_run_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
