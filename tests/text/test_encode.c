/* Encoding by small tokenizers: every expected id follows from the rules of tokenizer.json. */
#include "base/alloc.h"
#include "text_test.h"
#include <stdio.h>
#include <string.h>

#define BOTH "[\"b c\",\"a b\",\"ab c\"]"

static void test_ranks_decide(void **state)
{
    (void)state;
    assert_string_equal(t_ids(&(t_parts){ .merges = BOTH }, "abc"), "0 4");
    assert_string_equal(t_ids(&(t_parts){ .merges = "[\"a b\",\"ab c\"]" }, "abc"), "5");
    assert_string_equal(t_ids(&(t_parts){ .merges = "[[\"a\",\"b\"],[\"ab\",\"c\"]]" }, "abc"),
                        "5");
    /* leftmost first */
    assert_string_equal(t_ids(&(t_parts){ .merges = "[\"a a\"]" }, "aaaaa"), "6 6 0");
    /* a later line for the same pair replaces its rank */
    assert_string_equal(t_ids(&(t_parts){ .merges = "[\"a b\",\"b c\",\"ab c\",\"a b\"]" }, "abc"),
                        "0 4");
    assert_string_equal(t_ids(&(t_parts){ .more = ",\"ignore_merges\":true" }, "abc"), "5");
    assert_string_equal(t_ids(&(t_parts){ .merges = BOTH }, ""), "");
}

static void test_missing_characters(void **state)
{
    static const char bytes[] = "{\"a\":0,\"<0xC3>\":1,\"<0xA9>\":2,\"<u>\":3}";
    const t_parts dropped = { .merges = BOTH };
    const t_parts unk = { .vocab = bytes, .more = ",\"unk_token\":\"<u>\"" };
    const t_parts fused = { .vocab = bytes, .more = ",\"unk_token\":\"<u>\",\"fuse_unk\":true" };
    const t_parts fallback = { .vocab = bytes,
                               .more = ",\"unk_token\":\"<u>\",\"byte_fallback\":true" };

    (void)state;
    assert_string_equal(t_ids(&dropped, "aXb"), "3"); /* nothing is left between a and b */
    assert_string_equal(t_ids(&unk, "aXYa"), "0 3 3 0");
    assert_string_equal(t_ids(&fused, "aXYaZ"), "0 3 0 3");
    assert_string_equal(t_ids(&fallback, "a\xC3\xA9"), "0 1 2");
    /* <0xA8> is missing: the unknown token, for the whole character; and it waits behind bytes */
    assert_string_equal(t_ids(&fallback, "\xC3\xA8"
                                         "a"),
                        "3 0");
    assert_string_equal(t_ids(&fallback, "\xC3\xA8\xC3\xA9"), "1 2 3");
}

#define ADDED(flags)                                                                               \
    "[{\"id\":9,\"content\":\"<x>\"," flags "},{\"id\":8,\"content\":\"<x><y>\","                  \
    "\"special\":true}]"

static void test_added_tokens(void **state)
{
    static const char vocab[] = "{\"a\":0,\" \":1,\"<\":2,\"x\":3,\">\":4}";
    t_parts p = { .vocab = vocab, .added = ADDED("\"special\":true") };
    sl_tokenizer *t;

    (void)state;
    assert_string_equal(t_ids(&p, "a <x> <x><y>"), "0 1 9 1 8"); /* the longest */
    p.added = ADDED("\"lstrip\":true");
    assert_string_equal(t_ids(&p, "a  <x> a"), "0 9 1 0");
    p.added = ADDED("\"rstrip\":true");
    assert_string_equal(t_ids(&p, "a <x>\t \xE2\x80\x83"
                                  "a"),
                        "0 1 9 0");
    p.added = ADDED("\"lstrip\":true,\"rstrip\":true");
    assert_string_equal(t_ids(&p, "<x>  <x> a"), "9 9 0"); /* white space is swallowed once */
    p.added = ADDED("\"single_word\":true");
    assert_string_equal(t_ids(&p, "a<x> <x>"), "0 2 3 4 1 9");
    assert_string_equal(t_ids(&p, "\xC3\xA9<x> <x>\xD9\xA0<x>"), "2 3 4 1 2 3 4 2 3 4");
    p.added = ADDED("\"special\":true");
    T_OK(t_parts_open(&t, &p));
    assert_string_equal(t_encode(t, "a<x>", 0), "0 2 3 4"); /* special tokens are ordinary text */
    assert_int_equal(sl_tokenizer_vocab(t), 10);
    assert_int_equal(sl_tokenizer_id(t, "<x>", 3), 9);
    assert_int_equal(sl_tokenizer_id(t, "<", 1), 2);
    assert_int_equal(sl_tokenizer_id(t, "?", 1), -1);
    assert_int_equal(sl_tokenizer_text(t, 9).bytes, 3);
    assert_int_equal(sl_tokenizer_text(t, 7).bytes, 0);
    assert_int_equal(sl_tokenizer_text(t, -1).bytes, 0);
    sl_tokenizer_close(&t);
    p.added = ADDED("\"special\":false");
    T_OK(t_parts_open(&t, &p));
    assert_string_equal(t_encode(t, "a<x>", 0), "0 9"); /* not special: always matched */
    sl_tokenizer_close(&t);
}

