/* Commands as judges: what arrives is the vote, in whatever order it comes; who dies or hangs is
 * started again and nothing is counted twice or lost; who breaks the protocol is refused. */
#include "judge/judge_test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "harness/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A judge of one line: what stands first wins at .75. */
#define SED_JUDGE "sed -u 's/.*\"id\":\\([0-9]*\\).*/{\"id\":\\1,\"p\":0.75}/'"

static char command[4096], log_path[2048];

/* A new log; settings of the judge in `mode`, quick to lose patience. */
static sl_judge_settings play(const char *mode, int n)
{
    static int plays;
    sl_judge_settings set = sl_judge_defaults();

    snprintf(log_path, sizeof log_path, "%s/log-%d", t_scratch(), plays++);
    snprintf(command, sizeof command, "exec '%s' '%s/tests/judge/judge_play.py' %s '%s' %d",
             getenv("STAGELINE_PYTHON"), getenv("STAGELINE_SOURCE"), mode, log_path, n);
    set.name = "command";
    set.command = command;
    set.batch = 4;
    set.timeout_s = 20.0;
    set.start_s = 20.0;
    set.backoff_s = 0.01;
    set.retries = 2;
    return set;
}

/* Lines of the log: replies that the judge gave. */
static size_t replies(void)
{
    char *text = NULL;
    size_t bytes, n = 0;

    T_OK(sl_file_read(&text, &bytes, log_path, 1 << 20));
    for (size_t i = 0; i < bytes; i++)
        n += text[i] == '\n';
    sl_free(text);
    return n;
}

/* All pairs in one call; afterwards nothing is left of the judge. */
static sl_status judge_all(sl_vote *vote, const t_pairs *pairs, const sl_judge_settings *set)
{
    const int before = t_descriptors();
    sl_judge *judge = NULL;
    sl_status st;

    T_OK(sl_judge_open(&judge, set, NULL));
    st = sl_judge_votes(vote, judge, pairs->prompt, pairs->a, pairs->b, T_PAIRS);
    sl_judge_close(&judge);
    assert_int_equal(t_descriptors(), before);
    t_no_children();
    return st;
}

static void test_votes_in_any_order(void **state)
{
    sl_judge_settings set = play("reversed", 5);
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    set.batch = 5;
    T_OK(judge_all(vote, &pairs, &set));
    t_votes_true(vote, &pairs, T_PAIRS);
    assert_int_equal(replies(), T_PAIRS);
    for (size_t i = 0; i < T_PAIRS; i++) /* one order each */
        assert_true(isnan(vote[i].p_ab) != isnan(vote[i].p_ba) && vote[i].attempts == 1);
}

/* A judge that adds 1 to the logit of what it sees first. */
static void test_both_orders_are_averaged(void **state)
{
    sl_judge_settings set = play("biased", 0);
    sl_vote vote[T_PAIRS], once[T_PAIRS];
    sl_vote_order order[2];
    size_t b_first = 0;
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    set.both_orders = 1;
    T_OK(judge_all(vote, &pairs, &set));
    assert_int_equal(replies(), 2 * T_PAIRS);
    for (size_t i = 0; i < T_PAIRS; i++) {
        const double logit = log(pairs.truth[i] / (1.0 - pairs.truth[i]));
        const double p_ab = 1.0 / (1.0 + exp(-logit - 1.0)), p_ba = 1.0 / (1.0 + exp(1.0 - logit));

        T_CLOSE(vote[i].p_ab, p_ab, TOL_F64);
        T_CLOSE(vote[i].p_ba, p_ba, TOL_F64);
        T_CLOSE(vote[i].p, 0.5 * (p_ab + p_ba), TOL_F64);
        assert_int_equal(vote[i].attempts, 2);
        assert_int_equal(sl_vote_orders(order, &vote[i]), 2);
        assert_true(order[0].p == vote[i].p_ab && order[1].p == vote[i].p_ba);
    }
    set = play("biased", 0);
    set.seed = 3;
    T_OK(judge_all(once, &pairs, &set));
    for (size_t i = 0; i < T_PAIRS; i++) {
        const int is_ba = isnan(once[i].p_ab);

        T_CLOSE(once[i].p, is_ba ? vote[i].p_ba : vote[i].p_ab, TOL_EXACT);
        assert_true(sl_vote_orders(order, &once[i]) == 1 && order[0].is_b_first == is_ba);
        b_first += (size_t)is_ba;
    }
    assert_true(b_first > 0 && b_first < T_PAIRS);
    set = play("biased", 0); /* the order of a pair does not depend on the others */
    set.seed = 3;
    set.batch = 1;
    T_OK(judge_all(vote, &pairs, &set));
    for (size_t i = 0; i < T_PAIRS; i++)
        T_CLOSE(vote[i].p, once[i].p, TOL_EXACT);
}

