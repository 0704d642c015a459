#include "harness/fault.h"
#include "harness/harness.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/yaml.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct recipe {
    int64_t seed, steps, wide;
    double beta, rate, any;
    int is_shared, loss;
    char name[16], note[64];
} recipe;

static const char *const losses[] = { "dpo", "slic-hf", "sft", NULL };

/* Rows of a section need not stand together. */
static const sl_key keys[] = {
    { "", "seed", SL_KEY_I64, offsetof(recipe, seed), 0, 0, 1e6, NULL, "1", "" },
    { "", "name", SL_KEY_TEXT, offsetof(recipe, name), 16, 0, 0, NULL, "run", "" },
    { "method", "loss", SL_KEY_CHOICE, offsetof(recipe, loss), 0, 0, 0, losses, "slic-hf", "" },
    { "method", "beta", SL_KEY_F64, offsetof(recipe, beta), 0, 1e-6, 10, NULL, "0.1", "" },
    { "data", "shared", SL_KEY_BOOL, offsetof(recipe, is_shared), 0, 0, 0, NULL, "true", "" },
    { "data", "note", SL_KEY_TEXT, offsetof(recipe, note), 64, 0, 0, NULL, "", "" },
    { "method", "rate", SL_KEY_F64, offsetof(recipe, rate), 0, 0, INFINITY, NULL, "5e-7", "" },
    { "method", "any", SL_KEY_F64, offsetof(recipe, any), 0, -INFINITY, INFINITY, NULL, "0", "" },
    { "data", "steps", SL_KEY_I64, offsetof(recipe, steps), 0, 1, 1e9, NULL, "100", "" },
    { "data", "wide", SL_KEY_I64, offsetof(recipe, wide), 0, -1e19, 1e19, NULL, "-5", "" },
};
enum { KEYS = sizeof keys / sizeof keys[0] };

static char path[4200];

static int setup(void **state)
{
    (void)state;
    T_OK(sl_file_join(path, sizeof path, t_scratch(), "r.yaml"));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    t_scratch_remove();
    return 0;
}

static sl_status load(recipe *r, const char *text)
{
    memset(r, 0xa5, sizeof *r);
    T_OK(sl_file_write_atomic(path, text, strlen(text)));
    return sl_yaml_load(r, keys, KEYS, path);
}

static void check_defaults(const recipe *r)
{
    assert_int_equal(r->seed, 1);
    assert_int_equal(r->steps, 100);
    assert_int_equal(r->wide, -5);
    assert_true(r->beta == 0.1 && r->rate == 5e-7 && r->any == 0.0);
    assert_int_equal(r->is_shared, 1);
    assert_int_equal(r->loss, 1);
    assert_string_equal(r->name, "run");
    assert_string_equal(r->note, "");
}

static void test_defaults(void **state)
{
    static const char *const empty[] = { "", "# only a comment\n", "---\n", "{}\n",
                                         "method: {}\n" };
    recipe r;

    (void)state;
    memset(&r, 0xa5, sizeof r);
    T_OK(sl_yaml_defaults(&r, keys, KEYS));
    check_defaults(&r);
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        T_OK(load(&r, empty[i]));
        check_defaults(&r);
    }
}

static void test_load(void **state)
{
    recipe r;

    (void)state;
    T_OK(load(&r, "# a recipe\n"
                  "seed: 42\n"
                  "name: 'a: b'\n"
                  "data: {wide: 9223372036854775807, shared: false,\n"
                  "       note: \"tab\\t \\u20ac\"}\n"
                  "method:\n"
                  "  rate: 5e-324\n"
                  "  loss: sft\n"
                  "  any: -1.7976931348623157e308\n"));
    assert_int_equal(r.seed, 42);
    assert_string_equal(r.name, "a: b");
    assert_true(r.wide == INT64_MAX);
    assert_int_equal(r.is_shared, 0);
    assert_string_equal(r.note, "tab\t \xe2\x82\xac");
    assert_true(r.rate == 5e-324);
    assert_int_equal(r.loss, 2);
    assert_true(r.any == -DBL_MAX);
    assert_true(r.beta == 0.1);
    assert_int_equal(r.steps, 100);
    T_OK(load(&r, "data: {wide: -9223372036854775808}"));
    assert_true(r.wide == INT64_MIN);
}