/* Ids of text with one guard. */
static const char *guarded(const t_parts *parts, const char *text, size_t at, size_t end)
{
    static char found[256];
    const sl_guard guard = { at, end };
    sl_tokenizer *t;
    sl_ids ids = { 0 };
    size_t used = 0;

    T_OK(t_parts_open(&t, parts));
    T_OK(sl_tokenizer_encode_guarded(&ids, t, (sl_span){ text, strlen(text) }, &guard, 1,
                                     SL_ENCODE_SPECIAL_IN_TEXT));
    for (size_t i = 0; i < ids.count; i++)
        used += (size_t)snprintf(found + used, sizeof found - used, i ? " %d" : "%d", ids.id[i]);
    found[used] = 0;
    sl_ids_close(&ids);
    sl_tokenizer_close(&t);
    return found;
}

static void test_guards(void **state)
{
    static const char vocab[] = "{\"a\":0,\"<\":1,\"x\":2,\">\":3,\"y\":4,\"aa\":5}";
    t_parts p = { .vocab = vocab, .merges = "[\"a a\"]", .added = ADDED("\"special\":true") };

    (void)state;
    assert_string_equal(guarded(&p, "<x><x><x>", 3, 6), "9 1 2 3 9");
    assert_string_equal(guarded(&p, "a<x>aa<x>", 1, 5), "0 1 2 3 5 9"); /* a merge goes across */
    /* no byte of a special token lies in the guard: begun before it, ended behind it */
    assert_string_equal(guarded(&p, "a<x>", 2, 4), "0 1 2 3");
    assert_string_equal(guarded(&p, "<x>a", 0, 1), "1 2 3 0");
    /* the longest that stays clear of it, before it and behind it */
    assert_string_equal(guarded(&p, "<x><y>", 3, 6), "9 1 4 3");
    assert_string_equal(guarded(&p, "<x><y><x>", 0, 3), "1 2 3 1 4 3 9");
    p.added = ADDED("\"special\":false"); /* others are matched in it and across its border */
    assert_string_equal(guarded(&p, "a<x>", 1, 4), "0 9");
    assert_string_equal(guarded(&p, "a<x>", 2, 4), "0 9");
    assert_string_equal(guarded(&p, "<x><y>", 3, 6), "9 1 4 3");
}

/* Special tokens that are looked for in normalised text: guards are moved to it. */
static void test_guards_of_normalized(void **state)
{
    const t_parts nfc = { .vocab = "{\"a\":0,\"\\u00e9\":1,\"<\":2,\"x\":3,\">\":4}",
                          .added = ADDED("\"special\":true,\"normalized\":true"),
                          .normalizer = "{\"type\":\"NFC\"}" };
    const t_parts prepend = { .vocab = "{\"a\":0,\"_\":1,\"<\":2,\"x\":3,\">\":4}",
                              .added = ADDED("\"special\":true,\"normalized\":true"),
                              .normalizer = "{\"type\":\"Replace\",\"pattern\":{\"String\":"
                                            "\"a\"},\"content\":\"_____\"}" };

    (void)state;
    /* 3 bytes become 2 */
    assert_string_equal(guarded(&nfc, "e\xCC\x81<x>e\xCC\x81<x><x>", 6, 12), "1 9 1 2 3 4 9");
    assert_string_equal(guarded(&nfc, "<x>e\xCC\x81<x>", 0, 6), "2 3 4 1 9");
    assert_string_equal(guarded(&prepend, "a<x><x><x>", 4, 7), "1 1 1 1 1 9 2 3 4 9");
}

