/* What the lines say. */
#include "import/trl.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

enum { TOKENS_MOST = 1 << 20 };

/* --- values of a line ------------------------------------------------------------------------- */

/* A number, or the text that stands for one that JSON has not; absent or null: NaN. */
static sl_status number(double *out, const sl_json *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    *out = NAN;
    if (text && strstr(text, "Infinity"))
        *out = *text == '-' ? -INFINITY : INFINITY;
    else if (!text || strcmp(text, "NaN"))
        return sl_json_f64_or(out, row, key, NAN);
    return SL_OK;
}

static sl_status small(float *out, const sl_json *row, const char *key)
{
    double x;

    SL_TRY(number(&x, row, key));
    *out = (float)x;
    return SL_OK;
}

static sl_status count_of(uint32_t *out, const sl_json *row, const char *key)
{
    int64_t n;

    SL_TRY(sl_json_i64_or(&n, row, key, 0));
    if (n < 0 || n > UINT32_MAX)
        return SL_FAIL(SL_EFORMAT, "want \"%s\" from 0 to 4294967295, found %lld", key,
                       (long long)n);
    *out = (uint32_t)n;
    return SL_OK;
}

static sl_status id_of(uint64_t *out, const sl_json *row, const char *key)
{
    SL_TRY(sl_json_id(out, row, key));
    return *out ? SL_OK : SL_FAIL(SL_EFORMAT, "want \"%s\" (text or an integer), found none", key);
}

/* --- kinds of lines --------------------------------------------------------------------------- */

static sl_status take_run(sl_trl *t, const sl_json *row)
{
    const sl_json *settings = json_object_get(row, "settings");
    int64_t from;

    SL_TRY(sl_import_step(&from, row, "resumed_from"));
    if (!json_is_object(settings))
        return SL_FAIL(SL_EFORMAT, "want \"settings\" (an object), found none");
    if (!t->has_run && from)
        return SL_FAIL(SL_EFORMAT, "want the first attempt (\"resumed_from\" 0), found %lld",
                       (long long)from);
    if (t->has_run && (from < 1 || from > t->step))
        return SL_FAIL(SL_EFORMAT, "want \"resumed_from\" from 1 to %lld, found %lld",
                       (long long)t->step, (long long)from);
    SL_TRY(sl_trl_flush(t));
    if (t->path && t->has_run)
        SL_TRY(sl_import_resume(&t->run, t->path, from));
    else if (t->path)
        SL_TRY(sl_trl_create(t, settings));
    t->report->attempts++;
    t->has_run = 1;
    t->step = t->from = from;
    return SL_OK;
}

static sl_status logps(sl_row_pairs *p, const sl_json *row)
{
    const struct {
        const char *key;
        double *to;
    } column[] = {
        { "logp_c", &p->logp_c },         { "logp_r", &p->logp_r },
        { "ref_logp_c", &p->ref_logp_c }, { "ref_logp_r", &p->ref_logp_r },
        { "margin", &p->margin },         { "loss", &p->loss },
    };

    for (size_t i = 0; i < sizeof column / sizeof column[0]; i++)
        SL_TRY(number(column[i].to, row, column[i].key));
    p->coef_c = p->coef_r = NAN;
    SL_TRY(small(&p->score_c, row, "score_c"));
    SL_TRY(small(&p->score_r, row, "score_r"));
    return SL_OK;
}

static sl_status lengths(sl_row_pairs *p, const sl_json *row)
{
    SL_TRY(count_of(&p->tok_c, row, "tok_c"));
    SL_TRY(count_of(&p->tok_r, row, "tok_r"));
    SL_TRY(count_of(&p->tok_prompt, row, "tok_prompt"));
    SL_TRY(count_of(&p->visit, row, "visit"));
    return count_of(&p->flags, row, "flags");
}

