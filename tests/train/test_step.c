/* The step on a tiny world policy: packing, micro-batches and backends change nothing but rounding;
 * nothing is allocated; the start is checked; splits add up; the feed can be entered anywhere. */
#include "base/alloc.h"
#include "train/train_test.h"
#include <string.h>

/* Loss and gradient of the first update, without taking it. */
static double gradient(sl_session *s, float *out)
{
    sl_update *u = &s->update;
    const sl_fed *fed;
    size_t count;
    int more;

    T_OK(sl_feed_next(&fed, &count, &s->feed, 0, 0));
    tr_walk_off(s);
    memset(sl_model_gradients(s->policy), 0, tr_floats(s) * sizeof(float));
    sl_update_begin(u, fed, count);
    for (T_OK(sl_update_pack(u, &more)); more; T_OK(sl_update_pack(u, &more))) {
        T_OK(sl_model_forward(s->policy, s->work, &u->packer.packed));
        T_OK(sl_update_logp(u, s->policy, s->work));
        T_OK(sl_update_coef(u, s->loss));
        T_OK(sl_model_backward(s->policy, s->work, &u->packer.packed, u->coef));
    }
    sl_update_end(u);
    memcpy(out, sl_model_gradients(s->policy), tr_floats(s) * sizeof(float));
    return u->means.loss;
}

enum { FLOATS_MOST = 1 << 15 };
static float want[FLOATS_MOST], found[FLOATS_MOST];

static void check_same(const char *device, const char *const *set, int is_shared)
{
    sl_session s;
    double loss, reference;

    tr_open(&s, "ref", NULL);
    assert_true(tr_floats(&s) <= FLOATS_MOST);
    reference = gradient(&s, want);
    sl_session_close(&s);
    tr_open(&s, device, set);
    s.update.packer.is_shared = is_shared;
    loss = gradient(&s, found);
    assert_true(fabs(loss - reference) <= 1e-5 * reference);
    assert_true(tr_distance(found, want, tr_floats(&s)) <= 1e-5);
    sl_session_close(&s);
}

static void test_micro_batches(void **state)
{
    static const char *const one[] = { "train.micro_batch=1", NULL };
    static const char *const four[] = { "train.micro_batch=4", NULL };

    (void)state;
    check_same("ref", one, 1);
    check_same("ref", four, 1);
    check_same("cpu", four, 1);
}

/* Packed with shared prompts = one pair at a time, every answer with its own prompt. */
static void test_packing(void **state)
{
    static const char *const one[] = { "train.micro_batch=1", NULL };

    (void)state;
    check_same("ref", one, 0);
    check_same("cpu", one, 0);
    check_same("cpu", NULL, 1);
}

static void test_no_allocation_in_a_step(void **state)
{
    size_t after_2;
    sl_session s;

    (void)state;
    tr_open(&s, "cpu", NULL);
    for (int i = 0; i < 2; i++)
        T_OK(sl_train_step(&s));
    after_2 = sl_alloc_count();
    for (int i = 2; i < 4; i++)
        T_OK(sl_train_step(&s));
    assert_int_equal(sl_alloc_count(), after_2);
    sl_session_close(&s);
}

static void test_first_loss_is_ln_2(void **state)
{
    sl_session s;

    (void)state;
    tr_open(&s, "cpu", NULL);
    T_OK(sl_train_step(&s));
    T_CLOSE(s.update.means.loss, log(2.0), 1e-5);
    T_CLOSE(s.update.means.margin, 0.0, 1e-4);
    sl_session_close(&s);
}

static void test_another_start_is_named(void **state)
{
    const sl_tensors *table;
    sl_session s;

    (void)state;
    tr_open(&s, "cpu", NULL);
    table = sl_model_tensors(s.policy);
    sl_model_parameters(s.policy)[table->row[3].offset] += 0.5f;
    T_FAILS(sl_train_step(&s), SL_ENUMERIC, table->row[3].name);
    sl_session_close(&s);
}

static void test_a_bad_number_names_its_pair_and_step(void **state)
{
    sl_session s;

    (void)state;
    tr_open(&s, "cpu", NULL);
    T_OK(sl_train_step(&s));
    sl_model_parameters(s.policy)[0] = NAN;
    for (size_t i = 0; i < tr_floats(&s); i++)
        sl_model_parameters(s.policy)[i] = NAN;
    T_FAILS(sl_train_step(&s), SL_ENUMERIC, "step 2");
    sl_session_close(&s);
}

/* What the feed gives for an update does not depend on how one got there. */
static void test_the_feed_can_be_entered_anywhere(void **state)
{
    static const char *const refill[] = { "policy.refill=2", "train.epochs=2", NULL };
    uint64_t walked[8][16];
    size_t on = 0, all = 0;
    sl_session s;

    (void)state;
    tr_open(&s, "cpu", refill);
    for (int64_t u = 0; u < 8; u++) {
        const sl_fed *fed;
        size_t count;

        T_OK(sl_feed_next(&fed, &count, &s.feed, u, 0));
        assert_int_equal(count, 16);
        for (size_t i = 0; i < count; i++) {
            walked[u][i] = fed[i].pair.id;
            on += fed[i].pair.source == SL_SOURCE_ON_POLICY;
            all++;
        }
    }
    assert_true(on > all / 4 && on < 3 * all / 4); /* the mix is one half */
    for (int64_t u = 7; u >= 0; u -= 3) {
        const sl_fed *fed;
        size_t count;

        sl_feed_begin(&s.feed, 0);
        T_OK(sl_feed_next(&fed, &count, &s.feed, u, 1));
        for (size_t i = 0; i < count; i++)
            assert_true(fed[i].pair.id == walked[u][i]);
    }
    sl_session_close(&s);
}

