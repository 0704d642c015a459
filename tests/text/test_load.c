/* What a file may not say: refused by name, with the place. And decoding by small tokenizers. */
#include "base/alloc.h"
#include "text_test.h"
#include <string.h>

typedef struct refusal {
    t_parts parts;
    sl_status code;
    const char *message, *place;
} refusal;

#define SPLIT(pattern)                                                                             \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" pattern "\"},\"behavior\":\"Isolated\"}"
#define BYTE_LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"

static const refusal refusals[] = {
    { { .normalizer = "{\"type\":\"NFKC\"}" }, SL_EUNSUPPORTED, "\"NFKC\"", "normalizer" },
    { { .normalizer = "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":"
                      "\"Lowercase\"}]}" },
      SL_EUNSUPPORTED,
      "\"Lowercase\"",
      "normalizer Sequence 1" },
    { { .normalizer = "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a\"},\"content\":\"\"}" },
      SL_EUNSUPPORTED,
      "found Regex",
      "normalizer Replace" },
    { { .normalizer = "{}" }, SL_EFORMAT, "\"type\"", "normalizer" },
    { { .pre = "{\"type\":\"Whitespace\"}" }, SL_EUNSUPPORTED, "\"Whitespace\"", "pre_tokenizer" },
    { { .pre = "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Removed\"}" },
      SL_EUNSUPPORTED,
      "\"Removed\"",
      "pre_tokenizer Split" },
    { { .pre = "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Isolated\","
               "\"invert\":true}" },
      SL_EUNSUPPORTED,
      "invert false",
      "pre_tokenizer Split" },
    { { .pre = "{\"type\":\"Split\",\"pattern\":{\"String\":\"\"},\"behavior\":\"Isolated\"}" },
      SL_EUNSUPPORTED,
      "at least one byte",
      "pre_tokenizer Split" },
    { { .pre = SPLIT("a*") }, SL_EUNSUPPORTED, "can match none", "pre_tokenizer Split" },
    { { .pre = SPLIT("(a") }, SL_EFORMAT, "want a regex, found at byte", "pre_tokenizer Split" },
    { { .pre = SPLIT("\\\\w+") }, SL_EUNSUPPORTED, "\"\\w\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("\\\\h+") }, SL_EUNSUPPORTED, "\"\\h\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("[a&&b]") }, SL_EUNSUPPORTED, "\"&&\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("[a[b]]") }, SL_EUNSUPPORTED, "\"[b\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("[^\\\\S]") }, SL_EUNSUPPORTED, "\"\\S\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("[]a]") }, SL_EUNSUPPORTED, "\"[]\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("[a") }, SL_EUNSUPPORTED, "\"[\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("a$") }, SL_EUNSUPPORTED, "\"$\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("(?m:a)") }, SL_EUNSUPPORTED, "\"(?m:\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("(*UCP)a") }, SL_EUNSUPPORTED, "\"(*UC\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("a{1,2}+") }, SL_EUNSUPPORTED, "\"{1,2}+\"", "pre_tokenizer Split" },
    { { .pre = SPLIT("a{,2}") }, SL_EUNSUPPORTED, "\"{,2}\"", "pre_tokenizer Split" },
    { { .pre = "{\"type\":\"ByteLevel\"}" }, SL_EFORMAT, "add_prefix_space", "pre_tokenizer" },
    { { .pre = "{\"type\":\"Sequence\",\"pretokenizers\":[" BYTE_LEVEL ",{\"type\":\"Digits\"}]}" },
      SL_EUNSUPPORTED,
      "ByteLevel as the last",
      "pre_tokenizer Sequence 1 Digits" },
    { { .pre = "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"last\"}" },
      SL_EUNSUPPORTED,
      "\"last\"",
      "pre_tokenizer Metaspace" },
    { { .pre = "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"first\","
               "\"add_prefix_space\":false}" },
      SL_EFORMAT,
      "\"first\"",
      "pre_tokenizer Metaspace" },
    { { .post = "{\"type\":\"BertProcessing\"}" },
      SL_EUNSUPPORTED,
      "\"BertProcessing\"",
      "post_processor" },
    { { .post = "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"P\"}}],"
                "\"special_tokens\":{}}" },
      SL_EFORMAT,
      "ids of \"P\"",
      "post_processor TemplateProcessing single 0" },
    { { .post = "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"P\"}}],"
                "\"special_tokens\":{\"P\":{\"ids\":[77]}}}" },
      SL_EFORMAT,
      "below 7",
      "post_processor TemplateProcessing single 0" },
    { { .post = "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"B\"}}]}" },
      SL_EUNSUPPORTED,
      "\"B\"",
      "post_processor TemplateProcessing single 0" },
    { { .post = "{\"type\":\"TemplateProcessing\",\"single\":[]}" },
      SL_EFORMAT,
      "Sequence A",
      "post_processor TemplateProcessing" },
    { { .decoder = "{\"type\":\"WordPiece\"}" }, SL_EUNSUPPORTED, "\"WordPiece\"", "decoder" },
    { { .decoder = "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},{\"type\":"
                   "\"ByteFallback\"}]}" },
      SL_EUNSUPPORTED,
      "ByteFallback too late",
      "decoder Sequence 1 ByteFallback" },
    { { .decoder = "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}" },
      SL_EUNSUPPORTED,
      "after Fuse",
      "decoder Strip" },
    { { .vocab = "{\"a\":0,\"b\":0}" }, SL_EFORMAT, "one text for id 0", "model" },
    { { .vocab = "{\"a\":2097152}" }, SL_EFORMAT, "one outside", "model token \"a\"" },
    { { .vocab = "{\"a\":-1}" }, SL_EFORMAT, "one outside", "model token \"a\"" },
    { { .vocab = "{\"a\":\"1\"}" }, SL_EFORMAT, "another value", "model token \"a\"" },
    { { .vocab = "[]" }, SL_EFORMAT, "\"vocab\"", "model" },
    { { .merges = "[\"a b\",\"ab\"]" }, SL_EFORMAT, "one space", "model merge 1" },
    { { .merges = "[\"a b c\"]" }, SL_EFORMAT, "one space", "model merge 0" },
    { { .merges = "[\"a d\"]" }, SL_EFORMAT, "\"d\"", "model merge 0" },
    { { .merges = "[\"c c\"]" }, SL_EFORMAT, "\"cc\"", "model merge 0" },
    { { .merges = "[[\"a\",\"b\",\"c\"]]" }, SL_EFORMAT, "another value", "model merge 0" },
    { { .merges = "{}" }, SL_EFORMAT, "\"merges\"", "model" },
    { { .more = ",\"dropout\":0.1" }, SL_EUNSUPPORTED, "dropout null", "model" },
    { { .more = ",\"end_of_word_suffix\":\"</w>\"" }, SL_EUNSUPPORTED, "\"</w>\"", "model" },
    { { .more = ",\"continuing_subword_prefix\":\"##\"" }, SL_EUNSUPPORTED, "\"##\"", "model" },
    { { .more = ",\"unk_token\":\"<unk>\"" }, SL_EFORMAT, "\"<unk>\"", "model" },
    { { .added = "[{\"id\":9,\"content\":\"a\"}]" }, SL_EFORMAT, "found 0 and 9", "added_tokens" },
    { { .added = "[{\"id\":0,\"content\":\"x\"}]" },
      SL_EFORMAT,
      "\"a\" and \"x\"",
      "added_tokens" },
    { { .added = "[{\"id\":9,\"content\":\"\"}]" }, SL_EFORMAT, "one character", "added_tokens 0" },
    { { .added = "[{\"id\":9,\"content\":\"x\"},{\"id\":9,\"content\":\"x\"}]" },
      SL_EFORMAT,
      "added once",
      "added_tokens 1" },
    { { .added = "{}" }, SL_EFORMAT, "\"added_tokens\"", "model" },
};

