/* Chat completions as judges, against a server of this machine: the probability of the letter, the
 * letter itself, both orders, refusals, keys, and a prompt that no answer can change. */
#include "judge/judge_int.h"
#include "judge/judge_test.h"
#include "remote/server.h"

#include "base/alloc.h"
#include "base/file.h"
#include "harness/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sl_judge_settings settings(const char *path)
{
    sl_judge_settings set = sl_judge_defaults();

    set.name = "endpoint";
    set.url = server_url(path);
    set.model = "judge-1";
    set.timeout_s = 10.0;
    set.backoff_s = 0.01;
    set.retries = 1;
    set.batch = 3;
    return set;
}

static sl_status judge_all(sl_vote *vote, const t_pairs *pairs, const sl_judge_settings *set)
{
    const int before = t_descriptors();
    sl_judge *judge = NULL;
    sl_status st;

    st = sl_judge_open(&judge, set, NULL);
    if (st == SL_OK)
        st = sl_judge_votes(vote, judge, pairs->prompt, pairs->a, pairs->b, T_PAIRS);
    sl_judge_close(&judge);
    assert_int_equal(t_descriptors(), before);
    return st;
}

static void test_the_probability_of_the_letter(void **state)
{
    sl_judge_settings set = settings("/chat/logprobs");
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    T_OK(judge_all(vote, &pairs, &set));
    for (size_t i = 0; i < T_PAIRS; i++) {
        T_CLOSE(vote[i].p, pairs.truth[i], TOL_F64);
        assert_true(isnan(vote[i].p_ab) != isnan(vote[i].p_ba) && vote[i].attempts == 1);
    }
    set = settings("/chat/biased/chat/completions"); /* the whole address */
    set.both_orders = 1;
    T_OK(judge_all(vote, &pairs, &set));
    for (size_t i = 0; i < T_PAIRS; i++) {
        const double logit = log(pairs.truth[i] / (1.0 - pairs.truth[i]));

        T_CLOSE(vote[i].p_ab, 1.0 / (1.0 + exp(-logit - 1.0)), TOL_F64);
        T_CLOSE(vote[i].p_ba, 1.0 / (1.0 + exp(1.0 - logit)), TOL_F64);
        assert_int_equal(vote[i].attempts, 2);
    }
}

static void test_the_letter_where_there_is_no_probability(void **state)
{
    static const char *const path[] = { "/chat/letter", "/chat/polite" };
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    for (size_t k = 0; k < 2; k++) {
        const sl_judge_settings set = settings(path[k]);

        T_OK(judge_all(vote, &pairs, &set));
        for (size_t i = 0; i < T_PAIRS; i++) /* quality is equal at i = 8: the first shown wins */
            T_CLOSE(vote[i].p, i == 8 ? !isnan(vote[i].p_ab) : pairs.truth[i] > 0.5, TOL_EXACT);
    }
}

static void test_answers_without_a_letter(void **state)
{
    static const struct {
        const char *path, *text;
        sl_vote_status status; /* when kept */
    } cases[] = {
        { "/chat/both", "want one letter, A or B, found \"A is as good as B\"", SL_VOTED_INVALID },
        { "/chat/refuses", "found \"I cannot compare these.\"", SL_VOTED_REFUSED },
    };
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    for (size_t c = 0; c < 2; c++) {
        sl_judge_settings set = settings(cases[c].path);

        T_FAILS(judge_all(vote, &pairs, &set), SL_EFORMAT, cases[c].text);
        set.keeps_failed = 1;
        T_OK(judge_all(vote, &pairs, &set));
        for (size_t i = 0; i < T_PAIRS; i++)
            assert_true(vote[i].is_given && isnan(vote[i].p) && vote[i].status == cases[c].status);
    }
}

static void test_servers_that_are_none(void **state)
{
    sl_judge_settings set = settings("/garbage");
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    T_FAILS(judge_all(vote, &pairs, &set), SL_EFORMAT, "want JSON");
    set = settings("/chat/empty");
    T_FAILS(judge_all(vote, &pairs, &set), SL_EFORMAT, "want \"choices\"");
    set = settings("/broken");
    T_FAILS(judge_all(vote, &pairs, &set), SL_EIO, "found 500: out of order (2 attempts)");
    set = settings("/huge");
    T_FAILS(judge_all(vote, &pairs, &set), SL_EFORMAT, "want a reply of at most");
    set.url = "http://127.0.0.1:1/v1";
    T_FAILS(judge_all(vote, &pairs, &set), SL_EIO, "(2 attempts)");
    set.batch = 257;
    T_FAILS(judge_all(vote, &pairs, &set), SL_EARG, "want at most 256 requests under way");
    set.url = NULL;
    T_FAILS(judge_all(vote, &pairs, &set), SL_EARG, "want an address, a model");
}

