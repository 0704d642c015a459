/* Rows of answers, a format a row of the table. */
#include "analysis/sets_int.h"
#include "analysis/votes_int.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "run/schema.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- values ------------------------------------------------------------------------------------
 */

/* A number of a list at i: NaN where the list, or its value, is not there. */
static sl_status number_at(double *out, const sl_json *list, size_t i, size_t n, const char *key)
{
    const sl_json *x = json_array_get(list, i);

    *out = NAN;
    if (!list || json_is_null(list))
        return SL_OK;
    if (!json_is_array(list) || json_array_size(list) != n)
        return SL_FAIL(SL_EFORMAT, "want \"%s\" (a list of %zu, one an answer), found another", key,
                       n);
    if (!json_is_number(x) && !json_is_null(x))
        return SL_FAIL(SL_EFORMAT, "want numbers in \"%s\", found another value at %zu", key, i);
    if (json_is_number(x))
        *out = json_number_value(x);
    return SL_OK;
}

/* The list of a list at i; NULL: none. */
static sl_status list_at(const sl_json **out, const sl_json *lists, size_t i, size_t n,
                         const char *key)
{
    *out = NULL;
    if (!lists || json_is_null(lists))
        return SL_OK;
    if (!json_is_array(lists) || json_array_size(lists) != n)
        return SL_FAIL(SL_EFORMAT, "want \"%s\" (a list of %zu, one an answer), found another", key,
                       n);
    *out = json_array_get(lists, i);
    if (json_is_null(*out))
        *out = NULL;
    if (*out && !json_is_array(*out))
        return SL_FAIL(SL_EFORMAT, "want lists in \"%s\", found another value at %zu", key, i);
    return SL_OK;
}

/* The next row of the .npy file becomes the answer's vector. */
static sl_status next_vector(sl_group *g, sl_set_file *f)
{
    const size_t dim = sl_npy_dim(f->npy);

    if (sl_npy_next(f->vector, f->npy) != SL_OK)
        return SL_EIO; /* not this row's fault: ends the reading */
    SL_TRY(sl_grow(&g->vector, &g->vector_capacity, g->n * dim, sizeof *g->vector));
    memcpy(g->vector + (g->n - 1) * dim, f->vector, dim * sizeof *f->vector);
    g->dim = dim;
    g->has_vector = 1;
    return SL_OK;
}

static sl_status add_answer(sl_set_row *r, sl_group *g, const sl_one_answer *a)
{
    const size_t take = r->file->sets->settings.take;

    if (take && g->n >= take)
        return r->file->npy ? sl_npy_next(r->file->vector, r->file->npy) : SL_OK;
    SL_TRY(sl_group_add(g, a));
    return r->file->npy ? next_vector(g, r->file) : SL_OK;
}

/* --- the group of a row ------------------------------------------------------------------------
 */

static sl_status group_of(sl_group **out, sl_set_row *r, int origin)
{
    sl_set_key key = r->key;
    size_t set;

    key.origin = origin;
    SL_TRY(sl_sets_find(&set, r->file->sets, &key));
    for (size_t k = 0; k < r->groups; k++)
        if (r->group[k]->set == set) {
            *out = r->group[k];
            return SL_OK;
        }
    *out = r->group[r->groups++] = sl_batch_group(r->file->batch, set, r->prompt);
    return SL_OK;
}

static uint64_t text_id(const sl_json *value)
{
    char *text = NULL;
    uint64_t id;

    if (json_is_string(value))
        return sl_hash_id(json_string_value(value), json_string_length(value));
    if (!json_is_array(value) || sl_json_dump(&text, value, 0) != SL_OK)
        return 0;
    id = sl_hash_id(text, strlen(text));
    sl_free(text);
    return id;
}

/* A prompt is known by its words where the row has them, else by its id: so that files that name
 * prompts differently meet. */