static void test_refusals_name_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const refusal *r = &refusals[i];
        sl_tokenizer *t;
        const sl_status st = t_parts_open(&t, &r->parts);

        if (st != r->code || !strstr(sl_err_message(), r->message) ||
            !strstr(sl_err_place(), r->place))
            fail_msg("row %zu: want %d \"%s\" at \"%s\", found %d \"%s\" at \"%s\"", i,
                     (int)r->code, r->message, r->place, (int)st, sl_err_message(), sl_err_place());
        assert_null(t);
        assert_non_null(strstr(sl_err_place(), "test.json"));
        sl_err_clear();
    }
}

static void test_other_models(void **state)
{
    static const char unigram[] = "{\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}";
    sl_tokenizer *t;

    (void)state;
    T_FAILS(sl_tokenizer_parse(&t, unigram, strlen(unigram), "u"), SL_EUNSUPPORTED, "\"Unigram\"");
    T_FAILS(sl_tokenizer_parse(&t, "[]", 2, "u"), SL_EFORMAT, "want an object");
    T_FAILS(sl_tokenizer_parse(&t, "{}", 2, "u"), SL_EFORMAT, "\"type\"");
    T_FAILS(sl_tokenizer_parse(&t, "{", 1, "u"), SL_EFORMAT, "want JSON");
    T_FAILS(sl_tokenizer_open(&t, "no/such/tokenizer.json"), SL_EIO, "");
}

