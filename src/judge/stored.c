/* Scores that are there already: on the answers themselves, or in a file of lines
 * {"prompt_id", "answer_id" or "answer", "score"}. Ids are text or integers, as in the data. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/sort.h"
#include "base/text.h"
#include "judge/judge_int.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCORES_MOST ((size_t)1 << 30) /* bytes of a file */

typedef struct entry {
    uint64_t prompt, answer; /* ids */
    double score;
    size_t line; /* of the file */
} entry;

typedef struct stored {
    double temperature;
    int has_file;
    entry *entry; /* (count), by ids */
    size_t count, capacity;
} stored;

/* --- the file -------------------------------------------------------------------------------- */

static sl_status read_id(uint64_t *out, const sl_json *row, const char *key)
{
    SL_TRY(sl_json_id(out, row, key));
    return *out ? SL_OK : SL_FAIL(SL_EFORMAT, "want \"%s\" (text or an integer), found none", key);
}

static sl_status read_row(stored *s, const sl_json *row, size_t line)
{
    entry e = { .line = line };

    SL_TRY(read_id(&e.prompt, row, "prompt_id"));
    SL_TRY(read_id(&e.answer, row, sl_json_has(row, "answer") ? "answer" : "answer_id"));
    SL_TRY(sl_json_f64(&e.score, row, "score"));
    SL_TRY(sl_grow(&s->entry, &s->capacity, s->count + 1, sizeof e));
    s->entry[s->count++] = e;
    return SL_OK;
}

static sl_status read_lines(stored *s, sl_span rest, const char *path)
{
    sl_span line;

    for (size_t number = 1; sl_text_line(&line, &rest); number++) {
        char place[4200];
        sl_json *row = NULL;
        sl_status st;

        if (strspn(line.at, " \t\r") >= line.bytes)
            continue;
        snprintf(place, sizeof place, "%s:%zu", path, number);
        SL_TRY(sl_json_parse(&row, line.at, line.bytes, place));
        st = sl_err_where(read_row(s, row, number), "%s", place);
        sl_json_close(&row);
        SL_TRY(st);
    }
    return SL_OK;
}

static int by_ids(const void *x, const void *y)
{
    const entry *a = x, *b = y;

    if (a->prompt != b->prompt)
        return a->prompt < b->prompt ? -1 : 1;
    return a->answer < b->answer ? -1 : a->answer > b->answer;
}

static sl_status load(stored *s, const char *path)
{
    char *text = NULL;
    size_t bytes = 0;
    sl_status st;

    SL_TRY(sl_file_read(&text, &bytes, path, SCORES_MOST));
    st = read_lines(s, (sl_span){ text, bytes }, path);
    sl_free(text);
    SL_TRY(st);
    if (s->count)
        sl_sort(s->entry, s->count, sizeof *s->entry, by_ids);
    for (size_t i = 1; i < s->count; i++)
        if (!by_ids(&s->entry[i - 1], &s->entry[i]) && s->entry[i - 1].score != s->entry[i].score)
            return sl_err_where(SL_FAIL(SL_EFORMAT, "want one score of an answer, found %g and %g",
                                        s->entry[i - 1].score, s->entry[i].score),
                                "%s:%zu and %zu", path, s->entry[i - 1].line, s->entry[i].line);
    return SL_OK;
}

/* --- the row --------------------------------------------------------------------------------- */

static double find(const stored *s, uint64_t prompt, uint64_t answer)
{
    const entry key = { .prompt = prompt, .answer = answer };
    const entry *e = s->count ? bsearch(&key, s->entry, s->count, sizeof key, by_ids) : NULL;

    return e ? e->score : NAN;
}

/* By the answer's id, else by its words; NaN: none. */
static double score_of(const stored *s, const sl_prompt_text *prompt, const sl_answer *answer)
{
    double score;

    if (!s->has_file)
        return (double)answer->score;
    score = find(s, prompt->id, answer->id);
    if (isnan(score) && answer->text)
        score = find(s, prompt->id, sl_hash_id(answer->text, strlen(answer->text)));
    return score;
}

static sl_status stored_votes(sl_vote *vote, void *state, const sl_prompt_text *prompt,
                              const sl_answer *a, const sl_answer *b, size_t count)
{
    const stored *s = state;

    for (size_t i = 0; i < count; i++) {
        const double score_a = score_of(s, &prompt[i], &a[i]);
        const double score_b = score_of(s, &prompt[i], &b[i]);

        if (!isfinite(score_a) || !isfinite(score_b))
            return sl_err_where(SL_FAIL(SL_EFORMAT, "want a score, found none"),
                                "pair %zu answer %s", i, isfinite(score_a) ? "b" : "a");
        sl_vote_by_scores(&vote[i], score_a, score_b, s->temperature);
    }
    return SL_OK;
}

static void stored_close(void *state)
{
    stored *s = state;

    sl_free(s->entry);
    sl_free(s);
}

static sl_status stored_open(void **state, const sl_judge_settings *set, const sl_data *data)
{
    stored *s = NULL;

    (void)data;
    SL_TRY(sl_take(&s, 1, sizeof *s));
    *state = s;
    s->temperature = set->temperature;
    s->has_file = set->scores != NULL;
    return set->scores ? load(s, set->scores) : SL_OK;
}

const sl_judge_row sl_judge_stored = {
    .name = "stored", .open = stored_open, .close = stored_close, .votes = stored_votes
};