static sl_status prompt_of(sl_set_row *r)
{
    static const char *const keys[] = { "prompt", "instruction", "messages", "prompt_ids" };
    uint64_t id, text = 0;

    SL_TRY(sl_json_id(&id, r->json, "prompt_id"));
    for (size_t k = 0; k < sizeof keys / sizeof keys[0] && !text; k++)
        text = text_id(json_object_get(r->json, keys[k]));
    if (!id && !text)
        return SL_FAIL(
            SL_EFORMAT,
            "want \"prompt\", \"instruction\", \"messages\" or \"prompt_id\", found none");
    r->prompt = text ? text : id;
    return sl_prompt_names_check(&r->file->sets->names, id, text);
}

/* --- formats -----------------------------------------------------------------------------------
 */

/* SimPO and Snorkel, and what training keeps; Online-RLHF. */
static const struct {
    const char *answers, *scores;
} list_keys[] = { { "all_generated_responses", "all_rm_scores" }, { "responses", "rewards" } };
enum { LIST_KEYS = sizeof list_keys / sizeof list_keys[0] };

static int is_lists(const sl_json *row)
{
    return json_is_array(json_object_get(row, list_keys[0].answers)) ||
           json_is_array(json_object_get(row, list_keys[1].answers));
}

/* SPPO: P(row beats column) among all answers of the row. */
static sl_status read_wins(sl_group *g, const sl_json *matrix)
{
    if (!matrix || json_is_null(matrix))
        return SL_OK;
    SL_TRY(sl_grow(&g->win, &g->win_capacity, g->n * g->n + 1, sizeof *g->win));
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->n; j++) {
            double *p = &g->win[i * g->n + j];

            if (!json_is_array(matrix) || json_array_size(matrix) < g->n)
                return SL_FAIL(SL_EFORMAT, "want \"probability\" (%zu rows), found another", g->n);
            SL_TRY(
                number_at(p, json_array_get(matrix, i), j, json_array_size(matrix), "probability"));
            if (isnan(*p) || *p < 0.0 || *p > 1.0)
                return SL_FAIL(SL_EFORMAT,
                               "want \"probability\" in [0,1], found another at %zu, "
                               "%zu",
                               i, j);
        }
    g->has |= SL_NEEDS_WINS;
    return SL_OK;
}

static sl_status read_lists(sl_set_row *r)
{
    static const char *const lists[] = { "all_token_logps", "all_token_entropies",
                                         "all_embeddings" };
    static const char *const numbers[] = { "all_logps", "all_ref_logps" };
    const size_t k = json_is_array(json_object_get(r->json, list_keys[0].answers)) ? 0 : 1;
    const sl_json *texts = json_object_get(r->json, list_keys[k].answers);
    const size_t n = json_array_size(texts);
    sl_group *g;

    if (!n || n > SL_ANSWERS_MOST)
        return SL_FAIL(SL_EFORMAT, "want \"%s\" (1 to %d answers), found %zu", list_keys[k].answers,
                       SL_ANSWERS_MOST, n);
    SL_TRY(group_of(&g, r, SL_ORIGIN_OTHER));
    for (size_t i = 0; i < n; i++) {
        sl_one_answer a = sl_one_answer_unknown();
        const sl_json *text = json_array_get(texts, i);

        if (!json_is_string(text))
            return SL_FAIL(SL_EFORMAT, "want texts in \"%s\", found another value at %zu",
                           list_keys[k].answers, i);
        a.text = json_string_value(text);
        a.bytes = json_string_length(text);
        SL_TRY(number_at(&a.score, json_object_get(r->json, list_keys[k].scores), i, n,
                         list_keys[k].scores));
        SL_TRY(number_at(&a.logp, json_object_get(r->json, numbers[0]), i, n, numbers[0]));
        SL_TRY(number_at(&a.ref_logp, json_object_get(r->json, numbers[1]), i, n, numbers[1]));
        SL_TRY(list_at(&a.token_logps, json_object_get(r->json, lists[0]), i, n, lists[0]));
        SL_TRY(list_at(&a.token_entropies, json_object_get(r->json, lists[1]), i, n, lists[1]));
        SL_TRY(list_at(&a.vector, json_object_get(r->json, lists[2]), i, n, lists[2]));
        SL_TRY(add_answer(r, g, &a));
    }
    return read_wins(g, json_object_get(r->json, "probability"));
}