/* A text may not grow without bound. */
static void test_growth_is_bounded(void **state)
{
#define TENFOLD "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aaaaaaaaaa\"}"
    const t_parts p = { .normalizer = "{\"type\":\"Sequence\",\"normalizers\":[" TENFOLD "," TENFOLD
                                      "," TENFOLD "," TENFOLD "," TENFOLD "," TENFOLD "]}" };
    sl_ids ids = { 0 };
    sl_tokenizer *t;

    (void)state;
    T_OK(t_parts_open(&t, &p));
    T_FAILS(sl_tokenizer_encode(&ids, t, "aaaa", 4, 0), SL_EFORMAT, "at most 4352 bytes");
    sl_ids_close(&ids);
    sl_tokenizer_close(&t);
}

/* A regex that takes exponential time is stopped. */
static void test_regex_is_bounded(void **state)
{
    const t_parts p = { .pre = SPLIT("(?:a|a)+[bc]") };
    char text[200];
    sl_ids ids = { 0 };
    sl_tokenizer *t;

    (void)state;
    memset(text, 'a', sizeof text);
    T_OK(t_parts_open(&t, &p));
    T_FAILS(sl_tokenizer_encode(&ids, t, text, sizeof text, 0), SL_EFORMAT, "steps");
    sl_ids_close(&ids);
    sl_tokenizer_close(&t);
}

static void test_decoders(void **state)
{
    static const int32_t id[] = { 2, 1, 0, 2, 7, 1 };
    t_parts p = { .vocab = "{\"a\":0,\"_b\":1,\"__\":2}",
                  .added = "[{\"id\":7,\"content\":\"<s>\",\"special\":true}]" };

    (void)state;
    assert_string_equal(t_decode(&p, id, 6, 0), "__ _b a __ <s> _b");
    assert_string_equal(t_decode(&p, id, 6, 1), "__ _b a __ _b");
    p.decoder = "{\"type\":\"Metaspace\",\"replacement\":\"_\"}";
    assert_string_equal(t_decode(&p, id, 6, 1), " ba   b");
    p.decoder = "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"never\"}";
    assert_string_equal(t_decode(&p, id, 6, 1), "   ba   b");
    p.decoder = "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{"
                "\"String\":\"_\"},\"content\":\"--\"},{\"type\":\"Fuse\"},{\"type\":\"Strip\","
                "\"content\":\"-\",\"start\":3,\"stop\":0}]}";
    assert_string_equal(t_decode(&p, id, 6, 1), "---ba------b"); /* 4 + 2 dashes less 3 */
    assert_string_equal(t_decode(&p, id, 0, 1), "");
    assert_string_equal(t_decode(&p, (int32_t[]){ 5, 100, 0 }, 3, 1), "a"); /* no such tokens */
}

