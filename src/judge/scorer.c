#include "judge/scorer.h"
#include "model/reward.h"

static void carve(sl_scorer *s, sl_arena *arena, const sl_packed_limits *limits, uint32_t top_k)
{
    sl_packer_carve(&s->packer, arena, limits);
    s->logp = sl_arena_f32(arena, 1, limits->N);
    s->stats = sl_arena_take(arena, limits->N, sizeof *s->stats);
    s->top.k = top_k;
    if (!top_k)
        return;
    s->top.id = sl_arena_i32(arena, limits->N, top_k);
    s->top.logp = sl_arena_f32(arena, limits->N, top_k);
}

sl_status sl_scorer_open(sl_scorer *out, const sl_config *config, const sl_backend *backend,
                         const sl_packed_limits *limits, uint32_t top_k, int with_backward)
{
    sl_arena measure = SL_ARENA_MEASURE;

    *out = (sl_scorer){ .gives_rewards = config->is_scorer };
    carve(out, &measure, limits, top_k);
    SL_TRY(sl_arena_open(&out->arena, measure.used_bytes));
    carve(out, &out->arena, limits, top_k);
    return sl_work_open(&out->work, config, backend, limits, with_backward);
}

void sl_scorer_close(sl_scorer *scorer)
{
    sl_work_close(&scorer->work);
    sl_arena_close(&scorer->arena);
}

sl_status sl_scorer_run(sl_scorer *scorer, const sl_model *model, const sl_sequence *sequence,
                        size_t count)
{
    const sl_packed *packed = &scorer->packer.packed;

    SL_TRY(sl_pack(&scorer->packer, sequence, count));
    SL_TRY(sl_model_forward(model, scorer->work, packed));
    if (scorer->gives_rewards)
        return sl_model_rewards(scorer->logp, model, scorer->work, packed);
    return sl_model_logp(scorer->logp, scorer->stats, scorer->top.k ? &scorer->top : NULL, model,
                         scorer->work, packed);
}

double sl_scorer_value(const sl_scorer *scorer, size_t s)
{
    const uint32_t *first = scorer->packer.packed.seq_first;
    double sum = 0.0;

    if (scorer->gives_rewards)
        return (double)scorer->logp[s];
    for (uint32_t i = first[s]; i < first[s + 1]; i++)
        sum += (double)scorer->logp[i];
    return sum;
}