static void test_late_replies_may_be_kept(void **state)
{
    sl_judge_settings set = settings("/hang/100000");
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    set.timeout_s = 0.2;
    set.batch = T_PAIRS;
    set.keeps_failed = 1;
    T_OK(judge_all(vote, &pairs, &set));
    for (size_t i = 0; i < T_PAIRS; i++)
        assert_true(vote[i].is_given && vote[i].status == SL_VOTED_LATE && vote[i].attempts == 2);
}

static void test_keys_come_from_the_environment(void **state)
{
    sl_judge_settings set = settings("/auth");
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    set.key_env = "STAGELINE_TEST_KEY";
    assert_false(unsetenv("STAGELINE_TEST_KEY"));
    T_FAILS(judge_all(vote, &pairs, &set), SL_EARG, "variable STAGELINE_TEST_KEY, found none");
    assert_false(setenv("STAGELINE_TEST_KEY", "wr0ng-key", 1));
    assert_int_equal(judge_all(vote, &pairs, &set), SL_EIO);
    assert_non_null(strstr(sl_err_message(), "found 401"));
    assert_null(strstr(sl_err_message(), "wr0ng"));
    sl_err_clear();
    assert_false(setenv("STAGELINE_TEST_KEY", "sesame", 1));
    T_FAILS(judge_all(vote, &pairs, &set), SL_EFORMAT, "want \"choices\""); /* past the door */
}

static void test_words_are_wanted(void **state)
{
    const sl_judge_settings set = settings("/chat/letter");
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    pairs.b[2].text = NULL;
    T_FAILS(judge_all(vote, &pairs, &set), SL_EARG, "found token ids only");
}

/* Each allocation fails once: an error, nothing leaks. libcurl's own are not counted. */
static void test_every_allocation_may_fail(void **state)
{
    int fired = 1;
    size_t n = 0;
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    for (; fired; n++) {
        const sl_judge_settings set = settings("/chat/logprobs");
        sl_judge *judge = NULL;
        sl_vote vote[2];
        sl_status st;

        t_fault_begin(n, 0);
        st = sl_judge_open(&judge, &set, NULL);
        if (st == SL_OK)
            st = sl_judge_votes(vote, judge, pairs.prompt, pairs.a, pairs.b, 2);
        sl_judge_close(&judge);
        fired = t_fault_end();
        assert_int_equal(t_fault_held(), 0);
        if (fired)
            T_FAILS(st, SL_ENOMEM, "want memory");
        else
            T_OK(st);
    }
    assert_true(n > 20);
}

static void test_templates(void **state)
{
    static const char good[] = "{a}{x}{prompt}{b}{a}{", bad[] = "{prompt} {a}";
    char path[4096], *text = NULL, *out = NULL;

    (void)state;
    T_OK(sl_file_join(path, sizeof path, t_scratch(), "t.txt"));
    T_OK(sl_file_write_atomic(path, good, sizeof good - 1));
    T_OK(sl_template_load(&text, path));
    T_OK(sl_template_fill(&out, text, "{b}", "{prompt}", "2"));
    assert_string_equal(out,
                        "{prompt}{x}{b}2{prompt}{"); /* one pass: no mark comes from an answer */
    sl_free(text);
    sl_free(out);
    T_OK(sl_file_write_atomic(path, bad, sizeof bad - 1));
    text = NULL;
    T_FAILS(sl_template_load(&text, path), SL_EFORMAT, "found no {b}");
    sl_free(text);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_probability_of_the_letter),
        cmocka_unit_test(test_the_letter_where_there_is_no_probability),
        cmocka_unit_test(test_answers_without_a_letter),
        cmocka_unit_test(test_servers_that_are_none),
        cmocka_unit_test(test_late_replies_may_be_kept),
        cmocka_unit_test(test_keys_come_from_the_environment),
        cmocka_unit_test(test_words_are_wanted),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_templates),
    };
    int failed;

    if (!server_start())
        return T_SKIP;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    server_stop();
    return failed;
}