static void test_byte_tokens(void **state)
{
    const t_parts p = { .vocab = "{\"<0xC3>\":0,\"<0xA9>\":1,\"a\":2,\"<0xe2>\":3,\"<0xZZ>\":4}",
                        .decoder = "{\"type\":\"ByteFallback\"}" };

    (void)state;
    assert_string_equal(t_decode(&p, (int32_t[]){ 0, 1, 2 }, 3, 0), "\xC3\xA9"
                                                                    "a");
    /* one wrong byte: every byte of its run */
    assert_string_equal(t_decode(&p, (int32_t[]){ 0, 1, 3, 2 }, 4, 0),
                        "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                        "a");
    assert_string_equal(t_decode(&p, (int32_t[]){ 2, 0 }, 2, 0), "a\xEF\xBF\xBD");
    assert_string_equal(t_decode(&p, (int32_t[]){ 4 }, 1, 0), "<0xZZ>");
}

/* The examples of Unicode 15, table 3-8: U+FFFD for maximal subparts. */
static void test_broken_bytes(void **state)
{
    /* 61 F1 80 80 E1 80 C2 62 80 63 80 BF 64 in the byte alphabet */
    const t_parts p = { .vocab = "{\"a\":0,\"\\u00f1\\u0122\\u0122\":1,\"\\u00e1\\u0122\":2,"
                                 "\"\\u00c2b\":3,\"\\u0122c\":4,\"\\u0122\\u00bf\":5,\"d \":6}",
                        .decoder = "{\"type\":\"ByteLevel\"}" };
#define BAD "\xEF\xBF\xBD"
    (void)state;
    assert_string_equal(t_decode(&p, (int32_t[]){ 0, 1, 2, 3, 4, 5, 6 }, 7, 0),
                        "a" BAD BAD BAD "b" BAD "c" BAD BAD "d ");
}

static void test_streams_hold_back(void **state)
{
    const t_parts p = { .vocab = "{\"a\":0,\"\\u00c3\":1,\"\\u00a9\":2}",
                        .decoder = "{\"type\":\"ByteLevel\"}" };
    sl_tokenizer *t;
    sl_decoder *d;
    sl_span piece;

    (void)state;
    T_OK(t_parts_open(&t, &p));
    T_OK(sl_decoder_open(&d, t, 0));
    T_OK(sl_decoder_push(&piece, d, 1));
    assert_int_equal(piece.bytes, 0);
    T_OK(sl_decoder_push(&piece, d, 2));
    assert_int_equal(piece.bytes, 2);
    assert_memory_equal(piece.at, "\xC3\xA9", 2);
    T_OK(sl_decoder_push(&piece, d, 1));
    T_OK(sl_decoder_finish(&piece, d));
    assert_int_equal(piece.bytes, 3);
    T_FAILS(sl_decoder_push(&piece, d, -1), SL_EARG, "at least 0");
    T_OK(sl_decoder_push(&piece, d, 0)); /* as new */
    assert_int_equal(piece.bytes, 1);
    sl_decoder_close(&d);
    sl_tokenizer_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals_name_the_place),
        cmocka_unit_test(test_other_models),
        cmocka_unit_test(test_growth_is_bounded),
        cmocka_unit_test(test_regex_is_bounded),
        cmocka_unit_test(test_decoders),
        cmocka_unit_test(test_byte_tokens),
        cmocka_unit_test(test_broken_bytes),
        cmocka_unit_test(test_streams_hold_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
