/* What the feed draws: rows of candidates and votes, counts of a refill, lines of
 * candidates.jsonl. */
#include "base/alloc.h"
#include "train/emit.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* --- rows ------------------------------------------------------------------------------------ */

static sl_status record_votes(const sl_session *s, const sl_drawn_prompt *d)
{
    for (size_t k = 0; k < d->votes; k++) {
        const sl_between at = d->between[k];
        const sl_drawn *a = &d->drawn[at.a], *b = &d->drawn[at.b];
        const sl_vote_sides sides = {
            .a = &a->answer,
            .b = &b->answer,
            .a_id = sl_candidate_id(&s->recorder, d->prompt, a, (uint32_t)at.a),
            .b_id = sl_candidate_id(&s->recorder, d->prompt, b, (uint32_t)at.b),
            .a_origin = SL_ORIGIN_ON_POLICY,
            .b_origin = SL_ORIGIN_ON_POLICY,
            .purpose = SL_PURPOSE_LABEL
        };

        SL_TRY(sl_record_vote(&s->recorder, d->prompt, &sides, &d->vote[k]));
    }
    return SL_OK;
}

/* --- lines ----------------------------------------------------------------------------------- */

static sl_json *ids_of(const int32_t *token, uint32_t count)
{
    sl_json *list = json_array();

    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer(token[i]));
    return list;
}

/* Words, or where there are none the ids in decimal, as in the record's texts. */
static sl_json *words_of(const char *text, const int32_t *token, uint32_t count)
{
    enum { ID_BYTES = 12 }; /* sign, ten digits, space */
    char *ids = NULL;
    size_t at = 0;
    sl_json *words;

    if (text)
        return json_string(text);
    if (sl_take(&ids, (size_t)count * ID_BYTES + 1, 1) != SL_OK)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        at += (size_t)snprintf(ids + at, ID_BYTES + 1, "%s%d", i ? " " : "", token[i]);
    words = json_string(ids);
    sl_free(ids);
    return words;
}

static int add_answer(sl_json *const list[5], const sl_drawn *drawn, double score)
{
    static const char *const stops[] = { "eos", "length", "string", "error" };
    const sl_answer *a = &drawn->answer;
    sl_json *logps = json_array();

    for (uint32_t i = 0; i < a->count; i++)
        json_array_append_new(logps, sl_json_number((double)drawn->tok_logp[i]));
    return json_array_append_new(list[0], words_of(a->text, a->token, a->count)) ||
           json_array_append_new(list[1], sl_json_number(score)) ||
           json_array_append_new(list[2], ids_of(a->token, a->count)) ||
           json_array_append_new(list[3], logps) ||
           json_array_append_new(list[4], json_string(stops[drawn->stop]));
}

static int add_pick(sl_json *row, const sl_pick *pick)
{
    static const char *const fates[] = { "", "same", "close" };

    if (pick->fate != SL_PAIR_KEPT)
        return json_object_set_new(row, "dropped", json_string(fates[pick->fate]));
    return json_object_set_new(row, "chosen_index", json_integer((json_int_t)pick->chosen)) ||
           json_object_set_new(row, "rejected_index", json_integer((json_int_t)pick->rejected));
}

/* A fault of any part is a fault of the whole: lists of the row that are not whole are not kept. */
static int fill_line(sl_json *row, const sl_session *s, const sl_drawn_prompt *d)
{
    static const char *const keys[5] = { "all_generated_responses", "all_rm_scores",
                                         "all_token_ids", "all_token_logps", "all_stops" };
    const sl_prompt_text *p = d->prompt;
    sl_json *list[5];
    char id[17];
    int failed = 0;

    snprintf(id, sizeof id, "%016" PRIx64, p->id);
    failed |= json_object_set_new(row, "prompt_id", json_string(id));
    failed |= json_object_set_new(row, "prompt", words_of(p->text, p->token, p->count));
    failed |= json_object_set_new(row, "prompt_token_ids", ids_of(p->token, p->count));
    failed |= json_object_set_new(row, "step", json_integer(s->recorder.step));
    failed |= json_object_set_new(row, "iteration", json_integer((json_int_t)s->iteration));
    for (size_t k = 0; k < 5; k++)
        failed |= json_object_set_new(row, keys[k], list[k] = json_array());
    for (size_t i = 0; i < d->each && !failed; i++)
        failed |= add_answer(list, &d->drawn[i], d->score[i]);
    return failed | add_pick(row, d->pick);
}

static sl_status write_line(sl_session *s, const sl_drawn_prompt *d)
{
    sl_json *row;
    sl_status st;

    if (s->candidates.fd < 0 || !s->run)
        return SL_OK;
    row = json_object();
    st = fill_line(row, s, d) ? SL_FAIL(SL_ENOMEM, "want memory for a line of answers, found none")
                              : sl_candidate_log_add(&s->candidates, row);
    sl_json_close(&row);
    return st;
}

/* --- the sink -------------------------------------------------------------------------------- */

static sl_status sink_drawn(void *state, const sl_drawn_prompt *d)
{
    sl_session *s = state;

    for (size_t i = 0; i < d->each; i++)
        SL_TRY(sl_record_drawn(&s->recorder, d->prompt, &d->drawn[i], &s->feed.sampler->law,
                               (uint32_t)i));
    SL_TRY(record_votes(s, d));
    return write_line(s, d);
}

static sl_status sink_filled(void *state, const sl_drawn_counts *c)
{
    sl_session *s = state;
    const uint32_t kept = c->prompts - c->same - c->close;
    const sl_eval rows[] = {
        { "drawn_duplicates", c->duplicates, NAN, c->answers, c->duplicates, SL_ORIGIN_ON_POLICY,
          0 },
        { "drawn_same", c->same, NAN, kept, c->same, SL_ORIGIN_ON_POLICY, 0 },
        { "drawn_close", c->close, NAN, kept, c->close, SL_ORIGIN_ON_POLICY, 0 },
    };

    if (!s->run)
        return SL_OK;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        SL_TRY(sl_emit_eval(s, &rows[i]));
    return sl_run_commit(s->run, SL_UNIT_SAMPLES, s->recorder.step);
}

void sl_emit_feed_sink(sl_session *session)
{
    session->feed.sink = (sl_feed_sink){ session, sink_drawn, sink_filled };
}
