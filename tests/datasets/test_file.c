/* Files of pairs: every format, place of every refusal, length rules, splits, order, counts. */
#include "base/file.h"
#include "harness/harness.h"
#include "toy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 64 };

static char path[4200];
static toy plain;
static sl_encoder encoder;

static int set_up(void **state)
{
    (void)state;
    encoder = toy_encoder(&plain);
    snprintf(path, sizeof path, "%s/pairs.jsonl", t_scratch());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    t_scratch_remove();
    return 0;
}

static sl_file_settings settings(void)
{
    return (sl_file_settings){ .path = path,
                               .encoder = &encoder,
                               .max_prompt_tok = TOKENS,
                               .max_answer_tok = TOKENS,
                               .seed = 1,
                               .eos = -1 };
}

/* Opens `text` as a file; data NULL on failure. */
static sl_status open_text(sl_data **data, const sl_file_settings *set, const char *text)
{
    T_OK(sl_file_write_atomic(path, text, strlen(text)));
    return sl_data_open_file(data, set);
}

static void fails(const char *text, const char *want)
{
    const sl_file_settings set = settings();
    sl_data *data = NULL;

    T_FAILS(open_text(&data, &set, text), SL_EFORMAT, want);
    assert_null(data);
}

/* Buffers of one pair, as a caller sizes them. */
typedef struct read_pair {
    int32_t token[3 * TOKENS];
    sl_pair pair;
} read_pair;

static void read_at(read_pair *out, const sl_data *data, uint64_t iteration, uint64_t index)
{
    assert_true(sl_data_limits_of(data)->prompt_tok <= TOKENS);
    T_OK(sl_data_static_pair(&out->pair, out->token, data, iteration, index));
}

static void assert_ids(const int32_t *token, uint32_t count, const char *bytes)
{
    assert_int_equal(count, strlen(bytes));
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(token[i], (unsigned char)bytes[i]);
}

/* The pair of a file with this one row: prompt (after BOS), chosen, rejected as bytes. */
static void reads_as(const char *row, const char *prompt, const char *chosen, const char *rejected)
{
    const sl_file_settings set = settings();
    sl_data *data = NULL;
    read_pair r;

    T_OK(open_text(&data, &set, row));
    assert_int_equal(sl_data_limits_of(data)->train_count, 1);
    read_at(&r, data, 0, 0);
    assert_int_equal(r.pair.prompt.token[0], TOY_BOS);
    assert_ids(r.pair.prompt.token + 1, r.pair.prompt.count - 1, prompt);
    assert_ids(r.pair.chosen.token, r.pair.chosen.count, chosen);
    assert_ids(r.pair.rejected.token, r.pair.rejected.count, rejected);
    sl_data_close(&data);
}

static void test_strings(void **state)
{
    (void)state;
    reads_as("{\"prompt\":\"p?\",\"chosen\":\" yes\",\"rejected\":\"no\"}", "p?", " yes", "no");
    reads_as("\r\n{\"prompt\":\"p?\",\"chosen\":\"yes\",\"rejected\":\"no\"}\r\n\n", "p?", "yes",
             "no");
}

static void test_conversations(void **state)
{
    (void)state;
    reads_as("{\"prompt\":[{\"role\":\"user\",\"content\":\"p?\"}],"
             "\"chosen\":[{\"role\":\"assistant\",\"content\":\"yes\"}],"
             "\"rejected\":[{\"role\":\"assistant\",\"content\":\"no\"}]}",
             "[user]p?\n[assistant]", "yes\n", "no\n");
}

#define WHOLE(answer)                                                                              \
    "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"p?\"},"             \
    "{\"role\":\"assistant\",\"content\":\"" answer "\"}]"

/* The prompt is what both dialogues begin with; also when they are the same, and also beside the
 * user's text as a string, as in ultrafeedback_binarized. */
