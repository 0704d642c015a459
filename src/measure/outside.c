#include "measure/outside.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"
#include "measure/outside_int.h"
#include <math.h>
#include <string.h>

struct sl_outside {
    const sl_outside_row *row;
    void *state;
    uint64_t seed;
    sl_wanted *wanted; /* of a draw */
    sl_said *said;
    char *words; /* of the answers of the last draw, one after another */
    size_t wanted_capacity, said_capacity, words_capacity;
};

static const sl_outside_row *const rows[] = { &sl_outside_file, &sl_outside_command,
                                              &sl_outside_endpoint };
enum { ROWS = sizeof rows / sizeof rows[0] };

const char *const *sl_outside_names(void)
{
    static const char *const names[ROWS + 1] = { "candidates", "command", "endpoint", NULL };

    return names;
}

static sl_status find_row(const sl_outside_row **out, const char *name)
{
    const char *near = sl_text_nearest(name, sl_outside_names());
    sl_status st;

    for (size_t i = 0; i < ROWS; i++)
        if (!strcmp(rows[i]->name, name)) {
            *out = rows[i];
            return SL_OK;
        }
    st = SL_FAIL(SL_EARG, "want a sampler (policy, candidates, command, endpoint), found \"%.64s\"",
                 name);
    return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
}

sl_status sl_outside_open(sl_outside **out, const sl_outside_settings *settings)
{
    const sl_outside_row *row = NULL;
    sl_status st;

    *out = NULL;
    SL_TRY(find_row(&row, settings->name));
    SL_TRY(sl_take(out, 1, sizeof **out));
    (*out)->row = row;
    (*out)->seed = settings->seed;
    st = row->open(&(*out)->state, settings);
    if (st != SL_OK)
        sl_outside_close(out);
    return st;
}

void sl_outside_close(sl_outside **outside)
{
    sl_outside *o = *outside;

    if (!o)
        return;
    if (o->state)
        o->row->close(o->state);
    sl_free(o->wanted);
    sl_free(o->said);
    sl_free(o->words);
    sl_free(o);
    *outside = NULL;
}

sl_status sl_outside_law(sl_json *request, const sl_sample_settings *law)
{
    int failed = json_object_set_new(request, "temperature", json_real((double)law->temperature)) |
                 json_object_set_new(request, "top_p", json_real((double)law->top_p));

    if (law->top_k)
        failed |= json_object_set_new(request, "top_k", json_integer(law->top_k));
    return failed ? SL_FAIL(SL_ENOMEM, "want memory for a request, found none") : SL_OK;
}

/* --- a draw ---------------------------------------------------------------------------------- */

static sl_status want_all(sl_outside *o, const sl_drawn *drawn, const sl_prompt_text *prompt,
                          size_t count, size_t each)
{
    SL_TRY(sl_grow(&o->wanted, &o->wanted_capacity, count * each, sizeof *o->wanted));
    SL_TRY(sl_grow(&o->said, &o->said_capacity, count * each, sizeof *o->said));
    for (size_t i = 0; i < count * each; i++) {
        const sl_prompt_text *p = &prompt[i / each];

        if (!p->text)
            return SL_FAIL(SL_EARG, "want prompts as words for a sampler outside, found token ids");
        o->said[i] = (sl_said){ 0 };
        o->wanted[i] = (sl_wanted){
            .prompt = p,
            .seed = sl_rng_substream(o->seed, drawn[i].stream) >> 11,
            .slot = (uint32_t)(i % each),
        };
    }
    return SL_OK;
}

/* Words go into one buffer; pointers are set when it is whole. */
static sl_status keep_words(sl_outside *o, size_t count)
{
    size_t used = 0, all = 0;

    for (size_t i = 0; i < count; i++)
        all += strlen(o->said[i].text) + 1;
    SL_TRY(sl_grow(&o->words, &o->words_capacity, all, 1));
    for (size_t i = 0; i < count; i++) {
        const size_t bytes = strlen(o->said[i].text) + 1;

        memcpy(o->words + used, o->said[i].text, bytes);
        used += bytes;
    }
    return SL_OK;
}

static void give_answer(sl_drawn *drawn, int32_t *token, const sl_said *said, const char *words,
                        uint32_t most)
{
    const uint32_t bytes = (uint32_t)strlen(words), kept = bytes < most ? bytes : most;

    for (uint32_t i = 0; i < kept; i++)
        token[i] = (unsigned char)words[i];
    drawn->answer = (sl_answer){ .token = token,
                                 .count = kept,
                                 .bytes = bytes,
                                 .chars = sl_text_chars(words),
                                 .id = sl_hash_id(words, bytes),
                                 .score = NAN,
                                 .text = words };
    drawn->stop = said->stop;
    drawn->logp = NAN;
}

static sl_status outside_draw(void *state, sl_drawn *drawn, int32_t *token, const sl_generate *law,
                              const sl_prompt_text *prompt, size_t count, size_t each)
{
    sl_outside *o = state;
    const size_t n = count * each;
    size_t at = 0;
    sl_status st;

    SL_TRY(want_all(o, drawn, prompt, count, each));
    st = o->row->say(o->said, o->state, &law->law, o->wanted, n);
    if (st == SL_OK)
        st = keep_words(o, n);
    for (size_t i = 0; st == SL_OK && i < n; i++) {
        give_answer(&drawn[i], token + i * law->max_new, &o->said[i], o->words + at, law->max_new);
        at += (size_t)drawn[i].answer.bytes + 1;
    }
    for (size_t i = 0; i < n; i++)
        sl_free(o->said[i].text);
    return st;
}

sl_sampler sl_outside_door(sl_outside *outside, const sl_generate *law)
{
    return (sl_sampler){
        .state = outside, .name = outside->row->name, .law = *law, .draw = outside_draw
    };
}
