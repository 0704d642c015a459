/* Files of rows against any bytes. Half of the changes are to values of a well-formed row, so that
 * the checks behind the JSON parser are reached. A file is refused with its name, or every part of
 * it lies within the limits; an audit refuses nothing but what is no file of rows, and counts as
 * many rows. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "datasets/audit.h"
#include "datasets/data.h"
#include "harness/fuzz.h"
#include "toy.h"
#include <stdio.h>
#include <string.h>

enum { LONGEST = 24 };

static size_t replace(char *text, size_t n, sl_rng *rng);
const t_fuzz_target t_fuzz = { .name = "fuzz rows",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfn\n\xff",
                               .changes = 4000,
                               .change = replace };

#define DIALOGUE(answer)                                                                           \
    "[{\"role\":\"user\",\"content\":\"p?\"},{\"role\":\"assistant\",\"content\":\"" answer "\"}]"
#define ANSWER(answer) "[{\"role\":\"assistant\",\"content\":\"" answer "\"}]"

static void check_answer(const sl_answer *a, const sl_data_limits *l)
{
    t_expect(!a->text || strlen(a->text) == a->bytes, "words of their length");
    t_expect(a->count > 0 && a->count <= l->answer_tok, "an answer within its limit");
    for (uint32_t i = 0; i < a->count; i++)
        t_expect(a->token[i] >= 0 && (size_t)a->token[i] < l->vocab, "ids in the vocabulary");
}

/* What a row lacks is an error; what it has is sound. Buffers are exactly of the promised size, so
 * that a sanitizer sees a token too many. */
static void check_rows(const sl_data *data)
{
    const sl_data_limits *l = sl_data_limits_of(data);
    int32_t *token = NULL;

    t_expect(l->prompt_tok <= LONGEST && l->answer_tok <= LONGEST, "limits kept");
    t_expect(sl_take(&token, l->prompt_tok + 2 * (size_t)l->answer_tok, sizeof *token) == SL_OK,
             "memory");
    for (uint64_t i = 0; i < l->train_count; i++) {
        sl_prompt_text prompt;
        sl_answer answer;
        sl_pair p;

        t_expect(sl_data_prompt(&prompt, token, data, SL_SPLIT_TRAIN, 0, i) == SL_OK, "a prompt");
        t_expect(prompt.count > 0 && prompt.count <= l->prompt_tok, "a prompt within its limit");
        if (sl_data_imitation(&prompt, &answer, token, data, 0, i) == SL_OK)
            check_answer(&answer, l);
        if (sl_data_static_pair(&p, token, data, 0, i) == SL_OK) {
            check_answer(&p.chosen, l);
            check_answer(&p.rejected, l);
        }
        t_expect(sl_err_code() == SL_OK || sl_err_code() == SL_EARG, "a row without answers");
        sl_err_clear();
    }
    sl_free(token);
}

static void check_audit(const sl_file_settings *file, const sl_data *data)
{
    const sl_audit_settings set = { .file = *file };
    sl_audit audit;

    if (sl_audit_file(&audit, &set) != SL_OK) {
        t_expect(!data && sl_err_code() == SL_EFORMAT, "an audit of every file that opens");
        return;
    }
    t_expect(audit.report.pairs <= audit.report.rows, "no more pairs than rows");
    for (int f = 0; f < SL_FAULTS; f++)
        t_expect(audit.tally[f].count <= audit.report.rows, "no more faults than rows");
    t_expect(!data || audit.report.pairs == sl_data_report_of(data)->pairs, "the same pairs");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[4096];
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
    sl_data *d = NULL;

    (void)snprintf(path, sizeof path, "%s/rows", t_fuzz_folder());
    t_fuzz_write("rows", data, size);
    if (sl_data_open_file(&d, &set) == SL_OK) {
        check_rows(d);
        check_audit(&set, d);
        sl_data_close(&d);
        t_fuzz_count(1);
    } else {
        t_expect(!d && sl_err_code() == SL_EFORMAT, "a refusal of the format");
        t_expect(strstr(sl_err_place(), path) != NULL, "the file's name in the place");
        t_fuzz_count(0);
        check_audit(&set, NULL);
    }
    sl_err_clear();
    return 0;
}

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

static const char sound[] = "{\"prompt\":\"p?\",\"chosen\":\"yes\",\"rejected\":\"no\"}\n";

static void change_key(sl_json *row, sl_rng *rng)
{
    char key[32];
    sl_json *value = json_loads(junk[sl_rng_below(rng, JUNK)], JSON_DECODE_ANY, NULL);

    (void)snprintf(key, sizeof key, "%s", any_key(row, rng));
    if (sl_rng_below(rng, 5) == 0) {
        json_object_del(row, key);
        json_decref(value);
    } else {
        json_object_set_new(row, key, value);
    }
}

/* The value of a key of the first row becomes another, or goes; a sound row goes before it, so that
 * there are always rows to split. */
static size_t replace(char *text, size_t n, sl_rng *rng)
{
    sl_span rest = { text, n }, row;
    sl_json *tree = NULL;
    char *changed = NULL;

    if (!sl_text_line(&row, &rest) || sl_json_parse(&tree, row.at, row.bytes, "row") != SL_OK ||
        !json_object_size(tree)) {
        sl_json_close(&tree);
        sl_err_clear();
        return n;
    }
    change_key(tree, rng);
    t_expect(sl_json_dump(&changed, tree, 0) == SL_OK && strlen(changed) < T_FUZZ_BYTES,
             "its text");
    n = (size_t)snprintf(text, (size_t)2 * T_FUZZ_BYTES, "%s%s\n", sound, changed);
    sl_free(changed);
    sl_json_close(&tree);
    return n;
}
