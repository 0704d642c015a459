/* Stored scores, ensembles, and the readers of replies case by case. */
#include "judge/judge_int.h"
#include "judge/judge_test.h"

#include "base/file.h"
#include "base/hash.h"

#include <string.h>

static void test_scores_of_the_answers(void **state)
{
    sl_judge_settings set = sl_judge_defaults();
    sl_judge *judge = NULL;
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    set.name = "stored";
    set.temperature = 2.0;
    T_OK(sl_judge_open(&judge, &set, NULL));
    T_OK(sl_judge_votes(vote, judge, pairs.prompt, pairs.a, pairs.b, T_PAIRS));
    for (size_t i = 0; i < T_PAIRS; i++) {
        const double odds = pairs.truth[i] / (1.0 - pairs.truth[i]);

        T_CLOSE(vote[i].p / (1.0 - vote[i].p), sqrt(odds), TOL_F64); /* half the log-odds */
        assert_true(isnan(vote[i].p_ab) && isnan(vote[i].p_ba) && vote[i].attempts == 0);
        assert_int_equal(vote[i].is_tie, i == 8);
    }
    pairs.b[4].score = NAN;
    T_FAILS(sl_judge_votes(vote, judge, pairs.prompt, pairs.a, pairs.b, T_PAIRS), SL_EFORMAT,
            "pair 4 answer b: want a score, found none");
    assert_true(vote[3].is_given && !vote[4].is_given);
    sl_judge_close(&judge);
}

static void test_scores_of_a_file(void **state)
{
    static const char good[] = "{\"prompt_id\":\"p\",\"answer_id\":7,\"score\":2}\n\n"
                               "{\"prompt_id\":\"p\",\"answer\":\"No.\",\"score\":1}\n";
    static const char twice[] = "{\"prompt_id\":1,\"answer_id\":7,\"score\":2}\n"
                                "{\"prompt_id\":\"1\",\"answer_id\":\"7\",\"score\":3}\n";
    const sl_prompt_text prompt = { .id = sl_hash_id("p", 1) };
    const sl_answer a = { .id = sl_hash_id("7", 1) }, b = { .id = 9, .text = "No." };
    sl_judge_settings set = sl_judge_defaults();
    sl_judge *judge = NULL;
    sl_vote vote;
    char path[4096];

    (void)state;
    T_OK(sl_file_join(path, sizeof path, t_scratch(), "s.jsonl"));
    set.name = "stored";
    set.scores = path;
    T_OK(sl_file_write_atomic(path, good, sizeof good - 1));
    T_OK(sl_judge_open(&judge, &set, NULL));
    T_OK(sl_judge_votes(&vote, judge, &prompt, &a, &b, 1));
    T_CLOSE(vote.p, 1.0 / (1.0 + exp(-1.0)), TOL_F64);
    T_FAILS(sl_judge_votes(&vote, judge, &(sl_prompt_text){ .id = 5 }, &a, &b, 1), SL_EFORMAT,
            "pair 0 answer a: want a score");
    sl_judge_close(&judge);
    T_OK(sl_file_write_atomic(path, twice, sizeof twice - 1));
    T_FAILS(sl_judge_open(&judge, &set, NULL), SL_EFORMAT, "want one score of an answer");
    T_OK(sl_file_write_atomic(path, "{\"score\":1}\n", 12));
    T_FAILS(sl_judge_open(&judge, &set, NULL), SL_EFORMAT, "s.jsonl:1: want \"prompt_id\"");
    assert_null(judge);
    t_scratch_remove();
}

#define SED_JUDGE(p) "sed -u 's/.*\"id\":\\([0-9]*\\).*/{\"id\":\\1,\"p\":" p "}/'"

