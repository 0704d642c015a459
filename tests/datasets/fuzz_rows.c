/* Files of rows against any bytes: libFuzzer's entry, and a driver of our own that replays the
 * corpus and pseudo-random changes of sound rows. Half of the changes are to values of a
 * well-formed row, so that the checks behind the JSON parser are reached. A file is refused with
 * its name, or every part of it lies within the limits; an audit refuses nothing but what is no
 * file of rows, and counts as many rows. usage: fuzz_rows [-n CHANGES] [FILE...] */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include "datasets/audit.h"
#include "datasets/data.h"
#include "toy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 24, CHANGES = 4000, ROW_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[4096];
static size_t opened, refused;

#define DIALOGUE(answer)                                                                           \
    "[{\"role\":\"user\",\"content\":\"p?\"},{\"role\":\"assistant\",\"content\":\"" answer "\"}]"
#define ANSWER(answer) "[{\"role\":\"assistant\",\"content\":\"" answer "\"}]"

static void expect(int is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "want %s: %s %s\n", what, sl_err_place(), sl_err_message());
    abort();
}

/* One scratch file a process, gone when it ends. */
static void remove_scratch(void)
{
    unlink(path);
}

static FILE *open_scratch(void)
{
    const char *root = getenv("TMPDIR");
    int fd;

    if (path[0])
        return fopen(path, "wb");
    snprintf(path, sizeof path, "%s/stageline-rows-XXXXXX", root ? root : "/tmp");
    fd = mkstemp(path);
    expect(fd >= 0 && !atexit(remove_scratch), "a scratch file");
    return fdopen(fd, "wb");
}

static void check_answer(const sl_answer *a, const sl_data_limits *l)
{
    expect(!a->text || strlen(a->text) == a->bytes, "words of their length");
    expect(a->count > 0 && a->count <= l->answer_tok, "an answer within its limit");
    for (uint32_t i = 0; i < a->count; i++)
        expect(a->token[i] >= 0 && (size_t)a->token[i] < l->vocab, "ids in the vocabulary");
}

/* What a row lacks is an error; what it has is sound. Buffers are exactly of the promised size, so
 * that a sanitizer sees a token too many. */
static void check_rows(const sl_data *data)
{
    const sl_data_limits *l = sl_data_limits_of(data);
    int32_t *token = NULL;

    expect(l->prompt_tok <= LONGEST && l->answer_tok <= LONGEST, "limits kept");
    expect(sl_take(&token, l->prompt_tok + 2 * (size_t)l->answer_tok, sizeof *token) == SL_OK,
           "memory");
    for (uint64_t i = 0; i < l->train_count; i++) {
        sl_prompt_text prompt;
        sl_answer answer;
        sl_pair p;

        expect(sl_data_prompt(&prompt, token, data, SL_SPLIT_TRAIN, 0, i) == SL_OK, "a prompt");
        expect(prompt.count > 0 && prompt.count <= l->prompt_tok, "a prompt within its limit");
        if (sl_data_imitation(&prompt, &answer, token, data, 0, i) == SL_OK)
            check_answer(&answer, l);
        if (sl_data_static_pair(&p, token, data, 0, i) == SL_OK) {
            check_answer(&p.chosen, l);
            check_answer(&p.rejected, l);
        }
        expect(sl_err_code() == SL_OK || sl_err_code() == SL_EARG, "a row without answers");
        sl_err_clear();
    }
    sl_free(token);
}

