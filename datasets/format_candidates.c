/* Several scored answers a prompt, as on-policy sets keep them (SimPO, Snorkel:
 * "all_generated_responses", "all_rm_scores"; Online-RLHF: "responses", "rewards"). The pair is the
 * best and the worst, the first of equals; where all scores are equal there is none. */
#include "base/alloc.h"
#include "datasets/dialogue.h"
#include <float.h>
#include <math.h>

static const struct {
    const char *responses, *scores;
} keys[] = { { "all_generated_responses", "all_rm_scores" }, { "responses", "rewards" } };
enum { KEYS = sizeof keys / sizeof keys[0] };

static int candidates_fits(const sl_json *row)
{
    for (size_t k = 0; k < KEYS; k++)
        if (sl_json_has(row, keys[k].responses))
            return 1;
    return 0;
}

static sl_status read_score(double *out, const sl_json *list, size_t i)
{
    const sl_json *score = json_array_get(list, i);

    *out = json_number_value(score);
    if (!json_is_number(score) || fabs(*out) > (double)FLT_MAX)
        return SL_FAIL(SL_EFORMAT, "want a number within +-%g, found another value at %zu",
                       (double)FLT_MAX, i);
    return SL_OK;
}

/* at[chosen], at[rejected]: places of the best and the worst. */
static sl_status find_ends(size_t at[SL_PARTS], sl_raw *out, const sl_json *scores, size_t count)
{
    if (!json_is_array(scores) || json_array_size(scores) != count)
        return SL_FAIL(SL_EFORMAT, "want a list of %zu numbers, one a response, found another",
                       count);
    for (size_t i = 0; i < count; i++) {
        double score;

        SL_TRY(read_score(&score, scores, i));
        if (!i || score > out->score[SL_PART_CHOSEN]) {
            out->score[SL_PART_CHOSEN] = score;
            at[SL_PART_CHOSEN] = i;
        }
        if (!i || score < out->score[SL_PART_REJECTED]) {
            out->score[SL_PART_REJECTED] = score;
            at[SL_PART_REJECTED] = i;
        }
    }
    out->is_tie = !(out->score[SL_PART_CHOSEN] > out->score[SL_PART_REJECTED]);
    return SL_OK;
}

static sl_status take_messages(sl_raw *out, const sl_json *prompt, const char *const *answer,
                               const sl_encoder *encoder)
{
    sl_dialogue *d = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&d, SL_PARTS, sizeof *d));
    SL_TRY_OUT(sl_err_where(sl_dialogue_read(d, prompt), "field \"prompt\""));
    for (int p = SL_PART_CHOSEN; p < SL_PARTS; p++) {
        SL_TRY_OUT(sl_dialogue_add(&d[p], "assistant", answer[p]));
        SL_TRY_OUT(sl_dialogue_prepend(&d[p], d));
    }
    st = sl_dialogue_render(out, d, encoder);
out:
    sl_free(d);
    return st;
}

static sl_status take_strings(sl_raw *out, const sl_json *row, const char *const *answer)
{
    out->wants_eos = 1;
    SL_TRY(sl_raw_text(out, SL_PART_PROMPT, row, "prompt"));
    for (int p = SL_PART_CHOSEN; p < SL_PARTS; p++)
        SL_TRY(sl_strdup(&out->part[p].text, answer[p]));
    return SL_OK;
}

static sl_status candidates_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    const size_t k = sl_json_has(row, keys[0].responses) ? 0 : 1;
    const sl_json *list = json_object_get(row, keys[k].responses);
    const sl_json *prompt = json_object_get(row, "prompt");
    const char *answer[SL_PARTS] = { NULL };
    size_t at[SL_PARTS] = { 0 };

    if (json_array_size(list) < 2)
        return sl_err_where(
            SL_FAIL(SL_EFORMAT, "want at least two responses, found %zu", json_array_size(list)),
            "field \"%s\"", keys[k].responses);
    SL_TRY(sl_err_where(
        find_ends(at, out, json_object_get(row, keys[k].scores), json_array_size(list)),
        "field \"%s\"", keys[k].scores));
    for (int p = SL_PART_CHOSEN; p < SL_PARTS; p++) {
        answer[p] = json_string_value(json_array_get(list, at[p]));
        if (!answer[p])
            return sl_err_where(SL_FAIL(SL_EFORMAT, "want text, found another value at %zu", at[p]),
                                "field \"%s\"", keys[k].responses);
    }
    return json_is_array(prompt) ? take_messages(out, prompt, answer, encoder)
                                 : take_strings(out, row, answer);
}

const sl_format sl_format_candidates = {
    .name = "candidates", .is_text = 1, .fits = candidates_fits, .read = candidates_read
};