/* What `sample` writes and `judge` reads: {"answers": [{"text", "source", "score", "logps"}]}. */
static int is_answers(const sl_json *row)
{
    return json_is_array(json_object_get(row, "answers"));
}

static sl_status origin_of(int *out, const sl_json *answer)
{
    const char *source;

    SL_TRY(sl_json_text_or(&source, answer, "source", ""));
    if (*source && strcmp(source, "static") && strcmp(source, "on-policy"))
        return SL_FAIL(SL_EFORMAT, "want \"source\" on-policy or static, found \"%.64s\"", source);
    *out = !*source                    ? SL_ORIGIN_OTHER
           : !strcmp(source, "static") ? SL_ORIGIN_STATIC
                                       : SL_ORIGIN_ON_POLICY;
    return SL_OK;
}

/* "ids" as text where there are no words. */
static sl_status words_of(char **made, sl_one_answer *a, const sl_json *row)
{
    const sl_json *text = json_object_get(row, "text");

    if (json_is_string(text)) {
        a->text = json_string_value(text);
        a->bytes = json_string_length(text);
        return SL_OK;
    }
    if (!json_is_array(json_object_get(row, "ids")))
        return SL_FAIL(SL_EFORMAT, "want \"text\" or \"ids\", found neither");
    SL_TRY(sl_json_dump(made, json_object_get(row, "ids"), 0));
    for (char *c = *made; *c; c++) /* [1,2] is the words 1 2 */
        *c = *c == '[' || *c == ']' || *c == ',' ? ' ' : *c;
    a->text = *made;
    a->bytes = strlen(*made);
    return SL_OK;
}

static sl_status read_list_of(const sl_json **out, const sl_json *row, const char *key)
{
    *out = json_object_get(row, key);
    if (json_is_null(*out))
        *out = NULL;
    if (*out && !json_is_array(*out))
        return SL_FAIL(SL_EFORMAT, "want \"%s\" (a list of numbers), found another value", key);
    return SL_OK;
}

static sl_status read_listed(sl_set_row *r, const sl_json *row)
{
    sl_one_answer a = sl_one_answer_unknown();
    char *made = NULL;
    sl_group *g = NULL;
    int origin;
    sl_status st = SL_OK;

    SL_TRY(origin_of(&origin, row));
    SL_TRY(sl_json_f64_or(&a.score, row, "score", NAN));
    SL_TRY(sl_json_f64_or(&a.logp, row, "logp", NAN));
    SL_TRY(sl_json_f64_or(&a.ref_logp, row, "ref_logp", NAN));
    SL_TRY(read_list_of(&a.token_logps, row, "logps"));
    SL_TRY(read_list_of(&a.token_entropies, row, "entropies"));
    SL_TRY(read_list_of(&a.vector, row, "embedding"));
    SL_TRY_OUT(words_of(&made, &a, row));
    SL_TRY_OUT(group_of(&g, r, origin));
    st = add_answer(r, g, &a);
out:
    sl_free(made);
    return st;
}

static sl_status read_answers(sl_set_row *r)
{
    const sl_json *list = json_object_get(r->json, "answers");
    const size_t n = json_array_size(list);
    const sl_json *first = json_array_get(list, 0);
    int origins = 0;

    if (!n || n > SL_ANSWERS_MOST)
        return SL_FAIL(SL_EFORMAT, "want \"answers\" (1 to %d), found %zu", SL_ANSWERS_MOST, n);
    for (size_t i = 0; i < n; i++) {
        int is_there = sl_json_has(json_array_get(list, i), "source");

        origins += is_there != sl_json_has(first, "source");
    }
    if (origins)
        return SL_FAIL(SL_EFORMAT, "want a \"source\" of all answers or of none, found some");
    for (size_t i = 0; i < n; i++)
        SL_TRY(sl_err_where(read_listed(r, json_array_get(list, i)), "answer %zu", i));
    return SL_OK;
}

