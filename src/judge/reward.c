/* A reward-model checkpoint: p = sigmoid((reward_a - reward_b) / temperature). Words are read with
 * the checkpoint's own tokenizer and chat format, as one turn of a user and its answer; rows
 * without words by their token ids. Every answer of a call is read once. */
#include "base/alloc.h"
#include "base/file.h"
#include "datasets/dialogue.h"
#include "datasets/encode.h"
#include "judge/judge_int.h"
#include "judge/scorer.h"
#include "text/encoder.h"
#include <math.h>
#include <string.h>

enum { ROWS = 4096, ANSWERS_MOST = 64, SIDES = 2 }; /* computed at once, unless one is longer */

/* An answer to read. */
typedef struct item {
    const sl_prompt_text *prompt;
    const sl_answer *answer;
    size_t pair, side;
    sl_raw raw;           /* of words: owns the ids */
    sl_sequence sequence; /* borrows the ids of raw, or of prompt and answer */
    int is_cut;
    double reward;
} item;

typedef struct reward {
    sl_model *model;
    sl_text_encoder *text; /* NULL: token ids only */
    sl_encoder encoder;
    const volatile int *stop;
    double temperature;
    char hash[65];
    sl_scorer scorer;
    size_t rows; /* tokens that the scorer takes at once; 0: it is closed */
} reward;

/* --- words to ids ----------------------------------------------------------------------------- */

static sl_status read_plain(item *x)
{
    sl_raw *raw = &x->raw;

    SL_TRY(sl_strdup(&raw->part[SL_PART_PROMPT].text, x->prompt->text));
    return sl_strdup(&raw->part[SL_PART_CHOSEN].text, x->answer->text);
}

static sl_status read_chat(item *x, const sl_encoder *encoder)
{
    sl_dialogue *d = NULL; /* prompt, prompt and answer */
    sl_status st = SL_OK;

    SL_TRY(sl_take(&d, SIDES, sizeof *d));
    SL_TRY_OUT(sl_dialogue_add(&d[0], "user", x->prompt->text));
    SL_TRY_OUT(sl_dialogue_add(&d[1], "user", x->prompt->text));
    SL_TRY_OUT(sl_dialogue_add(&d[1], "assistant", x->answer->text));
    st = sl_dialogue_render(&x->raw, d, encoder);
out:
    sl_free(d);
    return st;
}

/* As training reads a row: the answer is what it adds to the prompt's ids; a plain string ends with
 * the model's end of sequence. */
static sl_status encode_words(item *x, const reward *r)
{
    const sl_config *c = sl_model_config(r->model);
    const int is_chat = sl_text_encoder_has_chat(r->text);
    sl_raw_part *prompt = &x->raw.part[SL_PART_PROMPT], *answer = &x->raw.part[SL_PART_CHOSEN];
    int is_mismatch;

    x->raw.parts = SL_PART_CHOSEN + 1;
    SL_TRY(is_chat ? read_chat(x, &r->encoder) : read_plain(x));
    SL_TRY(sl_text_encode(r->text, &prompt->ids, &prompt->count, prompt->text, 1));
    SL_TRY(sl_encode_answer(&answer->ids, &answer->count, &is_mismatch, &r->encoder, prompt->text,
                            prompt->ids, prompt->count, answer->text));
    if (!is_chat && c->eos_count && (!answer->count || answer->ids[answer->count - 1] != c->eos[0]))
        SL_TRY(sl_encode_append(&answer->ids, &answer->count, c->eos[0]));
    x->sequence.prompt = (sl_prompt_text){ .token = prompt->ids,
                                           .count = (uint32_t)prompt->count,
                                           .id = x->prompt->id };
    x->sequence.answer = (sl_answer){ .token = answer->ids, .count = (uint32_t)answer->count };
    return SL_OK;
}

/* --- ids as they are -------------------------------------------------------------------------- */

static sl_status check_ids(const int32_t *id, size_t count, const sl_config *c)
{
    for (size_t i = 0; i < count; i++)
        if (id[i] < 0 || (size_t)id[i] >= c->V)
            return SL_FAIL(SL_ESHAPE,
                           "want token ids below %zu, the reward model's vocabulary, "
                           "found %d",
                           c->V, id[i]);
    return SL_OK;
}

/* Longer than the model's positions: the prompt keeps its end, but no more than half of them where
 * the answer is long too, the answer its start. */
