/* A judge that is a program outside: one line of JSON a question and an answer, in any order within
 * a batch. A program that dies or is silent is started again and asked what it left open, a bounded
 * number of times; not so one that never answered or that breaks the protocol. */
#include "base/alloc.h"
#include "base/text.h"
#include "judge/judge_int.h"
#include "remote/process.h"
#include "remote/remote.h"
#include <math.h>
#include <string.h>

typedef struct command {
    sl_process *process; /* NULL: not running */
    char *line;          /* for /bin/sh */
    sl_order_settings order;
    sl_reply_rules rules;
    sl_judge_settings set; /* numbers and the stop flag; its texts are gone */
    int64_t asked;         /* questions so far: the next id */
    int is_warm;           /* this process has answered */
    int has_answered;      /* any process has */
} command;

/* A batch under way. */
typedef struct batch {
    command *judge;
    sl_opinion *opinion;
    const sl_question *question;
    size_t count, open; /* open: without an answer */
    int64_t first_id;
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

static sl_status question_line(char **out, const sl_question *q, int64_t id)
{
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
    sl_json_close(&row);
    return st;
}

/* The questions still open, a line each. */
static sl_status questions(char **text, size_t *bytes, const batch *b)
{
    size_t capacity = 0;

    for (size_t i = 0; i < b->count; i++) {
        char *line = NULL;
        size_t n;
        sl_status st;

        if (b->opinion[i].is_given)
            continue;
        SL_TRY(sl_err_where(question_line(&line, &b->question[i], b->first_id + (int64_t)i),
                            "question %zu", i));
        n = strlen(line);
        st = sl_grow(text, &capacity, *bytes + n + 1, 1);
        if (st == SL_OK) {
            memcpy(*text + *bytes, line, n);
            (*text)[*bytes + n] = '\n';
            *bytes += n + 1;
            b->opinion[i].attempts++;
        }
        sl_free(line);
        SL_TRY(st);
    }
    return SL_OK;
}

/* --- answers --------------------------------------------------------------------------------- */

static sl_status take_answer(void *with, int *is_done, const char *line, size_t bytes)
{
    batch *b = with;
    sl_opinion opinion = { .p = NAN };
    int64_t id = 0;
    size_t i;

    SL_TRY(sl_command_reply(&id, &opinion, &b->judge->rules, line, bytes));
    if (id < b->first_id || id >= b->first_id + (int64_t)b->count)
        return SL_FAIL(SL_EFORMAT, "want an \"id\" from %lld to %lld, found %lld",
                       (long long)b->first_id, (long long)b->first_id + (long long)b->count - 1,
                       (long long)id);
    i = (size_t)(id - b->first_id);
    if (b->opinion[i].is_given)
        return SL_FAIL(SL_EFORMAT, "want one answer to \"id\" %lld, found two", (long long)id);
    opinion.attempts = b->opinion[i].attempts;
    b->opinion[i] = opinion;
    b->judge->is_warm = b->judge->has_answered = 1;
    *is_done = --b->open == 0;
    return SL_OK;
}

static sl_status attempt(batch *b)
{
    command *c = b->judge;
    const double timeout_s = c->set.timeout_s + (c->is_warm ? 0.0 : c->set.start_s);
    sl_process_settings set = sl_process_defaults();
    char *text = NULL;
    size_t bytes = 0;
    sl_status st = SL_OK;

    if (!c->process) {
        set.command = c->line;
        set.stop = c->set.stop;
        SL_TRY(sl_process_open(&c->process, &set));
    }
    SL_TRY_OUT(questions(&text, &bytes, b));
    SL_TRY_OUT(sl_process_exchange(c->process, text, bytes, timeout_s, take_answer, b));
out:
    sl_free(text);
    if (st != SL_OK) {
        sl_process_close(&c->process);
        c->is_warm = 0;
    }
    return st;
}

static sl_status command_ask(sl_opinion *opinion, void *state, const sl_question *question,
                             size_t count)
{
    command *c = state;
    batch b = { .judge = c,
                .opinion = opinion,
                .question = question,
                .count = count,
                .open = count,
                .first_id = c->asked };
    sl_status st;

    c->asked += (int64_t)count;
    for (uint32_t tries = 0;; tries++) {
        st = attempt(&b);
        if (st != SL_EIO || tries == c->set.retries || !c->has_answered)
            return st;
        sl_err_clear();
        SL_TRY(sl_remote_wait(ldexp(c->set.backoff_s, tries < 8 ? (int)tries : 8), c->set.stop));
    }
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

    sl_process_close(&c->process);
    sl_free(c->line);
    sl_free(c);
}

static sl_status command_open(void **state, const sl_judge_settings *set, const sl_data *data)
{
    command *c = NULL;

    (void)data;
    if (!set->command || !*set->command)
        return SL_FAIL(SL_EARG, "want a command to run, found none");
    SL_TRY(sl_take(&c, 1, sizeof *c));
    *state = c;
    c->order = (sl_order_settings){ set->both_orders, set->seed, set->batch };
    c->rules = (sl_reply_rules){ set->temperature, set->keeps_failed };
    c->set = *set;
    return sl_strdup(&c->line, set->command);
}

const sl_judge_row sl_judge_command = {
    .name = "command", .open = command_open, .close = command_close, .votes = command_votes
};