static void check_audit(const sl_file_settings *file, const sl_data *data)
{
    const sl_audit_settings set = { .file = *file };
    sl_audit audit;

    if (sl_audit_file(&audit, &set) != SL_OK) {
        expect(!data && sl_err_code() == SL_EFORMAT, "an audit of every file that opens");
        return;
    }
    expect(audit.report.pairs <= audit.report.rows, "no more pairs than rows");
    for (int f = 0; f < SL_FAULTS; f++)
        expect(audit.tally[f].count <= audit.report.rows, "no more faults than rows");
    expect(!data || audit.report.pairs == sl_data_report_of(data)->pairs, "the same pairs");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    toy state = { .merges = 1 };
    const sl_encoder encoder = toy_encoder(&state);
    const int32_t bos = TOY_BOS;
    const sl_file_settings set = { .path = path,
                                   .wants = SL_WANTS_PROMPTS,
                                   .bos = &bos,
                                   .encoder = &encoder,
                                   .max_prompt_tok = LONGEST,
                                   .max_answer_tok = LONGEST,
                                   .probe_share = 0.2,
                                   .keeps_text = 1,
                                   .allows = SL_ALLOW_EOS_MISSING,
                                   .eos = TOY_EOS,
                                   .vocab = TOY_VOCAB };
    FILE *f = open_scratch();
    sl_data *d = NULL;

    expect(f && fwrite(data, 1, size, f) == size && !fclose(f), "a file to read");
    if (sl_data_open_file(&d, &set) == SL_OK) {
        opened++;
        check_rows(d);
        check_audit(&set, d);
        sl_data_close(&d);
    } else {
        refused++;
        expect(!d && sl_err_code() == SL_EFORMAT, "a refusal of the format");
        expect(strstr(sl_err_place(), path) != NULL, "the file's name in the place");
        sl_err_clear();
        check_audit(&set, NULL);
    }
    sl_err_clear();
    return 0;
}

#ifndef SL_LIBFUZZER
static const char *const sound[] = {
    "{\"prompt\":\"p?\",\"chosen\":\"yes\",\"rejected\":\"no\",\"prompt_id\":\"a\","
    "\"score_chosen\":1.5,\"score_rejected\":-2}",
    "{\"prompt\":[{\"role\":\"user\",\"content\":\"p?\"}],\"chosen\":" ANSWER(
        "yes") ",\"rejected\":" ANSWER("no") ",\"prompt_id\":3}",
    "{\"chosen\":" DIALOGUE("yes") ",\"rejected\":" DIALOGUE("no") "}",
    "{\"prompt\":\"p?\",\"chosen\":" DIALOGUE("yes") ",\"rejected\":" DIALOGUE("no") "}",
    "{\"prompt_ids\":[1,2,3],\"chosen_ids\":[4,5],\"rejected_ids\":[6]}",
    "{\"chosen\":\"\\n\\nHuman: a\\n\\nAssistant: b\",\"rejected\":\"\\n\\nHuman: a\\n\\n"
    "Assistant: c\"}",
    "{\"prompt\":\"p?\",\"all_generated_responses\":[\"yes\",\"no\"],\"all_rm_scores\":[2,1]}",
    "{\"prompt\":[{\"role\":\"user\",\"content\":\"p?\"}],\"responses\":[\"yes\",\"no\"],"
    "\"rewards\":[2,1],\"chosen_probs\":0.5}",
    "{\"instruction\":\"p?\",\"output_1\":\"yes\",\"output_2\":\"no\",\"preference\":1.25}",
    "{\"prompt\":\"p?\",\"completion\":\"yes\",\"ref_chosen_logps\":-1.5}",
    "{\"messages\":" DIALOGUE("yes") "}",
    "{\"instruction\":\"p?\",\"output\":\"yes\"}",
    "{\"prompt\":\"p?\"}",
    "[{\"prompt\":\"p?\",\"chosen\":\"yes\",\"rejected\":\"no\"}]",
};
enum { SOUND = sizeof sound / sizeof sound[0] };

static const char *const junk[] = { "null",
                                    "true",
                                    "0",
                                    "-1",
                                    "1e308",
                                    "258",
                                    "259",
                                    "4294967296",
                                    "9223372036854775807",
                                    "\"\"",
                                    "\"\\u00e9\\ud83d\\ude00\"",
                                    "[]",
                                    "[[]]",
                                    "[0]",
                                    "[-1]",
                                    "[1.5]",
                                    "{}",
                                    "[{}]",
                                    "[{\"role\":7}]",
                                    "[{\"role\":\"user\",\"content\":\"\"}]",
                                    DIALOGUE(""),
                                    DIALOGUE("yes"),
                                    ANSWER("") };
enum { JUNK = sizeof junk / sizeof junk[0] };

