/* Files of votes: formats, lines, arrays. */
#include "analysis/special.h"
#include "analysis/votes_int.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

uint64_t sl_votes_pair(const uint64_t id[2])
{
    return sl_hash_id(id, 2 * sizeof *id);
}

/* --- values of a row ------------------------------------------------------------------------- */

/* Id of a member that may be text or an integer; *out = 0 when it is absent. */
static sl_status id_of(uint64_t *out, const sl_json *row, const char *key)
{
    const sl_json *value = json_object_get(row, key);

    *out = 0;
    if (!value || json_is_null(value))
        return SL_OK;
    if (json_is_integer(value)) {
        const int64_t n = json_integer_value(value);

        *out = sl_hash_id(&n, sizeof n);
        return SL_OK;
    }
    if (!json_is_string(value))
        return SL_FAIL(SL_EFORMAT, "want \"%s\" (text or an integer), found another type", key);
    *out = sl_hash_id(json_string_value(value), json_string_length(value));
    return SL_OK;
}

/* Characters (code points) of a text member; NaN without one. */
static double characters(const sl_json *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    double count = 0.0;

    if (!text)
        return NAN;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80; /* not a continuation byte of UTF-8 */
    return count;
}

static sl_status number_in(double *out, const sl_json *row, const char *key, double low,
                           double high)
{
    SL_TRY(sl_json_f64_or(out, row, key, NAN));
    if (*out < low || *out > high)
        return SL_FAIL(SL_EFORMAT, "want \"%s\" in [%g,%g], found %g", key, low, high, *out);
    return SL_OK;
}

static sl_status step_of(sl_vote_key *key, const sl_json *row)
{
    static const char *const names[] = { "step", "checkpoint", "iteration" };

    for (size_t i = 0; i < 3; i++)
        if (sl_json_has(row, names[i])) {
            key->has_step = 1;
            return sl_json_i64(&key->step, row, names[i]);
        }
    return SL_OK;
}

/* --- our own rows ---------------------------------------------------------------------------- */

static int is_own(const sl_json *row)
{
    return json_object_get(row, "vote") ||
           (json_object_get(row, "score_on") && json_object_get(row, "score_off"));
}

static sl_status own_vote(double *out, const sl_json *row, int is_soft)
{
    double on, off;

    if (json_object_get(row, "vote"))
        return number_in(out, row, "vote", 0.0, 1.0);
    SL_TRY(sl_json_f64_or(&on, row, "score_on", NAN));
    SL_TRY(sl_json_f64_or(&off, row, "score_off", NAN));
    if (is_soft || isnan(on) || isnan(off))
        *out = sl_sigmoid(on - off);
    else
        *out = on == off ? 0.5 : on > off;
    return SL_OK;
}

static sl_status own_order(sl_shown *out, const sl_json *row)
{
    const char *order;

    SL_TRY(sl_json_text_or(&order, row, "order", NULL));
    if (order && strcmp(order, "on-first") && strcmp(order, "off-first"))
        return SL_FAIL(SL_EFORMAT, "want \"order\" on-first or off-first, found \"%.64s\"", order);
    *out = !order                       ? SL_SHOWN_UNKNOWN
           : !strcmp(order, "on-first") ? SL_SHOWN_ON_FIRST
                                        : SL_SHOWN_OFF_FIRST;
    return SL_OK;
}

static sl_status read_own(sl_vote_row *out, sl_vote_key *key, const sl_json *row, int is_soft)
{
    uint64_t pair[2];

    SL_TRY(id_of(&out->prompt, row, "prompt_id"));
    if (!out->prompt)
        return SL_FAIL(SL_EFORMAT, "want \"prompt_id\" (text or an integer), found none");
    SL_TRY(own_vote(&out->p, row, is_soft));
    SL_TRY(own_order(&out->shown, row));
    SL_TRY(id_of(&pair[0], row, "on_id"));
    SL_TRY(id_of(&pair[1], row, "off_id"));
    out->pair = pair[0] || pair[1] ? sl_votes_pair(pair) : 0;
    SL_TRY(number_in(&out->chars_on, row, "len_on", 0.0, 1e15));
    SL_TRY(number_in(&out->chars_off, row, "len_off", 0.0, 1e15));
    SL_TRY(sl_json_text_or(&key->name, row, "name", key->name));
    SL_TRY(sl_json_text_or(&key->judge, row, "judge", NULL));
    return step_of(key, row);
}

/* --- AlpacaEval ------------------------------------------------------------------------------ */

/* Preference 1 is the baseline, 2 the model, 0 the old code of a draw. */
static sl_status preference(double *out, const sl_json *row)
{
    double p;

    SL_TRY(sl_json_f64_or(&p, row, "preference", NAN));
    if (!(isnan(p) || p == 0.0 || (p >= 1.0 && p <= 2.0)))
        return SL_FAIL(SL_EFORMAT, "want \"preference\" in [1,2], 0 or null, found %g", p);
    *out = p == 0.0 ? 0.5 : p - 1.0;
    return SL_OK;
}

static sl_status prompt_of(uint64_t *out, const sl_json *row, const char *text_key)
{
    SL_TRY(id_of(out, row, "prompt_id"));
    if (!*out)
        SL_TRY(id_of(out, row, text_key));
    if (!*out)
        return SL_FAIL(SL_EFORMAT, "want \"%s\" or \"prompt_id\", found neither", text_key);
    return SL_OK;
}

static int is_annotation(const sl_json *row)
{
    return json_object_get(row, "preference") && json_object_get(row, "output_2");
}