static void test_implicit_prompt(void **state)
{
    const char *prompt = "[system]s\n[user]p?\n[assistant]";

    (void)state;
    reads_as("{\"chosen\":" WHOLE("yes") ",\"rejected\":" WHOLE("no") "}", prompt, "yes\n", "no\n");
    reads_as("{\"chosen\":" WHOLE("yes") ",\"rejected\":" WHOLE("yes") "}", prompt, "yes\n",
             "yes\n");
    reads_as("{\"prompt\":\"p?\",\"chosen\":" WHOLE("yes") ",\"rejected\":" WHOLE("no") "}", prompt,
             "yes\n", "no\n");
    fails("{\"prompt\":\"q\",\"chosen\":" WHOLE("yes") ",\"rejected\":" WHOLE("no") "}",
          "pairs.jsonl:1 field \"prompt\"");
    fails("{\"chosen\":[{\"role\":\"user\",\"content\":\"p\"},{\"role\":\"a\",\"content\":\"y\"}],"
          "\"rejected\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"a\",\"content\":\"n\"}]"
          "}",
          "want a common beginning");
    fails("{\"chosen\":[{\"role\":\"a\",\"content\":\"y\"}],"
          "\"rejected\":[{\"role\":\"a\",\"content\":\"n\"}]}",
          "want a prompt before the answer");
}

static void test_token_ids(void **state)
{
    sl_file_settings set = settings();
    sl_data *data = NULL;
    read_pair r;

    (void)state;
    set.encoder = NULL;
    set.eos = 9;
    set.allows = SL_ALLOW_EOS_MISSING;
    T_OK(open_text(&data, &set,
                   "{\"prompt_ids\":[1,2],\"chosen_ids\":[3,4,9],\"rejected_ids\":[5],"
                   "\"prompt_id\":\"a\",\"score_chosen\":2.5,\"score_rejected\":null}"));
    read_at(&r, data, 0, 0);
    assert_int_equal(r.pair.prompt.count, 2);
    assert_int_equal(r.pair.chosen.token[2], 9);
    assert_int_equal(r.pair.rejected.count, 1); /* nothing is added to ids */
    assert_true(r.pair.flags == SL_PAIR_EOS_MISSING);
    T_CLOSE(r.pair.chosen.score, 2.5, TOL_EXACT);
    assert_true(isnan(r.pair.rejected.score) && isnan(r.pair.label_p));
    assert_int_equal(sl_data_limits_of(data)->vocab, 10);
    assert_int_equal(sl_data_limits_of(data)->stop[0], 9);
    sl_data_close(&data);
}

/* The end of turn is appended to plain strings alone, once. */
static void test_end_of_turn(void **state)
{
    sl_file_settings set = settings();
    sl_data *data = NULL;
    read_pair r;

    (void)state;
    set.eos = 'o';
    T_OK(open_text(&data, &set, "{\"prompt\":\"p\",\"chosen\":\"yes\",\"rejected\":\"no\"}"));
    read_at(&r, data, 0, 0);
    assert_ids(r.pair.chosen.token, r.pair.chosen.count, "yeso");
    assert_ids(r.pair.rejected.token, r.pair.rejected.count, "no");
    assert_int_equal(r.pair.flags, 0);
    sl_data_close(&data);
}

static void test_refusals_name_the_place(void **state)
{
    const char *good = "{\"prompt\":\"p\",\"chosen\":\"y\",\"rejected\":\"n\"}\n";
    char text[512];

    (void)state;
    snprintf(text, sizeof text, "%s\n%s{\"prompt\":\"p\",\"chosen\":\"y\"}", good, good);
    fails(text, "pairs.jsonl:4 field \"rejected\"");
    snprintf(text, sizeof text, "%s{\"prompt\":\"p\",", good);
    fails(text, "pairs.jsonl:2");
    fails("{\"prompt\":\"p\",\"chosen\":7,\"rejected\":\"n\"}", "field \"chosen\"");
    fails("{\"prompt\":7,\"chosen\":\"y\",\"rejected\":\"n\"}", "field \"prompt\"");
    fails("[1]", "want a JSON object");
    fails("{\"text\":\"p\"}", "want keys \"chosen\" and \"rejected\"");
    fails("{\"prompt_ids\":[1],\"chosen_ids\":[1,-2],\"rejected_ids\":[1]}",
          "pairs.jsonl:1 field \"chosen_ids\"");
    fails("{\"prompt_ids\":[1],\"chosen_ids\":[4294967297],\"rejected_ids\":[1]}",
          "field \"chosen_ids\"");
    fails("{\"prompt\":\"p\",\"chosen\":\"y\",\"rejected\":\"n\",\"score_chosen\":1e300}",
          "field \"score_chosen\"");
    fails("{\"prompt\":\"p\",\"chosen\":\"y\",\"rejected\":\"n\",\"prompt_id\":[1]}",
          "field \"prompt_id\"");
    fails("{\"prompt\":[{\"role\":\"user\"}],\"chosen\":[],\"rejected\":[]}",
          "field \"prompt\" message 0");
    fails("", "want at least one row to keep");
}