static void cut(item *x, size_t most)
{
    sl_prompt_text *prompt = &x->sequence.prompt;
    sl_answer *answer = &x->sequence.answer;
    const size_t spare = most > answer->count ? most - answer->count : 0;
    const size_t kept = spare > most / 2 ? spare : most / 2;

    if ((size_t)prompt->count + answer->count <= most)
        return;
    x->is_cut = 1;
    if (prompt->count > kept) {
        prompt->token += prompt->count - kept;
        prompt->count = (uint32_t)kept;
    }
    if (answer->count > most - prompt->count)
        answer->count = (uint32_t)(most - prompt->count);
}

static sl_status encode(item *x, const reward *r)
{
    const sl_config *c = sl_model_config(r->model);

    if (r->text && x->prompt->text && x->answer->text) {
        SL_TRY(encode_words(x, r));
    } else if (x->prompt->text || x->answer->text) {
        return sl_err_hint(SL_FAIL(SL_EARG, r->text ? "want prompt and answers both as words, "
                                                      "found token ids"
                                                    : "want a tokenizer for words, found none "
                                                      "with the reward model"),
                           "judge.tokenizer names a folder or a tokenizer.json");
    } else {
        x->sequence = (sl_sequence){ *x->prompt, *x->answer };
    }
    if (!x->sequence.prompt.count || !x->sequence.answer.count)
        return SL_FAIL(SL_EARG, "want a token or more in prompt and answer, found none");
    SL_TRY(check_ids(x->sequence.prompt.token, x->sequence.prompt.count, c));
    SL_TRY(check_ids(x->sequence.answer.token, x->sequence.answer.count, c));
    cut(x, (size_t)c->max_positions);
    return SL_OK;
}

/* --- rewards ---------------------------------------------------------------------------------- */

static size_t tokens_of(const item *x)
{
    return (size_t)x->sequence.prompt.count + x->sequence.answer.count;
}

static sl_status open_scorer(reward *r, size_t rows)
{
    const sl_packed_limits limits = {
        .T = rows, .S = SIDES * ANSWERS_MOST, .B = ANSWERS_MOST, .N = rows, .positions = rows
    };

    if (rows <= r->rows)
        return SL_OK;
    sl_scorer_close(&r->scorer);
    r->rows = 0;
    SL_TRY(sl_scorer_open(&r->scorer, sl_model_config(r->model), sl_model_backend(r->model),
                          &limits, 0, 0));
    r->rows = rows;
    return SL_OK;
}

/* As many as fit; *n of them. */
static sl_status read_batch(item *x, size_t count, reward *r, size_t *n)
{
    sl_sequence sequence[ANSWERS_MOST];
    size_t rows = 0;

    for (*n = 0; *n < count && *n < ANSWERS_MOST; ++*n) {
        rows += tokens_of(&x[*n]);
        if (rows > r->rows)
            break;
        sequence[*n] = x[*n].sequence;
    }
    SL_TRY(sl_scorer_run(&r->scorer, r->model, sequence, *n));
    for (size_t i = 0; i < *n; i++) {
        x[i].reward = sl_scorer_value(&r->scorer, i);
        if (!isfinite(x[i].reward))
            return sl_err_where(SL_FAIL(SL_ENUMERIC, "want a finite reward, found %g", x[i].reward),
                                "pair %zu answer %s", x[i].pair, x[i].side ? "b" : "a");
    }
    return SL_OK;
}

static sl_status read_all(item *x, size_t count, reward *r)
{
    size_t longest = ROWS, n;

    for (size_t i = 0; i < count; i++) {
        SL_TRY(
            sl_err_where(encode(&x[i], r), "pair %zu answer %s", x[i].pair, x[i].side ? "b" : "a"));
        longest = tokens_of(&x[i]) > longest ? tokens_of(&x[i]) : longest;
    }
    SL_TRY(open_scorer(r, longest));
    for (size_t done = 0; done < count; done += n) {
        if (r->stop && *r->stop)
            return SL_FAIL(SL_EINTERRUPT, "want %zu more rewards, found a request to stop",
                           count - done);
        SL_TRY(read_batch(x + done, count - done, r, &n));
    }
    return SL_OK;
}

static int is_same(const item *x, const sl_prompt_text *prompt, const sl_answer *answer)
{
    return x->prompt->token == prompt->token && x->prompt->count == prompt->count &&
           x->prompt->text == prompt->text && x->answer->token == answer->token &&
           x->answer->count == answer->count && x->answer->text == answer->text;
}

/* The item of an answer, new when it is not there: callers name an answer in several pairs by the
 * same words or ids in memory. */
static size_t find_item(item *x, size_t *count, const sl_prompt_text *prompt,
                        const sl_answer *answer)
{
    for (size_t i = *count; i-- > 0 && x[i].prompt->id == prompt->id;)
        if (is_same(&x[i], prompt, answer))
            return i;
    x[*count] = (item){ .prompt = prompt, .answer = answer };
    return (*count)++;
}

