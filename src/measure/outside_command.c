/* Answers from a program: a line {"id", "prompt", "temperature", "top_p", "max_new", "seed"} in, a
 * line {"id", "text", "truncated"} out (remote/asker.h). */
#include "base/alloc.h"
#include "measure/outside_int.h"
#include "remote/asker.h"
#include "remote/remote.h"
#include <string.h>

typedef struct command {
    sl_asker *asker;
    uint32_t max_new;
} command;

/* A batch under way. */
typedef struct batch {
    const command *sampler;
    const sl_sample_settings *law;
    const sl_wanted *wanted;
    sl_said *said;
    sl_said read; /* the line read last */
} batch;

static sl_status write_question(void *with, char **out, size_t i, int64_t id)
{
    const batch *b = with;
    const sl_wanted *w = &b->wanted[i];
    sl_json *row = json_pack("{s:I, s:s, s:I, s:I, s:I}", "id", (json_int_t)id, "prompt",
                             w->prompt->text, "max_new", (json_int_t)b->sampler->max_new, "seed",
                             (json_int_t)w->seed, "slot", (json_int_t)w->slot);
    sl_status st;

    if (!row)
        return SL_FAIL(SL_EFORMAT, "want a prompt in UTF-8, found other bytes");
    st = sl_outside_law(row, b->law);
    if (st == SL_OK)
        st = sl_json_dump(out, row, 0);
    sl_json_close(&row);
    return st;
}

static sl_status read_row(sl_said *said, const sl_json *row)
{
    const char *text;
    char quote[160];
    int is_cut;

    if (sl_json_has(row, "error")) {
        SL_TRY(sl_json_text(&text, row, "error"));
        sl_remote_quote(quote, sizeof quote, text, strlen(text));
        return SL_FAIL(SL_EFORMAT, "want an answer of the sampler, found its error: %s", quote);
    }
    SL_TRY(sl_json_text(&text, row, "text"));
    SL_TRY(sl_json_bool_or(&is_cut, row, "truncated", 0));
    said->stop = is_cut ? SL_STOP_LENGTH : SL_STOP_EOS;
    return sl_strdup(&said->text, text);
}

sl_status sl_outside_line(int64_t *id, sl_said *said, const char *line, size_t bytes)
{
    sl_json *row = NULL;
    sl_status st;

    SL_TRY(sl_json_parse(&row, line, bytes, "answer"));
    st = sl_json_i64(id, row, "id");
    if (st == SL_OK)
        st = sl_err_where(read_row(said, row), "answer to \"id\" %lld", (long long)*id);
    sl_json_close(&row);
    return st;
}

static sl_status read_answer(void *with, int64_t *id, const char *line, size_t bytes)
{
    batch *b = with;

    sl_free(b->read.text);
    b->read.text = NULL;
    return sl_outside_line(id, &b->read, line, bytes);
}

static void keep_answer(void *with, size_t i)
{
    batch *b = with;

    b->said[i] = b->read;
    b->read.text = NULL;
}

static sl_status command_say(sl_said *said, void *state, const sl_sample_settings *law,
                             const sl_wanted *wanted, size_t count)
{
    const command *c = state;
    batch b = { .sampler = c, .law = law, .wanted = wanted, .said = said };
    const sl_status st = sl_asker_ask(c->asker, &(sl_asker_batch){ .with = &b,
                                                                   .count = count,
                                                                   .write = write_question,
                                                                   .read = read_answer,
                                                                   .keep = keep_answer });

    sl_free(b.read.text);
    return st;
}

static void command_close(void *state)
{
    command *c = state;

    sl_asker_close(&c->asker);
    sl_free(c);
}

static sl_status command_open(void **state, const sl_outside_settings *set)
{
    command *c = NULL;

    SL_TRY(sl_take(&c, 1, sizeof *c));
    *state = c;
    c->max_new = set->max_new;
    return sl_asker_open(&c->asker, &(sl_asker_settings){ .command = set->command,
                                                          .env = set->env,
                                                          .start_s = set->start_s,
                                                          .timeout_s = set->timeout_s,
                                                          .backoff_s = set->backoff_s,
                                                          .retries = set->retries,
                                                          .stop = set->stop });
}

const sl_outside_row sl_outside_command = {
    .name = "command", .open = command_open, .close = command_close, .say = command_say
};
