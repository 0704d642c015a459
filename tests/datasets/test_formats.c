/* Every format that is read, from a file of its own in fixtures/: prompt, answers, words, scores of
 * each row, and what rows with less than a pair are good for. */
#include "base/file.h"
#include "base/json.h"
#include "harness/harness.h"
#include "toy.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOKENS = 256, LINE = 512 };

static char path[4200];
static toy plain;
static sl_encoder encoder;

static sl_file_settings settings(const char *name, sl_file_wants wants)
{
    const char *root = getenv("STAGELINE_SOURCE");

    assert_non_null(root);
    snprintf(path, sizeof path, "%s/tests/datasets/fixtures/%s", root, name);
    return (sl_file_settings){ .path = path,
                               .wants = wants,
                               .encoder = &encoder,
                               .max_prompt_tok = TOKENS,
                               .max_answer_tok = TOKENS,
                               .keeps_text = 1,
                               .is_in_file_order = 1,
                               .eos = -1 };
}

/* A row as a line: text of the prompt | text of the chosen answer | of the rejected one. */
static void spell(char *out, const int32_t *token, uint32_t count)
{
    size_t n = strlen(out);

    for (uint32_t i = 0; i < count; i++)
        if (token[i] < 256 && n + 1 < LINE)
            out[n++] = (char)token[i];
    out[n] = 0;
}

static void row_line(char out[LINE], const sl_data *data, uint64_t i, size_t parts)
{
    int32_t token[3 * TOKENS];
    sl_prompt_text prompt;
    sl_answer answer;
    sl_pair pair;

    *out = 0;
    if (parts == 3) {
        T_OK(sl_data_static_pair(&pair, token, data, 0, i));
        spell(out, pair.prompt.token, pair.prompt.count);
        spell(strcat(out, "|"), pair.chosen.token, pair.chosen.count);
        spell(strcat(out, "|"), pair.rejected.token, pair.rejected.count);
        return;
    }
    if (parts == 2)
        T_OK(sl_data_imitation(&prompt, &answer, token, data, 0, i));
    else
        T_OK(sl_data_prompt(&prompt, token, data, SL_SPLIT_TRAIN, 0, i));
    spell(out, prompt.token, prompt.count);
    if (parts == 2)
        spell(strcat(out, "|"), answer.token, answer.count);
}

#define CHAT(answer, other) "[user]Name a colour.\n[assistant]|" answer "\n|" other "\n"

static void test_rows(void **state)
{
    static const struct {
        const char *name;
        sl_file_wants wants;
        const char *row[3];
    } cases[] = {
        { "trl_strings.jsonl", SL_WANTS_PAIRS, { "Name a colour.| Blue.| Seven." } },
        { "trl_conversations.jsonl",
          SL_WANTS_PAIRS,
          { "[system]Be brief.\n" CHAT("Blue.", "Seven.") } },
        { "trl_implicit_prompt.jsonl.gz", SL_WANTS_PAIRS, { CHAT("Blue.", "Seven.") } },
        { "trl_prompts.jsonl",
          SL_WANTS_PROMPTS,
          { "Name a colour.", "[user]Name a colour.\n[assistant]", "\005\011\002" } },
        { "trl_completions.jsonl",
          SL_WANTS_ANSWERS,
          { "Name a colour.| Blue.", "[user]Name a colour.\n[assistant]|Blue.\n" } },
        { "ultrafeedback_binarized.jsonl", SL_WANTS_PAIRS, { CHAT("Blue.", "Seven.") } },
        { "ultrafeedback_sft.jsonl",
          SL_WANTS_PROMPTS,
          { "[user]Name a colour.\n[assistant]",
            "[user]Hello.\n[assistant]Hello!\n[user]Go on.\n[assistant]" } },
        { "hh_rlhf.jsonl",
          SL_WANTS_PAIRS,
          { "\n\nHuman: Hello.\n\nAssistant: Hello!\n\nHuman: Name a colour.\n\nAssistant:| Blue.| "
            "Seven.",
            "\n\nHuman: Name a colour.\n\nAssistant:| Blue.| Bleak." } },
        { "on_policy_set.jsonl",
          SL_WANTS_PAIRS,
          { CHAT("Blue.", "Seven."), "Name a colour.|Blue.|Seven." } },
        { "online_rlhf.jsonl",
          SL_WANTS_PAIRS,
          { CHAT("Blue.", "Seven."), "Name a colour.| Blue.| Seven." } },
        { "sppo.jsonl", SL_WANTS_PAIRS, { CHAT("Blue.", "Seven.") } },
        { "alpacaeval_outputs.json", SL_WANTS_ANSWERS, { "Name a colour.|Blue." } },
        { "alpacaeval_annotations.json",
          SL_WANTS_PAIRS,
          { "Name a colour.|Blue.|Seven.", "Name a colour.|Blue.|Seven." } },
    };

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const sl_file_settings set = settings(cases[c].name, cases[c].wants);
        sl_data *data = NULL;
        size_t rows = 0;
        char line[LINE];

        T_OK(sl_data_open_file(&data, &set));
        for (; rows < 3 && cases[c].row[rows]; rows++) {
            row_line(line, data, rows, 3 - (size_t)set.wants);
            assert_string_equal(line, cases[c].row[rows]);
        }
        assert_int_equal(sl_data_limits_of(data)->train_count, rows);
        sl_data_close(&data);
    }
}

