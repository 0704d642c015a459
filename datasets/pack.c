#include "datasets/pack.h"
#include <string.h>

sl_packed_limits sl_pack_limits(size_t sequences, uint32_t prompt_tok, uint32_t answer_tok)
{
    const size_t longest = (size_t)prompt_tok + answer_tok;

    return (sl_packed_limits){ .T = sequences * longest,
                               .S = 2 * sequences,
                               .B = sequences,
                               .N = sequences * answer_tok,
                               .positions = longest };
}

void sl_packer_carve(sl_packer *packer, sl_arena *arena, const sl_packed_limits *limits)
{
    packer->limits = *limits;
    packer->is_shared = 1;
    packer->token = sl_arena_i32(arena, 1, limits->T);
    packer->position = sl_arena_i32(arena, 1, limits->T);
    packer->segment = sl_arena_take(arena, limits->S, sizeof *packer->segment);
    packer->target = sl_arena_take(arena, limits->N, sizeof *packer->target);
    packer->seq_first = sl_arena_take(arena, limits->B + 1, sizeof *packer->seq_first);
    packer->owner = sl_arena_take(arena, limits->S, sizeof *packer->owner);
}

static sl_status check(const sl_packer *p, const sl_sequence *sequence, size_t count)
{
    size_t rows = 0, targets = 0;

    for (size_t i = 0; i < count; i++) {
        if (!sequence[i].prompt.count || !sequence[i].answer.count)
            return SL_FAIL(SL_EARG,
                           "want a prompt and an answer in sequence %zu, found %u and %u "
                           "tokens",
                           i, sequence[i].prompt.count, sequence[i].answer.count);
        rows += (size_t)sequence[i].prompt.count + sequence[i].answer.count;
        targets += sequence[i].answer.count;
        if ((size_t)sequence[i].prompt.count + sequence[i].answer.count > p->limits.positions)
            return SL_FAIL(SL_ESHAPE, "want at most %zu positions, found %zu", p->limits.positions,
                           (size_t)sequence[i].prompt.count + sequence[i].answer.count);
    }
    /* as if no prompt were shared: whether a batch fits does not depend on what its prompts are */
    if (count > p->limits.B || 2 * count > p->limits.S || rows > p->limits.T ||
        targets > p->limits.N)
        return SL_FAIL(SL_ESHAPE,
                       "want at most %zu sequences, %zu segments, %zu rows and %zu targets, found "
                       "%zu, %zu, %zu and %zu",
                       p->limits.B, p->limits.S, p->limits.T, p->limits.N, count, 2 * count, rows,
                       targets);
    return SL_OK;
}

/* Appends a segment; its tokens go to rows [T, T + count). */
static uint32_t append(sl_packer *p, const int32_t *token, uint32_t count, int32_t parent,
                       uint32_t position)
{
    const uint32_t first = (uint32_t)p->packed.T;

    memcpy(p->token + first, token, count * sizeof *token);
    for (uint32_t i = 0; i < count; i++)
        p->position[first + i] = (int32_t)(position + i);
    p->segment[p->packed.S] = (sl_segment){ parent, first, count, position };
    p->packed.T += count;
    return (uint32_t)p->packed.S++;
}

/* The segment of this prompt: one that is there already with the same tokens, or a new one. The
 * scan goes backwards: answers of one prompt stand together. */
static uint32_t prompt_segment(sl_packer *p, const sl_prompt_text *prompt)
{
    uint32_t s;

    for (size_t k = p->packed.S; p->is_shared && k-- > 0;) {
        const sl_segment *seg = &p->segment[k];

        if (seg->parent < 0 && seg->count == prompt->count && p->owner[k] == prompt->id &&
            !memcmp(p->token + seg->first, prompt->token, prompt->count * sizeof *prompt->token))
            return (uint32_t)k;
    }
    s = append(p, prompt->token, prompt->count, -1, 0);
    p->owner[s] = prompt->id;
    return s;
}

static void add_targets(sl_packer *p, uint32_t sequence, const sl_answer *answer, uint32_t last,
                        uint32_t first)
{
    for (uint32_t i = 0; i < answer->count; i++)
        p->target[p->packed.N++] = (sl_target){ .row = i ? first + i - 1 : last,
                                                .token = answer->token[i],
                                                .sequence = sequence };
}

sl_status sl_pack(sl_packer *packer, const sl_sequence *sequence, size_t count)
{
    SL_TRY(check(packer, sequence, count));
    packer->packed = (sl_packed){ .token = packer->token,
                                  .position = packer->position,
                                  .segment = packer->segment,
                                  .target = packer->target,
                                  .seq_first = packer->seq_first };
    for (size_t i = 0; i < count; i++) {
        const uint32_t parent = prompt_segment(packer, &sequence[i].prompt);
        const sl_segment *p = &packer->segment[parent];
        const uint32_t last = p->first + p->count - 1;
        const uint32_t own = append(packer, sequence[i].answer.token, sequence[i].answer.count,
                                    (int32_t)parent, sequence[i].prompt.count);

        packer->seq_first[i] = (uint32_t)packer->packed.N;
        add_targets(packer, (uint32_t)i, &sequence[i].answer, last, packer->segment[own].first);
    }
    packer->seq_first[count] = (uint32_t)packer->packed.N;
    packer->packed.B = count;
    return SL_OK;
}

sl_status sl_pack_pairs(sl_packer *packer, sl_sequence *scratch, const sl_pair *pair, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        scratch[2 * i] = (sl_sequence){ pair[i].prompt, pair[i].chosen };
        scratch[2 * i + 1] = (sl_sequence){ pair[i].prompt, pair[i].rejected };
    }
    return sl_pack(packer, scratch, 2 * count);
}
