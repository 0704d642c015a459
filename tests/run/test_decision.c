/* decisions.log: doubled, out of order, torn, expired, out of range, ahead of the trainer. */
#include "run/play.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/decision.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static rec_run run;
static char folder[SL_RUN_PATH], path[SL_RUN_PATH + 32];

static void begin(void)
{
    (void)snprintf(folder, sizeof folder, "%s", t_scratch());
    (void)snprintf(path, sizeof path, "%s/decisions.log", folder);
    rec_run_open(&run, folder);
}

static void end(void)
{
    rec_run_close(&run);
    t_scratch_remove();
}

static sl_row_decisions decision(int64_t based_on, int64_t expiry)
{
    return (sl_row_decisions){ .based_on = based_on,
                               .expiry = expiry,
                               .bs = 0.6,
                               .lower = 0.55,
                               .upper = 0.7,
                               .mix_weight = 0.5,
                               .action = SL_ACTION_MIX,
                               .stage = SL_STAGE_FINE_TUNING };
}

static void put(sl_decider *d, int64_t based_on, int64_t expiry)
{
    sl_row_decisions row = decision(based_on, expiry);

    T_OK(sl_decider_put(d, &row));
}

static sl_decisions *open_from(const sl_row_decisions *known, size_t count, uint64_t done)
{
    const sl_decisions_settings settings = sl_decisions_settings_defaults();
    sl_decisions *d;

    T_OK(sl_decisions_open(&d, folder, known, count, done, &settings));
    return d;
}

/* The next decision must have this id and outcome; id 0: there is none. */
static sl_row_decisions expect(sl_decisions *d, int64_t step, uint64_t id, int outcome)
{
    sl_row_decisions row;
    int found;

    T_OK(sl_decisions_next(d, step, &row, NULL, &found));
    assert_int_equal(found, id != 0);
    if (id) {
        assert_int_equal(row.decision_id, id);
        assert_int_equal(row.outcome, outcome);
        assert_int_equal(row.step, step);
    }
    return row;
}

static void test_in_order_once(void **state)
{
    sl_decider *decider, *second;
    sl_decisions *d;
    sl_row_decisions row;
    const char *rule;
    int found;

    (void)state;
    begin();
    d = open_from(NULL, 0, 0);
    expect(d, 0, 0, 0); /* no file yet */
    T_OK(sl_decider_open(&decider, folder, SL_DECIDER_WATCH, "tau=0.5 delta=0.05"));
    T_FAILS(sl_decider_open(&second, folder, SL_DECIDER_PERSON, ""), SL_EARG, "only decider");
    put(decider, 3, 100);
    expect(d, 2, 0, 0); /* based on a later step: waits */
    T_OK(sl_decisions_next(d, 3, &row, &rule, &found));
    assert_true(found);
    assert_string_equal(rule, "tau=0.5 delta=0.05");
    assert_int_equal(row.decider, SL_DECIDER_WATCH);
    T_CLOSE(row.bs, 0.6, TOL_EXACT);
    expect(d, 3, 0, 0);
    expect(d, 4, 0, 0);
    put(decider, 4, 5);
    put(decider, 4, 100);
    expect(d, 6, 2, SL_OUTCOME_EXPIRED);
    expect(d, 6, 3, SL_OUTCOME_APPLIED);
    put(decider, 6, 100);
    expect(d, 6, 4, SL_OUTCOME_REJECTED); /* two in one step */
    sl_decisions_close(&d);
    sl_decider_close(&decider);
    end();
}

static void test_a_restarted_decider_goes_on(void **state)
{
    sl_decider *decider;
    sl_decisions *d;
    sl_row_decisions row;
    const char *rule;
    int found;

    (void)state;
    begin();
    T_OK(sl_decider_open(&decider, folder, SL_DECIDER_WATCH, "first"));
    put(decider, 1, 100);
    sl_decider_close(&decider);
    T_OK(sl_decider_open(&decider, folder, SL_DECIDER_PERSON, "second"));
    assert_int_equal(sl_decider_last_id(decider), 1);
    put(decider, 2, 100);
    d = open_from(NULL, 0, 0);
    T_OK(sl_decisions_next(d, 1, &row, &rule, &found));
    assert_string_equal(rule, "first");
    T_OK(sl_decisions_next(d, 2, &row, &rule, &found));
    assert_true(found);
    assert_string_equal(rule, "second");
    assert_int_equal(row.decision_id, 2);
    assert_int_equal(row.decider, SL_DECIDER_PERSON);
    sl_decisions_close(&d);
    sl_decider_close(&decider);
    end();
}

/* Every length of a torn last decision: the ones before are read, and the next decider goes on. */
static void test_torn_at_every_byte(void **state)
{
    const size_t unit =
        sl_frame_bytes(sl_table_fixed_bytes(SL_TABLE_DECISIONS)) + sl_frame_bytes(SL_COMMIT_BYTES);
    char *bytes;
    size_t size, second_begins;
    sl_decider *decider;
    struct stat s;

    (void)state;
    begin();
    T_OK(sl_decider_open(&decider, folder, SL_DECIDER_WATCH, "rule"));
    put(decider, 1, 100);
    assert_int_equal(stat(path, &s), 0);
    second_begins = (size_t)s.st_size;
    put(decider, 2, 100);
    sl_decider_close(&decider);
    T_OK(sl_file_read(&bytes, &size, path, 1 << 20));
    assert_int_equal(size, second_begins + SL_FRAME_BLOCK);
    for (size_t cut = second_begins; cut < size; cut += 13) {
        const uint64_t second = cut >= second_begins + unit ? 2 : 0; /* else only PAD is torn */
        sl_decisions *d;

        T_OK(sl_file_write_atomic(path, bytes, cut));
        d = open_from(NULL, 0, 0);
        expect(d, 5, 1, SL_OUTCOME_APPLIED);
        expect(d, 6, second, SL_OUTCOME_APPLIED);
        T_OK(sl_decider_open(&decider, folder, SL_DECIDER_WATCH, "rule"));
        put(decider, 6, 100);
        expect(d, 7, second ? 3 : 2, SL_OUTCOME_APPLIED);
        sl_decisions_close(&d);
        sl_decider_close(&decider);
    }
    sl_free(bytes);
    end();
}

