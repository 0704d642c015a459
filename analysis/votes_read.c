/* Files of votes: formats, and rows that contradict each other. */
#include "analysis/special.h"
#include "analysis/votes_int.h"
#include "base/hash.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

uint64_t sl_votes_pair(const uint64_t id[2])
{
    return sl_hash_id(id, 2 * sizeof *id);
}

/* --- values of a row ------------------------------------------------------------------------- */

double sl_votes_characters(const sl_json *row, const char *key)
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

sl_status sl_votes_step(int64_t *step, int *has_step, const sl_json *row)
{
    static const char *const names[] = { "step", "checkpoint", "iteration" };

    for (size_t i = 0; i < 3; i++)
        if (sl_json_has(row, names[i])) {
            *has_step = 1;
            return sl_json_i64(step, row, names[i]);
        }
    return SL_OK;
}

static sl_status judge_and_sides(sl_vote_key *key, const sl_json *row)
{
    SL_TRY(sl_json_text_or(&key->judge, row, "judge", NULL));
    SL_TRY(sl_json_text_or(&key->family, row, "family", NULL));
    return sl_json_text_or(&key->baseline, row, "baseline", NULL);
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

static sl_status own_cut(sl_vote_row *out, const sl_json *row)
{
    static const char *const keys[] = { "truncated_on", "truncated_off" };

    for (size_t k = 0; k < 2; k++) {
        int is_cut;

        SL_TRY(sl_json_bool_or(&is_cut, row, keys[k], 0));
        out->cut |= (uint8_t)(is_cut ? 1u << k : 0u);
        out->has_cut |= (uint8_t)sl_json_has(row, keys[k]);
    }
    return SL_OK;
}

static sl_status read_own(sl_vote_row *out, sl_vote_key *key, const sl_json *row, int is_soft)
{
    uint64_t pair[2];

    SL_TRY(sl_json_id(&out->prompt, row, "prompt_id"));
    if (!out->prompt)
        return SL_FAIL(SL_EFORMAT, "want \"prompt_id\" (text or an integer), found none");
    SL_TRY(own_vote(&out->p, row, is_soft));
    SL_TRY(own_order(&out->shown, row));
    SL_TRY(sl_json_id(&pair[0], row, "on_id"));
    SL_TRY(sl_json_id(&pair[1], row, "off_id"));
    out->pair = pair[0] || pair[1] ? sl_votes_pair(pair) : 0;
    SL_TRY(number_in(&out->chars_on, row, "len_on", 0.0, 1e15));
    SL_TRY(number_in(&out->chars_off, row, "len_off", 0.0, 1e15));
    SL_TRY(own_cut(out, row));
    SL_TRY(sl_json_text_or(&key->name, row, "name", key->name));
    SL_TRY(judge_and_sides(key, row));
    return sl_votes_step(&key->step, &key->has_step, row);
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

sl_status sl_votes_prompt(uint64_t *out, const sl_json *row, const char *text_key)
{
    SL_TRY(sl_json_id(out, row, "prompt_id"));
    if (!*out)
        SL_TRY(sl_json_id(out, row, text_key));
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
    SL_TRY(sl_votes_prompt(&out->prompt, row, "instruction"));
    SL_TRY(preference(&out->p, row));
    out->chars_on = sl_votes_characters(row, "output_2");
    out->chars_off = sl_votes_characters(row, "output_1");
    SL_TRY(sl_json_text_or(&key->name, row, "generator_2", key->name));
    SL_TRY(sl_json_text_or(&key->baseline, row, "generator_1", NULL));
    return sl_json_text_or(&key->judge, row, "annotator", NULL);
}

static int is_rated(const sl_json *row)
{
    return json_object_get(row, "preference") && json_object_get(row, "output");
}

static sl_status read_rated(sl_vote_row *out, sl_vote_key *key, const sl_json *row, int is_soft)
{
    (void)is_soft;
    SL_TRY(sl_votes_prompt(&out->prompt, row, "prompt"));
    SL_TRY(preference(&out->p, row));
    out->chars_on = sl_votes_characters(row, "output");
    SL_TRY(sl_json_text_or(&key->name, row, "model", key->name));
    return judge_and_sides(key, row);
}

static const struct {
    int (*recognises)(const sl_json *row);
    sl_status (*read)(sl_vote_row *out, sl_vote_key *key, const sl_json *row, int is_soft);
} formats[] = {
    { is_own, read_own },
    { is_annotation, read_annotation },
    { is_rated, read_rated },
};

/* --- rows against each other ------------------------------------------------------------------ */

/* Reading of one file. */
typedef struct vote_file {
    sl_vote_set *set;
    size_t input;
    char name[256];
    int has_row, has_judge; /* the first row names a judge */
} vote_file;

static sl_status check_prompt(sl_vote_set *set, const sl_json *row)
{
    uint64_t id, text = 0;

    SL_TRY(sl_json_id(&id, row, "prompt_id"));
    if (json_is_string(json_object_get(row, "prompt")))
        SL_TRY(sl_json_id(&text, row, "prompt"));
    else if (json_is_string(json_object_get(row, "instruction")))
        SL_TRY(sl_json_id(&text, row, "instruction"));
    return sl_prompt_names_check(&set->names, id, text);
}

static sl_status check_judge(vote_file *f, const sl_vote_key *key)
{
    const int has_judge = key->judge != NULL;

    if (!f->has_row) {
        f->has_row = 1;
        f->has_judge = has_judge;
    }
    if (has_judge != f->has_judge)
        return SL_FAIL(SL_EFORMAT, has_judge ? "want no judge, as in the first row, found one"
                                             : "want a judge, as in the first row, found none");
    return SL_OK;
}

static sl_status add_row(void *state, const sl_json *json)
{
    vote_file *file = state;
    sl_vote_set *set = file->set;
    sl_vote_row row = { .chars_on = NAN, .chars_off = NAN };
    sl_vote_key key = { .name = file->name };
    sl_vote_point *point;

    if (!json_is_object(json))
        return SL_FAIL(SL_EFORMAT, "want an object with a vote, found another type");
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        if (!formats[f].recognises(json))
            continue;
        SL_TRY(formats[f].read(&row, &key, json, set->is_soft));
        SL_TRY(check_prompt(set, json));
        SL_TRY(check_judge(file, &key));
        SL_TRY(sl_votes_point(&point, set, &key));
        SL_TRY(sl_votes_add(point, &row));
        set->input[file->input].rows++;
        set->input[file->input].dropped += !isfinite(row.p);
        return SL_OK;
    }
    return SL_FAIL(SL_EFORMAT, "want \"vote\", \"score_on\" with \"score_off\", or \"preference\" "
                               "with \"output\", found none of them");
}

void sl_votes_name(char *out, size_t size, const char *path)
{
    const char *base = strrchr(path, '/');
    char *end;

    if (!strcmp(path, "-"))
        path = "stdin";
    snprintf(out, size, "%s", base ? base + 1 : path);
    end = strstr(out, ".json");
    if (end && end > out)
        *end = 0;
}

sl_status sl_votes_read(sl_vote_set *set, const char *path)
{
    const sl_rows_limit usual = sl_rows_limit_defaults();
    vote_file file = { .set = set, .input = set->inputs };
    sl_vote_input *input;

    SL_TRY(sl_votes_input(&input, set, path));
    sl_votes_name(file.name, sizeof file.name, path);
    return sl_rows_read(&input->read, path, set->limit ? set->limit : &usual, add_row, &file);
}