static sl_status reward_votes(sl_vote *vote, void *state, const sl_prompt_text *prompt,
                              const sl_answer *a, const sl_answer *b, size_t count)
{
    reward *r = state;
    item *x = NULL;    /* (items) */
    size_t *at = NULL; /* (SIDES * count) */
    size_t items = 0;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&x, SIDES * count + 1, sizeof *x));
    SL_TRY_OUT(sl_take(&at, SIDES * count + 1, sizeof *at));
    for (size_t i = 0; i < SIDES * count; i++) {
        const size_t before = items;

        at[i] = find_item(x, &items, &prompt[i / 2], i % 2 ? &b[i / 2] : &a[i / 2]);
        if (items > before)
            x[at[i]].pair = i / 2, x[at[i]].side = i % 2;
    }
    SL_TRY_OUT(read_all(x, items, r));
    for (size_t i = 0; i < count; i++) {
        const item *of_a = &x[at[2 * i]], *of_b = &x[at[2 * i + 1]];

        sl_vote_by_scores(&vote[i], of_a->reward, of_b->reward, r->temperature);
        vote[i].cut =
            (uint8_t)((of_a->is_cut ? SL_VOTE_CUT_A : 0) | (of_b->is_cut ? SL_VOTE_CUT_B : 0));
    }
out:
    for (size_t i = 0; i < items; i++)
        sl_raw_close(&x[i].raw);
    sl_free(x);
    sl_free(at);
    return st;
}

/* --- the row ---------------------------------------------------------------------------------- */

static void reward_close(void *state)
{
    reward *r = state;

    sl_scorer_close(&r->scorer);
    sl_text_encoder_close(&r->text);
    sl_model_close(&r->model);
    sl_free(r);
}

static const char *reward_identity(const void *state)
{
    return ((const reward *)state)->hash;
}

/* The tokenizer named, else the checkpoint's; neither: rows must be token ids. */
static sl_status open_text(reward *r, const sl_judge_settings *set)
{
    const char *path = set->tokenizer;
    char own[4096];
    size_t tokens;

    SL_TRY(sl_file_join(own, sizeof own, set->reward, "tokenizer.json"));
    if (!path && !sl_file_exists(own))
        return SL_OK;
    SL_TRY(sl_text_encoder_open(&r->text, path ? path : set->reward));
    r->encoder = (sl_encoder){ r->text, sl_text_encode, sl_text_render };
    tokens = sl_tokenizer_vocab(sl_text_encoder_tokenizer(r->text));
    if (tokens > sl_model_config(r->model)->V)
        return SL_FAIL(SL_ESHAPE,
                       "want a tokenizer of at most %zu tokens, the reward model's vocabulary, "
                       "found %zu",
                       sl_model_config(r->model)->V, tokens);
    return SL_OK;
}

static sl_status check_model(const reward *r, const sl_data *data)
{
    const sl_config *c = sl_model_config(r->model);
    const size_t V = data ? sl_data_limits_of(data)->vocab : 0;

    if (!c->is_scorer)
        return sl_err_hint(SL_FAIL(SL_EARG, "want a reward model, found a language model"),
                           "method.kind reward trains one");
    if (!r->text && V > c->V)
        return sl_err_hint(SL_FAIL(SL_ESHAPE,
                                   "want a reward model of the data's vocabulary of %zu tokens, "
                                   "found %zu",
                                   V, c->V),
                           "judge.tokenizer names a tokenizer of its own, for rows of words");
    return SL_OK;
}

static sl_status open_all(reward *r, const sl_judge_settings *set, const sl_data *data)
{
    SL_TRY(sl_model_load(&r->model, set->reward, set->backend, 0));
    SL_TRY(sl_err_where(open_text(r, set), "tokenizer"));
    SL_TRY(check_model(r, data));
    return sl_model_hash(r->hash, r->model);
}

static sl_status reward_open(void **state, const sl_judge_settings *set, const sl_data *data)
{
    reward *r = NULL;

    if (!set->reward)
        return SL_FAIL(SL_EARG, "want the folder of a reward model, found none");
    SL_CHECK(set->backend);
    SL_TRY(sl_take(&r, 1, sizeof *r));
    *state = r;
    r->temperature = set->temperature;
    r->stop = set->stop;
    return sl_err_where(open_all(r, set, data), "reward model \"%s\"", set->reward);
}

const sl_judge_row sl_judge_reward = { .name = "reward",
                                       .open = reward_open,
                                       .close = reward_close,
                                       .votes = reward_votes,
                                       .identity = reward_identity };