static void test_rows_of_text_want_an_encoder(void **state)
{
    sl_file_settings set = settings();
    sl_data *data = NULL;

    (void)state;
    set.encoder = NULL;
    T_FAILS(open_text(&data, &set, "{\"prompt\":\"p\",\"chosen\":\"y\",\"rejected\":\"n\"}"),
            SL_EARG, "want data.tokenizer for rows of text, found none");
    T_FAILS(open_text(&data, &set, "{\"chosen\":" WHOLE("y") ",\"rejected\":" WHOLE("n") "}"),
            SL_EARG, "want data.tokenizer for rows of text, found none");
}

static void test_settings_are_checked(void **state)
{
    sl_file_settings set = settings();
    sl_data *data = NULL;

    (void)state;
    set.max_prompt_tok = 0;
    T_FAILS(sl_data_open_file(&data, &set), SL_EARG, "prompt");
    set = settings();
    set.max_answer_tok = 0;
    T_FAILS(sl_data_open_file(&data, &set), SL_EARG, "answer");
    set = settings();
    set.probe_share = NAN;
    T_FAILS(sl_data_open_file(&data, &set), SL_EARG, "share");
    set = settings();
    set.vocab = 100;
    set.eos = 100;
    T_FAILS(sl_data_open_file(&data, &set), SL_EARG, "100");
    set.eos = -1;
    T_FAILS(open_text(&data, &set, "{\"prompt\":\"z\",\"chosen\":\"y\",\"rejected\":\"n\"}"),
            SL_EFORMAT, "want token ids below 100, found 256");
}

/* Prompts keep their end, answers their start; what is cut is marked and counted. */
static void test_length_rules(void **state)
{
    const char *text = "{\"prompt_ids\":[1,2,3],\"chosen_ids\":[4,5,6,7],\"rejected_ids\":[8]}\n"
                       "{\"prompt_ids\":[1,2],\"chosen_ids\":[4,5,6],\"rejected_ids\":[8]}\n";
    sl_file_settings set = settings();
    const sl_data_report *report;
    sl_data *data = NULL;
    int seen = 0;
    read_pair r;

    (void)state;
    set.max_prompt_tok = 2;
    set.max_answer_tok = 3;
    T_OK(open_text(&data, &set, text));
    for (uint64_t i = 0; i < 2; i++) {
        read_at(&r, data, 0, i);
        if (!(r.pair.flags & SL_PAIR_PROMPT_CUT))
            continue;
        seen++;
        assert_int_equal(r.pair.flags, SL_PAIR_PROMPT_CUT | SL_PAIR_CHOSEN_CUT);
        assert_int_equal(r.pair.prompt.token[0], 2);
        assert_int_equal(r.pair.prompt.token[1], 3);
        assert_int_equal(r.pair.chosen.count, 3);
        assert_int_equal(r.pair.chosen.token[0], 4);
    }
    report = sl_data_report_of(data);
    assert_int_equal(seen, 1);
    assert_int_equal(report->cut_prompt, 1);
    assert_int_equal(report->cut_chosen, 1);
    assert_int_equal(report->cut_rejected, 0);
    sl_data_close(&data);
    set.drop_long = 1;
    T_OK(open_text(&data, &set, text));
    assert_int_equal(sl_data_report_of(data)->dropped_long, 1);
    assert_int_equal(sl_data_report_of(data)->pairs, 1);
    sl_data_close(&data);
}

