/* A reward-model checkpoint as judge: its votes are the sigmoid of the differences of its rewards,
 * for the tiny reference checkpoints of every family; words are what its tokenizer makes of them;
 * batches, copies and longer answers change nothing else. */
#include "judge/judge_test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "kernels/backend.h"
#include "model/reward.h"
#include "text/encoder.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PROMPTS = 30, EACH = 4, PAIRS = PROMPTS * EACH * EACH, LONGEST = 40 };

static const sl_backend *backend;
static char folder[4096];

/* The tiny checkpoint as a reward model, in `folder`. */
static sl_model *make_reward(const char *family)
{
    const char *root = t_shared("goldens/models");
    sl_model *policy = NULL, *scorer = NULL;
    char path[4096];

    if (!root) {
        (void)fprintf(stderr, "no shared goldens\n");
        exit(T_SKIP);
    }
    T_OK(sl_file_join(path, sizeof path, root, family));
    T_OK(sl_model_load(&policy, path, backend, 0));
    T_OK(sl_model_scorer_of(&scorer, policy, 5, 0));
    T_OK(sl_file_join(folder, sizeof folder, t_scratch(), family));
    assert_int_equal(mkdir(folder, 0777), 0);
    T_OK(sl_model_save(scorer, folder, 1));
    sl_model_close(&policy);
    return scorer;
}

static sl_judge_settings settings_of(const char *path)
{
    sl_judge_settings set = sl_judge_defaults();

    set.name = "reward";
    set.reward = path;
    set.backend = backend;
    return set;
}

/* The reward of one answer behind its prompt, alone in its batch and in one piece. */
static double reward_of(sl_model *model, const int32_t *prompt, size_t prompt_count,
                        const int32_t *answer, size_t answer_count)
{
    const size_t T = prompt_count + answer_count;
    const sl_packed_limits limits = { .T = T, .S = 2, .B = 1, .N = T, .positions = T };
    int32_t *token = calloc(T, sizeof *token), *position = calloc(T, sizeof *position);
    const sl_segment segment[2] = { { -1, 0, (uint32_t)prompt_count, 0 },
                                    { 0, (uint32_t)prompt_count, (uint32_t)answer_count,
                                      (uint32_t)prompt_count } };
    const sl_target target = { (uint32_t)T - 1, 0, 0 };
    const uint32_t first[2] = { 0, 1 };
    const sl_packed packed = { .T = T,
                               .S = 2,
                               .B = 1,
                               .N = 1,
                               .token = token,
                               .position = position,
                               .segment = segment,
                               .target = &target,
                               .seq_first = first };
    sl_work *work = NULL;
    float reward;

    assert_non_null(token);
    assert_non_null(position);
    memcpy(token, prompt, prompt_count * sizeof *token);
    memcpy(token + prompt_count, answer, answer_count * sizeof *token);
    for (size_t i = 0; i < T; i++)
        position[i] = (int32_t)i;
    T_OK(sl_work_open(&work, sl_model_config(model), backend, &limits, 0));
    T_OK(sl_model_forward(model, work, &packed));
    T_OK(sl_model_rewards(&reward, model, work, &packed));
    sl_work_close(&work);
    free(token);
    free(position);
    return (double)reward;
}

/* Every answer of a prompt against every other one, and itself. */
typedef struct bout {
    int32_t token[PROMPTS * (1 + EACH)][LONGEST];
    sl_prompt_text prompt[PAIRS];
    sl_answer a[PAIRS], b[PAIRS];
    sl_vote vote[PAIRS];
} bout;

static sl_answer fill_answer(bout *t, size_t row, size_t V)
{
    const uint32_t n = 1 + (uint32_t)(row * 7) % LONGEST;

    for (size_t i = 0; i < n; i++)
        t->token[row][i] = (int32_t)((row * 131 + i * 17 + i * i) % V);
    return (sl_answer){ .token = t->token[row], .count = n, .id = 1 + row };
}