static void test_scores(void **state)
{
    sl_judge_settings set = play("scores", 0);
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    T_OK(judge_all(vote, &pairs, &set));
    t_votes_true(vote, &pairs, T_PAIRS);
    for (size_t i = 0; i < T_PAIRS; i++) { /* a, b and their flags whatever was shown first */
        T_CLOSE(vote[i].score_a, 0.25 * (double)i, TOL_F64);
        T_CLOSE(vote[i].score_b, 1.0 + 0.125 * (double)i, TOL_F64);
        assert_int_equal(vote[i].cut, isnan(vote[i].p_ab) ? SL_VOTE_CUT_B : SL_VOTE_CUT_A);
    }
}

static void test_token_ids_where_there_are_no_words(void **state)
{
    static const int32_t prompt[] = { 5, 6 }, good[] = { 3 }, bad[] = { 1, 0 };
    const sl_prompt_text p = { .token = prompt, .count = 2, .id = 1 };
    const sl_answer a = { .token = good, .count = 1 }, b = { .token = bad, .count = 2 };
    const sl_judge_settings set = play("fine", 0);
    sl_judge *judge = NULL;
    sl_vote vote;

    (void)state;
    T_OK(sl_judge_open(&judge, &set, NULL));
    T_OK(sl_judge_votes(&vote, judge, &p, &a, &b, 1));
    T_CLOSE(vote.p, 1.0 / (1.0 + exp(-2.0)), TOL_F64);
    sl_judge_close(&judge);
}

/* Dies once after 6 replies, in the second batch: 2 of it are kept, 2 are asked again. */
static void test_a_judge_that_dies_or_hangs_is_started_again(void **state)
{
    static const char *const modes[] = { "dies", "hangs" };
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    for (size_t m = 0; m < 2; m++) {
        sl_judge_settings set = play(modes[m], 6);

        set.timeout_s = m ? 1.0 : 20.0;
        T_OK(judge_all(vote, &pairs, &set));
        t_votes_true(vote, &pairs, T_PAIRS);
        assert_int_equal(replies(), T_PAIRS); /* none was asked for twice */
        for (size_t i = 0; i < T_PAIRS; i++)
            assert_int_equal(vote[i].attempts, i == 6 || i == 7 ? 2 : 1);
    }
}

static void test_votes_given_stay_when_it_stays_dead(void **state)
{
    const sl_judge_settings set = play("stays-dead", 6);
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    T_FAILS(judge_all(vote, &pairs, &set), SL_EIO, "ended by exit code 1; it said: no more");
    t_votes_true(vote, &pairs, 6);
    for (size_t i = 6; i < T_PAIRS; i++)
        assert_true(!vote[i].is_given && isnan(vote[i].p) && isnan(vote[i].p_ab));
}

