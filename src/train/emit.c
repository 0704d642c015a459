#include "train/emit.h"
#include "base/noise.h"
#include "train/clock.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TOPK_PAIRS = 8 }; /* pairs a step with top-k rows at record level 1 */

sl_status sl_emit_names(sl_session *s)
{
    const sl_tensors *table = sl_model_tensors(s->policy);

    for (size_t g = 0; g < table->group_count; g++) {
        char name[64];

        SL_TRY(sl_run_name(s->run, &s->group_name[g], SL_NAME_GROUP,
                           sl_tensors_group_name(table, g, name)));
    }
    return SL_OK;
}

int sl_is_split_step(const sl_session *s)
{
    const int64_t every = s->recipe.record.grad_split_every;

    if (!s->run || !s->loss)
        return 0;
    return (every > 0 && s->step % every == 0) || sl_is_pairgrad_step(s);
}

/* --- tokens ---------------------------------------------------------------------------------- */

/* Level 1 keeps top-k of about TOPK_PAIRS pairs a step, picked by the hash of the pair's id. */
static int wants_topk(const sl_session *s, const sl_pair *pair)
{
    const uint64_t share =
        s->update.P > TOPK_PAIRS ? UINT64_MAX / s->update.P * TOPK_PAIRS : UINT64_MAX;

    return s->recipe.record.level >= 2 ||
           sl_rng_substream(sl_rng_stream("topk"), pair->id) <= share;
}

static sl_status emit_topk(sl_session *s, uint64_t pair, uint8_t side, uint32_t pos, size_t n)
{
    const sl_update *u = &s->update;
    const float *logp = u->top_logp + n * u->top_k;
    const void *wide[2] = { u->top_id + n * u->top_k, logp };
    double mass = 0.0;
    sl_row_topk row = { .step = s->step, .pair_id = pair, .pos = pos, .side = side };

    for (size_t k = 0; k < u->top_k; k++)
        mass += exp((double)logp[k]);
    row.rest = (float)fmax(0.0, 1.0 - mass);
    return sl_run_row(s->run, SL_TABLE_TOPK, &row, wide);
}

static sl_status emit_answer(sl_session *s, size_t sequence)
{
    const sl_update *u = &s->update;
    const sl_packed *b = &u->packer.packed;
    const sl_fed *fed = &u->fed[u->first + sequence / u->sides];
    const uint8_t side = (uint8_t)(sequence % u->sides);
    const float *ref = side ? fed->ref_tok_r : fed->ref_tok_c;
    const int keeps_topk =
        u->top_k && sl_run_wants(s->run, SL_TABLE_TOPK) && wants_topk(s, &fed->pair);

    for (uint32_t n = b->seq_first[sequence]; n < b->seq_first[sequence + 1]; n++) {
        const uint32_t pos = n - b->seq_first[sequence];
        const sl_row_tokens row = { .step = s->step,
                                    .pair_id = fed->pair.id,
                                    .logp = u->logp[n],
                                    .ref_logp = ref ? ref[pos] : NAN,
                                    .entropy = u->stats[n].entropy,
                                    .lse = u->stats[n].lse,
                                    .token = b->target[n].token,
                                    .pos = pos,
                                    .side = side };

        SL_TRY(sl_run_row(s->run, SL_TABLE_TOKENS, &row, NULL));
        if (keeps_topk)
            SL_TRY(emit_topk(s, fed->pair.id, side, pos, n));
    }
    return SL_OK;
}

sl_status sl_emit_tokens(sl_session *s)
{
    if (!s->run || s->update.is_reward || !sl_run_wants(s->run, SL_TABLE_TOKENS))
        return SL_OK;
    for (size_t sequence = 0; sequence < s->update.packer.packed.B; sequence++)
        if (sequence % s->update.sides < SL_UPDATE_TARGET)
            SL_TRY(emit_answer(s, sequence));
    return SL_OK;
}

/* --- the update ------------------------------------------------------------------------------ */

/* NaN: no shards, or one that is the whole update. */
static sl_noise_scale noise_of(const sl_session *s)
{
    const sl_gradsplit *split = &s->split;
    const double norm = s->optim.group[0].norm;

    if (!(split->pairs && split->pairs < s->update.P))
        return (sl_noise_scale){ NAN, NAN, NAN };
    return sl_noise_scale_of(split->row[0].sq_small, norm * norm, (double)split->pairs,
                             (double)s->update.P);
}

