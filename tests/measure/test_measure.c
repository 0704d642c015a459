/* The measurement with a sampler and an advisor made by hand: it stops where the advisor says
 * enough, and its votes are the judge's on the candidates of both sides. */
#include "datasets/world.h"
#include "harness/harness.h"
#include "measure/measure.h"
#include <string.h>

enum { MOST = 40, BATCH = 8, ON = 2, OFF = 3 };

typedef struct fake {
    const sl_data *data;
    sl_world_generator generator; /* whose answers the sampler gives */
    uint32_t enough_at;           /* prompts; 0: never */
    uint32_t observed, looks, begun;
    double sum;
    size_t drawn;
} fake;

static sl_status fake_draw(void *state, sl_drawn *drawn, int32_t *token, const sl_generate *law,
                           const sl_prompt_text *prompt, size_t count, size_t each)
{
    fake *f = state;

    for (size_t i = 0; i < count * each; i++) {
        sl_rng rng = sl_rng_at(1, drawn[i].stream, 0);
        int32_t *to = token + i * law->max_new;

        sl_world_draw(to, &f->generator, prompt[i / each].token, &rng);
        drawn[i].answer = (sl_answer){ .token = to, .count = SL_WORLD_ANSWER, .id = i + 1 };
        drawn[i].stop = SL_STOP_LENGTH;
    }
    f->drawn += count * each;
    return SL_OK;
}

static sl_status fake_begin(void *state, uint32_t measurement, int64_t step, uint32_t most)
{
    fake *f = state;

    (void)measurement;
    (void)step;
    assert_int_equal(most, MOST);
    f->begun++;
    return SL_OK;
}

static sl_status fake_observe(void *state, const sl_prompt_votes *votes, int *is_enough)
{
    fake *f = state;

    assert_int_equal(votes->index, f->observed);
    assert_int_equal(votes->votes, ON * OFF);
    T_CLOSE(votes->v_on + votes->v_off, ON * OFF, TOL_F64);
    T_CLOSE(votes->mean, votes->v_on / (ON * OFF), TOL_F64);
    assert_true(votes->margin_on >= 0.0 && votes->margin_on <= 1.0);
    f->sum += votes->mean;
    *is_enough = ++f->observed == f->enough_at;
    return SL_OK;
}

static sl_status fake_look(void *state, sl_row_boundary *row)
{
    fake *f = state;

    f->looks++;
    *row = (sl_row_boundary){ .bs = f->sum / f->observed, .prompts = f->observed };
    return SL_OK;
}

static sl_status fake_decide(void *state, sl_row_decisions *row)
{
    (void)state;
    *row = (sl_row_decisions){ .action = SL_ACTION_STATIC };
    return SL_OK;
}

typedef struct bench {
    sl_data *data;
    sl_judge *judge;
    sl_measure *measure;
    sl_sampler sampler;
    sl_advisor advisor;
} bench;

static void open_bench(bench *b, fake *f)
{
    const sl_world_settings world = sl_world_defaults();
    const sl_measure_settings set = { .prompts = MOST, .batch = BATCH, .on = ON, .off = OFF };
    const sl_judge_settings truth = sl_judge_defaults();

    T_OK(sl_data_open_world(&b->data, &world));
    T_OK(sl_judge_open(&b->judge, &truth, b->data));
    T_OK(sl_measure_open(&b->measure, &set, b->data, b->judge));
    b->sampler = (sl_sampler){ .state = f, .name = "fake", .draw = fake_draw };
    b->sampler.law.max_new = SL_WORLD_ANSWER;
    b->advisor = (sl_advisor){ .state = f,
                               .begin = fake_begin,
                               .observe = fake_observe,
                               .look = fake_look,
                               .decide = fake_decide,
                               .rule = "fake",
                               .parameters = "{}" };
}

static void close_bench(bench *b)
{
    sl_measure_close(&b->measure);
    sl_judge_close(&b->judge);
    sl_data_close(&b->data);
}

/* Runs one measurement; returns the last look. */
static sl_row_boundary measure(fake *f)
{
    const sl_recorder recorder = { 0 };
    sl_row_boundary result = { 0 };
    sl_row_decisions decision = { 0 };
    bench b;

    open_bench(&b, f);
    T_OK(sl_measure_run(&result, &decision, b.measure, &b.sampler, &b.advisor, &recorder));
    assert_int_equal(decision.action, SL_ACTION_STATIC);
    close_bench(&b);
    return result;
}

static void test_it_stops_where_the_advisor_says(void **state)
{
    fake f = { .generator = { .content = 2.0, .style = 1.0 }, .enough_at = 11 };
    sl_row_boundary result;

    (void)state;
    result = measure(&f);
    assert_int_equal(f.begun, 1);
    assert_int_equal(f.observed, 11);
    assert_int_equal(f.looks, 2); /* after 8 and after 11 */
    assert_int_equal(result.prompts, 11);
    assert_int_equal(result.final, 1);
    assert_int_equal(f.drawn, 2 * BATCH * ON); /* no batch after the answer */
}

static void test_it_stops_at_the_most(void **state)
{
    fake f = { .generator = { .content = 2.0, .style = 1.0 } };

    (void)state;
    assert_int_equal(measure(&f).final, 1);
    assert_int_equal(f.observed, MOST);
    assert_int_equal(f.looks, MOST / BATCH);
}

/* A strong sampler wins, a weak one loses: the on-policy side is side a. */
static void test_the_direction_of_the_score(void **state)
{
    fake strong = { .generator = { .content = 8.0, .style = 4.0 } };
    fake weak = { .generator = { .content = -8.0 } };

    (void)state;
    assert_true(measure(&strong).bs > 0.8);
    assert_true(measure(&weak).bs < 0.2);
}

static void test_a_fixed_score_is_the_mean_of_prompt_means(void **state)
{
    fake f = { .generator = { .content = 2.0, .style = 1.0 } };
    sl_fixed_score score;
    bench b;

    (void)state;
    open_bench(&b, &f);
    T_OK(sl_measure_fixed(&score, b.measure, &b.sampler, 0, MOST));
    close_bench(&b);
    assert_int_equal(score.votes, MOST * ON * OFF);
    T_CLOSE(score.bs, measure(&f).bs, 1e-6); /* the same prompts: votes are recorded in 32 bits */
    assert_true(score.se > 0.0 && score.se < 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_stops_where_the_advisor_says),
        cmocka_unit_test(test_it_stops_at_the_most),
        cmocka_unit_test(test_the_direction_of_the_score),
        cmocka_unit_test(test_a_fixed_score_is_the_mean_of_prompt_means),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