static const struct {
    const char *text, *want;
} refused[] = {
    /* unknown names */
    { "seed: 1\nmethod:\n  # why\n  bta: 1\n",
      "r.yaml:4 key \"method.bta\": want a known key, found \"bta\" hint: did you mean \"beta\"?" },
    { "metod:\n  beta: 1\n", "r.yaml:1 section \"metod\": want a known section, found \"metod\" "
                             "hint: did you mean \"method\"?" },
    { "sed: 1\n",
      "r.yaml:1 key \"sed\": want a known key, found \"sed\" hint: did you mean \"seed\"?" },
    { "\nbeta: 1\n", "r.yaml:2 key \"beta\": want a known key, found \"beta\" hint: \"beta\" is a "
                     "key of section \"method\"" },
    { "method: {seed: 1}\n", "\"seed\" is a key of the top level" },
    { "Seed: 1\n", "want a known key" },
    { "method:\n  \"\": 1\n", "want a known key" },
    /* types and ranges */
    { "method:\n  beta: fast\n",
      "r.yaml:2 key \"method.beta\": want a number from 1e-06 up to 10, found \"fast\"" },
    { "method:\n  beta: 11\n", "want a number from 1e-06 up to 10, found \"11\"" },
    { "method:\n  beta: 0\n", "want a number from 1e-06 up to 10, found \"0\"" },
    { "method:\n  any: .nan\n", "want a number, found \".nan\"" },
    { "method:\n  any: nan\n", "want a number, found \"nan\"" },
    { "method:\n  any: .inf\n", "want a number, found \".inf\"" },
    { "method:\n  any: -inf\n", "want a number, found \"-inf\"" },
    { "method:\n  any: 1e999\n", "want a number, found \"1e999\"" },
    { "method:\n  rate: -1\n", "want a number from 0, found \"-1\"" },
    { "method:\n  beta:\n", "want a number from 1e-06 up to 10, found \"\"" },
    { "seed: 1.5\n", "r.yaml:1 key \"seed\": want an integer from 0 up to 1000000, found \"1.5\"" },
    { "seed: 010\n", "want an integer from 0 up to 1000000, found \"010\"" },
    { "seed: 0x10\n", "want an integer" },
    { "seed: -1\n", "want an integer" },
    { "seed: 1000001\n", "want an integer" },
    { "data: {wide: 9223372036854775808}\n", "want an integer" },
    { "data: {shared: yes}\n", "key \"data.shared\": want true or false, found \"yes\"" },
    { "data: {shared: banana}\n", "want true or false, found \"banana\"" },
    { "method: {loss: dpp}\n",
      "want one of dpo, slic-hf, sft, found \"dpp\" hint: did you mean \"dpo\"?" },
    { "method: {loss: 1}\n", "want one of dpo, slic-hf, sft, found \"1\"" },
    { "name: 0123456789abcdef\n", "want text below 16 bytes, found \"0123456789abcdef\"" },
    { "name: \"a\\0b\"\n", "zero byte" },
    /* structure */
    { "seed: 1\nseed: 2\n", "r.yaml:2 key \"seed\": want a key once, found it again after line 1" },
    { "method: {beta: 1}\ndata:\n  steps: 1\nmethod: {rate: 1}\n",
      "r.yaml:4 section \"method\": want a section once, found it again after line 1" },
    { "method: 3\n", "r.yaml:1 section \"method\": want keys of this section, found \"3\"" },
    { "method:\n", "r.yaml:1 section \"method\": want keys of this section, found \"\"" },
    { "seed: {a: 1}\n", "key \"seed\": want a value, found a mapping" },
    { "seed: [1]\n", "r.yaml:1: want sections and plain values, found a list" },
    { "- seed\n", "found a list" },
    { "text\n", "r.yaml:1: want sections and keys, found \"text\"" },
    { "{a: 1}: 2\n", "r.yaml:1: want a key, found a mapping" },
    { "seed: 1\n---\nseed: 2\n", "r.yaml:2: want one document, found a second" },
    { "a: &x {b: 1}\n", "r.yaml:1: want sections and plain values, found an anchor" },
    { "seed: &x 1\n", "found an anchor" },
    { "\nseed: *x\n", "r.yaml:2: want sections and plain values, found an alias" },
    { "seed: !!int 1\n", "found a tag" },
    { "method: !!map {beta: 1}\n", "found a tag" },
    /* not YAML */
    { "method:\n  beta: 1\n rate: 2\n", "r.yaml:3: want YAML, found" },
    { "method: {beta: 1\n", "r.yaml:2: want YAML, found" },
    { "name: \"open\n", "want YAML, found" },
    { "\tseed: 1\n", "want YAML, found" },
    { "seed: 1\n\nname: \xff\xfe\n", "r.yaml:3: want YAML, found: invalid leading UTF-8" },
    { "seed: 1\nname: a\x01\n", "r.yaml:2: want YAML, found: control characters" },
};

