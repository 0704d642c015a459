/* Answers from an OpenAI-compatible server (vLLM, llama.cpp, transformers serve): one chat
 * completion an answer, several under way at a time, each with a seed of its own. */
#include "base/alloc.h"
#include "measure/outside_int.h"
#include "remote/openai.h"
#include <string.h>

enum { REPLY_MOST = 4 << 20, PARALLEL_MOST = 256 };

typedef struct endpoint {
    sl_http *http;
    char *model;
    uint32_t max_new;
} endpoint;

static sl_status request_body(char **out, const endpoint *e, const sl_sample_settings *law,
                              const sl_wanted *w)
{
    sl_json *body = json_pack("{s:s, s:[{s:s, s:s}], s:I, s:I}", "model", e->model, "messages",
                              "role", "user", "content", w->prompt->text, "max_tokens",
                              (json_int_t)e->max_new, "seed", (json_int_t)w->seed);
    sl_status st;

    if (!body)
        return SL_FAIL(SL_EFORMAT, "want a prompt in UTF-8, found other bytes");
    st = sl_outside_law(body, law);
    if (st == SL_OK)
        st = sl_json_dump(out, body, 0);
    sl_json_close(&body);
    return st;
}

static sl_status read_choice(sl_said *said, const sl_json *body)
{
    const sl_json *choice = json_array_get(json_object_get(body, "choices"), 0);
    const char *text, *reason;

    if (!json_is_object(json_object_get(choice, "message")))
        return SL_FAIL(SL_EFORMAT, "want choices[0].message, found none");
    SL_TRY(sl_json_text_or(&text, json_object_get(choice, "message"), "content", ""));
    SL_TRY(sl_json_text_or(&reason, choice, "finish_reason", "stop"));
    said->stop = strcmp(reason, "length") ? SL_STOP_EOS : SL_STOP_LENGTH;
    sl_free(said->text);
    return sl_strdup(&said->text, text);
}

sl_status sl_outside_completion(sl_said *said, const char *body, size_t bytes)
{
    sl_json *tree = NULL;
    sl_status st;

    SL_TRY(sl_json_parse(&tree, body, bytes, "reply"));
    st = sl_err_where(read_choice(said, tree), "reply");
    sl_json_close(&tree);
    return st;
}

static sl_status take_reply(void *with, size_t index, const char *body, size_t bytes)
{
    sl_said *said = with;

    return sl_outside_completion(&said[index], body, bytes);
}

static sl_status endpoint_say(sl_said *said, void *state, const sl_sample_settings *law,
                              const sl_wanted *wanted, size_t count)
{
    const endpoint *e = state;
    sl_http_call *call = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&call, count, sizeof *call));
    for (size_t i = 0; i < count && st == SL_OK; i++) {
        char *body = NULL;

        st = sl_err_where(request_body(&body, e, law, &wanted[i]), "question %zu", i);
        call[i] = (sl_http_call){ .body = body, .bytes = body ? strlen(body) : 0 };
    }
    if (st == SL_OK)
        st = sl_http_post(e->http, call, count, take_reply, said);
    for (size_t i = 0; i < count; i++)
        sl_free((char *)(size_t)call[i].body);
    sl_free(call);
    return st;
}

static void endpoint_close(void *state)
{
    endpoint *e = state;

    sl_http_close(&e->http);
    sl_free(e->model);
    sl_free(e);
}

static sl_status endpoint_open(void **state, const sl_outside_settings *set)
{
    sl_http_settings http = sl_http_defaults();
    endpoint *e = NULL;

    if (!set->url || !set->model)
        return SL_FAIL(SL_EARG,
                       "want an address and a model, found address \"%.100s\", model \"%.64s\"",
                       set->url ? set->url : "", set->model ? set->model : "");
    if (!set->batch || set->batch > PARALLEL_MOST)
        return SL_FAIL(SL_EARG, "want 1 to %d requests under way at a time, found %u",
                       PARALLEL_MOST, set->batch);
    SL_TRY(sl_take(&e, 1, sizeof *e));
    *state = e;
    e->max_new = set->max_new;
    SL_TRY(sl_strdup(&e->model, set->model));
    http.timeout_s = set->timeout_s;
    http.backoff_s = set->backoff_s;
    http.parallel = set->batch;
    http.retries = set->retries;
    http.most_bytes = REPLY_MOST;
    http.seed = set->seed;
    http.stop = set->stop;
    return sl_openai_open(&e->http, set->url, set->key_env, &http);
}

const sl_outside_row sl_outside_endpoint = {
    .name = "endpoint", .open = endpoint_open, .close = endpoint_close, .say = endpoint_say
};