/* Tokens of one side, in lists of equal length; none when the line has no list. */
static sl_status add_side(sl_trl *t, const sl_row_pairs *p, const sl_json *row, int side)
{
    static const char *const keys[2][3] = { { "ids_c", "logps_c", "ref_logps_c" },
                                            { "ids_r", "logps_r", "ref_logps_r" } };
    const sl_json *list[3];
    size_t n;

    for (int k = 0; k < 3; k++)
        list[k] = json_object_get(row, keys[side][k]);
    n = json_array_size(list[0]);
    if (n > TOKENS_MOST || json_array_size(list[1]) != n || json_array_size(list[2]) != n)
        return SL_FAIL(SL_EFORMAT, "want \"%s\", \"%s\" and \"%s\" of one length, found others",
                       keys[side][0], keys[side][1], keys[side][2]);
    SL_TRY(sl_grow(&t->token, &t->token_capacity, t->tokens + n + 1, sizeof *t->token));
    for (size_t i = 0; i < n; i++) {
        const sl_json *id = json_array_get(list[0], i), *logp = json_array_get(list[1], i),
                      *ref = json_array_get(list[2], i);

        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) > INT32_MAX || !json_is_number(logp) ||
            !(json_is_number(ref) || json_is_null(ref)))
            return SL_FAIL(SL_EFORMAT, "want a token id and log-probabilities, found others at %zu",
                           i);
        t->token[t->tokens + i] =
            (sl_row_tokens){ .step = p->step,
                             .pair_id = p->pair_id,
                             .logp = (float)json_number_value(logp),
                             .ref_logp = json_is_null(ref) ? NAN : (float)json_number_value(ref),
                             .entropy = NAN,
                             .lse = NAN,
                             .token = (int32_t)json_integer_value(id),
                             .pos = (uint32_t)i,
                             .side = (uint8_t)side };
    }
    t->tokens += n;
    return SL_OK;
}

static sl_status take_pair(sl_trl *t, const sl_json *row)
{
    const size_t tokens = t->tokens;
    sl_row_pairs p;
    sl_status st;

    sl_row_blank(&p, SL_TABLE_PAIRS);
    p.step = t->step;
    SL_TRY(id_of(&p.pair_id, row, "pair_id"));
    SL_TRY(id_of(&p.prompt_id, row, "prompt_id"));
    SL_TRY(id_of(&p.chosen_id, row, "chosen_id"));
    SL_TRY(id_of(&p.rejected_id, row, "rejected_id"));
    SL_TRY(logps(&p, row));
    SL_TRY(lengths(&p, row));
    st = add_side(t, &p, row, SL_SIDE_CHOSEN);
    if (st == SL_OK)
        st = add_side(t, &p, row, SL_SIDE_REJECTED);
    if (st == SL_OK)
        st = sl_grow(&t->pair, &t->pair_capacity, t->pairs + 1, sizeof *t->pair);
    if (st != SL_OK) {
        t->tokens = tokens; /* nothing of a bad line is kept */
        return st;
    }
    t->pair[t->pairs++] = p;
    return SL_OK;
}

static sl_status take_step(sl_trl *t, const sl_json *row)
{
    sl_row_steps s;
    double utc_s;

    if (t->has_step)
        return SL_FAIL(SL_EFORMAT, "want one line of kind \"step\" a step, found another");
    sl_row_blank(&s, SL_TABLE_STEPS);
    s.step = t->step;
    s.phase = SL_PHASE_PREFERENCE;
    SL_TRY(number(&s.loss, row, "loss"));
    SL_TRY(number(&s.epoch, row, "epoch"));
    SL_TRY(number(&s.learning_rate, row, "learning_rate"));
    SL_TRY(number(&s.margin, row, "margin"));
    SL_TRY(number(&s.accuracy, row, "accuracy"));
    SL_TRY(number(&utc_s, row, "utc_s"));
    SL_TRY(count_of(&s.pairs, row, "pairs"));
    SL_TRY(count_of(&s.step_tokens, row, "tokens"));
    t->row = s;
    t->utc_s = utc_s;
    t->has_step = 1;
    return SL_OK;
}

static sl_status add_log(sl_trl *t, const char *name, double value)
{
    SL_TRY(sl_grow(&t->log, &t->log_capacity, t->logs + 1, sizeof *t->log));
    SL_TRY(sl_strdup(&t->log[t->logs].name, name));
    t->log[t->logs++].value = value;
    t->report->values++;
    return SL_OK;
}

