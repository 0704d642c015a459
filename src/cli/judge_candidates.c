#include "cli/judge_candidates.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CANDIDATES_MOST ((size_t)1 << 30) /* bytes of a file, after inflation */
enum { ANSWERS_MOST = 1024 };             /* of a prompt */

const char *const sl_candidate_keys[] = { "name", "step", "checkpoint", "iteration", NULL };

typedef struct answer {
    sl_answer answer;
    char id[64];
    sl_source source;
} answer;

/* --- words and ids --------------------------------------------------------------------------- */

/* Token ids of `key`; *out NULL: there are none. */
static sl_status read_ids(sl_candidates *c, const int32_t **out, uint32_t *count,
                          const sl_json *row, const char *key)
{
    const sl_json *list = json_object_get(row, key);
    const size_t n = json_array_size(list);
    int32_t *ids = NULL;

    *out = NULL;
    *count = 0;
    if (!list || json_is_null(list))
        return SL_OK;
    if (!json_is_array(list) || !n || n > INT32_MAX)
        return SL_FAIL(SL_EFORMAT, "want \"%s\" (a list of token ids), found another value", key);
    SL_TRY(sl_grow(&c->ids, &c->list_capacity, c->lists + 1, sizeof *c->ids));
    SL_TRY(sl_take(&ids, n, sizeof *ids));
    c->ids[c->lists++] = ids;
    for (size_t i = 0; i < n; i++) {
        const sl_json *id = json_array_get(list, i);
        const json_int_t value = json_integer_value(id);

        if (!json_is_integer(id) || value < 0 || value > INT32_MAX)
            return SL_FAIL(SL_EFORMAT, "want token ids in \"%s\", found another value", key);
        ids[i] = (int32_t)value;
    }
    *out = ids;
    *count = (uint32_t)n;
    return SL_OK;
}

/* The id as the row has it, else the hash of what the answer says, so that it is the same in any
 * place and file. */
static sl_status name_answer(answer *a, const sl_json *row, const char *key)
{
    const sl_json *id = json_object_get(row, key);
    sl_answer *x = &a->answer;
    int bytes;

    SL_TRY(sl_json_id(&x->id, row, key));
    if (!x->id) {
        x->id = x->text ? sl_hash_id(x->text, x->bytes)
                        : sl_hash_id(x->token, x->count * sizeof *x->token);
        bytes = snprintf(a->id, sizeof a->id, "%016" PRIx64, x->id);
    } else if (json_is_string(id)) {
        bytes = snprintf(a->id, sizeof a->id, "%s", json_string_value(id));
    } else {
        bytes = snprintf(a->id, sizeof a->id, "%lld", (long long)json_integer_value(id));
    }
    if (bytes >= (int)sizeof a->id)
        return SL_FAIL(SL_EFORMAT, "want \"%s\" below %zu bytes, found %d", key, sizeof a->id,
                       bytes);
    return SL_OK;
}

/* Keys of an answer in its row. */
typedef struct answer_keys {
    const char *text, *ids, *score, *id;
} answer_keys;

static sl_status read_answer(sl_candidates *c, answer *a, const sl_json *row,
                             const answer_keys *key)
{
    sl_answer *x = &a->answer;
    double score;

    SL_TRY(sl_json_text_or(&x->text, row, key->text, NULL));
    SL_TRY(read_ids(c, &x->token, &x->count, row, key->ids));
    SL_TRY(sl_json_f64_or(&score, row, key->score, NAN));
    if (!x->text && !x->token)
        return SL_FAIL(SL_EFORMAT, "want \"%s\" (text) or \"%s\" (token ids), found neither",
                       key->text, key->ids);
    x->score = (float)score;
    x->bytes = x->text ? (uint32_t)strlen(x->text) : x->count;
    x->chars = x->text ? sl_text_chars(x->text) : x->count;
    return name_answer(a, row, key->id);
}

/* --- rows ------------------------------------------------------------------------------------ */

/* {"answers": [{"text" or "ids", "source", "score", "id"}, ...]} */
static sl_status read_listed(sl_candidates *c, answer *a, const sl_json *row)
{
    static const char *const sources[] = { "static", "on-policy", NULL };
    static const answer_keys keys = { "text", "ids", "score", "id" };
    const char *source, *near;
    sl_status st;

    SL_TRY(sl_json_text(&source, row, "source"));
    if (strcmp(source, sources[SL_SOURCE_STATIC]) && strcmp(source, sources[SL_SOURCE_ON_POLICY])) {
        near = sl_text_nearest(source, sources);
        st = SL_FAIL(SL_EFORMAT, "want \"source\" on-policy or static, found \"%.64s\"", source);
        return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
    }
    a->source = strcmp(source, sources[SL_SOURCE_STATIC]) ? SL_SOURCE_ON_POLICY : SL_SOURCE_STATIC;
    return read_answer(c, a, row, &keys);
}

static sl_status read_list(sl_candidates *c, answer *a, size_t *count, const sl_json *row)
{
    const sl_json *list = json_object_get(row, "answers");

    if (!json_is_array(list) || json_array_size(list) > ANSWERS_MOST)
        return SL_FAIL(SL_EFORMAT, "want \"answers\" (a list of at most %d), found another value",
                       ANSWERS_MOST);
    for (*count = 0; *count < json_array_size(list); ++*count)
        SL_TRY(sl_err_where(read_listed(c, &a[*count], json_array_get(list, *count)), "answer %zu",
                            *count));
    return SL_OK;
}