/* Answers that differ only beyond the cut are two answers: identity is that of the data. */
static void test_repeats(void **state)
{
    const char *text = "{\"prompt_ids\":[1],\"chosen_ids\":[4,5,6,7],\"rejected_ids\":[8]}\n"
                       "{\"prompt_ids\":[1],\"chosen_ids\":[4,5,6,9],\"rejected_ids\":[8]}\n"
                       "{\"prompt_ids\":[1],\"chosen_ids\":[8],\"rejected_ids\":[4,5,6,7]}\n"
                       "{\"prompt_ids\":[1],\"chosen_ids\":[8],\"rejected_ids\":[4,5,6,7]}\n"
                       "\n"
                       "{\"prompt_ids\":[2],\"chosen_ids\":[8],\"rejected_ids\":[8]}\n"
                       "{\"prompt_ids\":[2],\"chosen_ids\":[],\"rejected_ids\":[8]}\n";
    sl_file_settings set = settings();
    const sl_data_report *report;
    sl_data *data = NULL;

    (void)state;
    set.max_answer_tok = 3;
    T_OK(open_text(&data, &set, text));
    report = sl_data_report_of(data);
    assert_int_equal(report->rows, 6);
    assert_int_equal(report->pairs, 5);
    assert_int_equal(report->empty, 1);
    assert_int_equal(report->duplicates, 1);
    assert_int_equal(report->contradictions, 3); /* rows 1, 3, 4; not the one with equal answers */
    assert_int_equal(report->same_answers, 1);
    sl_data_close(&data);
}

/* An answer of no words is empty in every format. */
static void test_empty_answers(void **state)
{
    const char *text = "{\"prompt\":\"p\",\"chosen\":\"\",\"rejected\":\"n\"}\n"
                       "{\"prompt\":\"\",\"chosen\":\"y\",\"rejected\":\"n\"}\n"
                       "{\"chosen\":" WHOLE("") ",\"rejected\":" WHOLE(
                           "n") "}\n"
                                "{\"prompt\":\"p\",\"chosen\":\"y\",\"rejected\":\"n\"}\n";
    sl_file_settings set = settings();
    sl_data *data = NULL;

    (void)state;
    set.eos = TOY_EOS;
    T_OK(open_text(&data, &set, text));
    assert_int_equal(sl_data_report_of(data)->empty, 3);
    assert_int_equal(sl_data_report_of(data)->pairs, 1);
    sl_data_close(&data);
}

/* A token that spans prompt and answer would put the mask off by one: refused, or counted. */
static void test_merge_across_the_border(void **state)
{
    const char *row = "{\"prompt\":\"ax\",\"chosen\":\"xb\",\"rejected\":\"b\"}";
    sl_file_settings set = settings();
    toy merging = { .merges = 1 };
    const sl_encoder merges = toy_encoder(&merging);
    sl_data *data = NULL;
    read_pair r;

    (void)state;
    set.encoder = &merges;
    T_FAILS(open_text(&data, &set, row), SL_EFORMAT, "pairs.jsonl:1 field \"chosen\"");
    set.allows = SL_ALLOW_MISMATCH;
    T_OK(open_text(&data, &set, row));
    assert_int_equal(sl_data_report_of(data)->prefix_mismatch, 1);
    read_at(&r, data, 0, 0);
    assert_ids(r.pair.chosen.token, r.pair.chosen.count, "xb");
    sl_data_close(&data);
}

#define TURN(role, content) "{\"role\":\"" role "\",\"content\":\"" content "\"}"

