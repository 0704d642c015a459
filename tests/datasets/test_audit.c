/* Audits: each kind of fault is planted and found with its place, and nothing else is; a file
 * without a tokenizer; a second file of probes. */
#include "base/file.h"
#include "datasets/audit.h"
#include "harness/harness.h"
#include "toy.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 40 };

static char path[4200], probe_path[4200];
static toy plain;
static sl_encoder encoder;
static const int32_t bos = TOY_BOS;

#define GOOD "{\"prompt\":\"p?\",\"chosen\":\"yes\",\"rejected\":\"not\"}\n"
#define TURN(role, content) "{\"role\":\"" role "\",\"content\":\"" content "\"}"

static int set_up(void **state)
{
    (void)state;
    encoder = toy_encoder(&plain);
    snprintf(path, sizeof path, "%s/pairs.jsonl", t_scratch());
    snprintf(probe_path, sizeof probe_path, "%s/probe.jsonl", t_scratch());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    t_scratch_remove();
    return 0;
}

/* "!" is what the toy takes for a special token. */
static sl_status has_special(void *state, int *out, const char *text)
{
    (void)state;
    *out = strchr(text, '!') != NULL;
    return SL_OK;
}

static sl_audit_settings settings(void)
{
    return (sl_audit_settings){ .file = { .path = path,
                                          .encoder = &encoder,
                                          .max_prompt_tok = TOKENS,
                                          .max_answer_tok = TOKENS,
                                          .eos = TOY_EOS,
                                          .bos = &bos,
                                          .vocab = TOY_VOCAB },
                                .has_special = has_special };
}

static sl_audit audit_of(const sl_audit_settings *set, const char *text)
{
    sl_audit a;

    T_OK(sl_file_write_atomic(path, text, strlen(text)));
    T_OK(sl_audit_file(&a, set));
    return a;
}

/* One planted fault between two good rows: found once, on line 2, beside no other. */
static void test_every_fault_is_found(void **state)
{
    static const struct {
        sl_fault fault;
        const char *row, *field, *what;
    } cases[] = {
        { SL_FAULT_NOT_UTF8, "{\"prompt\":\"\xff\",\"chosen\":\"a\",\"rejected\":\"b\"}", NULL,
          "" },
        { SL_FAULT_UNREADABLE, "{\"prompt\":\"q\",\"chosen\":\"a\"}", NULL,
          "field \"rejected\": want" },
        { SL_FAULT_UNREADABLE, "{\"prompt\":", NULL, "" },
        { SL_FAULT_UNREADABLE,
          "{\"prompt_ids\":[1],\"chosen_ids\":[999,258],\"rejected_ids\":[2,258]}", NULL,
          "want token ids below 259" },
        { SL_FAULT_NO_PAIR, "{\"prompt\":\"q\"}", NULL, "prompts" },
        { SL_FAULT_PREFIX_MISMATCH, "{\"prompt\":\"qx\",\"chosen\":\"xa\",\"rejected\":\"bbb\"}",
          "chosen", "" },
        { SL_FAULT_DOUBLE_BOS,
          "{\"prompt_ids\":[256,256,7],\"chosen_ids\":[1,258],\"rejected_ids\":[2,258]}", "prompt",
          "" },
        { SL_FAULT_EOS_MISSING,
          "{\"prompt_ids\":[256,7],\"chosen_ids\":[1,258],\"rejected_ids\":[2]}", "rejected", "" },
        { SL_FAULT_EMPTY, "{\"prompt\":\"q\",\"chosen\":\"\",\"rejected\":\"b\"}", "chosen", "" },
        { SL_FAULT_TIE, "{\"prompt\":\"q\",\"responses\":[\"a\",\"b\"],\"rewards\":[1,1]}", NULL,
          "" },
        { SL_FAULT_CUT_PROMPT,
          "{\"prompt\":\"qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq\",\"chosen\":\"a\",\"rejected\":"
          "\"b\"}",
          "prompt", "41 tokens" },
        { SL_FAULT_CUT_CHOSEN,
          "{\"prompt\":\"q\",\"chosen\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"rejected\":"
          "\"b\"}",
          "chosen", "41 tokens" },
        { SL_FAULT_CUT_REJECTED,
          "{\"prompt\":\"q\",\"chosen\":\"b\",\"rejected\":"
          "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
          "rejected", "41 tokens" },
        { SL_FAULT_DUPLICATE, "{\"prompt\":\"p?\",\"chosen\":\"yes\",\"rejected\":\"not\"}", NULL,
          "" },
        { SL_FAULT_SAME_ANSWERS, "{\"prompt\":\"q\",\"chosen\":\"a\",\"rejected\":\"a\"}", NULL,
          "" },
        { SL_FAULT_SCORE_ORDER,
          "{\"prompt\":\"q\",\"chosen\":\"a\",\"rejected\":\"b\",\"score_chosen\":1,"
          "\"score_rejected\":2}",
          NULL, "1 below 2" },
        { SL_FAULT_SPECIAL_IN_TEXT, "{\"prompt\":\"q\",\"chosen\":\"a\",\"rejected\":\"b!\"}",
          "rejected", "" },
        { SL_FAULT_LEADING_BLANK, "{\"prompt\":\"q\",\"chosen\":\" a\",\"rejected\":\"\\nb\"}",
          "chosen", "" },
    };
    sl_audit_settings set = settings();
    toy merging = { .merges = 1 };
    const sl_encoder merges = toy_encoder(&merging);

    (void)state;
    set.file.encoder = &merges;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        char text[1024];
        sl_audit a;

        snprintf(text, sizeof text, "%s%s\n%s", GOOD, cases[c].row,
                 "{\"prompt\":\"r\",\"chosen\":\"one\",\"rejected\":\"two\"}\n");
        a = audit_of(&set, text);
        assert_int_equal(a.report.rows, 3);
        for (int f = 0; f < SL_FAULTS; f++) {
            const sl_fault_tally *t = &a.tally[f];

            if (f == SL_FAULT_LONGEST)
                continue;
            assert_int_equal(t->count, f == (int)cases[c].fault);
            if (!t->count)
                continue;
            assert_int_equal(t->place[0].line, 2);
            assert_true(!t->place[0].field == !cases[c].field);
            if (cases[c].field)
                assert_string_equal(t->place[0].field, cases[c].field);
            assert_non_null(strstr(t->place[0].what, cases[c].what));
        }
    }
}

