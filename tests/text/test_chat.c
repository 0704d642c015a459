/* Chat formats: rendering against the texts of the published formats, recognition of templates, a
 * folder's own format. */
#include "base/alloc.h"
#include "base/file.h"
#include "harness/harness.h"
#include "text/encoder.h"
#include <stdio.h>
#include <string.h>

enum { PATH = 4200 };

static char folder[PATH];

static const sl_message talk[] = {
    { "system", "Be brief." },
    { "user", " Hi\n" },
    { "assistant", "Hello." },
};

typedef struct rendered {
    const char *format;
    size_t from, count; /* messages of talk */
    const char *prompt; /* of the messages without the answer; NULL: not asked */
    const char *whole;  /* with the answer */
} rendered;

static const rendered texts[] = {
    { "llama-3", 0, 3,
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
      "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\n",
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
      "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>" },
    { "llama-3.1", 0, 3,
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: "
      "December 2023\nToday Date: 26 Jul 2024\n\nBe brief.<|eot_id|>"
      "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\n",
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: "
      "December 2023\nToday Date: 26 Jul 2024\n\nBe brief.<|eot_id|>"
      "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>" },
    { "llama-3.1", 1, 2,
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: "
      "December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|>"
      "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\n",
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: "
      "December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|>"
      "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>" },
    { "qwen1.5", 1, 2,
      "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n<|im_start|>user\n Hi\n"
      "<|im_end|>\n<|im_start|>assistant\n",
      "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n<|im_start|>user\n Hi\n"
      "<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n" },
    { "smollm2", 1, 2,
      "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
      "<|im_end|>\n<|im_start|>user\n Hi\n<|im_end|>\n<|im_start|>assistant\n",
      "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
      "<|im_end|>\n<|im_start|>user\n Hi\n<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n" },
    { "tldr", 1, 2, " Hi\n\n\nTL;DR:", " Hi\n\n\nTL;DR: Hello.<|endoftext|>" },
    { "zephyr", 0, 3, "<|system|>\nBe brief.</s>\n<|user|>\n Hi\n</s>\n<|assistant|>\n",
      "<|system|>\nBe brief.</s>\n<|user|>\n Hi\n</s>\n<|assistant|>\nHello.</s>\n" },
    { "chatml", 1, 2, "<|im_start|>user\n Hi\n<|im_end|>\n<|im_start|>assistant\n",
      "<|im_start|>user\n Hi\n<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n" },
    { "qwen2.5", 1, 2,
      "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant."
      "<|im_end|>\n<|im_start|>user\n Hi\n<|im_end|>\n<|im_start|>assistant\n",
      "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant."
      "<|im_end|>\n<|im_start|>user\n Hi\n<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n" },
    { "qwen2", 0, 3,
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi\n<|im_end|>\n"
      "<|im_start|>assistant\n",
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi\n<|im_end|>\n"
      "<|im_start|>assistant\nHello.<|im_end|>\n" },
    { "phi-2", 1, 2, "Instruct:  Hi\n\nOutput:", "Instruct:  Hi\n\nOutput: Hello.<|endoftext|>" },
    { "phi-2-sft", 1, 2, "### Human:  Hi\n\n\n### Assistant:",
      "### Human:  Hi\n\n\n### Assistant: Hello.<|endoftext|>" },
    { "hh", 1, 2,
      "\n\nHuman:  Hi\n\n\nAssistant:", "\n\nHuman:  Hi\n\n\nAssistant: Hello.<|endoftext|>" },
    { "oasst", 1, 2, "<|prompter|> Hi\n<|endoftext|><|assistant|>",
      "<|prompter|> Hi\n<|endoftext|><|assistant|>Hello.<|endoftext|>" },
    { "plain", 1, 2, " Hi\n", " Hi\nHello." },
};

static void check_render(const sl_chat_format *format, const sl_message *message, size_t count,
                         int is_prompt, const char *want)
{
    char *text;

    T_OK(sl_chat_render(&text, format, message, count, is_prompt));
    assert_string_equal(text, want);
    sl_free(text);
}

static void test_render(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const sl_chat_format *format = sl_chat_find(texts[i].format);
        const rendered *r = &texts[i];

        assert_non_null(format);
        check_render(format, talk + r->from, r->count - 1, 1, r->prompt);
        check_render(format, talk + r->from, r->count, 0, r->whole);
    }
    assert_null(sl_chat_find("no such format"));
}