/* Words are what people wrote: no marks of the chat format; earlier turns as lines. */
static void test_words_are_kept(void **state)
{
    static const struct {
        const char *row, *prompt, *chosen, *rejected;
    } cases[] = {
        { "{\"prompt\":\"p\\u00e9?\",\"chosen\":\" yes\",\"rejected\":\"no\",\"score_chosen\":1.5,"
          "\"score_rejected\":-2}",
          "p\xc3\xa9?", " yes", "no" },
        { "{\"prompt\":[" TURN("system", "s") "," TURN("user", "p?") "],\"chosen\":[" TURN(
              "assistant", "yes") "],\"rejected\":[" TURN("assistant",
                                                          "no") "],\"score_chosen\":1.5,"
                                                                "\"score_rejected\":-2}",
          "p?", "yes", "no" },
        { "{\"prompt\":[" TURN("user", "a") "," TURN("assistant", "b") "," TURN(
              "user",
              "c") "],\"chosen\":[" TURN("assistant",
                                         "yes") "],\"rejected\":[" TURN("assistant",
                                                                        "n") "," TURN("user",
                                                                                      "m") "," TURN("assistant",
                                                                                                    "o") "],\"score_chosen\":1.5,\"score_rejected\":-2}",
          "user: a\nassistant: b\nc", "yes", "assistant: n\nuser: m\no" },
    };
    sl_file_settings set = settings();
    sl_data *data = NULL;
    sl_answer answer[2];
    sl_prompt_text prompt;
    size_t count;
    read_pair r;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set.keeps_text = 1;
        T_OK(open_text(&data, &set, cases[i].row));
        read_at(&r, data, 0, 0);
        assert_string_equal(r.pair.prompt.text, cases[i].prompt);
        assert_string_equal(r.pair.chosen.text, cases[i].chosen);
        assert_string_equal(r.pair.rejected.text, cases[i].rejected);
        assert_int_equal(r.pair.rejected.bytes, strlen(cases[i].rejected));
        T_OK(sl_data_static_candidates(answer, &count, r.token, data, SL_SPLIT_TRAIN, 0, 0, 2));
        assert_string_equal(answer[1].text, cases[i].rejected);
        T_CLOSE(answer[0].score, 1.5, TOL_EXACT);
        T_CLOSE(answer[1].score, -2.0, TOL_EXACT);
        T_OK(sl_data_imitation(&prompt, &answer[0], r.token, data, 0, 0));
        assert_string_equal(prompt.text, cases[i].prompt);
        assert_string_equal(answer[0].text, cases[i].chosen);
        T_OK(sl_data_prompt(&prompt, r.token, data, SL_SPLIT_TRAIN, 0, 0));
        assert_string_equal(prompt.text, cases[i].prompt);
        sl_data_close(&data);
    }
    T_OK(open_text(&data, &set, "{\"prompt_ids\":[1],\"chosen_ids\":[2],\"rejected_ids\":[3]}"));
    read_at(&r, data, 0, 0);
    assert_null(r.pair.prompt.text);
    assert_null(r.pair.chosen.text);
    sl_data_close(&data);
}

/* Words cost memory: they are held only where they are asked for, and what is held is told. */
static void test_memory_is_told(void **state)
{
    const char *row = "{\"prompt\":\"p?\",\"chosen\":\"yes\",\"rejected\":\"no\"}";
    sl_file_settings set = settings();
    sl_data *data = NULL;
    size_t without;
    read_pair r;

    (void)state;
    T_OK(open_text(&data, &set, row));
    read_at(&r, data, 0, 0);
    assert_null(r.pair.prompt.text);
    assert_null(r.pair.rejected.text);
    without = sl_data_report_of(data)->held_bytes;
    assert_true(without >= 8 * sizeof(int32_t)); /* BOS, "p?", "yes", "no" */
    sl_data_close(&data);
    set.keeps_text = 1;
    T_OK(open_text(&data, &set, row));
    assert_true(sl_data_report_of(data)->held_bytes >= without +
                                                           sizeof "p?"
                                                                  "yes"
                                                                  "no" +
                                                           2);
    sl_data_close(&data);
}

enum { ROWS = 400, PROMPTS = 100 };

/* ROWS rows over PROMPTS prompts; row i has the answer [1000 + i]. Prompts of the first half have
 * ids by name, those of the second by content; row i + PROMPTS names prompt i otherwise. */
static void write_many(void)
{
    char *text = calloc(ROWS, 200);
    size_t n = 0;

    assert_non_null(text);
    for (int i = 0; i < ROWS; i++) {
        n += (size_t)sprintf(text + n,
                             "{\"prompt_ids\":[%d],\"chosen_ids\":[%d],\"rejected_ids\":[%d]",
                             i % PROMPTS, 1000 + i, 2000 + i);
        if (i % PROMPTS < PROMPTS / 2)
            n += (size_t)sprintf(text + n, ",\"prompt_id\":\"%s%d\"", i < PROMPTS ? "other-" : "p",
                                 i % PROMPTS);
        n += (size_t)sprintf(text + n, "}\n");
    }
    T_OK(sl_file_write_atomic(path, text, n));
    free(text);
}