static sl_status take_log(sl_trl *t, const sl_json *row)
{
    const sl_json *logs = json_object_get(row, "logs");
    const char *name;
    sl_json *value;

    if (!json_is_object(logs))
        return SL_FAIL(SL_EFORMAT, "want \"logs\" (an object), found none");
    json_object_foreach((json_t *)logs, name, value)
    {
        double x;

        if (json_is_null(value) || !*name)
            continue;
        if (json_is_string(value) && !strstr(json_string_value(value), "Infinity") &&
            strcmp(json_string_value(value), "NaN"))
            return SL_FAIL(SL_EFORMAT, "want numbers in \"logs\", found text in \"%.64s\"", name);
        SL_TRY(number(&x, logs, name));
        SL_TRY(add_log(t, name, x));
    }
    return SL_OK;
}

static sl_status order_of(uint8_t *out, const sl_json *row)
{
    const char *order;

    SL_TRY(sl_json_text_or(&order, row, "order", "on-first"));
    if (strcmp(order, "on-first") && strcmp(order, "off-first"))
        return SL_FAIL(SL_EFORMAT, "want \"order\" on-first or off-first, found \"%.64s\"", order);
    *out = strcmp(order, "on-first") ? SL_ORDER_B_FIRST : SL_ORDER_A_FIRST;
    return SL_OK;
}

static sl_status take_vote(sl_trl *t, const sl_json *row)
{
    sl_row_votes v = { .step = t->step,
                       .score_a = NAN,
                       .score_b = NAN,
                       .a_origin = SL_ORIGIN_ON_POLICY,
                       .b_origin = SL_ORIGIN_STATIC,
                       .purpose = SL_PURPOSE_BOUNDARY };
    double vote;

    SL_TRY(id_of(&v.prompt_id, row, "prompt_id"));
    SL_TRY(id_of(&v.a_id, row, "on_id"));
    SL_TRY(id_of(&v.b_id, row, "off_id"));
    SL_TRY(number(&vote, row, "vote"));
    if (vote < 0.0 || vote > 1.0)
        return SL_FAIL(SL_EFORMAT, "want \"vote\" in [0,1] or null, found %g", vote);
    SL_TRY(count_of(&v.chars_a, row, "len_on"));
    SL_TRY(count_of(&v.chars_b, row, "len_off"));
    SL_TRY(order_of(&v.order, row));
    v.vote = (float)vote;
    v.status = isnan(vote) ? SL_VOTE_INVALID : SL_VOTE_OK;
    SL_TRY(sl_grow(&t->vote, &t->vote_capacity, t->votes + 1, sizeof *t->vote));
    t->vote[t->votes++] = v;
    return SL_OK;
}

static const struct {
    const char *name;
    sl_status (*take)(sl_trl *t, const sl_json *row);
} kinds[] = {
    { "pair", take_pair }, { "step", take_step }, { "log", take_log }, { "vote", take_vote }
};

/* Lines of a later step close the unit at hand. */
static sl_status go_to(sl_trl *t, int64_t step)
{
    if (step < t->step)
        return SL_FAIL(SL_EFORMAT, "want a step from %lld, found %lld", (long long)t->step,
                       (long long)step);
    if (step > t->step)
        SL_TRY(sl_trl_flush(t));
    t->step = step;
    return SL_OK;
}

sl_status sl_trl_line(void *trl, const sl_json *row)
{
    sl_trl *t = trl;
    const char *kind;
    int64_t step;

    if (!json_is_object(row))
        return SL_FAIL(SL_EFORMAT, "want an object, found another type");
    SL_TRY(sl_json_text(&kind, row, "kind"));
    if (!strcmp(kind, "run"))
        return take_run(t, row);
    if (!t->has_run)
        return SL_FAIL(SL_EFORMAT, "want a line of kind \"run\" first, found \"%.32s\"", kind);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].name))
            continue;
        SL_TRY(sl_import_step(&step, row, "step"));
        SL_TRY(go_to(t, step));
        t->is_open = 1;
        return kinds[i].take(t, row);
    }
    return SL_FAIL(SL_EFORMAT, "want kind run, pair, step, log or vote, found \"%.32s\"", kind);
}
