/* Answers that were drawn before: a file of rows (JSONL, may be gzip'ed). A prompt is found by its
 * words; its answers are taken in the file's order. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/sort.h"
#include "base/text.h"
#include "datasets/dialogue.h"
#include "measure/outside_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST ((size_t)1 << 30) /* bytes, after inflation */

typedef struct entry {
    uint64_t prompt; /* hash of its words */
    size_t order;    /* in the file */
    const char *text;
    int is_cut;
} entry;

typedef struct file {
    char *path;
    sl_json **row; /* (rows); texts are theirs */
    size_t rows, row_capacity;
    entry *list; /* (count), by prompt, then order */
    size_t count, capacity;
} file;

static sl_status add(file *f, uint64_t prompt, const char *text, int is_cut)
{
    SL_TRY(sl_grow(&f->list, &f->capacity, f->count + 1, sizeof *f->list));
    f->list[f->count] = (entry){ prompt, f->count, text, is_cut };
    f->count++;
    return SL_OK;
}

/* "prompt" (text or messages), "messages", "instruction". */
static sl_status hash_prompt(uint64_t *out, const sl_json *row)
{
    static const char *const keys[] = { "prompt", "messages", "instruction" };
    sl_dialogue *d = NULL;
    char *words = NULL;
    sl_status st = SL_OK;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const sl_json *value = json_object_get(row, keys[i]);

        if (json_is_string(value)) {
            *out = sl_hash_id(json_string_value(value), json_string_length(value));
            return SL_OK;
        }
        if (!json_is_array(value))
            continue;
        SL_TRY(sl_take(&d, 1, sizeof *d));
        SL_TRY_OUT(sl_dialogue_read(d, value));
        SL_TRY_OUT(sl_dialogue_words(&words, d->message, d->count));
        *out = sl_hash_id(words, strlen(words));
        goto out;
    }
    return SL_FAIL(SL_EFORMAT, "want \"prompt\", \"messages\" or \"instruction\", found none");
out:
    sl_free(words);
    sl_free(d);
    return st;
}

/* An answer of a list: a string, or {"text", "source", "truncated"}; those of static data are not
 * the sampler's. */
static sl_status add_listed(file *f, uint64_t prompt, const sl_json *item)
{
    const char *text, *source;
    int is_cut;

    if (json_is_string(item))
        return add(f, prompt, json_string_value(item), 0);
    SL_TRY(sl_json_text_or(&source, item, "source", "on-policy"));
    if (strcmp(source, "on-policy"))
        return SL_OK;
    SL_TRY(sl_json_text(&text, item, "text"));
    SL_TRY(sl_json_bool_or(&is_cut, item, "truncated", 0));
    return add(f, prompt, text, is_cut);
}

static sl_status read_row(file *f, const sl_json *row)
{
    static const char *const lists[] = { "answers", "all_generated_responses", "responses" };
    static const char *const texts[] = { "on", "output", "answer" };
    uint64_t prompt = 0;

    SL_TRY(hash_prompt(&prompt, row));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const sl_json *list = json_object_get(row, lists[i]);

        for (size_t k = 0; k < json_array_size(list); k++)
            SL_TRY(sl_err_where(add_listed(f, prompt, json_array_get(list, k)), "answer %zu", k));
        if (json_is_array(list))
            return SL_OK;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (json_is_string(json_object_get(row, texts[i])))
            return add(f, prompt, json_string_value(json_object_get(row, texts[i])), 0);
    return SL_FAIL(SL_EFORMAT, "want \"answers\" (a list) or \"output\" (text), found neither");
}

static int by_prompt(const void *a, const void *b)
{
    const entry *x = a, *y = b;

    if (x->prompt != y->prompt)
        return x->prompt < y->prompt ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static sl_status read_lines(file *f, sl_span rest)
{
    sl_span line;

    for (size_t number = 1; sl_text_line(&line, &rest); number++) {
        char place[4200];

        if (strspn(line.at, " \t\r") >= line.bytes)
            continue;
        snprintf(place, sizeof place, "%s:%zu", f->path, number);
        SL_TRY(sl_grow(&f->row, &f->row_capacity, f->rows + 1, sizeof(sl_json *)));
        SL_TRY(sl_json_parse(&f->row[f->rows], line.at, line.bytes, place));
        f->rows++;
        SL_TRY(sl_err_where(read_row(f, f->row[f->rows - 1]), "%s", place));
    }
    if (!f->count)
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want answers, found none"), "%s", f->path);
    sl_sort(f->list, f->count, sizeof *f->list, by_prompt);
    return SL_OK;
}

/* First answer to a prompt; count: none. */
static size_t find(const file *f, uint64_t prompt)
{
    size_t low = 0, high = f->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (f->list[middle].prompt < prompt)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static sl_status file_say(sl_said *said, void *state, const sl_sample_settings *law,
                          const sl_wanted *wanted, size_t count)
{
    const file *f = state;

    (void)law;
    for (size_t i = 0; i < count; i++) {
        const char *words = wanted[i].prompt->text;
        const uint64_t prompt = sl_hash_id(words, strlen(words));
        const size_t at = find(f, prompt) + wanted[i].slot;

        if (at >= f->count || f->list[at].prompt != prompt)
            return sl_err_hint(
                SL_FAIL(SL_EARG,
                        "want %u or more answers to the prompt \"%.60s\" in %s, found fewer",
                        wanted[i].slot + 1, words, f->path),
                "measure.on says how many answers of a prompt are taken");
        SL_TRY(sl_strdup(&said[i].text, f->list[at].text));
        said[i].stop = f->list[at].is_cut ? SL_STOP_LENGTH : SL_STOP_EOS;
    }
    return SL_OK;
}

static void file_close(void *state)
{
    file *f = state;

    for (size_t i = 0; i < f->rows; i++)
        sl_json_close(&f->row[i]);
    sl_free(f->row);
    sl_free(f->list);
    sl_free(f->path);
    sl_free(f);
}

static sl_status file_open(void **state, const sl_outside_settings *set)
{
    file *f = NULL;
    char *text = NULL;
    size_t bytes = 0;
    sl_status st;

    if (!set->candidates)
        return SL_FAIL(SL_EARG, "want a file of candidates, found none");
    SL_TRY(sl_take(&f, 1, sizeof *f));
    *state = f;
    SL_TRY(sl_strdup(&f->path, set->candidates));
    SL_TRY(sl_file_read(&text, &bytes, set->candidates, FILE_MOST));
    st = read_lines(f, (sl_span){ text, bytes });
    sl_free(text);
    return st;
}

const sl_outside_row sl_outside_file = {
    .name = "candidates", .open = file_open, .close = file_close, .say = file_say
};
