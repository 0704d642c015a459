/* Runs on the tiny world: which source every update saw, what was decided before it, and the lines
 * of candidates.jsonl. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "harness/harness.h"
#include "run/reader.h"
#include "train/train.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 16, UPDATES = 4 };

static const char *const tiny[] = {
    "model.hidden=16",
    "model.intermediate=16",
    "model.heads=2",
    "model.kv_heads=2",
    "model.layers=1",
    "train.prompts=64",
    "train.batch=16",
    "measure.prompts=0",
    "optim.learning_rate=1.0e-3",
    "record.min_free_gib=0",
    "record.probe_every=0",
    "record.top_k=0",
    "record.grad_split_every=0",
};

static void open_run(sl_session *s, const char *path)
{
    sl_run_settings set = sl_run_settings_defaults();
    sl_json *run = NULL, *facts = json_object();

    set.vocab = (uint32_t)sl_model_config(s->policy)->V;
    set.groups = (uint32_t)sl_model_tensors(s->policy)->group_count;
    set.min_free_bytes = 0;
    set.tables[SL_TABLE_PROBE] = set.tables[SL_TABLE_TOPK] = 0;
    T_OK(sl_session_describe(&run, s));
    T_OK(sl_run_create(&s->run, path, run, facts, &set));
    sl_json_close(&run);
    sl_json_close(&facts);
}

/* Trains in a new run; path (4096) = its folder. */
static void train(char *path, const char *const *set, const sl_advisor *advisor)
{
    const sl_backend *backend = NULL;
    sl_memory_plan plan;
    sl_recipe recipe = { 0 };
    sl_session s;

    T_OK(sl_file_join(path, 4096, t_scratch(), "run"));
    T_OK(sl_yaml_defaults(&recipe, sl_recipe_keys, sl_recipe_key_count));
    for (size_t i = 0; i < sizeof tiny / sizeof tiny[0]; i++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, tiny[i]));
    for (; *set; set++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, *set));
    T_OK(sl_backend_open(&backend, "cpu", 1));
    T_OK(sl_session_open(&s, &recipe, backend, NULL, &plan));
    s.advisor = advisor;
    open_run(&s, path);
    T_OK(sl_train(&s, 0, NULL));
    T_OK(sl_run_close(&s.run, SL_ENDED_COMPLETE));
    sl_session_close(&s);
}

/* --- lines of answers ------------------------------------------------------------------------ */

/* Ids in decimal, as they stand where there are no words. */
static sl_status encode(void *state, int32_t **ids, size_t *count, const char *text, int is_start)
{
    char *end;

    (void)state;
    (void)is_start;
    *count = 0;
    SL_TRY(sl_take(ids, strlen(text) + 1, sizeof **ids));
    for (; *text; text = end) {
        (*ids)[*count] = (int32_t)strtol(text, &end, 10);
        if (end == text)
            break;
        ++*count;
    }
    return SL_OK;
}

/* Another reader of such sets takes the best and the worst: the pairs that were trained on. */
static void check_same_pairs(const char *file, const sl_row_pairs *row, size_t rows)
{
    const sl_encoder encoder = { .encode = encode };
    const sl_file_settings set = { .path = file,
                                   .encoder = &encoder,
                                   .max_prompt_tok = 64,
                                   .max_answer_tok = 64,
                                   .is_in_file_order = 1,
                                   .eos = -1,
                                   .allows = SL_ALLOW_EOS_MISSING | SL_ALLOW_MISMATCH };
    sl_data *data = NULL;

    T_OK(sl_data_open_file(&data, &set));
    assert_int_equal(sl_data_limits_of(data)->train_count, rows);
    for (size_t i = 0; i < rows; i++) {
        int32_t token[64 * 3];
        sl_pair p;

        T_OK(sl_data_static_pair(&p, token, data, 0, i));
        assert_true(sl_hash_id(p.chosen.token, p.chosen.count * sizeof(int32_t)) ==
                    row[i].chosen_id);
        assert_true(sl_hash_id(p.rejected.token, p.rejected.count * sizeof(int32_t)) ==
                    row[i].rejected_id);
        assert_true(p.chosen.score == row[i].score_c && p.rejected.score == row[i].score_r);
    }
    sl_data_close(&data);
}

static void check_line(const sl_json *line, double logp)
{
    const size_t at = (size_t)json_integer_value(json_object_get(line, "chosen_index"));
    const sl_json *tok = json_array_get(json_object_get(line, "all_token_logps"), at);
    const sl_json *ids = json_array_get(json_object_get(line, "all_token_ids"), at);
    double sum = 0.0;

    assert_int_equal(json_array_size(json_object_get(line, "all_generated_responses")), 3);
    assert_int_equal(json_array_size(json_object_get(line, "all_rm_scores")), 3);
    assert_int_equal(json_array_size(tok), json_array_size(ids));
    for (size_t t = 0; t < json_array_size(tok); t++)
        sum += json_number_value(json_array_get(tok, t));
    T_CLOSE(sum, logp, 1e-5); /* the chosen answer's, by the forward pass of the reference */
}

static void test_answers_are_kept(void **state)
{
    static const char *const best[] = { "policy.source=on-policy", "policy.candidates=3",
                                        "policy.pair=best-worst", "policy.labels=best", NULL };
    const sl_row_pairs *pairs = NULL;
    sl_reader *reader = NULL;
    char path[4096], file[4096], *text = NULL, *at, *end;
    size_t bytes, rows, lines = 0;

    (void)state;
    train(path, best, NULL);
    T_OK(sl_file_join(file, sizeof file, path, "candidates.jsonl"));
    T_OK(sl_reader_open(&reader, path));
    T_OK(sl_reader_rows(reader, SL_TABLE_PAIRS, &pairs, &rows));
    T_OK(sl_file_read(&text, &bytes, file, 1 << 20));
    assert_int_equal(rows, UPDATES * BATCH);
    for (at = text; (end = strchr(at, '\n')); at = end + 1, lines++) {
        sl_json *line = NULL;

        T_OK(sl_json_parse(&line, at, (size_t)(end - at), "line"));
        check_line(line, pairs[lines].ref_logp_c);
        sl_json_close(&line);
    }
    assert_int_equal(lines, rows);
    assert_true(at == text + bytes); /* the last line is whole */
    check_same_pairs(file, pairs, rows);
    sl_free(text);
    sl_reader_close(&reader);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
