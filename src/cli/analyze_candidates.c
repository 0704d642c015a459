/* Sets of answers from files: diversity, quality and, of two sets, their distance. */
#include "analysis/sets.h"
#include "base/text.h"
#include "cli/analyze.h"
#include "cli/document.h"
#include "cli/print.h"
#include "cli/progress.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* --- the table ---------------------------------------------------------------------------------
 */

static const struct {
    unsigned bit;
    const char *word;
} needs[] = {
    { SL_NEEDS_TEXT, "text" },
    { SL_NEEDS_VOCABULARY, "vocabulary" },
    { SL_NEEDS_SCORES, "scores" },
    { SL_NEEDS_WINS, "win matrix" },
    { SL_NEEDS_LOGPS, "log-probs" },
    { SL_NEEDS_REFERENCE, "reference log-probs" },
    { SL_NEEDS_TOKEN_LOGPS, "token log-probs" },
    { SL_NEEDS_TOKEN_ENTROPIES, "token entropies" },
};

static void needs_text(char *out, size_t size, unsigned bits)
{
    size_t at = 0;

    *out = 0;
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if (bits & needs[i].bit)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", needs[i].word);
}

static sl_status metric_json(sl_json *list, const sl_metric *m, const char *of)
{
    char inputs[128];
    sl_json *row;

    needs_text(inputs, sizeof inputs, m->needs);
    row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:s, s:s}", "name", m->name,
                    "label", m->label, "of", of, "needs", inputs, "unit", m->unit, "lowest",
                    sl_json_number(m->lowest), "highest", sl_json_number(m->highest), "prompt",
                    (m->levels & SL_LEVEL_PROMPT) != 0, "corpus",
                    (m->levels & SL_LEVEL_CORPUS) != 0, "source", m->source, "meaning", m->meaning);
    return json_array_append_new(list, row) == 0
               ? SL_OK
               : SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
}

static void print_metric(const sl_metric *m)
{
    char inputs[128], range[48];

    needs_text(inputs, sizeof inputs, m->needs);
    snprintf(range, sizeof range, "[%g, %g]", m->lowest, m->highest);
    printf("%-24s %-4s %-8s %-12s %-7s %-22s %-19s %s\n", m->name, m->label, m->unit, range,
           m->levels == SL_LEVEL_PROMPT   ? "prompt"
           : m->levels == SL_LEVEL_CORPUS ? "corpus"
                                          : "both",
           inputs, m->source, m->meaning);
}