static void test_normalized_tokens(void **state)
{
    /* the token is looked for as the normalizer writes it */
    static const char added[] = "[{\"id\":9,\"content\":\"e\\u0301\",\"normalized\":true}]";
    const t_parts nfc = { .vocab = "{\"a\":0,\"\\u00e9\":1}",
                          .added = added,
                          .normalizer = "{\"type\":\"NFC\"}" };
    const t_parts none = { .vocab = "{\"a\":0,\"\\u00e9\":1}", .added = added };

    (void)state;
    assert_string_equal(t_ids(&nfc, "a\xC3\xA9"), "0 9");
    assert_string_equal(t_ids(&nfc, "ae\xCC\x81"), "0 9");
    assert_string_equal(t_ids(&none, "a\xC3\xA9"), "0 1");
}

static void test_normalizers(void **state)
{
    const t_parts p = {
        .vocab = "{\"_\":0,\"a\":1,\"<s>\":2}",
        .added = "[{\"id\":2,\"content\":\"<s>\",\"special\":true,\"normalized\":false}]",
        .normalizer = "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":"
                      "\"_\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":"
                      "\"_\"}]}"
    };

    (void)state;
    assert_string_equal(t_ids(&p, "a a"), "0 1 0 1");
    assert_string_equal(t_ids(&p, " a"), "0 0 1");
    assert_string_equal(t_ids(&p, "<s>a"), "2 0 1"); /* each piece is prepended */
    assert_string_equal(t_ids(&p, ""), "");
}

#define METASPACE(more) "{\"type\":\"Metaspace\",\"replacement\":\"_\"" more "}"

static void test_metaspace(void **state)
{
    t_parts p = { .vocab = "{\"_\":0,\"a\":1,\"_a\":2,\"a_\":3,\"<s>\":4}",
                  .merges = "[\"a _\",\"_ a\"]",
                  .added = "[{\"id\":4,\"content\":\"<s>\",\"special\":true}]" };

    (void)state;
    p.pre = METASPACE(""); /* always, split: a space begins a piece */
    assert_string_equal(t_ids(&p, "a a<s>a"), "2 2 4 2");
    assert_string_equal(t_ids(&p, " a  "), "2 0 0");
    p.pre = METASPACE(",\"prepend_scheme\":\"first\",\"split\":false");
    assert_string_equal(t_ids(&p, "a a<s>a"), "0 3 1 4 1");
    p.pre = METASPACE(",\"prepend_scheme\":\"never\",\"split\":false");
    assert_string_equal(t_ids(&p, "a a"), "3 1");
    p.pre = METASPACE(",\"add_prefix_space\":false");
    assert_string_equal(t_ids(&p, "a a"), "1 2");
    p.pre = METASPACE(",\"add_prefix_space\":true");
    assert_string_equal(t_ids(&p, "a a"), "2 2");
}

static void test_digits_and_splits(void **state)
{
    t_parts p = { .vocab = "{\"a\":0,\"1\":1,\"2\":2,\"12\":3,\"a1\":4,\"\\u0662\":5,\"aa\":6}",
                  .merges = "[\"a 1\",\"1 2\",\"a a\"]" };

    (void)state;
    assert_string_equal(t_ids(&p, "a12"), "4 2");
    p.pre = "{\"type\":\"Digits\",\"individual_digits\":true}";
    assert_string_equal(t_ids(&p, "a12\xD9\xA2"), "0 1 2 5");
    p.pre = "{\"type\":\"Digits\",\"individual_digits\":false}";
    assert_string_equal(t_ids(&p, "a12a"), "0 3 0");
    p.pre = "{\"type\":\"Split\",\"pattern\":{\"String\":\"1\"},\"behavior\":\"Isolated\","
            "\"invert\":false}";
    assert_string_equal(t_ids(&p, "a12"), "0 1 2");
    p.pre = "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\p{N}{1,2}|a\"},\"behavior\":"
            "\"Isolated\",\"invert\":false}";
    assert_string_equal(t_ids(&p, "aa12"), "0 0 3");
    p.pre = "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"String\":"
            "\"1\"},\"behavior\":\"Isolated\"},{\"type\":\"Digits\"},null]}";
    assert_string_equal(t_ids(&p, "a12"), "0 1 2");
}

