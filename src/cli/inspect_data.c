/* A data file: rows, keys and what kind of rows they are. One JSON object per line, plain or
 * gzip'ed, or one JSON list of objects. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/inspect.h"
#include <stdio.h>
#include <string.h>

enum { FILE_MAX_BYTES = 2147483647, KEYS_MAX = 3 };

/* The first row whose keys are all there names the format. */
static const struct {
    const char *name, *what;
    const char *key[KEYS_MAX];
} formats[] = {
    { "votes", "votes on pairs of answers", { "prompt_id", "vote" } },
    { "votes", "scores of pairs of answers", { "prompt_id", "score_on", "score_off" } },
    { "alpacaeval-annotations", "annotations of AlpacaEval", { "preference", "output_2" } },
    { "alpacaeval-rows", "rows of AlpacaEval", { "output", "baseline", "preference" } },
    { "pairs-ids",
      "preference pairs as token ids",
      { "prompt_ids", "chosen_ids", "rejected_ids" } },
    { "pairs", "preference pairs with prompts", { "prompt", "chosen", "rejected" } },
    { "pairs-chat", "preference pairs as whole conversations", { "chosen", "rejected" } },
    { "all-outputs", "several scored answers a prompt", { "prompt", "all_generated_responses" } },
    { "prompts", "prompts without answers", { "prompt" } },
};

typedef struct rows {
    size_t count, bad;
    char first_bad[512]; /* the first row that is no object: place and reason */
    sl_json *keys;       /* key -> rows that have it */
    const char *format, *what;
} rows;

static void find_format(rows *r, const sl_json *row)
{
    for (size_t f = 0; f < sizeof formats / sizeof formats[0] && !r->format; f++) {
        int has = 1;

        for (size_t k = 0; k < KEYS_MAX && formats[f].key[k]; k++)
            has &= sl_json_has(row, formats[f].key[k]);
        if (!has)
            continue;
        r->format = formats[f].name;
        r->what = formats[f].what;
    }
}

static sl_status count_row(rows *r, sl_json *row)
{
    const char *key;
    json_t *value;

    r->count++;
    if (!r->format)
        find_format(r, row);
    json_object_foreach(row, key, value)
    {
        const json_int_t before = json_integer_value(json_object_get(r->keys, key));

        if (json_object_set_new(r->keys, key, json_integer(before + 1)) != 0)
            return SL_FAIL(SL_ENOMEM, "want memory for a list of keys, found none");
    }
    return SL_OK;
}

/* Takes the error at hand as a bad row. */
static void bad_row(rows *r, sl_status st)
{
    if (st == SL_OK)
        return;
    if (!r->bad++)
        snprintf(r->first_bad, sizeof r->first_bad, "%s: %s", sl_err_place(), sl_err_message());
    sl_err_clear();
}

static sl_status count_line(rows *r, sl_span line, const char *path, size_t number)
{
    char where[300];
    sl_json *row = NULL;
    sl_status st;

    snprintf(where, sizeof where, "%.255s:%zu", path, number);
    st = sl_json_parse(&row, line.at, line.bytes, where);
    if (st == SL_OK && !json_is_object(row))
        st = sl_err_where(SL_FAIL(SL_EFORMAT, "want an object, found another value"), "%s", where);
    if (st == SL_EFORMAT) {
        bad_row(r, st);
        st = SL_OK;
    } else if (st == SL_OK) {
        st = count_row(r, row);
    }
    sl_json_close(&row);
    return st;
}

static int is_blank(sl_span line)
{
    for (size_t i = 0; i < line.bytes; i++)
        if (!strchr(" \t\r", line.at[i]))
            return 0;
    return 1;
}

static sl_status count_lines(rows *r, sl_span text, const char *path)
{
    sl_span line;
    size_t number = 0;

    while (sl_text_line(&line, &text)) {
        number++;
        if (!is_blank(line))
            SL_TRY(count_line(r, line, path, number));
    }
    return SL_OK;
}

static sl_status count_list(rows *r, sl_span text, const char *path)
{
    sl_json *list = NULL, *row;
    size_t i;
    sl_status st;

    SL_TRY(sl_json_parse(&list, text.at, text.bytes, path));
    st = SL_OK;
    json_array_foreach(list, i, row)
    {
        if (json_is_object(row)) {
            SL_TRY_OUT(count_row(r, row));
            continue;
        }
        bad_row(r, sl_err_where(SL_FAIL(SL_EFORMAT, "want an object, found another value"),
                                "%s row %zu", path, i + 1));
    }
out:
    sl_json_close(&list);
    return st;
}

static sl_status read_rows(rows *r, char hash[65], size_t *bytes, const char *path)
{
    char *data = NULL;
    sl_span text;
    sl_status st;

    SL_TRY(sl_file_read(&data, bytes, path, FILE_MAX_BYTES));
    text = (sl_span){ data, *bytes };
    while (text.bytes && strchr(" \t\r\n", *text.at)) {
        text.at++;
        text.bytes--;
    }
    st = text.bytes && *text.at == '[' ? count_list(r, text, path)
                                       : count_lines(r, (sl_span){ data, *bytes }, path);
    sl_free(data);
    if (st == SL_OK && strcmp(path, "-") != 0)
        st = sl_sha256_file(hash, path);
    return st;
}

static sl_status describe(sl_json **out, const rows *r, const char *path, const char *hash,
                          size_t bytes)
{
    if (!r->count)
        return sl_err_hint(
            sl_err_where(SL_FAIL(SL_EFORMAT, "want JSON rows, found %zu that are none", r->bad),
                         "%s", path),
            "a model folder has config.json, a run has run.json");
    *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s?, s:I, s:s?, s:O}", "schema",
                     "stageline.inspect/1", "kind", "data", "path", path, "format",
                     r->format ? r->format : "unknown", "what",
                     r->what ? r->what : "rows of no known format", "rows", (json_int_t)r->count,
                     "bad_rows", (json_int_t)r->bad, "first_bad", r->bad ? r->first_bad : NULL,
                     "bytes", (json_int_t)bytes, "sha256", *hash ? hash : NULL, "keys", r->keys);
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for what was found, found none");
    return SL_OK;
}

sl_status sl_inspect_data(sl_json **out, const char *path, const sl_inspect_opts *o)
{
    rows r = { .keys = json_object() };
    char hash[65] = "";
    size_t bytes = 0;
    sl_status st = SL_OK;

    (void)o;
    if (!r.keys)
        return SL_FAIL(SL_ENOMEM, "want memory for a list of keys, found none");
    SL_TRY_OUT(read_rows(&r, hash, &bytes, path));
    SL_TRY_OUT(describe(out, &r, path, hash, bytes));
out:
    sl_json_close(&r.keys);
    return st;
}