/* Two that always prefer what they see first, .9 and .6, and stored scores. */
static void test_an_ensemble_is_the_mean(void **state)
{
    sl_judge_settings member[3], set = sl_judge_defaults();
    sl_judge *judge = NULL;
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    for (size_t m = 0; m < 3; m++) {
        member[m] = set;
        member[m].name = m < 2 ? "command" : "stored";
        member[m].command = m == 0 ? SED_JUDGE("0.9") : SED_JUDGE("0.6");
    }
    set.name = "ensemble";
    set.member = member;
    set.member_count = 3;
    T_OK(sl_judge_open(&judge, &set, NULL));
    T_OK(sl_judge_votes(vote, judge, pairs.prompt, pairs.a, pairs.b, T_PAIRS));
    for (size_t i = 0; i < T_PAIRS; i++) {
        const int a_first = !isnan(vote[i].p_ab);
        const double p = ((a_first ? 1.5 : 0.5) + pairs.truth[i]) / 3.0;

        T_CLOSE(vote[i].p, p, TOL_F64);
        T_CLOSE(a_first ? vote[i].p_ab : vote[i].p_ba, p, TOL_F64);
        /* the first two agree always, so 1 or 1 of 3 pairs of members; a tie is a side of its own
         */
        T_CLOSE(vote[i].agreement, i != 8 && a_first == (pairs.truth[i] > 0.5) ? 1.0 : 1.0 / 3.0,
                TOL_F64);
        assert_int_equal(vote[i].attempts, 2);
    }
    sl_judge_close(&judge);
    t_no_children();
    member[1].command = "exit 3";
    T_OK(sl_judge_open(&judge, &set, NULL));
    T_FAILS(sl_judge_votes(vote, judge, pairs.prompt, pairs.a, pairs.b, T_PAIRS), SL_EIO,
            "ended by exit code 3");
    assert_false(vote[0].is_given); /* a mean over fewer would be another judge */
    sl_judge_close(&judge);
    set.member_count = 1;
    T_FAILS(sl_judge_open(&judge, &set, NULL), SL_EARG, "want 2 or more judges");
    set.member_count = 3;
    member[1].name = "ensemble";
    T_FAILS(sl_judge_open(&judge, &set, NULL), SL_EARG, "found another ensemble");
    member[1].name = "comand";
    T_FAILS(sl_judge_open(&judge, &set, NULL), SL_EARG, "did you mean \"command\"");
    assert_null(judge);
}

/* Letters of chat completions; p < 0: refused. */
static void test_letters(void **state)
{
    static const struct {
        const char *content;
        double p;
    } cases[] = {
        { "A", 1.0 },
        { " B\\n", 0.0 },
        { "**A**", 1.0 },
        { "(B)", 0.0 },
        { "Answer: B.", 0.0 },
        { "I prefer answer A, clearly.", 1.0 },
        { "A, not B", -1.0 },
        { "a", -1.0 },
        { "", -1.0 },
        { "AB", -1.0 },
        { "\\u201cA\\u201d", 1.0 },
        { "Both", -1.0 },
    };
    const sl_reply_rules rules = { 1.0, 0 };

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        sl_opinion o = { .p = NAN };
        char body[256];
        const int n =
            snprintf(body, sizeof body, "{\"choices\":[{\"message\":{\"content\":\"%s\"}}]}",
                     cases[c].content);

        if (cases[c].p < 0.0) {
            T_FAILS(sl_endpoint_reply(&o, &rules, body, (size_t)n), SL_EFORMAT, "want one letter");
            continue;
        }
        T_OK(sl_endpoint_reply(&o, &rules, body, (size_t)n));
        T_CLOSE(o.p, cases[c].p, TOL_EXACT);
    }
}

static void test_log_probabilities(void **state)
{
    static const char form[] = "{\"choices\":[{\"message\":{\"content\":\"A\"},\"logprobs\":{"
                               "\"content\":[{\"token\":\"%s\","
                               "\"top_logprobs\":[%s]}]}}]}";
#define TOP(token, logp) "{\"token\":\"" token "\",\"logprob\":" logp "}"
    static const struct {
        const char *token, *top;
        double p; /* < 0: refused */
    } cases[] = {
        { "A", TOP("A", "-0.5") "," TOP("B", "-1.5"), 0.73105857863000487 }, /* sigmoid(1) */
        { "A", TOP("A", "-1") "," TOP(" A", "-1") "," TOP("B", "-1"), 2.0 / 3.0 },
        { "B", TOP("B", "-0.1") "," TOP("the", "-3"), 0.0 }, /* not listed counts nothing */
        { "A", TOP("A", "-9999") "," TOP("B", "-9999"), 0.5 },
        { "A", "", 1.0 },                     /* no alternatives: the letter */
        { "Hm", TOP("A", "-0.5"), 1.0 },      /* not a letter's place: the letter of the text */
        { "A", TOP("A", "0.5"), -1.0 },       /* no log-probability */
        { "A", TOP("A", "\\\"x\\\""), -1.0 }, /* not JSON */
    };
    const sl_reply_rules rules = { 1.0, 0 };

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        sl_opinion o = { .p = NAN };
        char body[512];
        const int n = snprintf(body, sizeof body, form, cases[c].token, cases[c].top);

        if (cases[c].p < 0.0) {
            T_FAILS(sl_endpoint_reply(&o, &rules, body, (size_t)n), SL_EFORMAT, "want");
            continue;
        }
        T_OK(sl_endpoint_reply(&o, &rules, body, (size_t)n));
        T_CLOSE(o.p, cases[c].p, TOL_F64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_of_the_answers),   cmocka_unit_test(test_scores_of_a_file),
        cmocka_unit_test(test_an_ensemble_is_the_mean), cmocka_unit_test(test_letters),
        cmocka_unit_test(test_log_probabilities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