static void test_byte_level(void **state)
{
    /* U+0120 is the space, U+00C3 U+00A9 the two bytes of e acute */
    t_parts p = { .vocab = "{\"a\":0,\"\\u0120\":1,\"\\u0120a\":2,\"\\u00c3\":3,\"\\u00a9\":4,"
                           "\"\\u00c3\\u00a9\":5}",
                  .merges = "[\"\\u0120 a\",\"\\u00c3 \\u00a9\"]" };

    (void)state;
    p.pre = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}";
    assert_string_equal(t_ids(&p, "a a\xC3\xA9"), "0 2 5");
    p.pre = "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}";
    assert_string_equal(t_ids(&p, "a  a"), "2 1 2");
    assert_string_equal(t_ids(&p, " a"), "2");
    p.more = ",\"ignore_merges\":true";
    p.merges = "[]";
    assert_string_equal(t_ids(&p, "a\xC3\xA9"), "1 0 3 4");
    p.pre = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}";
    assert_string_equal(t_ids(&p, "\xC3\xA9"), "5"); /* the whole piece is a token */
}

#define TEMPLATE(before, after)                                                                    \
    "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"" before             \
    "\"}},{\"Sequence\":{\"id\":\"A\"}},{\"SpecialToken\":{\"id\":\"" after                        \
    "\"}}],\"special_tokens\":{\"P\":{\"ids\":[4]},\"Q\":{\"ids\":[5,6]}}}"

static void test_post_processors(void **state)
{
    const unsigned adds = SL_ENCODE_ADD_SPECIAL;
    t_parts p = { .post = TEMPLATE("P", "Q") };
    const int32_t *prefix;
    sl_tokenizer *t;
    size_t count;

    (void)state;
    T_OK(t_parts_open(&t, &p));
    assert_string_equal(t_encode(t, "a", adds), "4 0 5 6");
    assert_string_equal(t_encode(t, "", adds), "4 5 6");
    assert_string_equal(t_encode(t, "a", 0), "0");
    prefix = sl_tokenizer_prefix(t, &count);
    assert_int_equal(count, 1);
    assert_int_equal(prefix[0], 4);
    sl_tokenizer_close(&t);
    p.post = "{\"type\":\"Sequence\",\"processors\":[" TEMPLATE("P", "P") "," TEMPLATE(
        "Q", "Q") ",{\"type\":\"ByteLevel\"}]}";
    T_OK(t_parts_open(&t, &p));
    assert_string_equal(t_encode(t, "a", adds), "5 6 4 0 4 5 6");
    sl_tokenizer_close(&t);
}

static void test_wrong_text(void **state)
{
    static const char *const wrong[] = {
        "ab\xFF", "ab\xC3", "ab\xC0\x80", "ab\xED\xA0\x80", "ab\xF4\x90\x80\x80", "ab\x80"
    };
    const t_parts p = { .merges = BOTH };
    sl_ids ids = { 0 };
    sl_tokenizer *t;

    (void)state;
    T_OK(t_parts_open(&t, &p));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        T_FAILS(sl_tokenizer_encode(&ids, t, wrong[i], strlen(wrong[i]), 0), SL_EFORMAT,
                "another byte at 2");
    T_FAILS(sl_tokenizer_encode(&ids, t, "a", (size_t)1 << 40, 0), SL_EARG, "268435456");
    T_OK(sl_tokenizer_encode(&ids, t, NULL, 0, 0));
    assert_int_equal(ids.count, 0);
    T_OK(sl_tokenizer_encode(&ids, t, "a\0b", 3, 0)); /* a zero byte is a character like others */
    assert_int_equal(ids.count, 1);
    assert_int_equal(ids.id[0], 3);
    sl_ids_close(&ids);
    sl_tokenizer_close(&t);
}

enum { LETTERS = 4, TOKENS = 60, WORD = 300 };

typedef struct rule {
    int left, right, id;
} rule;

static char names[TOKENS][WORD];