/* A prompt stands in one split only, by its id and by its words. */
static void test_splits(void **state)
{
    sl_file_settings set = settings();
    int split_of[PROMPTS] = { 0 };
    const sl_data_limits *l;
    sl_data *data = NULL;
    size_t rows = 0;

    (void)state;
    write_many();
    set.probe_share = 0.3;
    T_OK(sl_data_open_file(&data, &set));
    l = sl_data_limits_of(data);
    for (uint64_t i = 0; i < l->train_count; i++, rows++) {
        read_pair r;

        read_at(&r, data, 0, i);
        split_of[r.pair.prompt.token[0]] |= 1;
    }
    for (uint64_t i = 0; i < l->probe_count; i++) {
        int32_t token[TOKENS], answers[2 * TOKENS];
        sl_answer answer[4];
        sl_prompt_text p;
        size_t count;

        T_OK(sl_data_prompt(&p, token, data, SL_SPLIT_PROBE, i % 3, i));
        assert_int_equal(split_of[token[0]], 0); /* held out, and each once */
        split_of[token[0]] |= 2;
        T_OK(sl_data_static_candidates(answer, &count, answers, data, SL_SPLIT_PROBE, 0, i, 4));
        assert_int_equal(count, 2);
        assert_int_equal(answer[0].token[0] + 1000, answer[1].token[0]);
        assert_int_equal((answer[0].token[0] - 1000) % PROMPTS, token[0]);
    }
    for (int p = 0; p < PROMPTS; p++)
        assert_true(split_of[p] != 0);
    assert_int_equal(rows, ROWS - 4 * l->probe_count); /* of a probe prompt no pair is trained on */
    /* 100 draws at .3: outside 11..49 once in 50,000 */
    assert_in_range(l->probe_count, 11, 49);
    T_FAILS(sl_data_prompt(&(sl_prompt_text){ 0 }, &(int32_t){ 0 }, data, SL_SPLIT_PROBE, 0,
                           l->probe_count),
            SL_EARG, "want a prompt of the file");
    sl_data_close(&data);
}

/* Every iteration visits every pair once in an order of its own, whatever was asked before. */
static void test_order(void **state)
{
    sl_file_settings set = settings();
    int32_t first[ROWS], second[ROWS];
    sl_data *data = NULL, *again = NULL;
    char seen[ROWS] = { 0 };
    size_t same = 0;
    read_pair r;

    (void)state;
    write_many();
    T_OK(sl_data_open_file(&data, &set));
    T_OK(sl_data_open_file(&again, &set));
    for (uint64_t i = 0; i < ROWS; i++) {
        read_at(&r, data, 0, i);
        first[i] = r.pair.chosen.token[0];
        assert_false(seen[first[i] - 1000]++);
    }
    for (uint64_t i = 0; i < ROWS; i++) {
        read_at(&r, data, 1, i);
        second[i] = r.pair.chosen.token[0];
        same += second[i] == first[i];
    }
    assert_true(same < ROWS / 20);      /* one on average */
    for (uint64_t i = ROWS; i-- > 0;) { /* backwards, iterations in turn, another handle */
        read_at(&r, again, i % 2, i);
        assert_int_equal(r.pair.chosen.token[0], i % 2 ? second[i] : first[i]);
    }
    sl_data_close(&again);
    set.seed = 2;
    T_OK(sl_data_open_file(&again, &set));
    same = 0;
    for (uint64_t i = 0; i < ROWS; i++) {
        read_at(&r, again, 0, i);
        same += r.pair.chosen.token[0] == first[i];
    }
    assert_true(same < ROWS / 20);
    sl_data_close(&again);
    sl_data_close(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_conversations),
        cmocka_unit_test(test_implicit_prompt),
        cmocka_unit_test(test_token_ids),
        cmocka_unit_test(test_end_of_turn),
        cmocka_unit_test(test_refusals_name_the_place),
        cmocka_unit_test(test_rows_of_text_want_an_encoder),
        cmocka_unit_test(test_settings_are_checked),
        cmocka_unit_test(test_length_rules),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_empty_answers),
        cmocka_unit_test(test_merge_across_the_border),
        cmocka_unit_test(test_words_are_kept),
        cmocka_unit_test(test_memory_is_told),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