static void test_refused(void **state)
{
    recipe r;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        T_FAILS(load(&r, refused[i].text), SL_EFORMAT, refused[i].want);
}

static void test_size_is_bounded(void **state)
{
    static char text[(1 << 20) + 2];
    recipe r;

    (void)state;
    memset(text, '#', sizeof text - 1);
    T_FAILS(load(&r, text), SL_EFORMAT, "r.yaml: want at most 1048576 bytes");
    text[1 << 20] = 0;
    T_OK(load(&r, text));
    memset(text, '[', 1 << 20);
    T_FAILS(load(&r, text), SL_EFORMAT, "found a list");
    memset(text, '{', 1 << 20);
    T_FAILS(load(&r, text), SL_EFORMAT, "r.yaml:1");
    T_FAILS(sl_yaml_load(&r, keys, KEYS, "/nowhere/r.yaml"), SL_EIO, "No such file");
}

static void test_set(void **state)
{
    static const struct {
        const char *assignment, *want;
    } rows[] = {
        { "method.bta=0.3", "--set method.bta=0.3 key \"method.bta\": want a known key, found "
                            "\"bta\" hint: did you mean \"beta\"?" },
        { "metod.beta=0.3", "section \"metod\": want a known section" },
        { "sed=1", "did you mean \"seed\"?" },
        { "beta=1", "\"beta\" is a key of section \"method\"" },
        { "method.beta=11", "--set method.beta=11 key \"method.beta\": want a number from 1e-06" },
        { "method.beta=", "want a number" },
        { "method.beta", "--set method.beta: want section.key=value" },
        { "method=3", "section \"method\": want keys of this section" },
        { "=3", "want a known key" },
        { "", "want section.key=value" },
        { ".beta=3", "want a known key, found \"\"" },
        { "method.loss=dp", "did you mean \"dpo\"?" },
        { "method.beta=1}, data: {steps: 7", "want a number" },
        { "name=\xff", "want YAML" },
    };
    recipe r;

    (void)state;
    T_OK(sl_yaml_defaults(&r, keys, KEYS));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        T_FAILS(sl_yaml_set(&r, keys, KEYS, rows[i].assignment), SL_EUSAGE, rows[i].want);
    check_defaults(&r);
    T_OK(sl_yaml_set(&r, keys, KEYS, "method.beta=0.3"));
    assert_true(r.beta == 0.3);
    T_OK(sl_yaml_set(&r, keys, KEYS, "data.note=a=b: \"c\\\n#{[&*!\x7f"));
    assert_string_equal(r.note, "a=b: \"c\\\n#{[&*!\x7f");
    T_OK(sl_yaml_set(&r, keys, KEYS, "data.note="));
    T_OK(sl_yaml_set(&r, keys, KEYS, "method.beta=0.1"));
    check_defaults(&r);
}

static void test_dump_and_undump(void **state)
{
    recipe r, back;
    sl_json *tree = NULL;
    char *text = NULL;

    (void)state;
    T_OK(load(&r, "name: \"quote \\\" \\\\\"\nmethod: {beta: 0.30000000000000004, any: -1e-310,\n"
                  "rate: 1e22}\ndata: {shared: false, wide: -9223372036854775808}\n"));
    T_OK(sl_yaml_dump(&tree, &r, keys, KEYS));
    T_OK(sl_json_dump(&text, tree, 0));
    assert_string_equal(
        text, "{\"seed\":1,\"name\":\"quote \\\" \\\\\",\"method\":{\"loss\":\"slic-hf\","
              "\"beta\":0.30000000000000004,\"rate\":1e22,\"any\":-9.9999999999999694e-311},"
              "\"data\":{\"shared\":false,\"note\":\"\",\"steps\":100,"
              "\"wide\":-9223372036854775808}}");
    sl_json_close(&tree);
    T_OK(sl_json_parse(&tree, text, strlen(text), "stored"));
    memset(&back, 0xa5, sizeof back);
    T_OK(sl_yaml_undump(&back, keys, KEYS, tree, "run.json recipe"));
    assert_string_equal(back.name, r.name);
    assert_string_equal(back.note, r.note);
    assert_memory_equal(&back, &r, offsetof(recipe, name));
    sl_json_close(&tree);
    sl_free(text);
}

