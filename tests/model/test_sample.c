/* Sampling: neither batch size nor neighbours change a candidate; what is drawn agrees with the
 * full forward pass. usage: test_sample BACKEND */
#include "model/sample.h"
#include "model_test.h"
#include <string.h>

enum { PROMPTS = 3, EACH = 13, TOTAL = PROMPTS * EACH, PROMPT_MAX = 9, NEW = 12 };

static const sl_backend *backend;

typedef struct drawn {
    int32_t token[TOTAL][NEW];
    float logp[TOTAL][NEW];
    sl_candidate candidate[TOTAL];
} drawn;

static sl_model *make_model(const char *json)
{
    const sl_init init = { .seed = 5 };
    sl_config c = t_config(json);
    sl_model *m = NULL;

    T_OK(sl_model_create(&m, &c, backend, &init, 0));
    return m;
}

static void make_prompts(sl_prompt *prompt, int32_t token[PROMPTS][PROMPT_MAX], size_t V)
{
    static const uint32_t counts[PROMPTS] = { 1, 9, 4 };

    for (size_t i = 0; i < PROMPTS; i++) {
        t_tokens(token[i], counts[i], V, 40 + i);
        prompt[i] = (sl_prompt){ token[i], counts[i] };
    }
}

static void sample(drawn *d, const sl_model *m, size_t batch, const sl_generate *settings)
{
    int32_t token[PROMPTS][PROMPT_MAX];
    sl_prompt prompt[PROMPTS];
    sl_generator *generator = NULL;

    memset(d, 0, sizeof *d);
    make_prompts(prompt, token, sl_model_config(m)->V);
    for (size_t i = 0; i < TOTAL; i++)
        d->candidate[i] =
            (sl_candidate){ .token = d->token[i], .logp = d->logp[i], .stream = 9 + i };
    T_OK(sl_generator_open(&generator, sl_model_config(m), backend, batch, PROMPT_MAX, NEW));
    T_OK(sl_model_sample(d->candidate, generator, m, prompt, PROMPTS, EACH, settings));
    sl_generator_close(&generator);
}

/* Every logit of prompt + candidate's tokens, at the rows that predict the tokens: z (count, V). */
static void full_logp(float *logp, float *z, const sl_model *m, const sl_prompt *prompt,
                      const sl_candidate *c)
{
    static t_batch b;
    int32_t all[PROMPT_MAX + NEW];
    sl_packed_limits limits;
    sl_work *work = NULL;

    memcpy(all, prompt->token, prompt->count * sizeof *all);
    memcpy(all + prompt->count, c->token, c->count * sizeof *all);
    t_batch_begin(&b);
    t_batch_sequence(&b, all, prompt->count + c->count, prompt->count);
    limits = t_batch_limits(&b);
    T_OK(sl_work_open(&work, sl_model_config(m), backend, &limits, 0));
    T_OK(sl_model_forward(m, work, &b.packed));
    T_OK(sl_model_logp(logp, NULL, NULL, m, work, &b.packed));
    T_OK(sl_model_logits(z, m, work, &b.packed));
    sl_work_close(&work);
}

static void test_batch_size_changes_nothing(void **state)
{
    static const size_t batches[] = { 1, 3, 34, 64 };
    static drawn one, many;
    const int32_t stop[] = { 7, 11 };
    const sl_generate settings = { .law = { .temperature = 0.9f, .top_p = 0.95f },
                                   .max_new = NEW,
                                   .stop = stop,
                                   .stop_count = 2,
                                   .seed = 1 };

    (void)state;
    for (const t_family *f = t_families; f->name; f++) {
        sl_model *m = make_model(f->json);

        sample(&one, m, batches[0], &settings);
        for (size_t i = 1; i < sizeof batches / sizeof batches[0]; i++) {
            sample(&many, m, batches[i], &settings);
            assert_memory_equal(many.token, one.token, sizeof one.token);
            assert_memory_equal(many.logp, one.logp, sizeof one.logp);
            for (size_t k = 0; k < TOTAL; k++) {
                assert_int_equal(many.candidate[k].count, one.candidate[k].count);
                assert_int_equal(many.candidate[k].stop, one.candidate[k].stop);
            }
        }
        sl_model_close(&m);
    }
}

static void test_logp_is_that_of_the_forward_pass(void **state)
{
    static drawn d;
    const sl_generate settings = { .law = { .temperature = 1.0f, .top_p = 1.0f },
                                   .max_new = NEW,
                                   .seed = 2 };

    (void)state;
    for (const t_family *f = t_families; f->name; f++) {
        sl_model *m = make_model(f->json);
        int32_t token[PROMPTS][PROMPT_MAX];
        sl_prompt prompt[PROMPTS];
        float logp[NEW], z[NEW * 61];

        make_prompts(prompt, token, sl_model_config(m)->V);
        sample(&d, m, 8, &settings);
        for (size_t i = 0; i < TOTAL; i++) {
            full_logp(logp, z, m, &prompt[i / EACH], &d.candidate[i]);
            assert_int_equal(d.candidate[i].count, NEW);
            T_CLOSE_ALL(d.logp[i], logp, NEW, TOL_SUM(64));
        }
        sl_model_close(&m);
    }
}