/* Only the answer that ends the dialogue ends in "last". */
static void test_turns(void **state)
{
    static const sl_message two[] = {
        { "user", "a" }, { "assistant", "b" }, { "user", "c" }, { "assistant", "d" }
    };

    (void)state;
    check_render(sl_chat_find("hh"), two, 4, 0,
                 "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d<|endoftext|>");
    check_render(sl_chat_find("hh"), two, 2, 1, "\n\nHuman: a\n\nAssistant: b\n\nAssistant:");
    check_render(sl_chat_find("llama-3.1"), (const sl_message[]){ { "user", "a" }, talk[0] }, 2, 0,
                 "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge "
                 "Date: December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|>"
                 "<|start_header_id|>user<|end_header_id|>\n\na<|eot_id|>"
                 "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>");
    check_render(sl_chat_find("phi-2"), two, 3, 1, "Instruct: a\nOutput: b\nInstruct: c\nOutput:");
}

/* Python's str.strip: Unicode's white space and the four separators. */
static void test_trim(void **state)
{
    const sl_message m = { "user", "\x1C\xC2\xA0 \xE3\x80\x80x y\xE2\x80\xA9\n" };
    const sl_message none = { "user", " \n" };

    (void)state;
    check_render(sl_chat_find("llama-3"), &m, 1, 0,
                 "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nx y<|eot_id|>");
    check_render(sl_chat_find("llama-3"), &none, 1, 0,
                 "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n<|eot_id|>");
}

static void test_roles(void **state)
{
    const sl_message tool[] = { { "user", "x" }, { "tool", "x" } };
    char *text;

    (void)state;
    T_FAILS(sl_chat_render(&text, sl_chat_find("chatml"), tool, 2, 1), SL_EFORMAT, "\"tool\"");
    T_FAILS(sl_chat_render(&text, sl_chat_find("hh"), talk, 2, 1), SL_EFORMAT,
            "want role user or assistant");
}

static void put(const char *name, const char *text)
{
    char path[PATH];

    T_OK(sl_file_join(path, sizeof path, folder, name));
    T_OK(sl_file_write_atomic(path, text, strlen(text)));
}

static void drop(const char *name)
{
    char path[PATH];

    T_OK(sl_file_join(path, sizeof path, folder, name));
    assert_int_equal(remove(path), 0);
}