static sl_status emit_step(sl_session *s)
{
    const sl_update *u = &s->update;
    const sl_update_means *m = &u->means;
    const sl_group_stats *all = &s->optim.group[0];
    const int64_t per_epoch = sl_session_updates(s) / s->recipe.train.epochs;
    const sl_noise_scale noise = noise_of(s);
    const sl_row_steps row = {
        .step = s->step,
        .samples = s->samples,
        .tokens = s->tokens,
        .epoch = (double)s->iteration * (double)s->recipe.train.epochs +
                 (double)s->update_at / (double)per_epoch,
        .loss = m->loss,
        .loss_nll = m->nll,
        .grad_norm = all->norm,
        .clip = s->optim.clip,
        .learning_rate = sl_schedule_rate(&s->schedule, s->update_at),
        .param_norm = all->param_norm,
        .update_norm = all->update_norm,
        .margin = m->margin,
        .accuracy = m->accuracy,
        .entropy = m->entropy,
        .mix_weight = s->loss ? s->feed.filled_mix : NAN,
        .noise_s = noise.noise,
        .noise_g2 = noise.squared_gradient,
        .pairs = (uint32_t)u->P,
        .pairs_on = (uint32_t)m->pairs_on,
        .step_tokens = (uint32_t)m->tokens,
        .iteration = (uint32_t)s->iteration,
        .phase = s->update.is_reward ? SL_PHASE_REWARD
                 : s->loss           ? SL_PHASE_PREFERENCE
                                     : SL_PHASE_SFT,
    };

    return sl_run_row(s->run, SL_TABLE_STEPS, &row, NULL);
}

static sl_status emit_pair(sl_session *s, size_t i)
{
    const sl_update *u = &s->update;
    const sl_pair *p = &u->fed[i].pair;
    const int has_two = u->sides > 1;
    const sl_row_pairs row = {
        .step = s->step,
        .pair_id = p->id,
        .prompt_id = p->prompt.id,
        .chosen_id = p->chosen.id,
        .rejected_id = p->rejected.id,
        .logp_c = u->is_reward ? NAN : u->logp_c[i],
        .logp_r = has_two && !u->is_reward ? u->logp_r[i] : NAN,
        .ref_logp_c = u->ref_c[i],
        .ref_logp_r = u->ref_r[i],
        .margin = u->margin[i],
        .loss = u->loss[i],
        .coef_c = u->coef_c[i],
        .coef_r = u->coef_r[i],
        .score_c = u->is_reward ? (float)u->logp_c[i] : p->chosen.score,
        .score_r = u->is_reward ? (float)u->logp_r[i]
                   : has_two    ? p->rejected.score
                                : NAN,
        .label_p = has_two ? p->label_p : NAN,
        .weight = p->weight,
        .tok_c = p->chosen.count,
        .tok_r = p->rejected.count,
        .tok_prompt = p->prompt.count,
        .bytes_c = p->chosen.bytes,
        .bytes_r = p->rejected.bytes,
        .chars_c = p->chosen.chars,
        .chars_r = p->rejected.chars,
        .visit = p->visit,
        .iteration = (uint32_t)s->iteration,
        .flags = p->flags,
        .judge = s->recorder.judge,
        .source = (uint8_t)p->source,
    };

    return sl_run_row(s->run, SL_TABLE_PAIRS, &row, NULL);
}

static sl_status emit_group(sl_session *s, size_t g)
{
    const sl_group_stats *stats = &s->optim.group[g];
    const sl_gradsplit_row *split = &s->split.row[g];
    const sl_row_grad_groups row = {
        .step = s->step,
        .norm = (float)stats->norm,
        .max_abs = (float)stats->max_abs,
        .param_norm = (float)stats->param_norm,
        .update_ratio = (float)(stats->update_norm / stats->param_norm),
        .norm_static = (float)split->norm_static,
        .norm_on = (float)split->norm_on,
        .cos_static_on = (float)split->cos_static_on,
        .norm_c = (float)split->norm_c,
        .norm_r = (float)split->norm_r,
        .cos_c_r = (float)split->cos_c_r,
        .sq_small = (float)split->sq_small,
        .shard_pairs = (uint32_t)s->split.pairs,
        .bad = stats->bad,
        .group = s->group_name[g],
    };

    return sl_run_row(s->run, SL_TABLE_GRAD_GROUPS, &row, NULL);
}