static sl_status read_annotation(sl_vote_row *out, sl_vote_key *key, const sl_json *row,
                                 int is_soft)
{
    (void)is_soft;
    SL_TRY(prompt_of(&out->prompt, row, "instruction"));
    SL_TRY(preference(&out->p, row));
    out->chars_on = characters(row, "output_2");
    out->chars_off = characters(row, "output_1");
    SL_TRY(sl_json_text_or(&key->name, row, "generator_2", key->name));
    return sl_json_text_or(&key->judge, row, "annotator", NULL);
}

static int is_rated(const sl_json *row)
{
    return json_object_get(row, "preference") && json_object_get(row, "output");
}

static sl_status read_rated(sl_vote_row *out, sl_vote_key *key, const sl_json *row, int is_soft)
{
    (void)is_soft;
    SL_TRY(prompt_of(&out->prompt, row, "prompt"));
    SL_TRY(preference(&out->p, row));
    out->chars_on = characters(row, "output");
    SL_TRY(sl_json_text_or(&key->name, row, "model", key->name));
    return sl_json_text_or(&key->judge, row, "judge", NULL);
}

static const struct {
    int (*recognises)(const sl_json *row);
    sl_status (*read)(sl_vote_row *out, sl_vote_key *key, const sl_json *row, int is_soft);
} formats[] = {
    { is_own, read_own },
    { is_annotation, read_annotation },
    { is_rated, read_rated },
};

static sl_status add_row(sl_vote_set *set, sl_vote_input *input, const sl_json *json,
                         const char *name)
{
    sl_vote_row row = { .chars_on = NAN, .chars_off = NAN };
    sl_vote_key key = { .name = name };
    sl_vote_point *point;

    if (!json_is_object(json))
        return SL_FAIL(SL_EFORMAT, "want an object with a vote, found another type");
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        if (!formats[f].recognises(json))
            continue;
        SL_TRY(formats[f].read(&row, &key, json, set->is_soft));
        SL_TRY(sl_votes_point(&point, set, &key));
        SL_TRY(sl_votes_add(point, &row));
        input->rows++;
        input->dropped += !isfinite(row.p);
        return SL_OK;
    }
    return SL_FAIL(SL_EFORMAT, "want \"vote\", \"score_on\" with \"score_off\", or \"preference\" "
                               "with \"output\", found none of them");
}

/* --- files ----------------------------------------------------------------------------------- */

static sl_status add_lines(sl_vote_set *set, sl_vote_input *input, const char *text, size_t bytes,
                           const char *path, const char *name)
{
    sl_span rest = { text, bytes }, line;
    size_t number = 0;

    while (sl_text_line(&line, &rest)) {
        char place[4200];
        sl_json *json;
        sl_status st;

        number++;
        if (strspn(line.at, " \t\r") >= line.bytes)
            continue;
        snprintf(place, sizeof place, "%s:%zu", path, number);
        SL_TRY(sl_json_parse(&json, line.at, line.bytes, place));
        st = sl_err_where(add_row(set, input, json, name), "%s", place);
        sl_json_close(&json);
        SL_TRY(st);
    }
    return SL_OK;
}

static sl_status add_array(sl_vote_set *set, sl_vote_input *input, const char *text, size_t bytes,
                           const char *path, const char *name)
{
    sl_json *list;
    sl_status st = SL_OK;

    SL_TRY(sl_json_parse(&list, text, bytes, path));
    for (size_t i = 0; i < json_array_size(list) && st == SL_OK; i++)
        st = sl_err_where(add_row(set, input, json_array_get(list, i), name), "%s element %zu",
                          path, i);
    sl_json_close(&list);
    return st;
}

/* File name without folders and without what follows the last ".json". */
static void name_of(char *out, size_t size, const char *path)
{
    const char *base = strrchr(path, '/');
    char *end;

    snprintf(out, size, "%s", base ? base + 1 : path);
    end = strstr(out, ".json");
    if (end && end > out)
        *end = 0;
}

static sl_status digest(sl_vote_input *input, const char *path, const char *text, size_t bytes)
{
    sl_sha256 sha;
    unsigned char hash[32];

    if (strcmp(path, "-"))
        return sl_sha256_file(input->sha256, path);
    sl_sha256_open(&sha);
    sl_sha256_add(&sha, text, bytes);
    sl_sha256_close(&sha, hash);
    sl_sha256_hex(input->sha256, hash);
    return SL_OK;
}

sl_status sl_votes_read(sl_vote_set *set, const char *path)
{
    char *text = NULL, name[256];
    size_t bytes = 0;
    const char *shown = strcmp(path, "-") ? path : "stdin";
    sl_vote_input *input;
    sl_status st = SL_OK;

    SL_TRY(sl_votes_input(&input, set, path));
    name_of(name, sizeof name, shown);
    SL_TRY_OUT(sl_file_read(&text, &bytes, path, SL_VOTES_FILE_MOST));
    SL_TRY_OUT(digest(input, path, text, bytes));
    if (text[strspn(text, " \t\r\n")] == '[')
        st = add_array(set, input, text, bytes, shown, name);
    else
        st = add_lines(set, input, text, bytes, shown, name);
    if (st == SL_OK && !input->rows)
        st = SL_FAIL(SL_EFORMAT, "want votes, found an empty file");
    if (st != SL_OK && !*sl_err_place())
        st = sl_err_where(st, "%s", shown);
out:
    sl_free(text);
    return st;
}
