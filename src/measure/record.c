#include "measure/record.h"
#include "base/alloc.h"
#include "base/hash.h"
#include <math.h>
#include <stdio.h>

sl_status sl_recorder_name(sl_recorder *recorder, const sl_judge *judge, const char *sampler)
{
    if (!recorder->run)
        return SL_OK;
    if (judge)
        SL_TRY(sl_run_name(recorder->run, &recorder->judge, SL_NAME_JUDGE, sl_judge_name(judge)));
    return sl_run_name(recorder->run, &recorder->sampler, SL_NAME_SAMPLER, sampler);
}

uint64_t sl_candidate_id(const sl_recorder *recorder, const sl_prompt_text *prompt,
                         const sl_drawn *drawn, uint32_t slot)
{
    const uint64_t parts[5] = { prompt->id, recorder->sampler, drawn->stream,
                                (uint64_t)recorder->step, slot };

    return sl_hash_id(parts, sizeof parts);
}

/* The answer's words; where it has none, its token ids in decimal. */
static sl_status record_text(uint64_t *hash, const sl_recorder *recorder, const sl_answer *answer)
{
    enum { ID_BYTES = 12 }; /* sign, ten digits, space */
    char *text = NULL;
    size_t at = 0;
    sl_status st;

    if (answer->text)
        return sl_run_text(recorder->run, hash, "answer", NULL, NULL, answer->text);
    SL_TRY(sl_take(&text, (size_t)answer->count * ID_BYTES + 1, 1));
    for (uint32_t i = 0; i < answer->count; i++)
        at += (size_t)snprintf(text + at, ID_BYTES + 1, "%s%d", i ? " " : "", answer->token[i]);
    st = sl_run_text(recorder->run, hash, "answer", NULL, NULL, text);
    sl_free(text);
    return st;
}

sl_status sl_record_drawn(const sl_recorder *recorder, const sl_prompt_text *prompt,
                          const sl_drawn *drawn, const sl_generate *law, uint32_t slot)
{
    sl_row_candidates row = {
        .step = recorder->step,
        .candidate_id = sl_candidate_id(recorder, prompt, drawn, slot),
        .prompt_id = prompt->id,
        .logp = drawn->logp,
        .temperature = law->law.temperature,
        .top_p = law->law.top_p,
        .top_k = law->law.top_k,
        .tokens = drawn->answer.count,
        .bytes = drawn->answer.bytes,
        .chars = drawn->answer.chars,
        .iteration = recorder->iteration,
        .slot = (uint16_t)slot,
        .sampler = recorder->sampler,
        .origin = SL_ORIGIN_ON_POLICY,
        .stop = (uint8_t)drawn->stop,
    };

    if (!recorder->run)
        return SL_OK;
    SL_TRY(record_text(&row.text_hash, recorder, &drawn->answer));
    return sl_run_row(recorder->run, SL_TABLE_CANDIDATES, &row, NULL);
}

sl_status sl_record_static(const sl_recorder *recorder, const sl_prompt_text *prompt,
                           const sl_answer *answer, uint32_t slot)
{
    sl_row_candidates row = {
        .step = recorder->step,
        .candidate_id = answer->id,
        .prompt_id = prompt->id,
        .logp = NAN,
        .temperature = NAN,
        .top_p = NAN,
        .tokens = answer->count,
        .bytes = answer->bytes,
        .chars = answer->chars,
        .iteration = recorder->iteration,
        .slot = (uint16_t)slot,
        .sampler = UINT16_MAX, /* no sampler: read from data */
        .origin = SL_ORIGIN_STATIC,
        .stop = SL_ROW_STOP_LENGTH,
    };

    if (!recorder->run)
        return SL_OK;
    SL_TRY(record_text(&row.text_hash, recorder, answer));
    return sl_run_row(recorder->run, SL_TABLE_CANDIDATES, &row, NULL);
}

sl_status sl_record_vote(const sl_recorder *recorder, const sl_prompt_text *prompt,
                         const sl_vote_sides *sides, const sl_vote *vote)
{
    sl_vote_order order[2];
    const size_t orders = sl_vote_orders(order, vote);
    sl_row_votes row = {
        .step = recorder->step,
        .prompt_id = prompt->id,
        .a_id = sides->a_id,
        .b_id = sides->b_id,
        .score_a = (float)vote->score_a,
        .score_b = (float)vote->score_b,
        .chars_a = sides->a->chars,
        .chars_b = sides->b->chars,
        .tok_a = sides->a->count,
        .tok_b = sides->b->count,
        .measurement = recorder->measurement,
        .judge = recorder->judge,
        .a_origin = sides->a_origin,
        .b_origin = sides->b_origin,
        .purpose = sides->purpose,
        .cut = vote->cut,
        .status = (uint8_t)vote->status,
    };

    for (size_t i = 0; i < orders && recorder->run; i++) {
        row.vote = (float)order[i].p;
        row.order = order[i].is_b_first ? SL_ORDER_B_FIRST : SL_ORDER_A_FIRST;
        SL_TRY(sl_run_row(recorder->run, SL_TABLE_VOTES, &row, NULL));
    }
    return SL_OK;
}