enum { EPOCHS = 3, PAIRS_MOST = 256 };

/* id (EPOCHS, *pairs) of the static pairs, in the order in which the updates see them. */
static void walk_epochs(uint64_t id[EPOCHS][PAIRS_MOST], size_t *pairs)
{
    static const char *const epochs[] = { "train.epochs=3", NULL };
    const sl_fed *fed;
    sl_session s;
    size_t count;

    tr_open(&s, "cpu", epochs);
    s.feed.mix = 0.0;
    *pairs = s.feed.settings.prompts;
    assert_true(*pairs <= PAIRS_MOST && *pairs % s.feed.settings.batch == 0);
    for (size_t n = 0; n < EPOCHS * *pairs; n += count) {
        T_OK(sl_feed_next(&fed, &count, &s.feed, (int64_t)(n / s.feed.settings.batch), 0));
        for (size_t i = 0; i < count; i++)
            id[(n + i) / *pairs][(n + i) % *pairs] = fed[i].pair.id;
    }
    sl_session_close(&s);
}

/* Every epoch sees every pair once, in an order that seed and epoch alone decide. */
static void test_epochs_have_orders_of_their_own(void **state)
{
    static uint64_t id[EPOCHS][PAIRS_MOST], again[EPOCHS][PAIRS_MOST];
    size_t pairs;

    (void)state;
    walk_epochs(id, &pairs);
    walk_epochs(again, &pairs);
    assert_memory_equal(id, again, sizeof id);
    for (int a = 0; a < EPOCHS; a++)
        for (int b = a + 1; b < EPOCHS; b++) {
            size_t same = 0, shared = 0;

            for (size_t i = 0; i < pairs; i++) {
                same += id[a][i] == id[b][i];
                for (size_t k = 0; k < pairs; k++)
                    shared += id[a][i] == id[b][k];
            }
            assert_int_equal(shared, pairs);
            assert_true(same < 10); /* one on average: ten once in three million */
        }
}

static void test_shares_at_the_ends(void **state)
{
    (void)state;
    for (int mix = 0; mix < 2; mix++) {
        const sl_fed *fed;
        size_t count;
        sl_session s;

        tr_open(&s, "cpu", NULL);
        s.feed.mix = mix;
        T_OK(sl_feed_next(&fed, &count, &s.feed, 0, 0));
        for (size_t i = 0; i < count; i++)
            assert_int_equal(fed[i].pair.source, mix ? SL_SOURCE_ON_POLICY : SL_SOURCE_STATIC);
        sl_session_close(&s);
    }
}

/* |g|^2 of the whole from its parts: chosen + rejected, static + on-policy. */
static void check_parts(double whole, double a, double b, double cosine)
{
    assert_true(cosine >= -1.0 - 1e-6 && cosine <= 1.0 + 1e-6);
    assert_true(fabs(a * a + b * b + 2.0 * a * b * cosine - whole * whole) <=
                1e-3 * (a * a + b * b));
}

static void test_splits_add_up(void **state)
{
    sl_update *u;
    const sl_fed *fed;
    double norm[16];
    size_t count;
    sl_session s;
    int more;

    (void)state;
    tr_open(&s, "ref", NULL);
    u = &s.update;
    T_OK(sl_feed_next(&fed, &count, &s.feed, 0, 0));
    tr_walk_off(&s);
    sl_update_begin(u, fed, count);
    sl_gradsplit_begin(&s.split, 1, 1);
    for (T_OK(sl_update_pack(u, &more)); more; T_OK(sl_update_pack(u, &more))) {
        T_OK(sl_model_forward(s.policy, s.work, &u->packer.packed));
        T_OK(sl_update_logp(u, s.policy, s.work));
        T_OK(sl_update_coef(u, s.loss));
        T_OK(sl_gradsplit_backward(&s.split, u, s.work));
    }
    sl_gradsplit_end(&s.split, u);
    sl_group_norms(norm, s.policy, sl_model_gradients(s.policy));
    for (size_t g = 0; g < s.split.group_count; g++) {
        const sl_gradsplit_row *r = &s.split.row[g];

        check_parts(norm[g], r->norm_c, r->norm_r, r->cos_c_r);
        check_parts(norm[g], r->norm_static, r->norm_on, r->cos_static_on);
    }
    sl_session_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_micro_batches),
        cmocka_unit_test(test_packing),
        cmocka_unit_test(test_no_allocation_in_a_step),
        cmocka_unit_test(test_first_loss_is_ln_2),
        cmocka_unit_test(test_another_start_is_named),
        cmocka_unit_test(test_a_bad_number_names_its_pair_and_step),
        cmocka_unit_test(test_the_feed_can_be_entered_anywhere),
        cmocka_unit_test(test_epochs_have_orders_of_their_own),
        cmocka_unit_test(test_shares_at_the_ends),
        cmocka_unit_test(test_splits_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
