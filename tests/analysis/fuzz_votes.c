/* Files of votes against any bytes. Half of the changes are to values of a well-formed row. A file
 * is refused with its name, or every vote lies in [0,1] and the document has sound scores. */
#include "analysis/report.h"
#include "base/json.h"
#include "harness/fuzz.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t replace(char *text, size_t n, sl_rng *rng);
const t_fuzz_target t_fuzz = { .name = "fuzz votes",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfn\n\xff",
                               .changes = 3000,
                               .change = replace };

static void check_votes(const sl_vote_set *set)
{
    const sl_votes_settings settings = sl_votes_settings_defaults();
    const sl_json *point;
    sl_json *document;
    size_t k;

    for (size_t i = 0; i < set->points; i++)
        for (size_t v = 0; v < set->point[i].count; v++)
            t_expect(set->point[i].row[v].p >= 0.0 && set->point[i].row[v].p <= 1.0,
                     "a vote in [0,1]");
    t_expect(sl_analyze_votes(&document, set, &settings) == SL_OK, "a document");
    json_array_foreach(json_object_get(document, "points"), k, point)
    {
        const sl_json *bs = json_object_get(json_object_get(point, "bs"), "value");

        t_expect(json_is_null(bs) || (json_number_value(bs) >= 0.0 && json_number_value(bs) <= 1.0),
                 "a score in [0,1]");
    }
    sl_json_close(&document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sl_rows_limit limit = { .share = 0.5, .is_given = 1 };
    sl_vote_set set = { .limit = &limit, .is_soft = size % 2 };
    char path[4200];
    sl_status st;

    t_fuzz_write("votes.jsonl", data, size);
    (void)snprintf(path, sizeof path, "%s/votes.jsonl", t_fuzz_folder());
    st = sl_votes_read(&set, path);
    if (st == SL_OK)
        check_votes(&set);
    else
        t_expect(st == SL_EFORMAT && strstr(sl_err_place(), "votes.jsonl"), "the file by its name");
    t_fuzz_count(st == SL_OK);
    sl_votes_close(&set);
    return 0;
}

static const char *const rows[] = {
    "{\"prompt_id\":\"p\",\"prompt\":\"t\",\"vote\":1,\"step\":3,\"order\":\"on-first\",\"on_id\":"
    "1,"
    "\"off_id\":2,\"len_on\":5,\"len_off\":9,\"truncated_on\":true}",
    "{\"prompt_id\":2,\"score_on\":0.3,\"score_off\":1.2,\"name\":\"n\"}",
    "{\"instruction\":\"i\",\"output_1\":\"a\",\"output_2\":\"bb\",\"preference\":1.5,\"generator_"
    "2\":"
    "\"g\"}",
    "{\"prompt\":\"x\",\"output\":\"y\",\"preference\":2}",
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static const char *const values[] = { "null", "1.7",  "-1",  "1e308", "\"\"", "{}",
                                      "[]",   "true", "0.5", "\"a\"", "7",    "99999999999" };
enum { VALUES = sizeof values / sizeof values[0] };

static size_t replace(char *text, size_t n, sl_rng *rng)
{
    const char *row = rows[sl_rng_below(rng, ROWS)], *value = values[sl_rng_below(rng, VALUES)];
    const size_t bytes = strlen(row);
    size_t from = sl_rng_below(rng, (uint32_t)bytes), to;

    (void)n;
    while (from && row[from - 1] != ':' && row[from - 1] != ',')
        from--;
    to = from + strcspn(row + from, ",}");
    return (size_t)snprintf(text, 2 * T_FUZZ_BYTES, "%s\n%.*s%s%s\n%s\n", rows[0], (int)from, row,
                            value, row + to, rows[sl_rng_below(rng, ROWS)]);
}
