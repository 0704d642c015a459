/* The goldens of real tokenizers: ids with and without special tokens, and both decodings, exact
 * on every line. usage: test_golden NAME FOLDER/FILE.json */
#include "base/alloc.h"
#include "harness/harness.h"
#include "text/tokenizer.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 4096, LINES_LEAST = 400 };

static char golden_path[PATH], shown_path[PATH];
static const char *tokenizer_name;
static sl_tokenizer *tokenizer;

static json_t *line_of(const char *text)
{
    json_error_t error;
    json_t *line = json_loads(text, JSON_ALLOW_NUL, &error);

    assert_non_null(line);
    return line;
}

static void check_ids(const json_t *want, const char *text, size_t bytes, unsigned flags, int at)
{
    sl_ids ids = { 0 };

    T_OK(sl_tokenizer_encode(&ids, tokenizer, text, bytes, flags));
    if (ids.count != json_array_size(want))
        print_error("line %d: want %zu ids, found %zu\n", at, json_array_size(want), ids.count);
    assert_int_equal(ids.count, json_array_size(want));
    for (size_t i = 0; i < ids.count; i++) {
        if (ids.id[i] != json_integer_value(json_array_get(want, i)))
            print_error("line %d: id %zu\n", at, i);
        assert_int_equal(ids.id[i], json_integer_value(json_array_get(want, i)));
    }
    sl_ids_close(&ids);
}

static int32_t *ids_of(const json_t *list)
{
    int32_t *id;

    T_OK(sl_take(&id, json_array_size(list) + 1, sizeof *id));
    for (size_t i = 0; i < json_array_size(list); i++)
        id[i] = (int32_t)json_integer_value(json_array_get(list, i));
    return id;
}

static void check_text(const json_t *want, const json_t *list, int skips, int at)
{
    int32_t *id = ids_of(list);
    const size_t count = json_array_size(list);
    size_t bytes, streamed = 0;
    sl_decoder *decoder;
    sl_span piece;
    char *text;

    T_OK(sl_tokenizer_decode(&text, &bytes, tokenizer, id, count, skips));
    if (bytes != json_string_length(want) || memcmp(text, json_string_value(want), bytes) != 0)
        print_error("line %d: want \"%s\", found \"%s\"\n", at, json_string_value(want), text);
    assert_int_equal(bytes, json_string_length(want));
    assert_memory_equal(text, json_string_value(want), bytes);

    T_OK(sl_decoder_open(&decoder, tokenizer, skips));
    for (size_t i = 0; i <= count; i++) {
        if (i < count)
            T_OK(sl_decoder_push(&piece, decoder, id[i]));
        else
            T_OK(sl_decoder_finish(&piece, decoder));
        assert_true(streamed + piece.bytes <= bytes);
        assert_memory_equal(text + streamed, piece.at, piece.bytes);
        streamed += piece.bytes;
    }
    assert_int_equal(streamed, bytes);
    sl_decoder_close(&decoder);
    sl_free(text);
    sl_free(id);
}

static void test_every_line(void **state)
{
    FILE *file = fopen(golden_path, "r");
    char *text = NULL;
    size_t size = 0;
    int lines = 0;

    (void)state;
    assert_non_null(file);
    while (getline(&text, &size, file) > 0) {
        json_t *line = line_of(text);
        const json_t *t = json_object_get(line, "text");
        const json_t *ids = json_object_get(line, "ids");
        const json_t *special = json_object_get(line, "ids_special");

        lines++;
        check_ids(ids, json_string_value(t), json_string_length(t), SL_ENCODE_SPECIAL_IN_TEXT,
                  lines);
        check_ids(special, json_string_value(t), json_string_length(t),
                  SL_ENCODE_SPECIAL_IN_TEXT | SL_ENCODE_ADD_SPECIAL, lines);
        check_text(json_object_get(line, "decoded"), ids, 0, lines);
        check_text(json_object_get(line, "decoded_skip_special"), special, 1, lines);
        json_decref(line);
    }
    free(text);
    fclose(file);
    assert_true(lines >= LINES_LEAST);
}

/* Lines that were written down before, from other programs. */
static void test_shown_lines(void **state)
{
    FILE *file = fopen(shown_path, "r");
    char *text = NULL;
    size_t size = 0;
    int lines = 0, used = 0;

    (void)state;
    assert_non_null(file);
    while (getline(&text, &size, file) > 0) {
        json_t *line = line_of(text);
        const char *name = json_string_value(json_object_get(line, "file"));
        const json_t *t = json_object_get(line, "text");
        const int adds = json_is_true(json_object_get(line, "add_special_tokens"));

        lines++;
        if (!strcmp(name, tokenizer_name)) {
            check_ids(json_object_get(line, "ids"), json_string_value(t), json_string_length(t),
                      SL_ENCODE_SPECIAL_IN_TEXT | (adds ? SL_ENCODE_ADD_SPECIAL : 0u), lines);
            used++;
        }
        json_decref(line);
    }
    free(text);
    fclose(file);
    if (!used)
        print_message("no line for %s\n", tokenizer_name);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_line),
        cmocka_unit_test(test_shown_lines),
    };
    char name[PATH];
    int failed;

    if (argc != 3)
        return 2;
    snprintf(name, sizeof name, "goldens/tokenizers/%s.jsonl", argv[1]);
    if (!t_shared(name))
        return T_SKIP;
    snprintf(golden_path, sizeof golden_path, "%s", t_shared(name));
    tokenizer_name = argv[2];
    snprintf(shown_path, sizeof shown_path, "%s", t_shared("data/tokenizers/golden.jsonl"));
    snprintf(name, sizeof name, "data/tokenizers/%s", argv[2]);
    if (sl_tokenizer_open(&tokenizer, t_shared(name)) != SL_OK) {
        fprintf(stderr, "%s: %s\n", sl_err_place(), sl_err_message());
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    sl_tokenizer_close(&tokenizer);
    return failed;
}
