#include "train/update.h"
#include "model/reward.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

void sl_update_carve(sl_update *u, sl_arena *arena, const sl_data_limits *limits, size_t batch)
{
    const size_t sequences = u->sides * u->micro;
    const sl_packed_limits most = sl_pack_limits(sequences, limits->prompt_tok, limits->answer_tok);
    double **const sums[] = { &u->logp_c, &u->logp_r, &u->logp_t, &u->ref_c,  &u->ref_r,
                              &u->loss,   &u->margin, &u->coef_c, &u->coef_r, &u->coef_t };

    sl_packer_carve(&u->packer, arena, &most);
    u->sequence = sl_arena_take(arena, sequences, sizeof *u->sequence);
    u->logp = sl_arena_f32(arena, 1, most.N);
    u->coef = sl_arena_f32(arena, 1, most.N);
    u->split_coef = sl_arena_f32(arena, 1, most.N);
    u->stats = sl_arena_take(arena, most.N, sizeof *u->stats);
    u->top_id = sl_arena_i32(arena, most.N, u->top_k ? u->top_k : 1);
    u->top_logp = sl_arena_f32(arena, most.N, u->top_k ? u->top_k : 1);
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        *sums[i] = sl_arena_f64(arena, 1, batch);
    u->tok_c = sl_arena_take(arena, batch, sizeof *u->tok_c);
    u->tok_r = sl_arena_take(arena, batch, sizeof *u->tok_r);
    u->tok_t = sl_arena_take(arena, batch, sizeof *u->tok_t);
}

void sl_update_begin(sl_update *u, const sl_fed *fed, size_t count)
{
    u->fed = fed;
    u->P = count;
    u->first = u->count = 0;
    u->means = (sl_update_means){ 0 };
    u->mean_tok_c = 0.0;
    for (size_t i = 0; i < count; i++) {
        u->ref_c[i] = fed[i].ref_logp_c;
        u->ref_r[i] = fed[i].ref_logp_r;
        u->tok_c[i] = fed[i].pair.chosen.count;
        u->tok_r[i] = u->sides > 1 ? fed[i].pair.rejected.count : 0;
        u->tok_t[i] = u->sides > 2 ? fed[i].target.count : 0;
        u->mean_tok_c += (double)u->tok_c[i] / (double)count;
        u->means.targets += fed[i].pair.chosen.count;
        u->means.targets += u->tok_r[i];
        u->means.pairs_on += fed[i].pair.source == SL_SOURCE_ON_POLICY;
    }
}

sl_status sl_update_pack(sl_update *u, int *more)
{
    u->first += u->count;
    u->count = u->P - u->first < u->micro ? u->P - u->first : u->micro;
    *more = u->count > 0;
    if (!*more)
        return SL_OK;
    for (size_t i = 0; i < u->count; i++) {
        const sl_pair *p = &u->fed[u->first + i].pair;

        u->sequence[u->sides * i] = (sl_sequence){ p->prompt, p->chosen };
        if (u->sides > 1)
            u->sequence[u->sides * i + 1] = (sl_sequence){ p->prompt, p->rejected };
        if (u->sides > 2)
            u->sequence[u->sides * i + 2] = (sl_sequence){ p->prompt, u->fed[u->first + i].target };
    }
    SL_TRY(sl_pack(&u->packer, u->sequence, u->sides * u->count));
    u->means.tokens += u->packer.packed.T;
    return SL_OK;
}

sl_status sl_update_backward(sl_update *u, sl_model *model, sl_work *work, const float *coef)
{
    return u->is_reward ? sl_model_rewards_backward(model, work, &u->packer.packed, coef)
                        : sl_model_backward(model, work, &u->packer.packed, coef);
}

static sl_status take_rewards(sl_update *u, const sl_model *model, sl_work *work)
{
    const sl_packed *b = &u->packer.packed;

    SL_TRY(sl_model_rewards(u->logp, model, work, b)); /* (B) */
    for (size_t s = 0; s < b->B; s++)
        (s % u->sides ? u->logp_r : u->logp_c)[u->first + s / u->sides] = (double)u->logp[s];
    return SL_OK;
}

sl_status sl_update_logp(sl_update *u, const sl_model *model, sl_work *work)
{
    const sl_packed *b = &u->packer.packed;
    double *const of_side[] = { u->logp_c, u->logp_r, u->logp_t };
    sl_topk top = { (uint32_t)u->top_k, u->top_id, u->top_logp };

    if (u->is_reward)
        return take_rewards(u, model, work);
    SL_TRY(sl_model_logp(u->logp, u->stats, u->top_k ? &top : NULL, model, work, b));
    for (size_t s = 0; s < b->B; s++) {
        const size_t i = u->first + s / u->sides;
        double sum = 0.0;

        for (uint32_t n = b->seq_first[s]; n < b->seq_first[s + 1]; n++) {
            sum += (double)u->logp[n];
            if (s % u->sides < SL_UPDATE_TARGET) /* the mean is over the answers of the pair */
                u->means.entropy += (double)u->stats[n].entropy;
        }
        of_side[s % u->sides][i] = sum;
    }
    return SL_OK;
}