/* Vocabulary of letters and random joins; returns the count of merges. */
static size_t random_rules(rule *rules, sl_rng *rng)
{
    size_t merges = 0;
    int tokens = LETTERS;

    for (int i = 0; i < LETTERS; i++)
        snprintf(names[i], WORD, "%c", 'a' + i);
    while (tokens < TOKENS) {
        const int left = (int)sl_rng_below(rng, (uint32_t)tokens);
        const int right = (int)sl_rng_below(rng, (uint32_t)tokens);
        char joined[2 * WORD];
        int known = 0;

        snprintf(joined, sizeof joined, "%s%s", names[left], names[right]);
        if (strlen(joined) > 12)
            continue;
        while (known < tokens && strcmp(names[known], joined))
            known++;
        if (known == tokens)
            memcpy(names[tokens++], joined, strlen(joined) + 1);
        rules[merges++] = (rule){ left, right, known };
        if (merges == 3 * TOKENS)
            break;
    }
    return merges;
}

static void open_rules(sl_tokenizer **out, const rule *rules, size_t merges)
{
    static char vocab[16384], list[16384], json[40000];
    size_t used = 0, at = 0;

    for (int i = 0; i < TOKENS && names[i][0]; i++)
        used += (size_t)snprintf(vocab + used, sizeof vocab - used, "%s\"%s\":%d", i ? "," : "{",
                                 names[i], i);
    for (size_t i = 0; i < merges; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s\"%s %s\"", i ? "," : "[",
                               names[rules[i].left], names[rules[i].right]);
    used = (size_t)snprintf(json, sizeof json,
                            "{\"model\":{\"type\":\"BPE\",\"vocab\":%s},\"merges\":%s]}}", vocab,
                            list);
    assert_true(used < sizeof json);
    T_OK(sl_tokenizer_parse(out, json, used, "rules"));
}

/* The lowest rank anywhere, leftmost, until none applies. A pair's last line counts. */
static size_t plain_rule(int *id, size_t n, const rule *rules, size_t merges)
{
    for (;;) {
        size_t best_at = 0;
        size_t best = SIZE_MAX;

        for (size_t at = 0; at + 1 < n; at++)
            for (size_t r = merges; r-- > 0;)
                if (rules[r].left == id[at] && rules[r].right == id[at + 1]) {
                    if (r < best) {
                        best = r;
                        best_at = at;
                    }
                    break;
                }
        if (best == SIZE_MAX)
            return n;
        id[best_at] = rules[best].id;
        memmove(id + best_at + 1, id + best_at + 2, (n - best_at - 2) * sizeof *id);
        n--;
    }
}

static void check_word(const sl_tokenizer *t, const rule *rules, size_t merges, sl_rng *rng)
{
    const size_t n = sl_rng_below(rng, WORD);
    int want[WORD];
    char text[WORD];
    sl_ids ids = { 0 };
    size_t left;

    for (size_t i = 0; i < n; i++) {
        want[i] = (int)sl_rng_below(rng, LETTERS);
        text[i] = (char)('a' + want[i]);
    }
    left = plain_rule(want, n, rules, merges);
    T_OK(sl_tokenizer_encode(&ids, t, text, n, 0));
    assert_int_equal(ids.count, left);
    for (size_t i = 0; i < left; i++)
        assert_int_equal(ids.id[i], want[i]);
    sl_ids_close(&ids);
}

static void test_heap_is_the_plain_rule(void **state)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream("bpe rules"), 0);

    (void)state;
    for (int round = 0; round < 20; round++) {
        rule rules[3 * TOKENS];
        sl_tokenizer *t;
        size_t merges;

        memset(names, 0, sizeof names);
        merges = random_rules(rules, &rng);
        open_rules(&t, rules, merges);
        for (int word = 0; word < 20; word++)
            check_word(t, rules, merges, &rng);
        sl_tokenizer_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks_decide),
        cmocka_unit_test(test_missing_characters),
        cmocka_unit_test(test_added_tokens),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_guards_of_normalized),
        cmocka_unit_test(test_normalized_tokens),
        cmocka_unit_test(test_normalizers),
        cmocka_unit_test(test_metaspace),
        cmocka_unit_test(test_digits_and_splits),
        cmocka_unit_test(test_byte_level),
        cmocka_unit_test(test_post_processors),
        cmocka_unit_test(test_wrong_text),
        cmocka_unit_test(test_heap_is_the_plain_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