static void test_greedy_is_the_argmax(void **state)
{
    static drawn d;
    const sl_generate settings = { .law = { .temperature = 0.0f, .top_p = 1.0f },
                                   .max_new = NEW,
                                   .seed = 2 };

    (void)state;
    for (const t_family *f = t_families; f->name; f++) {
        sl_model *m = make_model(f->json);
        const size_t V = sl_model_config(m)->V;
        int32_t token[PROMPTS][PROMPT_MAX];
        sl_prompt prompt[PROMPTS];
        float logp[NEW], z[NEW * 61];

        make_prompts(prompt, token, V);
        sample(&d, m, 5, &settings);
        for (size_t i = 0; i < TOTAL; i++) {
            full_logp(logp, z, m, &prompt[i / EACH], &d.candidate[i]);
            for (size_t n = 0; n < NEW; n++) {
                const float chosen = z[n * V + (size_t)d.token[i][n]];

                for (size_t v = 0; v < V; v++)
                    assert_true(z[n * V + v] <= chosen + 1e-5f);
            }
        }
        sl_model_close(&m);
    }
}

/* A stop token ends the answer and is its last token; streams tell candidates apart. */
static void test_stop_tokens(void **state)
{
    static drawn d;
    int32_t stop[30];
    size_t ended = 0, different = 0;
    const sl_generate settings = { .law = { .temperature = 1.0f, .top_p = 1.0f },
                                   .max_new = NEW,
                                   .stop = stop,
                                   .stop_count = 30,
                                   .seed = 3 };
    sl_model *m = make_model(t_families[0].json);

    (void)state;
    for (int32_t i = 0; i < 30; i++)
        stop[i] = 2 * i;
    sample(&d, m, 6, &settings);
    for (size_t i = 0; i < TOTAL; i++) {
        const sl_candidate *c = &d.candidate[i];

        assert_true(c->count >= 1 && c->count <= NEW);
        for (uint32_t k = 0; k + 1 < c->count; k++)
            assert_true(c->token[k] % 2 == 1 || c->token[k] == 60);
        if (c->stop == SL_STOP_EOS)
            assert_true(c->token[c->count - 1] % 2 == 0);
        else
            assert_int_equal(c->count, NEW);
        ended += c->stop == SL_STOP_EOS && c->count < NEW;
        different += memcmp(c->token, d.candidate[0].token, sizeof d.token[0]) != 0;
    }
    assert_true(ended > TOTAL / 2 && different > TOTAL / 2);
    sl_model_close(&m);
}

static void test_requests_are_checked(void **state)
{
    int32_t token[4] = { 1, 2, 3, 61 }, out[NEW];
    float logp[NEW];
    sl_prompt prompt = { token, 4 };
    sl_candidate c = { .token = out, .logp = logp };
    sl_generate settings = { .law = { .temperature = 1.0f, .top_p = 1.0f }, .max_new = NEW };
    sl_model *m = make_model(t_families[0].json);
    sl_generator *g = NULL;

    (void)state;
    T_FAILS(sl_generator_open(&g, sl_model_config(m), backend, 0, 4, NEW), SL_EARG, "batch");
    T_OK(sl_generator_open(&g, sl_model_config(m), backend, 2, 4, NEW));
    T_FAILS(sl_model_sample(&c, g, m, &prompt, 1, 1, &settings), SL_ESHAPE, "vocab_size");
    prompt.count = 5;
    T_FAILS(sl_model_sample(&c, g, m, &prompt, 1, 1, &settings), SL_ESHAPE, "1..4 tokens, found 5");
    settings.max_new = NEW + 1;
    T_FAILS(sl_model_sample(&c, g, m, &prompt, 1, 1, &settings), SL_EARG, "max_new");
    sl_generator_close(&g);
    sl_model_close(&m);
}

/* --- frequencies over two tokens against the exact law -----------------------------------------
 */

enum { VOCAB = 61, DRAWS = 6000, CHUNK = 200 };

/* One law of the next token by its definition, in double: softmax of z / T over the top_k largest,
 * of these the fewest largest with at least top_p. */
static void law_of(double p[VOCAB], const float *z, const sl_sample_settings *s)
{
    size_t order[VOCAB], kept = s->top_k ? s->top_k : VOCAB;
    double sum = 0.0, mass = 0.0;

    for (size_t v = 0; v < VOCAB; v++) {
        size_t at = v;

        for (; at > 0 && z[order[at - 1]] < z[v]; at--)
            order[at] = order[at - 1];
        order[at] = v;
        p[v] = 0.0;
    }
    for (size_t k = 0; k < kept; k++)
        sum += p[order[k]] = exp(((double)z[order[k]] - (double)z[order[0]]) / s->temperature);
    for (size_t k = 0; k < kept; k++)
        if ((mass += p[order[k]] / sum) >= (double)s->top_p)
            kept = k + 1;
    for (size_t k = 0; k < VOCAB; k++)
        p[order[k]] = k < kept ? p[order[k]] / (sum * mass) : 0.0;
}