static void fill_bout(bout *t, size_t V)
{
    for (size_t p = 0; p < PROMPTS; p++) {
        const sl_answer head = fill_answer(t, p, V);

        for (size_t k = 0; k < EACH * EACH; k++) {
            const size_t i = p * EACH * EACH + k;

            t->prompt[i] =
                (sl_prompt_text){ .token = head.token, .count = head.count, .id = 1 + p };
            t->a[i] = fill_answer(t, PROMPTS + p * EACH + k / EACH, V);
            t->b[i] = fill_answer(t, PROMPTS + p * EACH + k % EACH, V);
        }
    }
}

static void check_bout(const bout *t, sl_model *model, double temperature)
{
    for (size_t i = 0; i < PAIRS; i++) {
        const sl_prompt_text *p = &t->prompt[i];
        const sl_answer *a = &t->a[i], *b = &t->b[i];
        const double x = reward_of(model, p->token, p->count, a->token, a->count);
        const double y = reward_of(model, p->token, p->count, b->token, b->count);

        assert_true(t->vote[i].is_given && t->vote[i].status == SL_VOTED && !t->vote[i].cut);
        assert_true(isnan(t->vote[i].p_ab) && isnan(t->vote[i].p_ba)); /* it sees no order */
        T_CLOSE(t->vote[i].score_a, x, TOL_SUM(64));
        T_CLOSE(t->vote[i].score_b, y, TOL_SUM(64));
        T_CLOSE(t->vote[i].p,
                1.0 / (1.0 + exp((t->vote[i].score_b - t->vote[i].score_a) / temperature)),
                TOL_F64);
        assert_int_equal(t->vote[i].is_tie, a->id == b->id);
        assert_int_equal(t->vote[i].attempts, 0);
    }
}

static void test_votes_of_the_families(void **state)
{
    static const char *const families[] = { "llama", "phi2", "pythia", "qwen2", "zephyr" };
    static bout t;

    (void)state;
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        sl_model *model = make_reward(families[f]);
        sl_judge_settings set = settings_of(folder);
        sl_judge *judge = NULL;
        char hash[65], name[64];

        set.temperature = 0.5 + (double)f;
        fill_bout(&t, sl_model_config(model)->V);
        T_OK(sl_judge_open(&judge, &set, NULL));
        T_OK(sl_judge_votes(t.vote, judge, t.prompt, t.a, t.b, PAIRS));
        check_bout(&t, model, set.temperature);
        T_OK(sl_model_hash(hash, model));
        snprintf(name, sizeof name, "reward-%.12s", hash);
        assert_string_equal(sl_judge_identity(judge), hash);
        assert_string_equal(sl_judge_name(judge), name);
        sl_judge_close(&judge);
        set.label = "mine";
        T_OK(sl_judge_open(&judge, &set, NULL));
        assert_string_equal(sl_judge_name(judge), "mine");
        sl_judge_close(&judge);
        sl_model_close(&model);
        t_scratch_remove();
    }
}

/* 300 tokens where 256 positions are: the answer's start behind the prompt's last 128 or more. */
static void test_longer_than_the_positions(void **state)
{
    static int32_t token[300];
    sl_model *model = make_reward("pythia");
    sl_judge_settings set = settings_of(folder);
    sl_prompt_text prompt = { .token = token, .count = 200, .id = 1 };
    const sl_answer whole = { .token = token + 200, .count = 50, .id = 2 },
                    tail = { .token = token + 100, .count = 200, .id = 3 };
    sl_judge *judge = NULL;
    sl_vote vote;

    (void)state;
    for (size_t i = 0; i < 300; i++)
        token[i] = (int32_t)(i * i % 259);
    T_OK(sl_judge_open(&judge, &set, NULL));
    T_OK(sl_judge_votes(&vote, judge, &prompt, &whole, &tail, 1));
    assert_int_equal(vote.cut, SL_VOTE_CUT_B);
    T_CLOSE(vote.score_a, reward_of(model, token, 200, token + 200, 50), TOL_SUM(256));
    T_CLOSE(vote.score_b, reward_of(model, token + 72, 128, token + 100, 128), TOL_SUM(256));
    sl_judge_close(&judge);
    sl_model_close(&model);
    t_scratch_remove();
}

