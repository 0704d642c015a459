/* A line that a command wrote: {"id", and "p" or "score_a" with "score_b", or "error"}. */
#include "judge/judge_int.h"
#include "remote/remote.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static sl_status read_cut(uint8_t *cut, const sl_json *row)
{
    static const char *const keys[] = { "truncated_a", "truncated_b" };
    static const uint8_t bits[] = { SL_CUT_FIRST, SL_CUT_SECOND };

    for (size_t i = 0; i < 2; i++) {
        int is_cut;

        SL_TRY(sl_json_bool_or(&is_cut, row, keys[i], 0));
        if (is_cut)
            *cut |= bits[i];
    }
    return SL_OK;
}

static sl_status read_scores(sl_opinion *o, const sl_json *row, double temperature)
{
    if (!sl_json_has(row, "score_a") && !sl_json_has(row, "score_b"))
        return SL_OK;
    SL_TRY(sl_json_f64(&o->score_first, row, "score_a"));
    SL_TRY(sl_json_f64(&o->score_second, row, "score_b"));
    o->p = 1.0 / (1.0 + exp((o->score_second - o->score_first) / temperature));
    return SL_OK;
}

static sl_status read_p(sl_opinion *o, const sl_json *row)
{
    if (!sl_json_has(row, "p"))
        return SL_OK;
    SL_TRY(sl_json_f64(&o->p, row, "p"));
    if (!(o->p >= 0.0 && o->p <= 1.0))
        return SL_FAIL(SL_EFORMAT, "want \"p\" in [0,1], found %g", o->p);
    return SL_OK;
}

/* The judge says that it cannot. */
static sl_status declined(sl_opinion *o, const sl_json *row, int keeps_failed)
{
    const char *text;
    char quote[160], found[200];

    SL_TRY(sl_json_text(&text, row, "error"));
    sl_remote_quote(quote, sizeof quote, text, strlen(text));
    snprintf(found, sizeof found, "its error: %s", quote);
    return sl_opinion_failed(o, SL_VOTED_REFUSED, keeps_failed, "a vote of the judge", found);
}

static sl_status read_opinion(sl_opinion *o, const sl_reply_rules *rules, const sl_json *row)
{
    if (sl_json_has(row, "error"))
        return declined(o, row, rules->keeps_failed);
    SL_TRY(read_scores(o, row, rules->temperature));
    SL_TRY(read_p(o, row));
    SL_TRY(read_cut(&o->cut, row));
    if (isnan(o->p))
        return SL_FAIL(SL_EFORMAT, "want \"p\", or \"score_a\" and \"score_b\", found neither");
    o->is_given = 1;
    return SL_OK;
}

sl_status sl_command_reply(int64_t *id, sl_opinion *opinion, const sl_reply_rules *rules,
                           const char *line, size_t bytes)
{
    sl_json *row = NULL;
    sl_status st;
    char place[64] = "answer";

    *opinion = (sl_opinion){ .p = NAN, .score_first = NAN, .score_second = NAN };
    SL_TRY(sl_json_parse(&row, line, bytes, place));
    st = sl_json_i64(id, row, "id");
    if (st == SL_OK) {
        snprintf(place, sizeof place, "answer to \"id\" %lld", (long long)*id);
        st = read_opinion(opinion, rules, row);
    }
    sl_json_close(&row);
    return sl_err_where(st, "%s", place);
}