/* Bytes changed, cut off or doubled. */
static size_t damage(char *row, size_t n, sl_rng *rng)
{
    static const char spice[] = "{}[]\",:0123456789eE.-+ \\utfn\n\xff";

    for (uint32_t changes = 1 + sl_rng_below(rng, 3); changes > 0 && n > 1; changes--) {
        const size_t at = sl_rng_below(rng, (uint32_t)n);

        switch (sl_rng_below(rng, 4)) {
        case 0:
            row[at] = (char)sl_rng_u32(rng);
            break;
        case 1:
            n = at + 1;
            break;
        default:
            row[at] = spice[sl_rng_below(rng, sizeof spice - 1)];
        }
    }
    return n;
}

static const char *any_key(sl_json *row, sl_rng *rng)
{
    static const char *const added[] = {
        "prompt",       "chosen",     "rejected",      "prompt_id",
        "score_chosen", "chosen_ids", "label",         "completion",
        "responses",    "rewards",    "all_rm_scores", "preference",
        "output_2",     "messages",   "chosen_probs",  "ref_rejected_logps",
        "input"
    };
    void *member = json_object_iter(row);

    if (sl_rng_below(rng, 4) == 0)
        return added[sl_rng_below(rng, sizeof added / sizeof added[0])];
    for (uint32_t k = sl_rng_below(rng, (uint32_t)json_object_size(row)); k > 0; k--)
        member = json_object_iter_next(row, member);
    return json_object_iter_key(member);
}

/* The value of a key becomes another, or goes. */
static size_t replace(char *row, size_t n, sl_rng *rng)
{
    sl_json *tree = NULL, *value;
    char key[32], *text = NULL;

    expect(sl_json_parse(&tree, row, n, "row") == SL_OK, "a sound row");
    snprintf(key, sizeof key, "%s", any_key(tree, rng));
    value = json_loads(junk[sl_rng_below(rng, JUNK)], JSON_DECODE_ANY, NULL);
    if (sl_rng_below(rng, 5) == 0) {
        json_object_del(tree, key);
        json_decref(value);
    } else {
        json_object_set_new(tree, key, value);
    }
    expect(sl_json_dump(&text, tree, 0) == SL_OK && strlen(text) < ROW_BYTES, "its text");
    n = strlen(strcpy(row, text));
    sl_free(text);
    sl_json_close(&tree);
    return n;
}

/* Every sound row opens: without this the fuzzing might only ever see the first check. */
static void expect_sound(void)
{
    const size_t before = opened;

    for (size_t i = 0; i < SOUND; i++) {
        LLVMFuzzerTestOneInput((const uint8_t *)sound[i], strlen(sound[i]));
        expect(opened == before + i + 1, "a sound row to open");
    }
}

static void run_changes(long count)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream("fuzz rows"), 0);

    expect_sound();
    for (long i = 0; i < count; i++) {
        static char text[2 * ROW_BYTES];
        const char *seed = sound[sl_rng_below(&rng, SOUND - 1)]; /* not the list */
        size_t n = (size_t)snprintf(text, sizeof text, "%s", seed);

        n = i % 2 ? replace(text, n, &rng) : damage(text, n, &rng);
        /* a sound row behind it, so that there are always rows to split */
        n += (size_t)snprintf(text + n, sizeof text - n, "\n%s\n", sound[0]);
        LLVMFuzzerTestOneInput((const uint8_t *)text, n);
    }
    expect(count < CHANGES || (opened > 100 && refused > 100), "both outcomes to occur");
}

static int replay(const char *name)
{
    char *data;
    size_t size;

    if (sl_file_read(&data, &size, name, 64 << 20) != SL_OK) {
        fprintf(stderr, "%s: %s\n", sl_err_place(), sl_err_message());
        return 1;
    }
    LLVMFuzzerTestOneInput((uint8_t *)data, size);
    sl_free(data);
    return 0;
}

int main(int argc, char **argv)
{
    long changes = argc == 1 ? CHANGES : 0;
    int failed = 0;

    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "-n") && i + 1 < argc)
            changes = strtol(argv[++i], NULL, 10);
        else
            failed |= replay(argv[i]);
    if (changes)
        run_changes(changes);
    return failed;
}
#endif