static void read_pair(sl_pair *out, int32_t *token, sl_data **data, const char *name, uint64_t i)
{
    const sl_file_settings set = settings(name, SL_WANTS_PAIRS);

    T_OK(sl_data_open_file(data, &set));
    T_OK(sl_data_static_pair(out, token, *data, 0, i));
}

static void test_what_stands_beside_the_texts(void **state)
{
    int32_t token[3 * TOKENS];
    sl_data *data = NULL;
    sl_pair p;

    (void)state;
    read_pair(&p, token, &data, "ultrafeedback_binarized.jsonl", 0);
    T_CLOSE(p.chosen.score, 8.5, TOL_EXACT);
    T_CLOSE(p.rejected.score, 2.0, TOL_EXACT);
    assert_false(p.has_ref_logp);
    assert_true(isnan(p.label_p));
    sl_data_close(&data);
    for (uint64_t i = 0; i < 2; i++) { /* by their words, and of the best and the worst */
        read_pair(&p, token, &data, "on_policy_set.jsonl", i);
        T_CLOSE(p.chosen.score, 0.5, TOL_EXACT);
        T_CLOSE(p.rejected.score, -1.5, TOL_EXACT);
        assert_int_equal(sl_data_report_of(data)->ties, 1);
        sl_data_close(&data);
    }
    read_pair(&p, token, &data, "online_rlhf.jsonl", 0);
    T_CLOSE(p.rejected.score, -1.5, TOL_EXACT);
    assert_string_equal(p.prompt.text, "Name a colour.");
    sl_data_close(&data);
    read_pair(&p, token, &data, "sppo.jsonl", 0);
    T_CLOSE(p.label_p, 0.75, TOL_EXACT);
    sl_data_close(&data);
    read_pair(&p, token, &data, "trl_strings.jsonl", 0);
    assert_true(p.has_ref_logp);
    T_CLOSE(p.ref_logp_c, -3.5, TOL_EXACT);
    T_CLOSE(p.ref_logp_r, -9.25, TOL_EXACT);
    sl_data_close(&data);
    read_pair(&p, token, &data, "alpacaeval_annotations.json", 1);
    assert_int_equal(sl_data_report_of(data)->ties, 3); /* 1.5, the old 0, null */
    assert_int_equal(p.line, 5);                        /* place in the list */
    sl_data_close(&data);
}

/* The words of transcripts are what was said, not the marks. */
static void test_words_of_transcripts(void **state)
{
    int32_t token[3 * TOKENS];
    sl_data *data = NULL;
    sl_pair p;

    (void)state;
    read_pair(&p, token, &data, "hh_rlhf.jsonl", 0);
    assert_string_equal(p.prompt.text, "user: Hello.\nassistant: Hello!\nName a colour.");
    assert_string_equal(p.chosen.text, " Blue.");
    sl_data_close(&data);
    read_pair(&p, token, &data, "hh_rlhf.jsonl", 1);
    assert_string_equal(p.prompt.text, "Name a colour.");
    sl_data_close(&data);
}

/* Log-probabilities of whole answers do not hold for cut ones. */
static void test_a_cut_drops_reference_values(void **state)
{
    sl_file_settings set = settings("trl_strings.jsonl", SL_WANTS_PAIRS);
    int32_t token[3 * TOKENS];
    sl_data *data = NULL;
    sl_pair p;

    (void)state;
    set.max_answer_tok = 6; /* " Blue." stays, " Seven." does not */
    T_OK(sl_data_open_file(&data, &set));
    T_OK(sl_data_static_pair(&p, token, data, 0, 0));
    assert_int_equal(p.flags, SL_PAIR_REJECTED_CUT);
    assert_false(p.has_ref_logp);
    sl_data_close(&data);
}