/* {"on", "off", "score_on", "score_off", "on_id", "off_id"}; "on_ids", "off_ids" without words. */
static sl_status read_two(sl_candidates *c, answer *a, size_t *count, const sl_json *row)
{
    static const answer_keys on = { "on", "on_ids", "score_on", "on_id" };
    static const answer_keys off = { "off", "off_ids", "score_off", "off_id" };

    a[0].source = SL_SOURCE_ON_POLICY;
    a[1].source = SL_SOURCE_STATIC;
    *count = 2;
    SL_TRY(read_answer(c, &a[0], row, &on));
    return read_answer(c, &a[1], row, &off);
}

static sl_status read_prompt(sl_candidates *c, sl_prompt_text *p, const sl_json *row)
{
    SL_TRY(sl_json_id(&p->id, row, "prompt_id"));
    if (!p->id)
        return SL_FAIL(SL_EFORMAT, "want \"prompt_id\" (text or an integer), found none");
    for (const char *const *key = sl_candidate_keys; *key; key++)
        SL_TRY(sl_json_id(&(uint64_t){ 0 }, row, *key)); /* text or an integer */
    SL_TRY(sl_json_text_or(&p->text, row, "prompt", NULL));
    SL_TRY(read_ids(c, &p->token, &p->count, row, "prompt_ids"));
    if (!p->text && !p->token)
        return SL_FAIL(SL_EFORMAT, "want \"prompt\" (text) or \"prompt_ids\" (token ids), found "
                                   "neither");
    return SL_OK;
}

static sl_status add_pairs(sl_candidates *c, const sl_prompt_text *prompt, const answer *a,
                           size_t count, const sl_json *row, size_t line)
{
    size_t before = c->pairs;

    for (size_t i = 0; i < count * count; i++) {
        const answer *on = &a[i / count], *off = &a[i % count];
        sl_candidate_pair *p;

        if (on->source != SL_SOURCE_ON_POLICY || off->source != SL_SOURCE_STATIC)
            continue;
        SL_TRY(sl_grow(&c->pair, &c->pair_capacity, c->pairs + 1, sizeof *c->pair));
        p = &c->pair[c->pairs++];
        *p = (sl_candidate_pair){
            .prompt = *prompt, .on = on->answer, .off = off->answer, .row = row, .line = line
        };
        memcpy(p->on_id, on->id, sizeof on->id);
        memcpy(p->off_id, off->id, sizeof off->id);
    }
    if (c->pairs == before)
        return SL_FAIL(SL_EFORMAT,
                       "want an on-policy and a static answer, found %zu answers of one "
                       "source",
                       count);
    return SL_OK;
}

static sl_status read_row(sl_candidates *c, const sl_json *row, size_t line)
{
    const int is_list = sl_json_has(row, "answers");
    sl_prompt_text prompt = { 0 };
    answer *a = NULL; /* (ANSWERS_MOST) */
    size_t count = 0;
    sl_status st;

    SL_TRY(read_prompt(c, &prompt, row));
    SL_TRY(sl_take(&a, ANSWERS_MOST, sizeof *a));
    st = is_list ? read_list(c, a, &count, row) : read_two(c, a, &count, row);
    if (st == SL_OK)
        st = add_pairs(c, &prompt, a, count, row, line);
    sl_free(a);
    return st;
}

static sl_status read_lines(sl_candidates *c, sl_span rest, const char *path)
{
    sl_span line;

    for (size_t number = 1; sl_text_line(&line, &rest); number++) {
        char place[4200];

        if (strspn(line.at, " \t\r") >= line.bytes)
            continue;
        snprintf(place, sizeof place, "%s:%zu", path, number);
        SL_TRY(sl_grow(&c->row, &c->row_capacity, c->rows + 1, sizeof *c->row));
        SL_TRY(sl_json_parse(&c->row[c->rows], line.at, line.bytes, place));
        c->rows++;
        SL_TRY(sl_err_where(read_row(c, c->row[c->rows - 1], number), "%s", place));
    }
    if (!c->rows)
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want candidates, found an empty file"), "%s",
                            path);
    return SL_OK;
}

sl_status sl_candidates_read(sl_candidates *out, const char *path)
{
    char *text = NULL;
    size_t bytes = 0;
    sl_status st;

    *out = (sl_candidates){ 0 };
    SL_TRY(sl_file_read(&text, &bytes, path, CANDIDATES_MOST));
    st = read_lines(out, (sl_span){ text, bytes }, strcmp(path, "-") ? path : "stdin");
    sl_free(text);
    return st;
}

void sl_candidates_close(sl_candidates *candidates)
{
    for (size_t i = 0; i < candidates->rows; i++)
        sl_json_close(&candidates->row[i]);
    for (size_t i = 0; i < candidates->lists; i++)
        sl_free(candidates->ids[i]);
    sl_free(candidates->row);
    sl_free(candidates->pair);
    sl_free(candidates->ids);
    *candidates = (sl_candidates){ 0 };
}