static void test_what_it_cannot_read(void **state)
{
    static const int32_t token[3] = { 1, 2, 400 };
    sl_model *model = make_reward("llama"), *policy = NULL;
    sl_judge_settings set = settings_of(folder);
    const sl_prompt_text prompt = { .token = token, .count = 2, .id = 1 },
                         words = { .text = "Why?", .id = 1 };
    const sl_answer good = { .token = token, .count = 2, .id = 2 },
                    bad = { .token = token, .count = 3, .id = 3 },
                    none = { .token = token, .id = 4 }, spoken = { .text = "So.", .id = 5 };
    sl_judge *judge = NULL;
    volatile int stop = 0;
    sl_vote vote;
    char path[4096];

    (void)state;
    set.stop = &stop;
    T_OK(sl_judge_open(&judge, &set, NULL));
    T_FAILS(sl_judge_votes(&vote, judge, &prompt, &good, &bad, 1), SL_ESHAPE,
            "pair 0 answer b: want token ids below 331, the reward model's vocabulary, found 400");
    T_FAILS(sl_judge_votes(&vote, judge, &prompt, &good, &none, 1), SL_EARG,
            "want a token or more");
    T_FAILS(sl_judge_votes(&vote, judge, &words, &spoken, &spoken, 1), SL_EARG,
            "want a tokenizer for words, found none with the reward model");
    assert_false(vote.is_given);
    stop = 1;
    T_FAILS(sl_judge_votes(&vote, judge, &prompt, &good, &good, 1), SL_EINTERRUPT, "to stop");
    sl_judge_close(&judge);
    set.reward = t_shared("goldens/models/llama");
    T_FAILS(sl_judge_open(&judge, &set, NULL), SL_EARG, "want a reward model, found a language");
    set.reward = "/nowhere";
    T_FAILS(sl_judge_open(&judge, &set, NULL), SL_EIO, "/nowhere");
    set.reward = NULL;
    T_FAILS(sl_judge_open(&judge, &set, NULL), SL_EARG, "want the folder of a reward model");
    set.reward = folder;
    T_OK(sl_file_join(path, sizeof path, t_shared("data/tokenizers"), "smollm2"));
    set.tokenizer = path;
    T_FAILS(sl_judge_open(&judge, &set, NULL), SL_ESHAPE,
            "want a tokenizer of at most 331 tokens, the reward model's vocabulary, found 49152");
    sl_model_close(&policy);
    sl_model_close(&model);
    t_scratch_remove();
}

/* --- words ------------------------------------------------------------------------------------ */

static sl_model *make_speaker(void)
{
    static const char json[] =
        "{\"model_type\":\"llama\",\"vocab_size\":49152,\"hidden_size\":16,"
        "\"intermediate_size\":16,\"num_hidden_layers\":1,\"num_attention_heads\":2,"
        "\"max_position_embeddings\":128,\"eos_token_id\":2,\"tie_word_embeddings\":true}";
    const sl_init init = { .seed = 8, .embed_std = 1.0f, .matrix_std = 0.5f };
    sl_model *policy = NULL, *scorer = NULL;
    sl_config config;
    sl_json *tree = NULL;

    T_OK(sl_json_parse(&tree, json, sizeof json - 1, "config"));
    T_OK(sl_config_parse(&config, tree, "config"));
    T_OK(sl_model_create(&policy, &config, backend, &init, 0));
    T_OK(sl_model_scorer_of(&scorer, policy, 5, 0));
    T_OK(sl_file_join(folder, sizeof folder, t_scratch(), "rm"));
    assert_int_equal(mkdir(folder, 0777), 0);
    T_OK(sl_model_save(scorer, folder, 1));
    sl_model_close(&policy);
    return scorer;
}