static sl_status check_pair(const sl_update *u, size_t i)
{
    if (isfinite(u->logp_c[i]) && (u->sides == 1 || isfinite(u->logp_r[i])) && isfinite(u->loss[i]))
        return SL_OK;
    return SL_FAIL(SL_ENUMERIC,
                   "want a finite loss, found %g of pair %016" PRIx64
                   " (log-probability chosen %g, rejected %g)",
                   u->loss[i], u->fed[i].pair.id, u->logp_c[i], u->sides > 1 ? u->logp_r[i] : NAN);
}

/* Mean over all answer tokens of the update; a pair's loss is its own token mean. */
static void sft_losses(sl_update *u)
{
    for (size_t i = u->first; i < u->first + u->count; i++) {
        u->loss[i] = -u->logp_c[i] / (double)u->fed[i].pair.chosen.count;
        u->margin[i] = NAN;
        u->coef_c[i] = -(double)u->P / (double)u->means.targets;
        u->coef_r[i] = NAN;
        u->means.loss += -u->logp_c[i] * (double)u->P / (double)u->means.targets;
        u->means.nll += -u->logp_c[i] * (double)u->P / (double)u->means.targets;
    }
}

/* Elements of coef that belong to sequence s: its targets, or itself. */
static void elements_of(uint32_t *first, uint32_t *end, const sl_update *u, size_t s)
{
    const uint32_t *at = u->packer.packed.seq_first;

    *first = u->is_reward ? (uint32_t)s : at[s];
    *end = u->is_reward ? (uint32_t)s + 1 : at[s + 1];
}

static double accuracy_of(double margin)
{
    return margin > 0.0 ? 1.0 : margin < 0.0 ? 0.0 : margin == 0.0 ? 0.5 : NAN;
}

static void pair_losses(sl_update *u, const sl_objective *loss)
{
    const size_t f = u->first;
    const sl_objective_out out = { u->loss + f, u->margin + f, u->coef_c + f, u->coef_r + f,
                                   u->coef_t + f };
    const sl_objective_in in = { u->logp_c + f, u->logp_r + f, u->ref_c + f,
                                 u->ref_r + f,  u->tok_c + f,  u->tok_r + f,
                                 u->mean_tok_c, u->logp_t + f, u->tok_t + f };

    sl_objective_pairs(&out, &in, u->count, loss);
    for (size_t i = f; i < f + u->count; i++) {
        u->means.loss += u->loss[i];
        u->means.nll += u->is_reward ? NAN : -u->logp_c[i] / (double)u->fed[i].pair.chosen.count;
        u->means.margin += u->margin[i];
        u->means.accuracy += accuracy_of(u->margin[i]);
    }
}

sl_status sl_update_coef(sl_update *u, const sl_objective *loss)
{
    const double *const of_side[] = { u->coef_c, u->coef_r, u->coef_t };
    const sl_packed *b = &u->packer.packed;

    if (loss)
        pair_losses(u, loss);
    else
        sft_losses(u);
    for (size_t i = u->first; i < u->first + u->count; i++)
        SL_TRY(check_pair(u, i));
    for (size_t s = 0; s < b->B; s++) {
        const size_t i = u->first + s / u->sides;
        const double coef = of_side[s % u->sides][i] / (double)u->P;
        uint32_t first, end;

        elements_of(&first, &end, u, s);
        for (uint32_t n = first; n < end; n++)
            u->coef[n] = (float)coef;
    }
    return SL_OK;
}

void sl_update_split(sl_update *u, int side, sl_source source)
{
    const sl_packed *b = &u->packer.packed;

    for (size_t s = 0; s < b->B; s++) {
        const sl_source from = u->fed[u->first + s / u->sides].pair.source;
        uint32_t first, end;
        const int is_rejected = s % u->sides == 1;
        const int in = side >= 0 ? is_rejected == side : from == source;

        elements_of(&first, &end, u, s);
        for (uint32_t n = first; n < end; n++)
            u->split_coef[n] = in ? u->coef[n] : 0.0f;
    }
}

void sl_update_end(sl_update *u)
{
    const double P = (double)u->P;

    u->means.loss /= P;
    u->means.nll /= P;
    u->means.margin = u->sides > 1 ? u->means.margin / P : NAN;
    u->means.accuracy = u->sides > 1 ? u->means.accuracy / P : NAN;
    u->means.entropy = u->is_reward ? NAN : u->means.entropy / (double)u->means.targets;
}