static sl_status emit_probe_answer(sl_session *s, size_t sequence)
{
    const sl_probe_set *probe = &s->probe;
    const sl_packed *b = &probe->packer.packed;
    const size_t V = sl_model_config(s->policy)->V;

    for (uint32_t n = b->seq_first[sequence]; n < b->seq_first[sequence + 1]; n++) {
        const float lse = probe->stats[n].lse;
        float *z = probe->logits + n * V;
        const void *wide[1] = { z };
        const sl_row_probe row = { .step = s->step,
                                   .probe_id = probe->id[sequence],
                                   .lse = lse,
                                   .logp = probe->logp[n],
                                   .entropy = probe->stats[n].entropy,
                                   .max_logit = probe->stats[n].max_logit,
                                   .token = b->target[n].token,
                                   .pos = n - b->seq_first[sequence] };

        for (size_t v = 0; v < V; v++)
            z[v] -= lse;
        SL_TRY(sl_run_row(s->run, SL_TABLE_PROBE, &row, wide));
    }
    return SL_OK;
}

static sl_status emit_probe(sl_session *s)
{
    sl_probe_set *probe = &s->probe;
    const int64_t every = s->recipe.record.probe_every;
    const sl_packed *b = &probe->packer.packed;

    if (!probe->count || !every || s->step % every || !sl_run_wants(s->run, SL_TABLE_PROBE))
        return SL_OK;
    SL_TRY(sl_pack(&probe->packer, probe->sequence, probe->count));
    SL_TRY(sl_model_forward(s->policy, s->work, b));
    SL_TRY(sl_model_logp(probe->logp, probe->stats, NULL, s->policy, s->work, b));
    SL_TRY(sl_model_logits(probe->logits, s->policy, s->work, b));
    for (size_t sequence = 0; sequence < b->B; sequence++)
        SL_TRY(emit_probe_answer(s, sequence));
    return SL_OK;
}

/* Resident bytes of the process; 0 where the system does not tell. */
static uint64_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long long pages = 0;

    if (!f)
        return 0;
    if (fscanf(f, "%*u %llu", &pages) != 1)
        pages = 0;
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static sl_status emit_clock(sl_session *s)
{
    sl_run_stats stats;
    sl_row_clock row = { .step = s->step,
                         .utc_s = sl_clock_utc(),
                         .mono_s = sl_clock_now(),
                         .rss_bytes = resident_bytes(),
                         .step_s = (float)s->times.step,
                         .sample_s = (float)s->times.sample,
                         .judge_s = (float)s->times.judge,
                         .forward_s = (float)s->times.forward,
                         .backward_s = (float)s->times.backward,
                         .update_s = (float)s->times.update,
                         .norms_s = (float)s->times.norms,
                         .split_s = (float)s->times.split,
                         .pair_grad_s = (float)s->times.pairgrad };

    sl_run_stats_get(&stats, s->run);
    row.queue_bytes = stats.queue_bytes;
    row.stall_s = (float)stats.stall_s;
    row.stalls = stats.stalls;
    row.dropped = stats.dropped;
    return sl_run_row(s->run, SL_TABLE_CLOCK, &row, NULL);
}

sl_status sl_emit_update(sl_session *s)
{
    s->samples += (int64_t)(s->update.P * s->update.sides);
    s->tokens += (int64_t)s->update.means.tokens;
    if (!s->run)
        return SL_OK;
    SL_TRY(emit_step(s));
    for (size_t i = 0; i < s->update.P; i++)
        SL_TRY(emit_pair(s, i));
    for (size_t g = 0; g < s->optim.group_count; g++)
        SL_TRY(emit_group(s, g));
    SL_TRY(emit_probe(s));
    SL_TRY(emit_clock(s));
    return sl_run_commit(s->run, SL_UNIT_UPDATE, s->step);
}

/* --- values ---------------------------------------------------------------------------------- */

sl_status sl_emit_eval(sl_session *s, const sl_eval *eval)
{
    sl_row_evals row = { .step = s->recorder.step,
                         .value = eval->value,
                         .se = eval->se,
                         .measurement = s->recorder.measurement,
                         .used = eval->used,
                         .dropped = eval->dropped,
                         .judge = s->recorder.judge,
                         .replicate = eval->replicate,
                         .origin = eval->origin,
                         .status =
                             (uint8_t)(isfinite(eval->value) ? SL_EVAL_OK : SL_EVAL_UNDEFINED) };

    if (!s->recorder.run)
        return SL_OK;
    SL_TRY(sl_run_name(s->recorder.run, &row.eval, SL_NAME_EVAL, eval->name));
    return sl_run_row(s->recorder.run, SL_TABLE_EVALS, &row, NULL);
}
