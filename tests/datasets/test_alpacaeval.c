/* Real pairs (AlpacaEval answers, judged) against the statistics published beside them. Byte-level
 * tokens, so that lengths can be told. Skipped when the data are not there. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sort.h"
#include "harness/harness.h"
#include "toy.h"
#include <stdlib.h>
#include <string.h>

enum { LONG = 1 << 20, SAMPLES = 50 };

static sl_json *expected; /* "pairs" of expected.json */
static toy plain;
static sl_encoder encoder;

typedef struct opened {
    sl_data *data;
    int32_t *token; /* room for one pair */
} opened;

static opened open_pairs(const char *name, double probe_share)
{
    const char *path = t_shared(name);
    sl_file_settings set = { .encoder = &encoder,
                             .max_prompt_tok = LONG,
                             .max_answer_tok = LONG,
                             .probe_share = probe_share,
                             .seed = 1,
                             .eos = -1,
                             .vocab = TOY_VOCAB };
    const sl_data_limits *l;
    opened o = { 0 };

    assert_non_null(path);
    set.path = path;
    T_OK(sl_data_open_file(&o.data, &set));
    l = sl_data_limits_of(o.data);
    T_OK(sl_take(&o.token, l->prompt_tok + 2 * (size_t)l->answer_tok, sizeof *o.token));
    return o;
}

static void close_pairs(opened *o)
{
    sl_free(o->token);
    sl_data_close(&o->data);
}

static double want(const char *key)
{
    double value;

    T_OK(sl_json_f64(&value, expected, key));
    return value;
}

static int by_id(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static size_t distinct(uint64_t *id, size_t count)
{
    size_t n = count != 0;

    sl_sort(id, count, sizeof *id, by_id);
    for (size_t i = 1; i < count; i++)
        n += id[i] != id[i - 1];
    return n;
}

static int begins_blank(const sl_answer *a)
{
    return a->token[0] == ' ' || a->token[0] == '\n' || a->token[0] == '\t' || a->token[0] == '\r';
}

static void test_statistics(void **state)
{
    opened o = open_pairs("data/alpacaeval/pairs.jsonl.gz", 0.0);
    const sl_data_report *r = sl_data_report_of(o.data);
    const size_t n = sl_data_limits_of(o.data)->train_count;
    double chosen = 0.0, rejected = 0.0;
    size_t longer = 0, shorter = 0, blank = 0, flagged = 0;
    uint64_t *id = NULL;

    (void)state;
    T_OK(sl_take(&id, n, sizeof *id));
    for (size_t i = 0; i < n; i++) {
        sl_pair p;

        T_OK(sl_data_static_pair(&p, o.token, o.data, 0, i));
        id[i] = p.prompt.id;
        chosen += p.chosen.chars;
        rejected += p.rejected.chars;
        longer += p.chosen.chars > p.rejected.chars;
        shorter += p.chosen.chars < p.rejected.chars;
        blank += begins_blank(&p.chosen) || begins_blank(&p.rejected);
        flagged += (p.flags & SL_PAIR_DUPLICATE) != 0;
        assert_int_equal(p.chosen.bytes, p.chosen.count); /* nothing cut, a token a byte */
    }
    assert_int_equal(n, want("rows"));
    assert_int_equal(r->rows, want("rows"));
    assert_int_equal(r->duplicates, want("exact_duplicate_rows"));
    assert_int_equal(flagged, want("exact_duplicate_rows"));
    assert_int_equal(r->contradictions, want("rows_swapped_against_another_row"));
    assert_int_equal(r->empty + r->same_answers + r->prefix_mismatch + r->cut_chosen, 0);
    assert_int_equal(distinct(id, n), want("distinct_prompts"));
    assert_int_equal(longer, want("chosen_longer"));
    assert_int_equal(shorter, want("chosen_shorter"));
    assert_int_equal(blank, want("rows_with_leading_whitespace_answer"));
    T_CLOSE(chosen / (double)n, want("mean_chosen_codepoints"), TOL_F64);
    T_CLOSE(rejected / (double)n, want("mean_rejected_codepoints"), TOL_F64);
    sl_free(id);
    close_pairs(&o);
}

/* Held-out prompts keep all their pairs to themselves. */
static void test_held_out(void **state)
{
    opened o = open_pairs("data/alpacaeval/pairs.jsonl.gz", 0.2);
    const sl_data_limits *l = sl_data_limits_of(o.data);
    uint64_t *id = NULL;
    size_t n;

    (void)state;
    T_OK(sl_take(&id, l->train_count + l->probe_count, sizeof *id));
    for (n = 0; n < l->train_count; n++) {
        sl_pair p;

        T_OK(sl_data_static_pair(&p, o.token, o.data, 0, n));
        id[n] = p.prompt.id;
    }
    n = distinct(id, l->train_count);
    for (size_t i = 0; i < l->probe_count; i++) {
        sl_prompt_text p;

        T_OK(sl_data_prompt(&p, o.token, o.data, SL_SPLIT_PROBE, 0, i));
        id[l->train_count + i] = p.id;
    }
    /* none twice: the two splits together have every prompt once */
    assert_int_equal(n + l->probe_count, want("distinct_prompts"));
    assert_int_equal(distinct(id, l->train_count + l->probe_count), want("distinct_prompts"));
    assert_in_range(l->probe_count, 115, 207); /* 161 +- 4 SD */
    close_pairs(&o);
    sl_free(id);
}

/* The same 50 rows with and without "prompt" are the same pairs, token by token. */
static void test_conversations(void **state)
{
    opened a = open_pairs("data/alpacaeval/pairs_conversational_50.jsonl", 0.0);
    opened b = open_pairs("data/alpacaeval/pairs_implicit_prompt_50.jsonl", 0.0);

    (void)state;
    assert_int_equal(sl_data_limits_of(a.data)->train_count, SAMPLES);
    assert_int_equal(sl_data_limits_of(b.data)->train_count, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++) {
        sl_pair p, q;

        T_OK(sl_data_static_pair(&p, a.token, a.data, 0, i));
        T_OK(sl_data_static_pair(&q, b.token, b.data, 0, i));
        assert_int_equal(p.prompt.count, q.prompt.count);
        assert_int_equal(p.chosen.count, q.chosen.count);
        assert_int_equal(p.rejected.count, q.rejected.count);
        assert_memory_equal(p.prompt.token, q.prompt.token, p.prompt.count * sizeof(int32_t));
        assert_memory_equal(p.chosen.token, q.chosen.token, p.chosen.count * sizeof(int32_t));
        assert_memory_equal(p.rejected.token, q.rejected.token, p.rejected.count * sizeof(int32_t));
        assert_true(p.id == q.id);
    }
    close_pairs(&a);
    close_pairs(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_held_out),
        cmocka_unit_test(test_conversations),
    };
    const char *path = t_shared("data/alpacaeval/expected.json");
    sl_json *whole = NULL;
    int failed;

    if (!path)
        return T_SKIP;
    encoder = toy_encoder(&plain);
    if (sl_json_load(&whole, path, 1 << 20) != SL_OK)
        return 1;
    expected = json_object_get(whole, "pairs");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    sl_json_close(&whole);
    return failed;
}