static double reward_of_text(sl_model *model, sl_text_encoder *text, const char *whole, int eos)
{
    int32_t *ids = NULL;
    size_t count;
    double reward;

    T_OK(sl_text_encode(text, &ids, &count, whole, 1));
    reward = eos >= 0 ? reward_of(model, ids, count, &eos, 1)
                      : reward_of(model, ids, count - 1, ids + count - 1, 1);
    sl_free(ids);
    return reward;
}

/* Plain strings end with the end of sequence; with a chat format they are a user's turn and the
 * answer to it. */
static void test_words(void **state)
{
    static const char question[] = "Why is the sky blue?\n";
    static const char *const said[2] = { "Air scatters blue light <|im_end|> more.", "No idea" };
    static const char chat[] = "{\"format\": \"chatml\"}";
    const sl_prompt_text prompt = { .text = question, .id = 1 };
    const sl_answer a = { .text = said[0], .id = 2 }, b = { .text = said[1], .id = 3 };
    sl_model *model = make_speaker();
    sl_text_encoder *text = NULL;
    sl_judge_settings set = settings_of(folder);
    char tokenizer[4096], path[4096], whole[256], *rendered;
    sl_judge *judge = NULL;
    sl_vote vote;

    (void)state;
    T_OK(sl_file_join(tokenizer, sizeof tokenizer, t_shared("data/tokenizers"), "smollm2"));
    T_OK(sl_text_encoder_open(&text, tokenizer));
    set.tokenizer = tokenizer;
    T_OK(sl_judge_open(&judge, &set, NULL));
    T_OK(sl_judge_votes(&vote, judge, &prompt, &a, &b, 1));
    for (size_t i = 0; i < 2; i++) {
        snprintf(whole, sizeof whole, "%s%s", question, said[i]);
        T_CLOSE(i ? vote.score_b : vote.score_a, reward_of_text(model, text, whole, 2),
                TOL_SUM(64));
    }
    sl_judge_close(&judge);
    sl_text_encoder_close(&text);

    T_OK(sl_file_join(path, sizeof path, tokenizer, "tokenizer.json"));
    set.tokenizer = NULL;
    {
        char *json = NULL;
        size_t bytes;

        T_OK(sl_file_read(&json, &bytes, path, (size_t)1 << 26));
        T_OK(sl_file_join(path, sizeof path, folder, "tokenizer.json"));
        T_OK(sl_file_write_atomic(path, json, bytes));
        sl_free(json);
    }
    T_OK(sl_file_join(path, sizeof path, folder, "chat_format.json"));
    T_OK(sl_file_write_atomic(path, chat, sizeof chat - 1));
    T_OK(sl_text_encoder_open(&text, folder));
    T_OK(sl_judge_open(&judge, &set, NULL));
    T_OK(sl_judge_votes(&vote, judge, &prompt, &a, &b, 1));
    for (size_t i = 0; i < 2; i++) {
        const sl_message message[2] = { { "user", question }, { "assistant", said[i] } };

        T_OK(sl_text_render(text, &rendered, message, 2, 0));
        T_CLOSE(i ? vote.score_b : vote.score_a, reward_of_text(model, text, rendered, -1),
                TOL_SUM(64));
        sl_free(rendered);
    }
    sl_judge_close(&judge);
    sl_text_encoder_close(&text);
    sl_model_close(&model);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_votes_of_the_families),
        cmocka_unit_test(test_longer_than_the_positions),
        cmocka_unit_test(test_what_it_cannot_read),
        cmocka_unit_test(test_words),
    };

    if (sl_backend_open(&backend, "cpu", 1) != SL_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
