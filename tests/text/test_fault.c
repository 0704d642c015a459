/* Memory that gives out at every place in turn, once or from then on: SL_ENOMEM, nothing leaks. */
#include "harness/fault.h"
#include "base/alloc.h"
#include "text/encoder.h"
#include "text_test.h"
#include <string.h>

static sl_tokenizer *tokenizer;

static const t_parts parts = {
    .vocab = "{\"a\":0,\"b\":1,\"ab\":2,\"\\u0120\":3}",
    .merges = "[\"a b\"]",
    .more = ",\"ignore_merges\":true",
    .added = "[{\"id\":4,\"content\":\"<s>\",\"special\":true},{\"id\":5,\"content\":\"  \"}]",
    .normalizer =
        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Replace\","
        "\"pattern\":{\"String\":\"x\"},\"content\":\"y\"}]}",
    .pre = "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}",
    .post = "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\"}},"
            "{\"Sequence\":{\"id\":\"A\"}}],\"special_tokens\":{\"<s>\":{\"ids\":[4]}}}",
    .decoder = "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{"
               "\"String\":\"a\"},\"content\":\"c\"},{\"type\":\"ByteFallback\"},{\"type\":"
               "\"Fuse\"},{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}"
};

static sl_status open_one(void)
{
    sl_tokenizer *t;
    const sl_status st = t_parts_open(&t, &parts);

    assert_true((st == SL_OK) == (t != NULL));
    sl_tokenizer_close(&t);
    return st;
}

static sl_status encode(void)
{
    static const char text[] = "<s>ab e\xCC\x81x   ba abab";
    sl_ids ids = { 0 };
    const sl_status st = sl_tokenizer_encode(&ids, tokenizer, text, sizeof text - 1,
                                             SL_ENCODE_ADD_SPECIAL | SL_ENCODE_SPECIAL_IN_TEXT);

    sl_ids_close(&ids);
    return st;
}

static sl_status decode(void)
{
    static const int32_t id[] = { 4, 2, 0, 1, 3, 5 };
    char *text;
    size_t bytes;
    const sl_status st = sl_tokenizer_decode(&text, &bytes, tokenizer, id, 6, 0);

    assert_true((st == SL_OK) == (text != NULL));
    sl_free(text);
    return st;
}

static sl_status render(void)
{
    const sl_message talk[] = { { "user", "a long question?" }, { "assistant", "yes" } };
    char *text;
    const sl_status st = sl_chat_render(&text, sl_chat_find("qwen2.5"), talk, 2, 1);

    assert_true((st == SL_OK) == (text != NULL));
    sl_free(text);
    return st;
}

/* A whole encoder from memory: messages to marked text to ids. */
static sl_status encode_messages(void)
{
    static char json[4096];
    const sl_text_settings settings = { .chat = sl_chat_find("plain") };
    const sl_message talk[] = { { "user", "a<s>" }, { "assistant", "" }, { "user", "b" } };
    sl_text_encoder *e = NULL;
    char *text = NULL;
    int32_t *ids = NULL;
    size_t count;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_text_encoder_parse(&e, json, t_parts_json(json, sizeof json, &parts), "memory",
                                     &settings));
    SL_TRY_OUT(sl_text_render(e, &text, talk, 3, 1));
    st = sl_text_encode(e, &ids, &count, text, 1);
out:
    assert_true((st == SL_OK) == (ids != NULL));
    sl_free(text);
    sl_free(ids);
    sl_text_encoder_close(&e);
    return st;
}

static sl_status parse_format(void)
{
    static const char json[] = "{\"prefix\": \"{role}: \", \"suffix\": \"\", \"prompt\": "
                               "\"assistant: \"}";
    sl_chat *chat;
    const sl_status st = sl_chat_parse(&chat, json, sizeof json - 1, "chat_format.json");

    assert_true((st == SL_OK) == (chat != NULL));
    sl_chat_close(&chat);
    return st;
}

static void sweep(sl_status (*call)(void))
{
    for (int is_lasting = 0; is_lasting < 2; is_lasting++) {
        int is_fired = 1;

        for (size_t n = 0; is_fired; n++) {
            sl_status st;

            assert_true(n < 100000);
            t_fault_begin(n, is_lasting);
            st = call();
            is_fired = t_fault_end();
            assert_int_equal(t_fault_held(), 0);
            assert_int_equal(st, is_fired ? SL_ENOMEM : SL_OK);
            sl_err_clear();
        }
    }
}

static void test_open(void **state)
{
    (void)state;
    sweep(open_one);
}

static void test_encode(void **state)
{
    (void)state;
    sweep(encode);
}

static void test_decode(void **state)
{
    (void)state;
    sweep(decode);
}

static void test_render(void **state)
{
    (void)state;
    sweep(render);
    sweep(encode_messages);
    sweep(parse_format);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_render),
    };
    int red;

    T_OK(t_parts_open(&tokenizer, &parts));
    red = cmocka_run_group_tests(tests, NULL, NULL);
    sl_tokenizer_close(&tokenizer);
    return red;
}