/* A row with less than a method wants is refused by its place and the format's name. */
static void test_rows_with_less(void **state)
{
    static const struct {
        const char *name;
        sl_file_wants wants;
        const char *want;
    } cases[] = {
        { "trl_prompts.jsonl", SL_WANTS_PAIRS,
          "trl_prompts.jsonl:1: want a pair of answers, found "
          "a row of the format \"prompts\" without" },
        { "trl_prompts.jsonl", SL_WANTS_ANSWERS, "want an answer, found" },
        { "trl_completions.jsonl", SL_WANTS_PAIRS, "\"completion\"" },
        { "alpacaeval_outputs.json", SL_WANTS_PAIRS, "alpacaeval_outputs.json:1" },
        { "trl_unpaired.jsonl", SL_WANTS_PROMPTS, "trl_unpaired.jsonl:1 field \"label\"" },
    };
    sl_data *data = NULL;

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const sl_file_settings set = settings(cases[c].name, cases[c].wants);

        T_FAILS(sl_data_open_file(&data, &set), SL_EFORMAT, cases[c].want);
        assert_null(data);
    }
}

/* Prompts without answers: no pair, no answer, no candidates; room for answers from elsewhere. */
static void test_prompts_alone(void **state)
{
    const sl_file_settings set = settings("trl_prompts.jsonl", SL_WANTS_PROMPTS);
    int32_t token[3 * TOKENS];
    sl_prompt_text prompt;
    sl_answer answer[2];
    sl_data *data = NULL;
    sl_pair pair;
    size_t count = 7;

    (void)state;
    T_OK(sl_data_open_file(&data, &set));
    assert_int_equal(sl_data_limits_of(data)->answer_tok, TOKENS);
    T_FAILS(sl_data_static_pair(&pair, token, data, 0, 1), SL_EARG, "line 2 of the file");
    T_FAILS(sl_data_imitation(&prompt, answer, token, data, 0, 1), SL_EARG, "want an answer");
    T_OK(sl_data_static_candidates(answer, &count, token, data, SL_SPLIT_TRAIN, 0, 1, 2));
    assert_int_equal(count, 0);
    sl_data_close(&data);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *row, *want;
    } cases[] = {
        { "{\"prompt\":\"p\",\"responses\":[\"a\"],\"rewards\":[1]}",
          "field \"responses\": want at least two responses, found 1" },
        { "{\"prompt\":\"p\",\"responses\":[\"a\",\"b\"],\"rewards\":[1]}", "field \"rewards\"" },
        { "{\"prompt\":\"p\",\"responses\":[\"a\",\"b\"],\"rewards\":[1,null]}",
          "field \"rewards\"" },
        { "{\"prompt\":\"p\",\"responses\":[\"a\",7],\"rewards\":[1,2]}", "field \"responses\"" },
        { "{\"instruction\":\"p\",\"output_1\":\"a\",\"output_2\":\"b\",\"preference\":3}",
          "field \"preference\"" },
        { "{\"instruction\":\"p\",\"input\":\"q\",\"output\":\"a\"}", "field \"input\"" },
        { "{\"chosen\":\"\\n\\nHuman: a\\n\\nAssistant: b\",\"rejected\":\"\\n\\nHuman: c\"}",
          "field \"rejected\"" },
        { "{\"prompt\":\"p\",\"chosen\":\"y\",\"rejected\":\"n\",\"chosen_probs\":1.5}",
          "field \"chosen_probs\"" },
        { "{\"prompt\":\"p\",\"chosen\":\"y\",\"rejected\":\"n\",\"ref_chosen_logps\":[1]}",
          "field \"ref_chosen_logps\"" },
        { "[{\"prompt\":\"p\",\"chosen\":\"y\",\"rejected\":\"n\"}, {\"prompt\":\"p\"}]",
          "rows.json:2: want a pair of answers" },
    };
    sl_file_settings set = settings("", SL_WANTS_PAIRS);
    sl_data *data = NULL;

    (void)state;
    snprintf(path, sizeof path, "%s/rows.json", t_scratch());
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        T_OK(sl_file_write_atomic(path, cases[c].row, strlen(cases[c].row)));
        T_FAILS(sl_data_open_file(&data, &set), SL_EFORMAT, cases[c].want);
    }
    t_scratch_remove();
}

static void test_standard_input(void **state)
{
    sl_file_settings set = settings("trl_implicit_prompt.jsonl.gz", SL_WANTS_PAIRS);
    sl_data *data = NULL;

    (void)state;
    assert_non_null(freopen(path, "rb", stdin));
    set.path = "-";
    T_OK(sl_data_open_file(&data, &set));
    assert_int_equal(sl_data_report_of(data)->pairs, 1);
    sl_data_close(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_what_stands_beside_the_texts),
        cmocka_unit_test(test_words_of_transcripts),
        cmocka_unit_test(test_a_cut_drops_reference_values),
        cmocka_unit_test(test_rows_with_less),
        cmocka_unit_test(test_prompts_alone),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_standard_input),
    };

    encoder = toy_encoder(&plain);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
