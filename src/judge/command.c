/* A judge that is a program outside: one line of JSON a question and an answer (remote/asker.h). */
#include "base/text.h"
#include "base/alloc.h"
#include "judge/judge_int.h"
#include "remote/asker.h"
#include <math.h>
#include <string.h>

typedef struct command {
    sl_asker *asker;
    sl_order_settings order;
    sl_reply_rules rules;
} command;

/* A batch under way. */
typedef struct batch {
    const command *judge;
    sl_opinion *opinion;
    const sl_question *question;
    sl_opinion read; /* the line read last */
} batch;

/* --- questions ------------------------------------------------------------------------------- */

/* Words where there are some, else token ids under KEY_ids. */
static sl_status add_part(sl_json *row, const char *key, const char *text, const int32_t *token,
                          uint32_t count)
{
    char ids_key[16] = "";
    sl_json *ids;
    int failed = 0;

    if (text) {
        if (!sl_text_is_utf8(text, strlen(text)))
            return SL_FAIL(SL_EFORMAT, "want UTF-8 in \"%s\", found other bytes", key);
        failed = json_object_set_new(row, key, json_string(text));
    } else {
        ids = json_array();
        for (uint32_t i = 0; i < count; i++)
            failed |= json_array_append_new(ids, json_integer(token[i]));
        strcat(strcat(ids_key, key), "_ids");
        failed |= json_object_set_new(row, ids_key, ids);
    }
    return failed ? SL_FAIL(SL_ENOMEM, "want memory for a question, found none") : SL_OK;
}

static sl_status write_question(void *with, char **out, size_t i, int64_t id)
{
    batch *b = with;
    const sl_question *q = &b->question[i];
    sl_json *row = json_object();
    sl_status st = SL_OK;

    if (!row || json_object_set_new(row, "id", json_integer(id)))
        st = SL_FAIL(SL_ENOMEM, "want memory for a question, found none");
    if (st == SL_OK)
        st = add_part(row, "prompt", q->prompt->text, q->prompt->token, q->prompt->count);
    if (st == SL_OK)
        st = add_part(row, "a", q->first->text, q->first->token, q->first->count);
    if (st == SL_OK)
        st = add_part(row, "b", q->second->text, q->second->token, q->second->count);
    if (st == SL_OK)
        st = sl_json_dump(out, row, 0);
    b->opinion[i].attempts += st == SL_OK;
    sl_json_close(&row);
    return st;
}

/* --- answers --------------------------------------------------------------------------------- */

static sl_status read_answer(void *with, int64_t *id, const char *line, size_t bytes)
{
    batch *b = with;

    return sl_command_reply(id, &b->read, &b->judge->rules, line, bytes);
}

static void keep_answer(void *with, size_t i)
{
    batch *b = with;

    b->read.attempts = b->opinion[i].attempts;
    b->opinion[i] = b->read;
}

static sl_status command_ask(sl_opinion *opinion, void *state, const sl_question *question,
                             size_t count)
{
    const command *c = state;
    batch b = { .judge = c, .opinion = opinion, .question = question, .read = { .p = NAN } };

    return sl_asker_ask(c->asker, &(sl_asker_batch){ .with = &b,
                                                     .count = count,
                                                     .write = write_question,
                                                     .read = read_answer,
                                                     .keep = keep_answer });
}

/* --- the row --------------------------------------------------------------------------------- */

static sl_status command_votes(sl_vote *vote, void *state, const sl_prompt_text *prompt,
                               const sl_answer *a, const sl_answer *b, size_t count)
{
    const command *c = state;

    return sl_votes_in_orders(vote, &c->order, command_ask, state, prompt, a, b, count);
}

static void command_close(void *state)
{
    command *c = state;

    sl_asker_close(&c->asker);
    sl_free(c);
}

static sl_status command_open(void **state, const sl_judge_settings *set, const sl_data *data)
{
    command *c = NULL;

    (void)data;
    SL_TRY(sl_take(&c, 1, sizeof *c));
    *state = c;
    c->order = (sl_order_settings){ set->both_orders, set->seed, set->batch };
    c->rules = (sl_reply_rules){ set->temperature, set->keeps_failed };
    return sl_asker_open(&c->asker, &(sl_asker_settings){ .command = set->command,
                                                          .env = set->env,
                                                          .start_s = set->start_s,
                                                          .timeout_s = set->timeout_s,
                                                          .backoff_s = set->backoff_s,
                                                          .retries = set->retries,
                                                          .stop = set->stop });
}

const sl_judge_row sl_judge_command = {
    .name = "command", .open = command_open, .close = command_close, .votes = command_votes
};