sl_status sl_analyze_list_metrics(int is_json)
{
    sl_json *list = json_array(), *tree;
    sl_status st = SL_OK;

    if (!is_json)
        printf("%-24s %-4s %-8s %-12s %-7s %-22s %-19s %s\n", "metric", "", "unit", "range",
               "level", "needs", "source", "meaning");
    for (size_t k = 0; k < SL_METRIC_COUNT + SL_CONTRAST_COUNT && st == SL_OK; k++) {
        const int is_set = k < SL_METRIC_COUNT;
        const sl_metric *m = is_set ? &sl_metrics[k] : &sl_contrasts[k - SL_METRIC_COUNT];

        if (is_json)
            st = metric_json(list, m, is_set ? "set" : "two sets");
        else
            print_metric(m);
    }
    if (st == SL_OK && is_json) {
        tree = json_pack("{s:s, s:O}", "schema", "stageline.metrics/1", "metrics", list);
        st = tree ? sl_print_json(tree) : SL_FAIL(SL_ENOMEM, "want memory, found none");
        sl_json_close(&tree);
    }
    sl_json_close(&list);
    return st;
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* Progress over the bytes of all files. */
typedef struct reading {
    sl_progress_line line;
    size_t before, total;
} reading;

static void tick(void *state, size_t bytes)
{
    reading *r = state;

    sl_progress_count(&r->line, (r->before + bytes) >> 20, r->total >> 20, "MiB");
}

static sl_status whole(size_t *out, const char *text)
{
    int64_t value;

    SL_TRY(sl_text_i64(&value, text));
    if (value < 0)
        return SL_FAIL(SL_EARG, "want 0 or more, found %s", text);
    *out = (size_t)value;
    return SL_OK;
}

/* --choose KEY=N. */
static sl_status choose(sl_sets_settings *s, const char *word)
{
    static const char *const keys[] = { "take", "cut",      "corpus", "vocabulary",
                                        "beta", "residual", NULL };
    size_t *const wholes[] = { &s->take, NULL, &s->corpus, NULL, NULL, &s->residual };
    double *const reals[] = { NULL, &s->cut, NULL, &s->vocabulary, &s->beta, NULL };
    const size_t bytes = strcspn(word, "=");
    const char *near;
    char key[16];
    sl_status st;

    snprintf(key, sizeof key, "%.*s", (int)bytes, word);
    for (size_t k = 0; keys[k]; k++)
        if (word[bytes] == '=' && !strcmp(keys[k], key))
            return wholes[k] ? whole(wholes[k], word + bytes + 1)
                             : sl_text_f64(reals[k], word + bytes + 1);
    st =
        SL_FAIL(SL_EUSAGE,
                "want take, cut, corpus, vocabulary, beta or residual with =N, found \"%s\"", word);
    near = sl_text_nearest(key, keys);
    return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
}

static sl_status settings_of(sl_sets_settings *s, const sl_analyze_candidates_opts *o)
{
    int64_t seed;

    *s = sl_sets_settings_defaults();
    s->is_soft = o->is_soft;
    s->tokens = o->tokens ? o->tokens : s->tokens;
    for (size_t i = 0; i < o->chosen->count; i++)
        if (sl_err_where(choose(s, o->chosen->at[i]), "--choose") != SL_OK)
            return SL_EUSAGE;
    if (!o->seed)
        return SL_OK;
    if (sl_err_where(sl_text_i64(&seed, o->seed), "--seed") != SL_OK)
        return SL_EUSAGE;
    s->seed = (uint64_t)seed;
    s->is_shuffled = 1;
    return SL_OK;
}

static sl_status settle_cut(sl_answer_sets *sets, const char *const *path, size_t count)
{
    sl_lengths lengths = { 0 };
    sl_status st = SL_OK;

    if (isnan(sets->settings.cut))
        return SL_OK;
    for (size_t i = 0; i < count && st == SL_OK; i++)
        st = strcmp(path[i], "-") ? sl_sets_count_lengths(&lengths, sets, path[i])
                                  : SL_FAIL(SL_EUSAGE, "want a file with --choose cut, read "
                                                       "twice, found stdin");
    sl_sets_settle_cut(sets, &lengths);
    return st;
}

static sl_status read_all(sl_answer_sets *sets, const char *const *path, size_t count,
                          const sl_analyze_candidates_opts *o)
{
    reading r = { 0 };
    sl_status st = SL_OK;

    for (size_t i = 0; i < count; i++) {
        struct stat s;

        r.total += strcmp(path[i], "-") && stat(path[i], &s) == 0 ? (size_t)s.st_size : 0;
    }
    sl_progress_open(&r.line, "analyze", o->is_quiet);
    sets->settings.tick = tick;
    sets->settings.tick_state = &r;
    for (size_t i = 0; i < count && st == SL_OK; i++) {
        st = sl_sets_read(sets, path[i], i < o->embeddings->count ? o->embeddings->at[i] : NULL);
        r.before += st == SL_OK ? sets->input[i].read.bytes : 0;
    }
    sl_progress_close(&r.line);
    sets->settings.tick = NULL;
    return st;
}

sl_status sl_analyze_candidate_files(sl_json **document, const char *const *path, size_t count,
                                     const sl_analyze_candidates_opts *o)
{
    sl_rows_limit limit;
    sl_sets_settings settings;
    sl_answer_sets sets = { 0 };
    sl_status st = SL_OK;

    *document = NULL;
    if (o->embeddings->count && o->embeddings->count != count)
        return SL_FAIL(SL_EUSAGE, "want --embeddings for each of %zu files, found %zu", count,
                       o->embeddings->count);
    SL_TRY(settings_of(&settings, o));
    SL_TRY(sl_analyze_limit(&limit, o->allow_bad));
    settings.limit = &limit;
    SL_TRY_OUT(sl_sets_open(&sets, &settings));
    SL_TRY_OUT(settle_cut(&sets, path, count));
    SL_TRY_OUT(read_all(&sets, path, count, o));
    SL_TRY_OUT(sl_sets_finish(&sets));
    st = sl_sets_json(document, &sets);
out:
    sl_sets_close(&sets);
    return st == SL_EARG ? SL_EUSAGE : st;
}

/* --- sentences ---------------------------------------------------------------------------------
 */

static int is_at(const sl_json *row, const char *name, const char *level)
{
    return !strcmp(sl_doc_text(row, "name", ""), name) &&
           !strcmp(sl_doc_text(row, "level", ""), level);
}

/* The row of a metric at a level; NULL: none, or its inputs are not there. */
static const sl_json *row_of(const sl_json *set, const char *name, const char *level)
{
    const sl_json *row;
    size_t i;

    json_array_foreach(json_object_get(set, "metrics"), i, row)
    {
        if (is_at(row, name, level) && strcmp(sl_doc_text(row, "status", ""), "invalid_input"))
            return row;
    }
    return NULL;
}

static void print_set(const sl_json *set, size_t index)
{
    printf("set %zu: ", index + 1);
    sl_print_text(sl_doc_text(set, "name", ""));
    if (sl_json_has(set, "step"))
        printf(" at step %lld", sl_doc_whole(set, "step"));
    if (sl_json_has(set, "source"))
        printf(", %s", sl_doc_text(set, "source", ""));
    printf(": %lld answers to %lld prompts", sl_doc_whole(set, "answers"),
           sl_doc_whole(set, "prompts"));
    if (sl_doc_whole(set, "fewest") == sl_doc_whole(set, "most"))
        printf(", %lld each", sl_doc_whole(set, "most"));
    else
        printf(", %lld to %lld each: metrics that grow with their number do not compare (--choose "
               "take=N)",
               sl_doc_whole(set, "fewest"), sl_doc_whole(set, "most"));
    if (sl_doc_whole(set, "short_prompts"))
        printf("; %lld prompts dropped, they have fewer answers",
               sl_doc_whole(set, "short_prompts"));
    if (sl_doc_whole(set, "unscored"))
        printf("; %lld answers without a score", sl_doc_whole(set, "unscored"));
    putchar('\n');
}

static void print_cell(const sl_json *row)
{
    char cell[64] = "";

    if (row && !sl_json_has(row, "value"))
        snprintf(cell, sizeof cell, "%s", sl_doc_text(row, "status", ""));
    else if (row && sl_json_has(row, "se"))
        snprintf(cell, sizeof cell, "%.4g (%.2g)", sl_doc_number(row, "value"),
                 sl_doc_number(row, "se"));
    else if (row)
        snprintf(cell, sizeof cell, "%.4g", sl_doc_number(row, "value"));
    printf("  %-20s", cell);
}

/* A line a metric and level, a column a set. */
static void print_metrics(const sl_json *sets, size_t first, size_t count)
{
    static const char *const levels[] = { "prompt", "corpus" };

    printf("%-24s %-4s %-7s %-7s", "metric", "", "unit", "level");
    for (size_t i = first; i < first + count; i++)
        printf("  set %-16zu", i + 1);
    putchar('\n');
    for (size_t k = 0; k < SL_METRIC_COUNT; k++)
        for (size_t l = 0; l < 2; l++) {
            const sl_json *row[8] = { NULL };
            int is_there = 0;

            for (size_t i = 0; i < count; i++) {
                row[i] = row_of(json_array_get(sets, first + i), sl_metrics[k].name, levels[l]);
                is_there |= row[i] != NULL;
            }
            if (!is_there)
                continue;
            printf("%-24s %-4s %-7s %-7s", sl_metrics[k].name, sl_metrics[k].label,
                   sl_metrics[k].unit, levels[l]);
            for (size_t i = 0; i < count; i++)
                print_cell(row[i]);
            putchar('\n');
        }
}

/* A line a metric: its slope, and every set at the mean length of all prompts. */
static void print_residuals(const sl_json *list)
{
    const sl_json *row, *part;
    char slope[48];
    size_t i, k;

    if (!json_array_size(list))
        return;
    printf("at equal length, %.4g tokens: one slope for all sets, each set's value there\n",
           sl_doc_number(json_array_get(list, 0), "length"));
    printf("%-24s %-4s %-7s %-7s  %-20s", "metric", "", "unit", "r2", "slope a token");
    for (k = 0; k < json_array_size(json_object_get(json_array_get(list, 0), "sets")); k++)
        printf("  set %-16zu", k + 1);
    putchar('\n');
    json_array_foreach(list, i, row)
    {
        if (!sl_json_has(row, "slope"))
            continue; /* the lengths of its prompts do not vary */
        snprintf(slope, sizeof slope, "%.3g (%.2g)", sl_doc_number(row, "slope"),
                 sl_doc_number(row, "slope_se"));
        printf("%-24s %-4s %-7s %-7.3f  %-20s", sl_doc_text(row, "name", ""),
               sl_doc_text(row, "label", ""), sl_doc_text(row, "unit", ""),
               sl_doc_number(row, "r2"), slope);
        json_array_foreach(json_object_get(row, "sets"), k, part)
        {
            print_cell(part);
        }
        putchar('\n');
    }
}

static void print_contrast(const sl_json *c)
{
    const sl_json *row, *point = json_array_get(json_object_get(c, "points"), 0);
    size_t i;

    printf("set %lld (on-policy) against set %lld (static): %lld common prompts, %lld and %lld of "
           "one alone\n",
           sl_doc_whole(c, "on") + 1, sl_doc_whole(c, "off") + 1, sl_doc_whole(c, "common"),
           sl_doc_whole(c, "only_on"), sl_doc_whole(c, "only_off"));
    json_array_foreach(json_object_get(c, "metrics"), i, row)
    {
        if (!strcmp(sl_doc_text(row, "status", ""), "invalid_input") || !sl_doc_whole(row, "used"))
            continue;
        printf("%-24s %-4s %-7s %-7s", sl_doc_text(row, "name", ""), sl_doc_text(row, "label", ""),
               sl_doc_text(row, "unit", ""), "");
        print_cell(row);
        putchar('\n');
    }
    if (point)
        sl_analyze_print_point(point);
    json_array_foreach(json_object_get(c, "warnings"), i, row)
    {
        printf("warning: %s\n", json_string_value(row));
    }
}

static void print_choices(const sl_json *c)
{
    const sl_json *cut = json_object_get(c, "cut"), *corpus = json_object_get(c, "corpus");

    fputs("tokens: ", stdout);
    sl_print_text(sl_doc_text(c, "tokens", ""));
    if (sl_json_has(c, "vocabulary"))
        printf(" (vocabulary %.0f)", sl_doc_number(c, "vocabulary"));
    printf("; vectors: %s; ", sl_doc_text(c, "vectors", ""));
    if (sl_json_has(cut, "tokens"))
        printf("answers cut to %lld tokens (%g %% of lengths); ", sl_doc_whole(cut, "tokens"),
               sl_doc_number(cut, "percentile"));
    printf("corpus: one answer each of at most %lld prompts, seed %lld\n",
           sl_doc_whole(corpus, "prompts"), sl_doc_whole(corpus, "seed"));
}

void sl_analyze_say_memory(const sl_json *memory)
{
    struct rusage use;

    fflush(stdout);
    getrusage(RUSAGE_SELF, &use);
    fprintf(stderr,
            "peak memory %.1f MiB; kept: %.1f MiB (%.0f bytes a prompt: ids, scores, length"
            " and the texts of the corpus)\n",
            (double)use.ru_maxrss / 0x1p10, sl_doc_number(memory, "kept_bytes") / 0x1p20,
            sl_doc_number(memory, "bytes_per_prompt"));
}

void sl_analyze_print_candidates(const sl_json *document)
{
    enum { SIDE_BY_SIDE = 4 };
    const sl_json *sets = json_object_get(document, "sets"), *row;
    const size_t count = json_array_size(sets);
    size_t i;

    json_array_foreach(json_object_get(document, "inputs"), i, row)
    {
        sl_analyze_print_input(row);
    }
    print_choices(json_object_get(document, "choices"));
    json_array_foreach(sets, i, row)
    {
        print_set(row, i);
    }
    for (i = 0; i < count; i += SIDE_BY_SIDE)
        print_metrics(sets, i, count - i < SIDE_BY_SIDE ? count - i : SIDE_BY_SIDE);
    puts("values are means over prompts with their standard errors; a corpus has one value");
    print_residuals(json_object_get(document, "residuals"));
    json_array_foreach(json_object_get(document, "contrasts"), i, row)
    {
        print_contrast(row);
    }
}
