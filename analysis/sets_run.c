/* The candidates of a run's measurements as sets: of each measurement the static and the on-policy
 * ones. A word is what the record's text has between white space: token ids in decimal, where the
 * policy is a model of ours. */
#include "analysis/sets_int.h"
#include "base/alloc.h"
#include "base/sort.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the record has of a candidate that was drawn. */
typedef struct drawn {
    uint64_t id, text_hash;
    double logp;
    uint32_t tokens;
} drawn;

static int by_id(const void *a, const void *b)
{
    const uint64_t x = ((const drawn *)a)->id, y = ((const drawn *)b)->id;

    return (x > y) - (x < y);
}

static sl_status drawn_index(drawn **out, size_t *count, sl_reader *reader)
{
    const sl_row_candidates *c;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_CANDIDATES, &c, count));
    SL_TRY(sl_take(out, *count + 1, sizeof **out));
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (drawn){ c[i].candidate_id, c[i].text_hash, c[i].logp, c[i].tokens };
    sl_reader_release(reader, SL_TABLE_CANDIDATES);
    sl_sort(*out, *count, sizeof **out, by_id);
    return SL_OK;
}

/* A prompt of a measurement on its way. */
typedef struct run_reading {
    sl_answer_sets *sets;
    sl_batch *batch;
    sl_reader *reader;
    drawn *index;
    size_t index_count, first; /* first: vote that shows the prompt first */
    sl_group *group[2];        /* by origin; NULL: no prompt yet */
} run_reading;

static sl_status add_candidate(run_reading *r, int origin, const sl_row_votes *v)
{
    const int is_on = origin == SL_ORIGIN_ON_POLICY;
    const drawn key = { .id = is_on ? v->a_id : v->b_id };
    const drawn *found = bsearch(&key, r->index, r->index_count, sizeof key, by_id);
    const char *text = NULL;
    sl_one_answer a = sl_one_answer_unknown();

    a.score = (double)(is_on ? v->score_a : v->score_b);
    a.chars = is_on ? v->chars_a : v->chars_b;
    if (found) {
        SL_TRY(sl_reader_text(r->reader, found->text_hash, &text));
        a.logp = is_on ? found->logp : NAN; /* a static one was drawn from another law */
        a.length = found->tokens;
    }
    a.text = text;
    a.bytes = text ? strlen(text) : 0;
    return sl_group_add(r->group[origin], &a);
}

static sl_status begin_prompt(run_reading *r, const sl_row_votes *v)
{
    char name[64];
    sl_set_key key = { .name = name, .step = v->step, .has_step = 1 };

    snprintf(name, sizeof name, SL_RUN_SET_NAME, (unsigned)v->measurement);
    SL_TRY(sl_batch_room(r->batch));
    for (int origin = SL_ORIGIN_STATIC; origin <= SL_ORIGIN_ON_POLICY; origin++) {
        size_t set;
        uint64_t at;

        key.origin = origin;
        SL_TRY(sl_sets_find(&set, r->sets, &key));
        at = r->sets->set[set].seen.count + 1;
        SL_TRY(sl_id_map_get(&at, &r->sets->set[set].seen, v->prompt_id));
        r->group[origin] = sl_batch_group(r->batch, set, v->prompt_id);
    }
    return SL_OK;
}

/* All on-policy answers of a prompt are compared with all static ones, answer by answer: a vote
 * shows a new on-policy answer where a's id changes, and a new static one while a's id is the
 * first. Static answers may be equal, ids and all; each counts. */
static sl_status add_vote(run_reading *r, const sl_row_votes *v, size_t i, size_t last)
{
    const int is_new = last == SIZE_MAX || v[i].prompt_id != v[last].prompt_id ||
                       v[i].measurement != v[last].measurement;

    if (is_new) {
        SL_TRY(begin_prompt(r, &v[i]));
        r->first = i;
    }
    if (is_new || v[i].a_id != v[last].a_id)
        SL_TRY(add_candidate(r, SL_ORIGIN_ON_POLICY, &v[i]));
    if (v[i].a_id == v[r->first].a_id)
        SL_TRY(add_candidate(r, SL_ORIGIN_STATIC, &v[i]));
    return SL_OK;
}

static sl_status add_votes(run_reading *r)
{
    const sl_row_votes *v;
    size_t count, last = SIZE_MAX;

    SL_TRY(sl_reader_rows(r->reader, SL_TABLE_VOTES, &v, &count));
    for (size_t i = 0; i < count; i++) {
        if (v[i].purpose != SL_PURPOSE_BOUNDARY)
            continue;
        SL_TRY(add_vote(r, v, i, last));
        last = i;
    }
    SL_TRY(sl_batch_flush(r->batch));
    sl_reader_release(r->reader, SL_TABLE_VOTES);
    return SL_OK;
}

sl_status sl_sets_read_run(sl_answer_sets *sets, sl_reader *reader)
{
    run_reading r = { .sets = sets, .reader = reader };
    const sl_json *vocabulary = json_object_get(sl_reader_json(reader), "vocab");
    sl_status st = SL_OK;

    if (json_is_integer(vocabulary))
        sets->settings.vocabulary = (double)json_integer_value(vocabulary);
    SL_TRY(sl_grow(&sets->input, &sets->input_capacity, sets->inputs + 1, sizeof *sets->input));
    sets->input[sets->inputs++] = (sl_sets_input){ 0 };
    SL_TRY(sl_strdup(&sets->input[sets->inputs - 1].path, "run"));
    SL_TRY_OUT(sl_batch_open(&r.batch, sets));
    SL_TRY_OUT(drawn_index(&r.index, &r.index_count, reader));
    st = add_votes(&r);
out:
    sl_batch_close(&r.batch);
    sl_free(r.index);
    return st;
}

const sl_answer_set *sl_sets_of_run(const sl_answer_sets *sets, uint32_t measurement, int origin)
{
    char name[64];

    snprintf(name, sizeof name, SL_RUN_SET_NAME, (unsigned)measurement);
    for (size_t i = 0; i < sets->sets; i++)
        if (sets->set[i].origin == origin && !strcmp(sets->set[i].name, name))
            return &sets->set[i];
    return NULL;
}