/* {"on": TEXT, "off": TEXT} without a vote. */
static int is_two(const sl_json *row)
{
    return json_is_string(json_object_get(row, "on")) &&
           json_is_string(json_object_get(row, "off")) && !json_object_get(row, "vote") &&
           !json_object_get(row, "score_on");
}

static sl_status read_two(sl_set_row *r)
{
    static const char *const keys[] = { "on", "off" };
    static const int origins[] = { SL_ORIGIN_ON_POLICY, SL_ORIGIN_STATIC };

    for (size_t k = 0; k < 2; k++) {
        sl_one_answer a = sl_one_answer_unknown();
        const sl_json *text = json_object_get(r->json, keys[k]);
        sl_group *g;

        a.text = json_string_value(text);
        a.bytes = json_string_length(text);
        SL_TRY(group_of(&g, r, origins[k]));
        SL_TRY(add_answer(r, g, &a));
    }
    return SL_OK;
}

/* AlpacaEval outputs. */
static int is_output(const sl_json *row)
{
    return json_is_string(json_object_get(row, "output")) &&
           (json_object_get(row, "instruction") || json_object_get(row, "prompt")) &&
           !sl_json_has(row, "preference") && !sl_json_has(row, "baseline");
}

static sl_status read_output(sl_set_row *r)
{
    sl_one_answer a = sl_one_answer_unknown();
    const sl_json *text = json_object_get(r->json, "output");
    sl_group *g;

    SL_TRY(sl_json_text_or(&r->key.name, r->json, "model", r->key.name));
    SL_TRY(sl_json_text_or(&r->key.name, r->json, "generator", r->key.name));
    SL_TRY(sl_json_f64_or(&a.score, r->json, "score", NAN));
    a.text = json_string_value(text);
    a.bytes = json_string_length(text);
    SL_TRY(group_of(&g, r, SL_ORIGIN_OTHER));
    return add_answer(r, g, &a);
}

static const struct {
    int (*recognises)(const sl_json *row);
    sl_status (*read)(sl_set_row *r);
} formats[] = {
    { is_lists, read_lists },
    { is_answers, read_answers },
    { is_two, read_two },
    { is_output, read_output },
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

static size_t format_of(const sl_json *row)
{
    size_t f = 0;

    while (f < FORMATS && !(json_is_object(row) && formats[f].recognises(row)))
        f++;
    return f;
}

/* --- rows --------------------------------------------------------------------------------------
 */

static sl_answer_set *set_of(const sl_set_row *r, size_t group)
{
    return &r->file->sets->set[r->group[group]->set];
}

/* A prompt stands in a set once: a second row would count as a prompt of its own. A row that is
 * refused for one of its sets leaves no trace in the others. */
static sl_status accept(const sl_set_row *r)
{
    for (size_t k = 0; k < r->groups; k++) {
        const uint64_t at = sl_id_map_find(&set_of(r, k)->seen, r->prompt);

        if (at)
            return SL_FAIL(SL_EFORMAT,
                           "want a prompt once in a set, found it again (first as "
                           "prompt %llu)",
                           (unsigned long long)at);
    }
    for (size_t k = 0; k < r->groups; k++) {
        sl_answer_set *s = set_of(r, k);
        uint64_t at = s->seen.count + 1;

        SL_TRY(sl_id_map_get(&at, &s->seen, r->prompt));
    }
    return SL_OK;
}

int sl_set_row_is(const sl_json *row)
{
    return format_of(row) < FORMATS;
}

sl_status sl_set_row_read(sl_set_row *r)
{
    const size_t f = format_of(r->json);

    if (f == FORMATS)
        return SL_FAIL(SL_EFORMAT, "want answers (\"all_generated_responses\", \"responses\", "
                                   "\"answers\", \"on\" with \"off\", or \"output\"), found none "
                                   "of them");
    SL_TRY(sl_json_text_or(&r->key.name, r->json, "name", r->key.name));
    SL_TRY(sl_votes_step(&r->key.step, &r->key.has_step, r->json));
    SL_TRY(prompt_of(r));
    SL_TRY(formats[f].read(r));
    return accept(r);
}