/* Any finite double comes back bit for bit. */
static void test_doubles_round_trip(void **state)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream("test doubles"), 0);
    recipe r, back;

    (void)state;
    T_OK(sl_yaml_defaults(&r, keys, KEYS));
    for (int i = 0; i < 300; i++) {
        const uint64_t bits = (uint64_t)sl_rng_u32(&rng) << 32 | sl_rng_u32(&rng);
        sl_json *tree = NULL;

        memcpy(&r.any, &bits, sizeof r.any);
        if (!isfinite(r.any))
            continue;
        T_OK(sl_yaml_dump(&tree, &r, keys, KEYS));
        T_OK(sl_yaml_undump(&back, keys, KEYS, tree, "stored"));
        assert_memory_equal(&back.any, &r.any, sizeof r.any);
        sl_json_close(&tree);
    }
}

static void test_undump_checks(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "{\"method\": {\"bta\": 1}}", "stored key \"method.bta\": want a known key" },
        { "{\"method\": {\"beta\": 11}}", "stored key \"method.beta\": want a number from" },
        { "{\"method\": {\"beta\": null}}",
          "stored section \"method\" key \"beta\": want a value" },
        { "{\"method\": {\"beta\": {\"x\": 1}}}", "want a value" },
        { "{\"method\": []}", "want a value" },
        { "{\"metod\": {}}", "section \"metod\": want a known section" },
        { "{\"seed\": 1.5}", "want an integer" },
        { "{\"data\": {\"shared\": 1}}", "want true or false" },
        { "[]", "stored: want an object" },
    };
    sl_json *tree = NULL;
    recipe r;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_OK(sl_json_parse(&tree, rows[i].text, strlen(rows[i].text), "test"));
        T_FAILS(sl_yaml_undump(&r, keys, KEYS, tree, "stored"), SL_EFORMAT, rows[i].want);
        sl_json_close(&tree);
    }
    T_OK(sl_json_parse(&tree, "{\"method\": {\"beta\": 2}}", 23, "test"));
    T_OK(sl_yaml_undump(&r, keys, KEYS, tree, "stored"));
    assert_true(r.beta == 2.0 && r.steps == 100);
    sl_json_close(&tree);
}

static void test_bad_default_is_a_bug(void **state)
{
    const sl_key bad = { "a", "b", SL_KEY_I64, 0, 0, 5, 6, NULL, "4", "" };
    int64_t value;

    (void)state;
    T_FAILS(sl_yaml_defaults(&value, &bad, 1), SL_EINTERNAL,
            "defaults key \"a.b\": want an integer from 5 up to 6, found \"4\"");
}

static sl_status dump_and_undump(recipe *r)
{
    sl_json *tree = NULL;
    sl_status st;

    SL_TRY(sl_yaml_load(r, keys, KEYS, path));
    SL_TRY(sl_yaml_set(r, keys, KEYS, "method.beta=0.3"));
    SL_TRY(sl_yaml_dump(&tree, r, keys, KEYS));
    st = sl_yaml_undump(r, keys, KEYS, tree, "stored");
    sl_json_close(&tree);
    return st;
}

static void test_every_allocation_may_fail(void **state)
{
    int fired = 1;
    size_t n = 0;
    recipe r;

    (void)state;
    T_OK(load(&r, "seed: 4\nmethod:\n  loss: dpo\n  rate: 1\ndata: {note: text}\n"));
    for (; fired; n++) {
        sl_status st;

        t_fault_begin(n, 0);
        st = dump_and_undump(&r);
        fired = t_fault_end();
        assert_int_equal(t_fault_held(), 0);
        if (fired)
            T_FAILS(st, SL_ENOMEM, "want memory");
        else
            T_OK(st);
    }
    assert_true(n > 50);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(test_defaults),
        WITH_FILE(test_load),
        WITH_FILE(test_refused),
        WITH_FILE(test_size_is_bounded),
        cmocka_unit_test(test_set),
        WITH_FILE(test_dump_and_undump),
        cmocka_unit_test(test_doubles_round_trip),
        cmocka_unit_test(test_undump_checks),
        cmocka_unit_test(test_bad_default_is_a_bug),
        WITH_FILE(test_every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