static const char chatml_template[] =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}\n {% if add_generation_prompt %}{{ "
    "'<|im_start|>assistant\n' }}{% endif %}\n";

static void open_as(const char *name)
{
    sl_chat *chat;

    T_OK(sl_chat_open(&chat, folder));
    assert_string_equal(sl_chat_format_of(chat)->name, name);
    sl_chat_close(&chat);
}

static void test_folder_without(void **state)
{
    sl_chat *chat;

    (void)state;
    assert_int_equal(sl_chat_open(&chat, folder), SL_EUNSUPPORTED);
    assert_non_null(strstr(sl_err_hint_text(), "chat_format.json"));
    assert_non_null(strstr(sl_err_hint_text(), "prefix: "));
    sl_err_clear();
    put("chat_template.jinja", "{{ unknown }}");
    assert_int_equal(sl_chat_open(&chat, folder), SL_EUNSUPPORTED);
    assert_non_null(strstr(sl_err_hint_text(), "suffix: "));
    assert_non_null(strstr(sl_err_place(), "chat_template.jinja"));
    assert_null(chat);
    sl_err_clear();
    drop("chat_template.jinja");
}

static void test_folder_templates(void **state)
{
    sl_chat *chat;

    (void)state;
    /* the words count, not the white space between them; a longest length beyond 64 bits */
    put("chat_template.jinja",
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n\t ' + "
        "message['content'] + '<|im_end|>' +\r\n'\n'}}{% endfor %}{% if add_generation_prompt %}{{ "
        "'<|im_start|>assistant\n' }}{% endif %}\n");
    open_as("chatml");
    drop("chat_template.jinja");
    put("tokenizer_config.json",
        "{\"model_max_length\": 1000000000000000019884624838656, \"s\": \"a \\\" 1 "
        "\", \"chat_template\": \"{% for message in messages %}{{'<|im_start|>' + message['role'] "
        "+ '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if "
        "add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}\"}");
    open_as("chatml");
    put("tokenizer_config.json", "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"x\"}]}");
    T_FAILS(sl_chat_open(&chat, folder), SL_EUNSUPPORTED, "found none");
    put("tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"default\", \"template\": \"x\"}]}");
    T_FAILS(sl_chat_open(&chat, folder), SL_EUNSUPPORTED, "found another");
    put("tokenizer_config.json", "{\"chat_template\": 1}");
    T_FAILS(sl_chat_open(&chat, folder), SL_EFORMAT, "chat_template");
    drop("tokenizer_config.json");
}

static void test_folder_own(void **state)
{
    const sl_message m[] = { { "system", "s" }, { "user", " u" }, { "assistant", "a" } };
    sl_chat *chat;

    (void)state;
    put("chat_template.jinja", "{{ unknown }}"); /* the folder's own format goes before it */
    put("chat_format.json", "{\"format\": \"zephyr\"}");
    open_as("zephyr");
    put("chat_format.json", "{\"prefix\": \"[{role}:{role}] \", \"suffix\": \";\", \"prompt\": "
                            "\"[Bot:Bot]\", \"last\": \"!\", \"begin\": \"^\", \"trim\": true, "
                            "\"default_system\": \"d\", \"assistant\": \"Bot\"}");
    T_OK(sl_chat_open(&chat, folder));
    check_render(sl_chat_format_of(chat), m, 3, 0, "^[system:system] s;[user:user] u;[Bot:Bot] a!");
    check_render(sl_chat_format_of(chat), m + 1, 1, 1,
                 "^[system:system] d;[user:user] u;[Bot:Bot]");
    sl_chat_close(&chat);
    put("chat_format.json", "{\"format\": \"zefyr\"}");
    assert_int_equal(sl_chat_open(&chat, folder), SL_EFORMAT);
    assert_non_null(strstr(sl_err_message(), "\"zefyr\""));
    assert_non_null(strstr(sl_err_hint_text(), "\"zephyr\""));
    sl_err_clear();
    put("chat_format.json", "{\"format\": \"gpt-4-turbo\"}");
    assert_int_equal(sl_chat_open(&chat, folder), SL_EFORMAT);
    assert_non_null(strstr(sl_err_hint_text(), "known are llama-3, llama-3.1, zephyr"));
    sl_err_clear();
    put("chat_format.json", "{\"format\": \"zephyr\", \"suffix\": \"\"}");
    T_FAILS(sl_chat_open(&chat, folder), SL_EFORMAT, "\"format\" alone");
    put("chat_format.json", "{\"prefix\": \"\", \"sufix\": \"\"}");
    T_FAILS(sl_chat_open(&chat, folder), SL_EFORMAT, "perhaps suffix");
    put("chat_format.json", "{\"prefix\": \"{role}: \", \"suffix\": \"\"}");
    T_FAILS(sl_chat_open(&chat, folder), SL_EFORMAT, "\"prompt\"");
    put("chat_format.json", "{\"prefix\": \"{role}: \", \"suffix\": \"\", \"prompt\": \"Bot:\"}");
    T_FAILS(sl_chat_open(&chat, folder), SL_EFORMAT, "begin an assistant's message");
    /* as long as there is no content; no prompt of a dialogue would begin it */
    put("chat_format.json", "{\"prefix\": \"a\", \"suffix\": \"b\", \"prompt\": \"ab\"}");
    T_FAILS(sl_chat_open(&chat, folder), SL_EFORMAT, "begin an assistant's message");
    drop("chat_format.json");
    drop("chat_template.jinja");
}

static const char tokenizer_json[] =
    "{\"added_tokens\":[{\"id\":4,\"content\":\"<s>\",\"special\":true}],\"post_processor\":"
    "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\"}},"
    "{\"Sequence\":{\"id\":\"A\"}},{\"SpecialToken\":{\"id\":\"<s>\"}}],\"special_tokens\":"
    "{\"<s>\":{\"ids\":[4]}}},\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},"
    "\"merges\":[\"a b\"]}}";

static void check_encode(sl_text_encoder *e, const char *text, int is_start, const char *want)
{
    char found[64] = "";
    int32_t *ids;
    size_t count, used = 0;

    T_OK(sl_text_encode(e, &ids, &count, text, is_start));
    assert_non_null(ids);
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(found + used, sizeof found - used, i ? " %d" : "%d", ids[i]);
    assert_string_equal(found, want);
    sl_free(ids);
}

static void test_encoder(void **state)
{
    char path[PATH];
    sl_text_encoder *e;
    char *text;

    (void)state;
    put("tokenizer.json", tokenizer_json);
    T_OK(sl_text_encoder_open(&e, folder));
    assert_int_equal(sl_tokenizer_vocab(sl_text_encoder_tokenizer(e)), 5);
    check_encode(e, "ab", 0, "2");
    check_encode(e, "ab", 1, "4 2");        /* the beginning, never the end */
    check_encode(e, "<s>ab", 1, "4 2");     /* written already */
    check_encode(e, "<s><s>a", 1, "4 4 0"); /* as written */
    check_encode(e, "", 1, "4");
    check_encode(e, "", 0, "");
    T_FAILS(sl_text_render(e, &text, talk, 1, 1), SL_EUNSUPPORTED, "found none");
    T_FAILS(sl_text_render(e, &text, talk, 1, 1), SL_EUNSUPPORTED, "found none"); /* again */
    sl_text_encoder_close(&e);

    put("chat_template.jinja", chatml_template);
    T_OK(sl_file_join(path, sizeof path, folder, "tokenizer.json"));
    T_OK(sl_text_encoder_open(&e, path)); /* the file: its folder's format */
    T_FAILS(sl_text_render(e, &text, talk, 1, 1), SL_EUNSUPPORTED, "found another");
    sl_text_encoder_close(&e);
    put("chat_format.json", "{\"format\": \"hh\"}");
    T_OK(sl_text_encoder_open(&e, path));
    T_OK(sl_text_render(e, &text, talk + 1, 1, 1));
    assert_string_equal(text, "\n\nHuman: \xFE Hi\n\xFF\n\nAssistant:");
    sl_free(text);
    sl_text_encoder_close(&e);
    put("chat_format.json", "{");
    T_FAILS(sl_text_encoder_open(&e, path), SL_EFORMAT, "want JSON");
    assert_null(e);
}

/* Ids of a message "a<s>b" and of the same text as a string. */
static void check_special(const sl_text_settings *settings, const char *message, const char *string)
{
    const sl_message hostile = { "user", "a<s>b" };
    sl_text_encoder *e;
    char *text;

    T_OK(sl_text_encoder_open_as(&e, folder, settings));
    T_OK(sl_text_render(e, &text, &hostile, 1, 1));
    check_encode(e, text, 1, message);
    check_encode(e, "a<s>b<s>", 1, string);
    sl_free(text);
    sl_text_encoder_close(&e);
}

/* The format's <s> is special, that of the content is two characters without a token: dropped. */
static void test_content_is_guarded(void **state)
{
    static const sl_chat_format chat = { .name = "test",
                                         .prefix = "<s>",
                                         .suffix = "<s>",
                                         .prompt = "<s>",
                                         .role = { "system", "user", "assistant" } };
    const sl_message empty = { "user", "" }, broken = { "user", "a\xFF" };
    sl_text_settings settings = { .chat = &chat };
    sl_text_encoder *e;
    char *text;

    (void)state;
    put("tokenizer.json", tokenizer_json);
    check_special(&settings, "4 2 4 4", "4 0 4 1 4");
    settings.special = SL_SPECIAL_ALL;
    check_special(&settings, "4 0 4 1 4 4", "4 0 4 1 4");
    settings.special = SL_SPECIAL_NONE;
    check_special(&settings, "4 2 4 4", "4 2");
    T_OK(sl_text_encoder_open_as(&e, folder, &settings));
    T_OK(
        sl_text_render(e, &text, &empty, 1, 1)); /* the format's own are special with any content */
    check_encode(e, text, 0, "4 4 4");
    sl_free(text);
    T_FAILS(sl_text_render(e, &text, &broken, 1, 1), SL_EFORMAT, "want content in UTF-8");
    sl_text_encoder_close(&e);
}

static void test_settings(void **state)
{
    static const sl_chat_format wrong = { .name = "test",
                                          .prefix = "{role}:",
                                          .suffix = "",
                                          .prompt = "Bot:",
                                          .role = { "system", "user", "assistant" } };
    sl_text_settings settings = { .format = "zephyr" };
    const sl_chat_format *format;
    sl_text_encoder *e;

    (void)state;
    put("tokenizer.json", tokenizer_json);
    put("chat_format.json", "{"); /* not read: the settings say the format */
    T_OK(sl_text_encoder_open_as(&e, folder, &settings));
    T_OK(sl_text_encoder_format(&format, e));
    assert_string_equal(format->name, "zephyr");
    sl_text_encoder_close(&e);
    settings.format = "zefyr";
    T_FAILS(sl_text_encoder_open_as(&e, folder, &settings), SL_EFORMAT, "\"zefyr\"");
    assert_null(e);
    settings = (sl_text_settings){ .chat = &wrong };
    T_FAILS(sl_text_encoder_open_as(&e, folder, &settings), SL_EFORMAT, "begin an assistant");
    settings.format = "zephyr";
    T_FAILS(sl_text_encoder_open_as(&e, folder, &settings), SL_EARG, "found both");
    drop("chat_format.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_folder_without),
        cmocka_unit_test(test_folder_templates),
        cmocka_unit_test(test_folder_own),
        cmocka_unit_test(test_encoder),
        cmocka_unit_test(test_content_is_guarded),
        cmocka_unit_test(test_settings),
    };
    int red;

    (void)snprintf(folder, sizeof folder, "%s", t_scratch());
    red = cmocka_run_group_tests(tests, NULL, NULL);
    t_scratch_remove();
    return red;
}
