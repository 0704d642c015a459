/* Files of answers against any bytes. Half of the changes are to values of a well-formed row, so
 * that the checks behind the JSON parser are reached. A file is refused with its name, or every
 * mean lies in the range of its metric and every prompt is counted once. */
#include "analysis/sets.h"
#include "base/alloc.h"
#include "base/json.h"
#include "harness/fuzz.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t replace(char *text, size_t n, sl_rng *rng);
const t_fuzz_target t_fuzz = { .name = "fuzz sets",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfn\n\xff",
                               .changes = 3000,
                               .change = replace };

static void check_value(const sl_metric *m, const sl_value *v)
{
    const double slack = 1e-9;

    t_expect(isnan(v->value) || (v->value >= m->lowest - slack && v->value <= m->highest + slack),
             m->name);
    t_expect(isnan(v->se) || v->se >= 0.0, "a standard error");
    t_expect(v->used || isnan(v->value), "a value of what was used");
}

static void check_sets(const sl_answer_sets *sets)
{
    sl_json *document;

    for (size_t i = 0; i < sets->sets; i++) {
        const sl_answer_set *s = &sets->set[i];

        t_expect(s->prompts <= s->seen.count && s->least <= s->most, "prompts counted once");
        for (size_t k = 0; k < SL_METRIC_COUNT; k++) {
            const sl_value v = sl_sets_prompt_value(s, (sl_metric_id)k);

            t_expect(v.used + v.dropped == s->prompts, "every prompt used or dropped");
            if (!(sl_metrics[k].needs & (SL_NEEDS_LOGPS | SL_NEEDS_TOKEN_LOGPS))) /* sums are
                                                                                    any number */
                check_value(&sl_metrics[k], &v);
        }
    }
    t_expect(sl_sets_json(&document, sets) == SL_OK, "a document");
    sl_json_close(&document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sl_rows_limit limit = { .share = 0.5, .is_given = 1 };
    sl_sets_settings settings = sl_sets_settings_defaults();
    sl_answer_sets sets = { 0 };
    char path[4200];
    sl_status st;

    t_fuzz_write("answers.jsonl", data, size);
    (void)snprintf(path, sizeof path, "%s/answers.jsonl", t_fuzz_folder());
    settings.limit = &limit;
    settings.corpus = 4;
    settings.tokens = size % 2 ? "unicode-words" : "space";
    t_expect(sl_sets_open(&sets, &settings) == SL_OK, "settings");
    st = sl_sets_read(&sets, path, NULL);
    if (st == SL_OK)
        st = sl_sets_finish(&sets);
    if (st == SL_OK)
        check_sets(&sets);
    else
        t_expect(st == SL_EFORMAT && strstr(sl_err_place(), "answers.jsonl"),
                 "the file by its name");
    t_fuzz_count(st == SL_OK);
    sl_sets_close(&sets);
    return 0;
}

/* --- rows made by hand -------------------------------------------------------------------------
 */

static const char *const rows[] = {
    "{\"prompt\":\"p\",\"all_generated_responses\":[\"a b c d e\",\"a b\"],\"all_rm_scores\":[1,2],"
    "\"all_token_logps\":[[-1,-2],[-3]],\"all_ref_logps\":[-2,-4]}",
    "{\"prompt\":\"q\",\"responses\":[\"x y\",\"x\"],\"probability\":[[0.5,0.9],[0.1,0.5]]}",
    "{\"prompt_id\":3,\"answers\":[{\"text\":\"t "
    "u\",\"source\":\"static\",\"score\":1},{\"ids\":[1,"
    "2],\"source\":\"on-policy\",\"logps\":[-1,-1],\"entropies\":[0.1,2],\"embedding\":[1,2]}]}",
    "{\"instruction\":\"i\",\"output\":\"o o o\",\"generator\":\"g\"}",
    "{\"prompt_id\":8,\"on\":\"a b\",\"off\":\"c d\"}",
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static const char *const values[] = { "null", "1e308", "-1e-308",  "[]",     "[[]]",
                                      "\"\"", "{}",    "true",     "7",      "-1",
                                      "0.5",  "\"a\"", "[null,2]", "[1,2,3]" };
enum { VALUES = sizeof values / sizeof values[0] };

/* A row of the list with one run of its bytes between two commas replaced by a value. */
static size_t replace(char *text, size_t n, sl_rng *rng)
{
    const char *row = rows[sl_rng_below(rng, ROWS)], *value = values[sl_rng_below(rng, VALUES)];
    const size_t bytes = strlen(row);
    size_t from = sl_rng_below(rng, (uint32_t)bytes), to;

    (void)n;
    while (from && row[from - 1] != ':' && row[from - 1] != ',' && row[from - 1] != '[')
        from--;
    to = from + strcspn(row + from, ",]}");
    return (size_t)snprintf(text, 2 * T_FUZZ_BYTES, "%s\n%.*s%s%s\n%s\n", rows[0], (int)from, row,
                            value, row + to, rows[sl_rng_below(rng, ROWS)]);
}