/* joint[a][b] by enumeration of the first token. */
static void joint_of(double joint[VOCAB][VOCAB], const sl_model *m, const sl_prompt *prompt,
                     const sl_sample_settings *law)
{
    double first[VOCAB];

    for (int32_t a = 0; a < VOCAB; a++) {
        const sl_candidate c = { .token = (int32_t[]){ a, 0 }, .count = 2 };
        float logp[2], z[2 * VOCAB];

        full_logp(logp, z, m, prompt, &c);
        law_of(first, z, law);
        law_of(joint[a], z + VOCAB, law);
        for (size_t b = 0; b < VOCAB; b++)
            joint[a][b] *= first[a];
    }
}

static void count_draws(size_t count[VOCAB][VOCAB], const sl_model *m, const sl_prompt *prompt,
                        const sl_sample_settings *law)
{
    static int32_t token[CHUNK][2];
    static float logp[CHUNK][2];
    static sl_candidate c[CHUNK];
    const sl_generate settings = { .law = *law, .max_new = 2, .seed = 11 };
    sl_generator *generator = NULL;

    memset(count, 0, VOCAB * VOCAB * sizeof count[0][0]);
    T_OK(sl_generator_open(&generator, sl_model_config(m), backend, CHUNK, PROMPT_MAX, 2));
    for (uint64_t done = 0; done < DRAWS; done += CHUNK) {
        for (size_t i = 0; i < CHUNK; i++)
            c[i] = (sl_candidate){ .token = token[i], .logp = logp[i], .stream = done + i };
        T_OK(sl_model_sample(c, generator, m, prompt, 1, CHUNK, &settings));
        for (size_t i = 0; i < CHUNK; i++)
            count[token[i][0]][token[i][1]]++;
    }
    sl_generator_close(&generator);
}

/* Pearson's statistic in standard deviations of a normal (Wilson and Hilferty 1931); pairs that are
 * expected less than 5 times count as one. Infinite where what has no mass was drawn. */
static double misfit(const size_t count[VOCAB][VOCAB], const double joint[VOCAB][VOCAB])
{
    double rest = 0.0, rest_count = 0.0, sum = 0.0, df = -1.0;

    for (size_t i = 0; i < VOCAB * VOCAB; i++) {
        const double want = DRAWS * joint[i / VOCAB][i % VOCAB];
        const double found = (double)count[i / VOCAB][i % VOCAB];

        if (want == 0.0 && found > 0.0)
            return INFINITY;
        if (want < 5.0) {
            rest += want;
            rest_count += found;
            continue;
        }
        sum += (found - want) * (found - want) / want;
        df++;
    }
    if (rest >= 5.0) {
        sum += (rest_count - rest) * (rest_count - rest) / rest;
        df++;
    }
    assert_true(df >= 10.0);
    return (cbrt(sum / df) - (1.0 - 2.0 / (9.0 * df))) / sqrt(2.0 / (9.0 * df));
}

/* Answers of two tokens are drawn as often as enumeration says, up to 3.7 standard deviations (one
 * run in 10,000 would be further off); every other law is noticed. */
static void test_frequencies_are_the_law(void **state)
{
    static const sl_sample_settings laws[] = {
        { 1.0f, 1.0f, 0 },  { 0.7f, 1.0f, 0 },  { 1.0f, 0.8f, 0 },
        { 1.0f, 1.0f, 12 }, { 0.7f, 0.9f, 20 },
    };
    enum { LAWS = sizeof laws / sizeof laws[0] };
    static double joint[LAWS][VOCAB][VOCAB];
    static size_t count[VOCAB][VOCAB];
    const sl_init init = { .seed = 5, .embed_std = 0.5f, .matrix_std = 0.3f };
    sl_config config = t_config(t_families[0].json);
    int32_t token[PROMPT_MAX];
    const sl_prompt prompt = { token, 6 };
    sl_model *m = NULL;

    (void)state;
    T_OK(sl_model_create(&m, &config, backend, &init, 0));
    t_tokens(token, 6, VOCAB, 77);
    for (size_t l = 0; l < LAWS; l++)
        joint_of(joint[l], m, &prompt, &laws[l]);
    for (size_t l = 0; l < LAWS; l++) {
        count_draws(count, m, &prompt, &laws[l]);
        for (size_t k = 0; k < LAWS; k++) {
            const double z =
                misfit((const size_t(*)[VOCAB])count, (const double(*)[VOCAB])joint[k]);

            if ((k == l && !(z <= 3.7)) || (k != l && !(z > 3.7)))
                fail_msg("law %zu against draws of %zu: %g standard deviations", k, l, z);
        }
    }
    sl_model_close(&m);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_size_changes_nothing),
        cmocka_unit_test(test_logp_is_that_of_the_forward_pass),
        cmocka_unit_test(test_greedy_is_the_argmax),
        cmocka_unit_test(test_stop_tokens),
        cmocka_unit_test(test_requests_are_checked),
        cmocka_unit_test(test_frequencies_are_the_law),
    };

    T_OK(sl_backend_open(&backend, argc == 2 ? argv[1] : "ref", 0));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