/* What a pair of rows shows: a contradiction counts on both sides, white space alone twice. */
static void test_faults_of_several_rows(void **state)
{
    const sl_audit_settings set = settings();
    sl_audit a = audit_of(&set, GOOD "{\"prompt\":\"p?\",\"chosen\":\"not\",\"rejected\":\"yes\"}\n"
                                     "{\"prompt\":\"q\",\"chosen\":\"  \",\"rejected\":\"a\"}\n");

    (void)state;
    assert_int_equal(a.tally[SL_FAULT_CONTRADICTION].count, 2);
    assert_int_equal(a.tally[SL_FAULT_CONTRADICTION].place[1].line, 2);
    assert_int_equal(a.tally[SL_FAULT_BLANK_ANSWER].place[0].line, 3);
    assert_int_equal(a.prompts, 2);
    assert_int_equal(a.format_count, 1);
    assert_string_equal(a.format[0].name, "strings");
    assert_int_equal(a.format[0].rows, 3);
    assert_int_equal(a.tally[SL_FAULT_LONGEST].place_count, 3);
    assert_int_equal(a.tally[SL_FAULT_LONGEST].place[0].line, 1); /* BOS p? yes EOS: 7 */
    assert_string_equal(a.tally[SL_FAULT_LONGEST].place[0].what, "7 tokens");
    a = audit_of(&set, GOOD "{\"prompt\":\"q\",\"chosen\":\"z\",\"rejected\":\"a\"}\n" GOOD GOOD
                            "{\"prompt\":\"q\",\"chosen\":\"z\",\"rejected\":\"a\"}\n");
    assert_int_equal(a.tally[SL_FAULT_DUPLICATE].count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(a.tally[SL_FAULT_DUPLICATE].place[i].line, 3 + i);
}

static void test_too_long_rows_are_dropped(void **state)
{
    sl_audit_settings set = settings();
    sl_audit a;

    (void)state;
    set.file.drop_long = 1;
    set.file.max_answer_tok = 3; /* "yes" and its end are 4 */
    a = audit_of(&set, GOOD "{\"prompt\":\"q\",\"chosen\":\"a\",\"rejected\":\"b\"}\n");
    assert_int_equal(a.tally[SL_FAULT_TOO_LONG].count, 1);
    assert_int_equal(a.tally[SL_FAULT_TOO_LONG].place[0].line, 1);
    assert_string_equal(a.tally[SL_FAULT_TOO_LONG].place[0].field, "chosen");
    assert_int_equal(a.tally[SL_FAULT_CUT_CHOSEN].count, 0);
}

/* A cut takes the end of turn away, which is no fault of the row. */
static void test_a_cut_is_no_missing_end(void **state)
{
    sl_audit_settings set = settings();
    sl_audit a;

    (void)state;
    set.file.max_answer_tok = 3;
    a = audit_of(&set, GOOD);
    assert_int_equal(a.tally[SL_FAULT_EOS_MISSING].count, 0);
    assert_int_equal(a.tally[SL_FAULT_CUT_CHOSEN].count, 1);
}

/* A prompt written with what the encoder adds: "^" stands for its beginning. */
static sl_status encode_caret(void *state, int32_t **ids, size_t *count, const char *text,
                              int is_start)
{
    if (is_start && *text == '^')
        return encoder.encode(state, ids, count, text, 0);
    SL_TRY(encoder.encode(state, ids, count, text, is_start));
    if (is_start)
        (*ids)[0] = '^';
    return SL_OK;
}

static void test_beginning_in_the_text(void **state)
{
    sl_audit_settings set = settings();
    sl_encoder caret = encoder;
    sl_audit a;

    (void)state;
    caret.encode = encode_caret;
    set.file.encoder = &caret;
    a = audit_of(&set, GOOD "{\"prompt\":\"^q\",\"chosen\":\"a\",\"rejected\":\"b\"}\n");
    assert_int_equal(a.tally[SL_FAULT_BOS_IN_TEXT].count, 1);
    assert_int_equal(a.tally[SL_FAULT_BOS_IN_TEXT].place[0].line, 2);
}

/* Prompts of the other file, whatever its format and the white space around them. */
static void test_overlap_with_probes(void **state)
{
    const char *probes = "{\"prompt\":[" TURN("user", " p?\\n") "]}\n{\"prompt\":\"other\"}\n";
    sl_audit_settings set = settings();
    sl_audit a;

    (void)state;
    T_OK(sl_file_write_atomic(probe_path, probes, strlen(probes)));
    set.probe = probe_path;
    a = audit_of(&set, "{\"prompt\":\"q\",\"chosen\":\"a\",\"rejected\":\"b\"}\n" GOOD GOOD);
    assert_int_equal(a.tally[SL_FAULT_PROBE_OVERLAP].count, 2);
    assert_int_equal(a.tally[SL_FAULT_PROBE_OVERLAP].place[0].line, 2);
    set.probe = "/nonexistent/probes";
    T_FAILS(sl_audit_file(&a, &set), SL_EIO, "/nonexistent/probes");
}

/* 40 pairs, the chosen answer longer in `longer` of them. */
static size_t length_bias(size_t longer, sl_audit_lengths *lengths)
{
    const sl_audit_settings set = settings();
    char text[40 * 64] = "";
    sl_audit a;

    for (size_t i = 0; i < 40; i++)
        sprintf(text + strlen(text),
                "{\"prompt\":\"%zu\",\"chosen\":\"%s\",\"rejected\":\"bbb\"}\n", i,
                i < longer ? "\\u00e9\\u00e9aaa" : "aa");
    a = audit_of(&set, text);
    *lengths = a.lengths;
    return a.tally[SL_FAULT_LENGTH_BIAS].count;
}

/* 60 % and three standard errors (2 sqrt(40) (share - 1/2) > 3): from 30 of 40 on. */
static void test_length_bias(void **state)
{
    sl_audit_lengths l;

    (void)state;
    assert_int_equal(length_bias(20, &l), 0);
    assert_int_equal(l.chosen_longer, 20);
    assert_int_equal(l.chosen_shorter, 20);
    T_CLOSE(l.chosen_chars, 3.5, TOL_F64); /* characters, not bytes */
    T_CLOSE(l.rejected_chars, 3.0, TOL_F64);
    T_CLOSE(l.rejected_tok, 4.0, TOL_F64); /* with its end of turn */
    assert_int_equal(length_bias(29, &l), 0);
    assert_int_equal(length_bias(30, &l), 30);
}

/* Without a tokenizer the words are looked at, and no rule of tokens is. */
static void test_without_a_tokenizer(void **state)
{
    sl_audit_settings set = settings();
    sl_audit a;

    (void)state;
    set.file.encoder = NULL;
    set.file.max_answer_tok = 1;
    a = audit_of(
        &set,
        GOOD "{\"chosen\":[" TURN("user", "p") "," TURN("assistant", " y") "],\"rejected\":[" TURN(
            "user", "p") "," TURN("assistant", "n") "]}\n");
    assert_false(a.has_tokens);
    assert_int_equal(a.report.pairs, 2);
    assert_int_equal(a.tally[SL_FAULT_LEADING_BLANK].count, 1);
    assert_int_equal(a.tally[SL_FAULT_CUT_CHOSEN].count + a.tally[SL_FAULT_EOS_MISSING].count, 0);
    a = audit_of(&set, "{\"prompt_ids\":[1],\"chosen_ids\":[2,258],\"rejected_ids\":[3,258]}\n");
    assert_true(a.has_tokens);
    assert_int_equal(a.tally[SL_FAULT_CUT_CHOSEN].count, 1);
}

/* What train refuses, by default and when allowed, is what an audit calls an error. */
static void test_refusals_agree(void **state)
{
    static const struct {
        const char *row, *want;
        unsigned allow;
        sl_fault fault;
    } cases[] = {
        { "{\"prompt_ids\":[256,256],\"chosen_ids\":[1,258],\"rejected_ids\":[2,258]}",
          "pairs.jsonl:1 field \"prompt\": want one beginning of a sequence, found two",
          SL_ALLOW_DOUBLE_BOS, SL_FAULT_DOUBLE_BOS },
        { "{\"prompt_ids\":[256],\"chosen_ids\":[1],\"rejected_ids\":[2,258]}",
          "pairs.jsonl:1 field \"chosen\": want an answer that an end of turn of the model closes",
          SL_ALLOW_EOS_MISSING, SL_FAULT_EOS_MISSING },
    };
    const char *two_ends = "{\"prompt_ids\":[256],\"chosen_ids\":[7],\"rejected_ids\":[258]}";
    sl_audit_settings set = settings();
    sl_data *data = NULL;

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        set.file.allows = 0;
        T_OK(sl_file_write_atomic(path, cases[c].row, strlen(cases[c].row)));
        assert_int_equal(sl_data_open_file(&data, &set.file), SL_EFORMAT);
        assert_non_null(strstr(sl_err_hint_text(), "stageline audit"));
        sl_err_clear();
        T_FAILS(sl_data_open_file(&data, &set.file), SL_EFORMAT, cases[c].want);
        assert_int_equal(sl_fault_severity(cases[c].fault, 0), SL_SEVERITY_ERROR);
        set.file.allows = cases[c].allow;
        assert_int_equal(sl_fault_severity(cases[c].fault, cases[c].allow), SL_SEVERITY_WARNING);
        T_OK(sl_data_open_file(&data, &set.file));
        assert_int_equal(sl_data_report_of(data)->double_bos + sl_data_report_of(data)->eos_missing,
                         1);
        sl_data_close(&data);
    }
    set.file.allows = 0; /* a second end of turn of the model is one too */
    set.file.stop[0] = 7;
    set.file.stop_count = 1;
    T_OK(sl_file_write_atomic(path, two_ends, strlen(two_ends)));
    T_OK(sl_data_open_file(&data, &set.file));
    assert_int_equal(sl_data_limits_of(data)->stop_count, 2);
    assert_int_equal(sl_data_limits_of(data)->stop[1], 7);
    sl_data_close(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_fault_is_found),
        cmocka_unit_test(test_faults_of_several_rows),
        cmocka_unit_test(test_too_long_rows_are_dropped),
        cmocka_unit_test(test_a_cut_is_no_missing_end),
        cmocka_unit_test(test_beginning_in_the_text),
        cmocka_unit_test(test_overlap_with_probes),
        cmocka_unit_test(test_length_bias),
        cmocka_unit_test(test_without_a_tokenizer),
        cmocka_unit_test(test_refusals_agree),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
