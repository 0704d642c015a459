/* Memory runs out at the n-th allocation, n = 0, 1, 2, ... of every command on small inputs: one
 * clear error, nothing leaks, nothing is left that looks whole. Every n in the beginning, then
 * every few percent; --full: every n. usage: test_alloc [--full] */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "harness/fault.h"
#include "harness/harness.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 40, DENSE = 64 };

/* A command line. "OUT" stands for a new path each time, which must not be there after an error;
 * "DIR" for a folder of which nothing is asked. */
typedef struct line {
    const sl_command *command;
    const char *word[WORDS];
} line;

static int is_full;
static char scratch[4096];

static void put(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static sl_status run(const line *l, const char *out)
{
    char *argv[WORDS + 1];
    int argc = 0;

    argv[argc++] = (char *)l->command->name;
    for (size_t i = 0; l->word[i]; i++)
        argv[argc++] =
            (char *)(strcmp(l->word[i], "OUT") && strcmp(l->word[i], "DIR") ? l->word[i] : out);
    argv[argc] = NULL;
    return l->command->run(argc, argv);
}

static int writes(const line *l)
{
    for (size_t i = 0; l->word[i]; i++)
        if (!strcmp(l->word[i], "OUT"))
            return 1;
    return 0;
}

static void remove_tree(const char *path)
{
    if (access(path, F_OK) == 0 && sl_file_remove_tree(path) != SL_OK) {
        sl_err_clear();
        (void)unlink(path);
    }
}

/* One run with the n-th allocation missing; 1: it was reached. */
static int run_short(const line *l, size_t n)
{
    const char *out = "out-of-memory";
    sl_status st;
    int fired;

    remove_tree(out);
    sl_err_clear();
    t_fault_begin(n, 0);
    st = run(l, out);
    fired = t_fault_end();
    if (st == SL_OK && !fired)
        return 0;
    if (t_fault_held() != 0)
        fail_msg("%s leaks %ld blocks when allocation %zu fails (%s: %s)", l->command->name,
                 t_fault_held(), n, sl_err_source(), sl_err_message());
    if (st != SL_OK && st != SL_ENOMEM)
        fail_msg("%s: allocation %zu fails: want no memory, found %s: %s", l->command->name, n,
                 sl_err_place(), sl_err_message());
    if (st != SL_OK && !*sl_err_message())
        fail_msg("%s: allocation %zu fails without a word", l->command->name, n);
    if (st != SL_OK && writes(l) && access(out, F_OK) == 0)
        fail_msg("%s: allocation %zu fails, and a result is there", l->command->name, n);
    return fired;
}

static void sweep(const line *l)
{
    size_t n = 0, runs = 0;

    assert_int_equal(run(l, "first"), SL_OK); /* warms up what lives as long as the process */
    remove_tree("first");
    /* jansson drops what json_pack was given when memory runs out inside it (docs/limits.md) */
    json_set_alloc_funcs(t_fault_spare, sl_free);
    while (run_short(l, n)) {
        runs++;
        n += is_full || n < DENSE ? 1 : n / 10;
    }
    print_message("%s: %zu of %zu allocations\n", l->command->name, runs, n);
    assert_true(runs > 0);
    sl_err_clear();
}

static const char votes[] = "{\"prompt_id\":\"a\",\"vote\":1}\n{\"prompt_id\":\"b\",\"vote\":0}\n"
                            "{\"prompt_id\":\"c\",\"vote\":0.5}\n";
static const char pairs[] =
    "{\"prompt_ids\":[1,2,3],\"chosen_ids\":[4,5],\"rejected_ids\":[6]}\n"
    "{\"prompt_ids\":[1,2],\"chosen_ids\":[7,5],\"rejected_ids\":[6,8,9]}\n";
static const char ids[] = "{\"ids\":[1,2,3]}\n{\"ids\":[4,5,6,7]}\n";

#define TINY                                                                                       \
    "--quiet", "--threads", "1", "--set", "model.hidden=8", "--set", "model.intermediate=8",       \
        "--set", "model.heads=2", "--set", "model.kv_heads=2", "--set", "model.layers=1", "--set", \
        "train.prompts=16", "--set", "train.batch=8", "--set", "measure.prompts=8", "--set",       \
        "record.min_free_gib=0", "--set", "train.iterations=1", "--set", "measure.off=2"

static void test_train(void **state)
{
    const line l = { &sl_command_train, { "tiny.yaml", "--out", "DIR", TINY, NULL } };

    (void)state;
    put("tiny.yaml", "policy: {source: advised}\nmeasure: {judge: truth}\n");
    sweep(&l);
}

/* A run that readers read. */
static void make_run(void)
{
    const line l = { &sl_command_train, { "tiny.yaml", "--out", "DIR", TINY, NULL } };

    if (access("run", F_OK) != 0)
        assert_int_equal(run(&l, "run"), SL_OK);
}

static void test_readers(void **state)
{
    static const line lines[] = {
        { &sl_command_inspect, { "run", NULL } },
        { &sl_command_inspect, { "run/checkpoints/step-000000000002", NULL } },
        { &sl_command_inspect, { "votes.jsonl", NULL } },
        { &sl_command_verify, { "run", NULL } },
        { &sl_command_analyze, { "run", NULL } },
        { &sl_command_analyze, { "votes.jsonl", "--json", NULL } },
        { &sl_command_report, { "run", "--out", "OUT", NULL } },
    };

    (void)state;
    make_run();
    put("votes.jsonl", votes);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        sweep(&lines[i]);
}

static void test_score(void **state)
{
    static const char model[] = "run/checkpoints/step-000000000002";
    static const line lines[] = {
        { &sl_command_score,
          { model, "--data", "pairs.jsonl", "--ids", "-o", "OUT", "--threads", "1", NULL } },
        { &sl_command_score,
          { model, "--data", "pairs.jsonl", "--ids", "--json", "--reference", model, NULL } },
        { &sl_command_score,
          { model, "--ids-file", "ids.jsonl", "--logits", "top=3", "-o", "OUT", NULL } },
    };

    (void)state;
    make_run();
    put("pairs.jsonl", pairs);
    put("ids.jsonl", ids);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        sweep(&lines[i]);
}

static const char candidates[] = "{\"prompt_id\":\"a\",\"prompt\":\"p\",\"answers\":["
                                 "{\"source\":\"on-policy\",\"text\":\"one two\",\"score\":1},"
                                 "{\"source\":\"static\",\"text\":\"three\",\"score\":2}]}\n";
static const char answers[] = "{\"prompt\":\"a\",\"responses\":[\"one two\",\"three four\"]}\n";
static const char trainer_state[] = "{\"log_history\":[{\"step\":1,\"loss\":0.7,\"learning_rate\":"
                                    "1e-6},{\"step\":2,\"loss\":0.6}]}";

/* What reads a run and writes something else. */
static void test_makers(void **state)
{
    static const line lines[] = {
        { &sl_command_export, { "run", "--table", "pairs", "-o", "OUT", NULL } },
        { &sl_command_export, { "run", "--format", "h5", "-o", "OUT", NULL } },
        { &sl_command_compare, { "run", "run", "--out", "OUT", NULL } },
        { &sl_command_replay, { "run", "--rule", "fixed:n=8", "--json", NULL } },
        { &sl_command_import, { "trainer-state", "state.json", "--out", "OUT", NULL } },
        { &sl_command_watch, { "run", "--once", NULL } },
        { &sl_command_analyze, { "run", "--out", "OUT", NULL } },
        { &sl_command_analyze, { "answers.jsonl", "--json", NULL } },
        { &sl_command_inspect, { "run", "--json", NULL } },
        { &sl_command_verify, { "run", "--json", NULL } },
    };

    (void)state;
    make_run();
    put("answers.jsonl", answers);
    put("state.json", trainer_state);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        sweep(&lines[i]);
}

/* What asks judges and models. The record of a measurement says how it ended, as that of a run. */
static void test_askers(void **state)
{
    static const char model[] = "run/checkpoints/step-000000000002";
    static const line lines[] = {
        { &sl_command_judge,
          { "--judge", "stored", "--candidates", "candidates.jsonl", "-o", "DIR", NULL } },
        { &sl_command_measure,
          { "--policy", model, "--data", "world", "--judge", "truth", "--prompts", "4", "--max-new",
            "4", "--threads", "1", "--quiet", "--set", "record.min_free_gib=0", "--out", "DIR",
            NULL } },
        { &sl_command_sample,
          { model, "--prompts", "prompts.jsonl", "-n", "2", "-o", "OUT", "--threads", "1", NULL } },
        { &sl_command_audit, { "words.jsonl", NULL } },
        { &sl_command_bench, { "load", "--model", model, "--repeat", "1", "--json", NULL } },
    };

    (void)state;
    make_run();
    put("candidates.jsonl", candidates);
    put("prompts.jsonl", "{\"prompt_ids\":[1,2,3]}\n");
    put("words.jsonl", "{\"prompt\":\"p\",\"chosen\":\"one two\",\"rejected\":\"three\"}\n");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        sweep(&lines[i]);
}

static void test_text(void **state)
{
    static const char tokenizer[] =
        "{\"added_tokens\": [{\"id\": 2, \"content\": \"<s>\", \"special\": true}], \"model\": "
        "{\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 3}, \"merges\": [\"a b\"]}}";
    static const line lines[] = {
        { &sl_command_text, { "encode", "tokenizer.json", "rows.jsonl", NULL } },
        { &sl_command_text, { "encode", "tokenizer.json", "rows.jsonl", "--json", NULL } },
        { &sl_command_text, { "decode", "tokenizer.json", "rows.jsonl", "--json", NULL } },
        { &sl_command_text,
          { "chat", "tokenizer.json", "rows.jsonl", "--json", "--format", "plain", NULL } },
    };

    (void)state;
    put("tokenizer.json", tokenizer);
    put("rows.jsonl", "{\"text\": \"ab<s>\", \"ids\": [3, 2], \"prompt\": \"ab<s>\"}\n");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        sweep(&lines[i]);
}

/* What the commands print is not looked at. */
static void silence(void)
{
    const int null = open("/dev/null", O_WRONLY);

    assert_true(null >= 0 && dup2(null, STDERR_FILENO) >= 0);
    assert_non_null(freopen("/dev/null", "w", stdout));
    (void)close(null);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train), cmocka_unit_test(test_readers), cmocka_unit_test(test_score),
        cmocka_unit_test(test_text),  cmocka_unit_test(test_makers),  cmocka_unit_test(test_askers),
    };
    int red;

    unsetenv("SL_ARENA_MALLOC"); /* the arenas as they are at work: one allocation that can fail */
    is_full = argc > 1 && !strcmp(argv[1], "--full");
    (void)snprintf(scratch, sizeof scratch, "%s", t_scratch());
    if (chdir(scratch) != 0)
        return 1;
    if (!getenv("STAGELINE_TEST_LOUD"))
        silence();
    red = cmocka_run_group_tests(tests, NULL, NULL);
    t_scratch_remove();
    return red;
}