static void test_damage_and_nonsense_are_refused(void **state)
{
    sl_row_decisions bad = decision(1, 100);
    sl_decider *decider;
    sl_decisions *d;
    sl_row_decisions row;
    char *bytes;
    size_t size;
    int found;

    (void)state;
    begin();
    T_OK(sl_decider_open(&decider, folder, SL_DECIDER_WATCH, "rule"));
    bad.mix_weight = 1.5;
    T_FAILS(sl_decider_put(decider, &bad), SL_EARG, "mix_weight");
    bad.mix_weight = NAN;
    T_FAILS(sl_decider_put(decider, &bad), SL_EARG, "mix_weight");
    bad = decision(5, 4);
    T_FAILS(sl_decider_put(decider, &bad), SL_EARG, "based_on");
    put(decider, 1, 100);
    put(decider, 2, 100);
    sl_decider_close(&decider);
    T_OK(sl_file_read(&bytes, &size, path, 1 << 20));
    bytes[size - 2 * SL_FRAME_BLOCK + 60] ^=
        1; /* in the first decision, behind which one is sound */
    T_OK(sl_file_write_atomic(path, bytes, size));
    d = open_from(NULL, 0, 0);
    T_FAILS(sl_decisions_next(d, 5, &row, NULL, &found), SL_EFORMAT, "damaged");
    sl_decisions_close(&d);
    sl_free(bytes);
    end();
}

static void test_a_resumed_run_repeats_the_first(void **state)
{
    sl_row_decisions known[3];
    sl_decider *decider;
    sl_decisions *d;

    (void)state;
    begin();
    T_OK(sl_decider_open(&decider, folder, SL_DECIDER_WATCH, "rule"));
    d = open_from(NULL, 0, 0);
    put(decider, 1, 100);
    known[0] = expect(d, 4, 1, SL_OUTCOME_APPLIED);
    put(decider, 4, 6);
    known[1] = expect(d, 8, 2, SL_OUTCOME_EXPIRED);
    put(decider, 8, 100);
    known[2] = expect(d, 9, 3, SL_OUTCOME_APPLIED);
    sl_decisions_close(&d);
    put(decider, 9, 100);

    d = open_from(known, 3, 1); /* from a checkpoint with 1: 2 and 3 again, at their steps */
    assert_true(sl_decisions_is_replaying(d));
    expect(d, 6, 0, 0);
    expect(d, 7, 0, 0);
    expect(d, 8, 2, SL_OUTCOME_EXPIRED);
    expect(d, 8, 0, 0);
    expect(d, 9, 3, SL_OUTCOME_APPLIED);
    assert_false(sl_decisions_is_replaying(d));
    expect(d, 10, 4, SL_OUTCOME_APPLIED);
    sl_decisions_close(&d);
    sl_decider_close(&decider);
    end();
}

/* The answer to a measurement comes behind it, also in an attempt that makes it again. */
static void test_an_answer_waits_for_its_measurement(void **state)
{
    sl_row_decisions about = decision(4, 100), known;
    sl_decider *decider;
    sl_decisions *d;

    (void)state;
    begin();
    about.measurement = 1;
    T_OK(sl_decider_open(&decider, folder, SL_DECIDER_WATCH, "rule"));
    assert_false(sl_decider_has(decider, 1));
    T_OK(sl_decider_put(decider, &about));
    assert_true(sl_decider_has(decider, 1));
    sl_decider_close(&decider);
    T_OK(sl_decider_open(&decider, folder, SL_DECIDER_WATCH, "rule"));
    assert_true(sl_decider_has(decider, 1)); /* also after a restart */
    assert_false(sl_decider_has(decider, 0));
    sl_decider_close(&decider);

    d = open_from(NULL, 0, 0);
    sl_decisions_measured(d, 0);
    expect(d, 4, 0, 0);
    sl_decisions_measured(d, 1);
    known = expect(d, 4, 1, SL_OUTCOME_APPLIED);
    sl_decisions_close(&d);

    d = open_from(&known, 1, 0); /* from a checkpoint of the same step, before the measurement */
    sl_decisions_measured(d, 0);
    expect(d, 4, 0, 0);
    sl_decisions_measured(d, 1);
    expect(d, 4, 1, SL_OUTCOME_APPLIED);
    expect(d, 5, 0, 0);
    sl_decisions_close(&d);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order_once),
        cmocka_unit_test(test_a_restarted_decider_goes_on),
        cmocka_unit_test(test_torn_at_every_byte),
        cmocka_unit_test(test_damage_and_nonsense_are_refused),
        cmocka_unit_test(test_a_resumed_run_repeats_the_first),
        cmocka_unit_test(test_an_answer_waits_for_its_measurement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
