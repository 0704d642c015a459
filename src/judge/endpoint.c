/* A judge behind an OpenAI-compatible HTTP address: a chat completion per question, at temperature
 * 0, that names the better answer by one letter. */
#include "base/alloc.h"
#include "base/text.h"
#include "judge/judge_int.h"
#include "remote/openai.h"
#include <string.h>

enum { TOP_LOGPROBS = 5, REPLY_MOST = 1 << 20, PARALLEL_MOST = 256 };

typedef struct endpoint {
    sl_http *http;
    char *template, *model;
    sl_order_settings order;
    sl_reply_rules rules;
    uint32_t max_tok;
} endpoint;

/* A batch under way. */
typedef struct batch {
    const endpoint *judge;
    sl_opinion *opinion;
} batch;

/* --- requests -------------------------------------------------------------------------------- */

static sl_status check_words(const sl_question *q)
{
    const char *const text[] = { q->prompt->text, q->first->text, q->second->text };

    for (size_t i = 0; i < 3; i++) {
        if (!text[i])
            return SL_FAIL(SL_EARG, "want prompts and answers as words, found token ids only");
        if (!sl_text_is_utf8(text[i], strlen(text[i])))
            return SL_FAIL(SL_EFORMAT, "want UTF-8, found other bytes");
    }
    return SL_OK;
}

static sl_status request_body(char **out, const endpoint *e, const sl_question *q)
{
    char *text = NULL;
    sl_json *body;
    sl_status st;

    SL_TRY(check_words(q));
    SL_TRY(sl_template_fill(&text, e->template, q->prompt->text, q->first->text, q->second->text));
    body = json_pack("{s:s, s:[{s:s, s:s}], s:f, s:i, s:b, s:i}", "model", e->model, "messages",
                     "role", "user", "content", text, "temperature", 0.0, "max_tokens",
                     (int)e->max_tok, "logprobs", 1, "top_logprobs", TOP_LOGPROBS);
    sl_free(text);
    if (!body)
        return SL_FAIL(SL_ENOMEM, "want memory for a request, found none");
    st = sl_json_dump(out, body, 0);
    sl_json_close(&body);
    return st;
}

static sl_status take_reply(void *with, size_t index, const char *body, size_t bytes)
{
    batch *b = with;

    return sl_endpoint_reply(&b->opinion[index], &b->judge->rules, body, bytes);
}

static sl_status post(batch *b, sl_http_call *call, size_t count)
{
    const sl_status st = sl_http_post(b->judge->http, call, count, take_reply, b);

    for (size_t i = 0; i < count; i++) {
        b->opinion[i].attempts = call[i].attempts;
        if (call[i].is_late)
            SL_TRY(sl_opinion_failed(&b->opinion[i], SL_VOTED_LATE, 1, "", ""));
    }
    return st;
}

static sl_status endpoint_ask(sl_opinion *opinion, void *state, const sl_question *question,
                              size_t count)
{
    const endpoint *e = state;
    batch b = { e, opinion };
    sl_http_call *call = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&call, count, sizeof *call));
    for (size_t i = 0; i < count && st == SL_OK; i++) {
        char *body = NULL;

        st = sl_err_where(request_body(&body, e, &question[i]), "question %zu", i);
        call[i] = (sl_http_call){ .body = body, .bytes = body ? strlen(body) : 0 };
    }
    if (st == SL_OK)
        st = post(&b, call, count);
    for (size_t i = 0; i < count; i++)
        sl_free((char *)(size_t)call[i].body);
    sl_free(call);
    return st;
}

/* --- the row --------------------------------------------------------------------------------- */

static sl_status endpoint_votes(sl_vote *vote, void *state, const sl_prompt_text *prompt,
                                const sl_answer *a, const sl_answer *b, size_t count)
{
    const endpoint *e = state;

    return sl_votes_in_orders(vote, &e->order, endpoint_ask, state, prompt, a, b, count);
}

static void endpoint_close(void *state)
{
    endpoint *e = state;

    sl_http_close(&e->http);
    sl_free(e->template);
    sl_free(e->model);
    sl_free(e);
}

static sl_status open_http(endpoint *e, const sl_judge_settings *s)
{
    sl_http_settings http = sl_http_defaults();

    http.timeout_s = s->timeout_s;
    http.backoff_s = s->backoff_s;
    http.parallel = s->batch;
    http.retries = s->retries;
    http.most_bytes = REPLY_MOST;
    http.seed = s->seed;
    http.keeps_late = s->keeps_failed;
    http.stop = s->stop;
    return sl_openai_open(&e->http, s->url, s->key_env, &http);
}

static sl_status endpoint_open(void **state, const sl_judge_settings *set, const sl_data *data)
{
    endpoint *e = NULL;

    (void)data;
    if (!set->url || !set->model || !set->max_tok)
        return SL_FAIL(SL_EARG,
                       "want an address, a model and a reply of 1 token or more, found "
                       "address \"%.100s\", model \"%.64s\", %u tokens",
                       set->url ? set->url : "", set->model ? set->model : "", set->max_tok);
    if (set->batch > PARALLEL_MOST)
        return SL_FAIL(SL_EARG, "want at most %d requests under way at a time, found %u",
                       PARALLEL_MOST, set->batch);
    SL_TRY(sl_take(&e, 1, sizeof *e));
    *state = e;
    e->order = (sl_order_settings){ set->both_orders, set->seed, UINT32_MAX }; /* http counts */
    e->rules = (sl_reply_rules){ set->temperature, set->keeps_failed };
    e->max_tok = set->max_tok;
    SL_TRY(sl_strdup(&e->model, set->model));
    SL_TRY(sl_template_load(&e->template, set->template_path));
    return open_http(e, set);
}

const sl_judge_row sl_judge_endpoint = {
    .name = "endpoint", .open = endpoint_open, .close = endpoint_close, .votes = endpoint_votes
};