/* One that never answered is not started again: it is not there, or not a judge. */
static void test_a_judge_that_is_none(void **state)
{
    sl_judge_settings set = play("stays-dead", 0);
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    set.backoff_s = 1000.0;
    T_FAILS(judge_all(vote, &pairs, &set), SL_EIO, "it said: no more");
    set.command = "no-such-judge-anywhere";
    T_FAILS(judge_all(vote, &pairs, &set), SL_EIO, "ended by exit code 127");
    set.command = "";
    T_FAILS(sl_judge_open(&(sl_judge *){ NULL }, &set, NULL), SL_EARG, "want a command");
}

static void test_what_breaks_the_protocol_is_refused(void **state)
{
    static const struct {
        const char *mode, *text;
    } cases[] = {
        { "garbage", "want JSON" },
        { "unknown", "want an \"id\" from 4 to 7, found 1006" },
        { "twice", "want one answer to \"id\" 6, found two" },
        { "nan", "want JSON" },
        { "range", "want \"p\" in [0,1], found 1.25" },
        { "text", "want \"p\" (a number), found text" },
        { "neither", "found neither" },
        { "declines", "found its error: the answer is empty" },
        { "giant", "want lines of at most" },
    };
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const sl_judge_settings set = play(cases[c].mode, 6);

        T_FAILS(judge_all(vote, &pairs, &set), SL_EFORMAT, cases[c].text);
        t_votes_true(vote, &pairs, 6); /* what was said before stands */
        assert_false(vote[8].is_given);
    }
}

static void test_failures_may_be_kept(void **state)
{
    sl_judge_settings set = play("declines", 7);
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    set.keeps_failed = 1;
    T_OK(judge_all(vote, &pairs, &set));
    t_votes_true(vote, &pairs, 7);
    for (size_t i = 7; i < T_PAIRS; i++)
        assert_true(vote[i].is_given && isnan(vote[i].p) && vote[i].status == SL_VOTED_REFUSED &&
                    !vote[i].is_tie);
}

static void test_bytes_that_are_not_text(void **state)
{
    const sl_judge_settings set = play("fine", 0);
    sl_vote vote[T_PAIRS];
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    pairs.a[3].text = "\xff\xfe";
    T_FAILS(judge_all(vote, &pairs, &set), SL_EFORMAT, "want UTF-8");
}

/* Each allocation fails once: an error, nothing leaks, no process is left. */
static void test_every_allocation_may_fail(void **state)
{
    int fired = 1;
    t_pairs pairs;

    (void)state;
    t_pairs_fill(&pairs);
    for (size_t n = 0; fired; n++) {
        sl_judge_settings set = sl_judge_defaults();
        sl_judge *judge = NULL;
        sl_vote vote[2];
        sl_status st;

        set.name = "command";
        set.command = SED_JUDGE;
        set.both_orders = 1;
        t_fault_begin(n, 0);
        st = sl_judge_open(&judge, &set, NULL);
        if (st == SL_OK)
            st = sl_judge_votes(vote, judge, pairs.prompt, pairs.a, pairs.b, 2);
        sl_judge_close(&judge);
        fired = t_fault_end();
        assert_int_equal(t_fault_held(), 0);
        t_no_children();
        if (fired)
            T_FAILS(st, SL_ENOMEM, "want memory");
        else
            T_OK(st);
        if (!fired)
            T_CLOSE(vote[0].p, 0.5, TOL_EXACT); /* .75 for what stands first, both ways */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_votes_in_any_order),
        cmocka_unit_test(test_both_orders_are_averaged),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_token_ids_where_there_are_no_words),
        cmocka_unit_test(test_a_judge_that_dies_or_hangs_is_started_again),
        cmocka_unit_test(test_votes_given_stay_when_it_stays_dead),
        cmocka_unit_test(test_a_judge_that_is_none),
        cmocka_unit_test(test_what_breaks_the_protocol_is_refused),
        cmocka_unit_test(test_failures_may_be_kept),
        cmocka_unit_test(test_bytes_that_are_not_text),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    const char *python = getenv("STAGELINE_PYTHON");
    int failed;

    if (!python || !*python)
        return T_SKIP;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    t_scratch_remove();
    return failed;
}
