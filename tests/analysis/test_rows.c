/* Rows of vote files that are wrong: each kind is named by file and line, counted, and stops the
 * analysis only beyond the share that is allowed. */
#include "analysis/report.h"
#include "base/alloc.h"
#include "base/file.h"
#include "harness/harness.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SOUND = 400 };

static char path[4200];

static const char *scratch_path(const char *name)
{
    static const char *folder;

    if (!folder)
        folder = t_scratch();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* SOUND sound rows with `bad` as line `line`. */
static const char *write_with(const char *bad, size_t bytes, size_t line)
{
    FILE *f = fopen(scratch_path("votes.jsonl"), "wb");

    assert_non_null(f);
    for (size_t i = 1; i <= SOUND; i++) {
        if (i == line) {
            assert_int_equal(fwrite(bad, 1, bytes, f), bytes);
            fputc('\n', f);
        }
        fprintf(f, "{\"prompt_id\":\"p%zu\",\"prompt\":\"text %zu\",\"vote\":%zu}\n", i, i, i % 2);
    }
    assert_int_equal(fclose(f), 0);
    return path;
}

static sl_status read_file(sl_vote_set *set, const char *file, double share, int is_given)
{
    static sl_rows_limit limit;

    limit = (sl_rows_limit){ .share = share, .is_given = is_given };
    *set = (sl_vote_set){ .limit = &limit };
    return sl_votes_read(set, file);
}

/* One bad row of 401 is below 1 %: the rest is read, the row is named. */
static void check_bytes(const char *bad, size_t bytes, const char *reason)
{
    const char *file = write_with(bad, bytes, 37);
    sl_vote_set set;

    T_OK(read_file(&set, file, SL_BAD_SHARE, 0));
    assert_int_equal(set.input[0].rows, SOUND);
    assert_int_equal(set.input[0].read.bad, 1);
    assert_int_equal(set.input[0].read.first[0].line, 37);
    if (!strstr(set.input[0].read.first[0].reason, reason))
        fail_msg("want \"%s\", found \"%s\"", reason, set.input[0].read.first[0].reason);
    sl_votes_close(&set);
    T_FAILS(read_file(&set, file, 0.0, 1), SL_EFORMAT, "votes.jsonl:37");
    sl_votes_close(&set);
}

static void check(const char *bad, const char *reason)
{
    check_bytes(bad, strlen(bad), reason);
}

static void test_every_kind_of_bad_row(void **state)
{
    (void)state;
    check("{\"vote\":1}", "want \"prompt_id\"");
    check("{\"prompt_id\":\"p\"}", "want \"vote\", \"score_on\"");
    check("{\"prompt_id\":\"p\",\"vote\":NaN}", "want JSON");
    check("{\"prompt_id\":\"p\",\"vote\":1.7}", "want \"vote\" in [0,1], found 1.7");
    check("{\"prompt_id\":\"p\",\"vote\":\"1\"}", "want \"vote\"");
    check("{\"prompt_id\":\"p5\",\"prompt\":\"another text\",\"vote\":1}",
          "another text of this id");
    check("{\"prompt_id\":\"new\",\"prompt\":\"text 5\",\"vote\":1}", "another id of this text");
    check("{\"prompt_id\":\"p\",\"judge\":\"J\",\"vote\":1}", "want no judge");
    check("{\"prompt_id\":\"p\xff\",\"vote\":1}", "want JSON");
    check("{\"prompt_id\":\"p\",\"vote\":1", "want JSON");
    check("[1]", "want an object");
    check_bytes("{\"prompt_id\":\0\"p\",\"vote\":1}", 27, "want JSON");
}

static void test_a_line_of_ten_megabytes(void **state)
{
    const size_t bytes = (size_t)10 << 20;
    char *line = malloc(bytes);

    (void)state;
    assert_non_null(line);
    memset(line, ' ', bytes);
    memcpy(line, "{\"prompt_id\":\"p\",", 17);
    memcpy(line + bytes - 9, "\"vote\":1}", 9);
    check_bytes(line, bytes, "want a line of at most 8388608 bytes");
    free(line);
}

static void test_more_than_one_in_a_hundred_stops(void **state)
{
    FILE *f = fopen(write_with("{\"vote\":3}", 10, 2), "ab");
    sl_vote_set set;
    sl_json *document;
    const sl_votes_settings settings = sl_votes_settings_defaults();

    (void)state;
    assert_non_null(f);
    for (int i = 0; i < 9; i++)
        fputs("junk\n", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(read_file(&set, path, SL_BAD_SHARE, 0), SL_EFORMAT);
    assert_non_null(strstr(sl_err_place(), "votes.jsonl:2"));
    assert_non_null(strstr(sl_err_hint_text(), "10 of 410 rows are bad"));
    sl_err_clear();
    sl_votes_close(&set);
    T_OK(read_file(&set, path, 0.03, 1));
    assert_int_equal(set.input[0].read.bad, 10);
    T_OK(sl_analyze_votes(&document, &set, &settings));
    assert_int_equal(json_integer_value(json_object_get(
                         json_array_get(json_object_get(document, "inputs"), 0), "bad")),
                     10);
    sl_json_close(&document);
    sl_votes_close(&set);
}

/* The last bytes of a gzip'ed file are missing: refused, unless a person allows it. */
static void test_truncated_gzip(void **state)
{
    char *text, *packed;
    size_t bytes, packed_bytes;
    sl_vote_set set;
    gzFile gz;

    (void)state;
    T_OK(sl_file_read(&text, &bytes, write_with("{\"prompt_id\":1,\"vote\":1}", 24, 1), 1 << 20));
    gz = gzopen(scratch_path("whole.jsonl.gz"), "wb");
    assert_int_equal(gzwrite(gz, text, (unsigned)bytes), (int)bytes);
    assert_int_equal(gzclose(gz), Z_OK);
    sl_free(text);
    T_OK(read_file(&set, path, SL_BAD_SHARE, 0));
    assert_int_equal(set.input[0].rows, SOUND + 1);
    sl_votes_close(&set);
    {
        FILE *f = fopen(path, "rb");

        assert_non_null(f);
        packed = malloc(1 << 20);
        packed_bytes = fread(packed, 1, 1 << 20, f);
        fclose(f);
    }
    T_OK(sl_file_write_atomic(scratch_path("cut.jsonl.gz"), packed, packed_bytes * 3 / 4));
    free(packed);
    T_FAILS(read_file(&set, path, SL_BAD_SHARE, 0), SL_EFORMAT,
            "want the end of the gzip stream, found it cut off");
    assert_true(set.input[0].rows > 0 && set.input[0].rows < SOUND);
    sl_votes_close(&set);
    T_OK(read_file(&set, path, SL_BAD_SHARE, 1));
    assert_true(set.input[0].read.is_cut);
    sl_votes_close(&set);
}

static void test_mixed_judges_the_other_way(void **state)
{
    FILE *f = fopen(scratch_path("votes.jsonl"), "wb");
    sl_vote_set set;

    (void)state;
    for (int i = 0; i < 200; i++)
        fprintf(f, "{\"prompt_id\":%d,\"judge\":\"%s\",\"vote\":1}\n", i, i % 2 ? "A" : "B");
    fputs("{\"prompt_id\":7,\"vote\":1}\n", f);
    assert_int_equal(fclose(f), 0);
    T_OK(read_file(&set, path, SL_BAD_SHARE, 0));
    assert_int_equal(set.points, 2); /* several judges are welcome, a row without one is not */
    assert_string_equal(set.input[0].read.first[0].reason,
                        "want a judge, as in the first row, found none");
    sl_votes_close(&set);
}

static void test_empty_and_missing_files(void **state)
{
    sl_vote_set set;

    (void)state;
    T_OK(sl_file_write_atomic(scratch_path("empty.jsonl"), "", 0));
    T_FAILS(read_file(&set, path, SL_BAD_SHARE, 0), SL_EFORMAT, "found an empty file");
    sl_votes_close(&set);
    T_FAILS(read_file(&set, scratch_path("none.jsonl"), SL_BAD_SHARE, 0), SL_EIO, "none.jsonl");
    sl_votes_close(&set);
}

/* Lines are streamed: memory does not grow with the file. */
static void test_reading_holds_little(void **state)
{
    FILE *f = fopen(scratch_path("long.jsonl"), "wb");
    sl_vote_set set;

    (void)state;
    for (int i = 0; i < 60000; i++)
        fprintf(f, "{\"prompt_id\":%d,\"vote\":1,\"comment\":\"%0200d\"}\n", i / 4, i);
    assert_int_equal(fclose(f), 0);
    T_OK(read_file(&set, path, SL_BAD_SHARE, 0));
    assert_int_equal(set.input[0].rows, 60000);
    assert_true(set.input[0].read.bytes > (size_t)12 << 20);
    assert_true(set.input[0].read.held_bytes <= (size_t)1 << 20);
    sl_votes_close(&set);
}

static int end(void **state)
{
    (void)state;
    t_scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_bad_row),
        cmocka_unit_test(test_a_line_of_ten_megabytes),
        cmocka_unit_test(test_more_than_one_in_a_hundred_stops),
        cmocka_unit_test(test_truncated_gzip),
        cmocka_unit_test(test_mixed_judges_the_other_way),
        cmocka_unit_test(test_empty_and_missing_files),
        cmocka_unit_test(test_reading_holds_little),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
