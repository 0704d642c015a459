/* The schema table. Order is the order on disk: 8-byte columns first, then 4, 2, 1; wide columns
 * last. Everything that knows a table or a column by name reads it here. */
#include "run/schema.h"

#include "base/alloc.h"
#include "base/text.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#if __BYTE_ORDER != __LITTLE_ENDIAN
#error "the run record is little-endian and is copied, not swapped"
#endif

static const char *const phase_names[] = { "sft", "preference", "reward", NULL };
static const char *const origin_names[] = { "static", "on_policy", "other", NULL };
static const char *const side_names[] = { "chosen", "rejected", NULL };
static const char *const stop_names[] = { "eos", "length", "string", "error", NULL };
static const char *const order_names[] = { "a_first", "b_first", NULL };
static const char *const purpose_names[] = { "boundary", "label", "evaluation", NULL };
static const char *const vote_names[] = { "ok", "timeout", "invalid", "refused", NULL };
static const char *const stage_names[] = { "undecided", "injection", "fine_tuning", NULL };
static const char *const eval_names[] = { "ok", "undefined", "degenerate", "invalid_input", NULL };
static const char *const action_names[] = { "keep", "static", "on_policy", "mix", "stop", NULL };
static const char *const outcome_names[] = { "applied", "expired", "rejected", NULL };
static const char *const decider_names[] = { "in_process", "watch", "person", NULL };
static const char *const name_names[] = { "judge", "sampler", "group", "eval",
                                          "rule",  "reason",  NULL };
static const char *const event_names[] = { "start",   "resume", "checkpoint",
                                           "seal",    "stall",  "judge_restart",
                                           "warning", "stop",   NULL };
static const char *const unit_names[] = { "update", "samples", "votes", "evals", "control", NULL };

#define MEMBER(lower, column) (((sl_row_##lower *)0)->column)
#define COL(upper, lower, column, type_, unit_, meaning_)                                          \
    {                                                                                              \
        .table = SL_TABLE_##upper, .name = #column, .type = SL_TYPE_##type_,                       \
        .width = SL_WIDTH_ONE, .unit = unit_, .meaning = meaning_,                                 \
        .offset = offsetof(sl_row_##lower, column), .size = sizeof MEMBER(lower, column)           \
    }
#define ENU(upper, lower, column, list, meaning_)                                                  \
    {                                                                                              \
        .table = SL_TABLE_##upper, .name = #column, .type = SL_TYPE_E8, .width = SL_WIDTH_ONE,     \
        .unit = "name", .meaning = meaning_, .offset = offsetof(sl_row_##lower, column),           \
        .size = sizeof MEMBER(lower, column), .names = list                                        \
    }
#define WIDE(upper, column, type_, width_, unit_, meaning_)                                        \
    {                                                                                              \
        .table = SL_TABLE_##upper, .name = column, .type = SL_TYPE_##type_,                        \
        .width = SL_WIDTH_##width_, .unit = unit_, .meaning = meaning_                             \
    }
/* The same since minor version 1. */
#define NEW(upper, lower, column, type_, unit_, meaning_)                                          \
    {                                                                                              \
        .table = SL_TABLE_##upper, .name = #column, .type = SL_TYPE_##type_,                       \
        .width = SL_WIDTH_ONE, .unit = unit_, .meaning = meaning_,                                 \
        .offset = offsetof(sl_row_##lower, column), .size = sizeof MEMBER(lower, column),          \
        .since = 1                                                                                 \
    }
#define NEW_WIDE(upper, column, type_, width_, unit_, meaning_)                                    \
    {                                                                                              \
        .table = SL_TABLE_##upper, .name = column, .type = SL_TYPE_##type_,                        \
        .width = SL_WIDTH_##width_, .unit = unit_, .meaning = meaning_, .since = 1                 \
    }
#define UPDATE_STEP(upper, lower)                                                                  \
    COL(upper, lower, step, I64, "update", "update s makes theta_s from theta_(s-1)")
#define THETA_STEP(upper, lower) COL(upper, lower, step, I64, "update", "the theta_s described")

static const sl_column steps_columns[] = {
    UPDATE_STEP(STEPS, steps),
    COL(STEPS, steps, samples, I64, "pair", "pairs seen so far"),
    COL(STEPS, steps, tokens, I64, "token", "tokens computed so far"),
    COL(STEPS, steps, epoch, F64, "epoch", "passes over the data so far"),
    COL(STEPS, steps, loss, F64, "nat", "loss of the batch, as the run's settings define it"),
    COL(STEPS, steps, loss_nll, F64, "nat", "negative log-likelihood part of the loss"),
    COL(STEPS, steps, grad_norm, F64, "1", "L2 norm of the gradient before clipping"),
    COL(STEPS, steps, clip, F64, "1", "factor that clipping applied"),
    COL(STEPS, steps, learning_rate, F64, "1", "learning rate of this update"),
    COL(STEPS, steps, param_norm, F64, "1", "L2 norm of the parameters"),
    COL(STEPS, steps, update_norm, F64, "1", "L2 norm of the change of the parameters"),
    COL(STEPS, steps, margin, F64, "1", "mean argument of the loss"),
    COL(STEPS, steps, accuracy, F64, "1", "share of pairs with a positive margin, ties 1/2"),
    COL(STEPS, steps, entropy, F64, "nat/token", "mean entropy of the policy at answer tokens"),
    COL(STEPS, steps, mix_weight, F64, "1", "share of on-policy data asked for"),
    NEW(STEPS, steps, noise_s, F64, "1", "noise scale: trace of the covariance of pair gradients"),
    NEW(STEPS, steps, noise_g2, F64, "1", "noise scale: squared norm of the true gradient"),
    COL(STEPS, steps, pairs, U32, "pair", "pairs of this update"),
    COL(STEPS, steps, pairs_on, U32, "pair", "of these on-policy"),
    COL(STEPS, steps, step_tokens, U32, "token", "tokens of this update"),
    COL(STEPS, steps, iteration, U32, "1", "iteration of on-policy data"),
    COL(STEPS, steps, flags, U32, "bits", "none defined: 0"),
    ENU(STEPS, steps, phase, phase_names, "what is trained"),
};

static const sl_column pairs_columns[] = {
    UPDATE_STEP(PAIRS, pairs),
    COL(PAIRS, pairs, pair_id, U64, "id", "pair"),
    COL(PAIRS, pairs, prompt_id, U64, "id", "prompt"),
    COL(PAIRS, pairs, chosen_id, U64, "id", "chosen answer"),
    COL(PAIRS, pairs, rejected_id, U64, "id", "rejected answer"),
    COL(PAIRS, pairs, logp_c, F64, "nat", "policy, chosen: sum over answer tokens, EOS included"),
    COL(PAIRS, pairs, logp_r, F64, "nat", "policy, rejected"),
    COL(PAIRS, pairs, ref_logp_c, F64, "nat", "reference, chosen"),
    COL(PAIRS, pairs, ref_logp_r, F64, "nat", "reference, rejected"),
    COL(PAIRS, pairs, margin, F64, "1", "argument of the loss"),
    COL(PAIRS, pairs, loss, F64, "nat", "loss of this pair"),
    COL(PAIRS, pairs, coef_c, F64, "1", "dL/dlogp_c of this pair"),
    COL(PAIRS, pairs, coef_r, F64, "1", "dL/dlogp_r of this pair"),
    COL(PAIRS, pairs, score_c, F32, "1", "score of the chosen answer by its judge"),
    COL(PAIRS, pairs, score_r, F32, "1", "score of the rejected answer by its judge"),
    COL(PAIRS, pairs, label_p, F32, "1", "P(chosen better) of its label"),
    COL(PAIRS, pairs, weight, F32, "1", "weight in the batch"),
    COL(PAIRS, pairs, tok_c, U32, "token", "answer tokens, chosen"),
    COL(PAIRS, pairs, tok_r, U32, "token", "answer tokens, rejected"),
    COL(PAIRS, pairs, tok_prompt, U32, "token", "prompt tokens"),
    COL(PAIRS, pairs, bytes_c, U32, "bytes", "length of the chosen text"),
    COL(PAIRS, pairs, bytes_r, U32, "bytes", "length of the rejected text"),
    NEW(PAIRS, pairs, chars_c, U32, "characters", "length of the chosen text; 0: not known"),
    NEW(PAIRS, pairs, chars_r, U32, "characters", "length of the rejected text; 0: not known"),
    COL(PAIRS, pairs, visit, U32, "1", "which visit of this pair, from 0"),
    COL(PAIRS, pairs, iteration, U32, "1", "iteration of on-policy data that made it"),
    COL(PAIRS, pairs, flags, U32, "bits",
        "1 prompt cut, 2 chosen cut, 4 rejected cut, 8 EOS missing, 16 duplicate, 32 label tie"),
    COL(PAIRS, pairs, judge, U16, "index", "judge of the label (names)"),
    ENU(PAIRS, pairs, source, origin_names, "where the pair came from"),
};

static const sl_column grad_groups_columns[] = {
    UPDATE_STEP(GRAD_GROUPS, grad_groups),
    COL(GRAD_GROUPS, grad_groups, norm, F32, "1", "L2 norm of the gradient"),
    COL(GRAD_GROUPS, grad_groups, max_abs, F32, "1", "largest absolute entry"),
    COL(GRAD_GROUPS, grad_groups, param_norm, F32, "1", "L2 norm of the parameters"),
    COL(GRAD_GROUPS, grad_groups, update_ratio, F32, "1", "norm of the update over param_norm"),
    COL(GRAD_GROUPS, grad_groups, norm_static, F32, "1", "norm of the static pairs' part"),
    COL(GRAD_GROUPS, grad_groups, norm_on, F32, "1", "norm of the on-policy pairs' part"),
    COL(GRAD_GROUPS, grad_groups, cos_static_on, F32, "1", "cosine between these two"),
    COL(GRAD_GROUPS, grad_groups, norm_c, F32, "1", "norm of the chosen side's part"),
    COL(GRAD_GROUPS, grad_groups, norm_r, F32, "1", "norm of the rejected side's part"),
    COL(GRAD_GROUPS, grad_groups, cos_c_r, F32, "1", "cosine between these two"),
    COL(GRAD_GROUPS, grad_groups, sq_small, F32, "1", "mean squared norm of shard gradients"),
    COL(GRAD_GROUPS, grad_groups, shard_pairs, U32, "pair", "pairs of a shard"),
    COL(GRAD_GROUPS, grad_groups, bad, U32, "1", "non-finite entries"),
    COL(GRAD_GROUPS, grad_groups, group, U16, "index", "layer group (names); 0: all"),
};

static const sl_column tokens_columns[] = {
    UPDATE_STEP(TOKENS, tokens),
    COL(TOKENS, tokens, pair_id, U64, "id", "pair"),
    COL(TOKENS, tokens, logp, F32, "nat", "log-probability under the policy"),
    COL(TOKENS, tokens, ref_logp, F32, "nat", "log-probability under the reference"),
    COL(TOKENS, tokens, entropy, F32, "nat", "entropy of the policy, from the full row"),
    COL(TOKENS, tokens, lse, F32, "nat", "log-sum-exp of the logits"),
    COL(TOKENS, tokens, token, I32, "id", "token id"),
    COL(TOKENS, tokens, pos, U32, "token", "position in the answer, from 0"),
    ENU(TOKENS, tokens, side, side_names, "which answer"),
};

static const sl_column topk_columns[] = {
    UPDATE_STEP(TOPK, topk),
    COL(TOPK, topk, pair_id, U64, "id", "pair"),
    COL(TOPK, topk, rest, F32, "1", "probability mass outside the k"),
    COL(TOPK, topk, pos, U32, "token", "position in the answer, from 0"),
    ENU(TOPK, topk, side, side_names, "which answer"),
    WIDE(TOPK, "id", U32, K, "id", "the k likeliest tokens"),
    WIDE(TOPK, "logp", F16, K, "nat", "their log-probabilities, descending"),
};

static const sl_column probe_columns[] = {
    THETA_STEP(PROBE, probe),
    COL(PROBE, probe, probe_id, U64, "id", "probe text"),
    COL(PROBE, probe, lse, F32, "nat", "log-sum-exp of the logits"),
    COL(PROBE, probe, logp, F32, "nat", "log-probability of the probe's token"),
    COL(PROBE, probe, entropy, F32, "nat", "entropy of the policy"),
    COL(PROBE, probe, max_logit, F32, "nat", "largest logit"),
    COL(PROBE, probe, token, I32, "id", "token id"),
    COL(PROBE, probe, pos, U32, "token", "position in the probe text, from 0"),
    WIDE(PROBE, "logp", F16, VOCAB, "nat", "all log-probabilities; logit = logp + lse"),
};

static const sl_column pair_grad_columns[] = {
    UPDATE_STEP(PAIR_GRAD, pair_grad),
    COL(PAIR_GRAD, pair_grad, pair_id, U64, "id", "pair"),
    COL(PAIR_GRAD, pair_grad, norm, F32, "1", "L2 norm of the pair's gradient"),
    COL(PAIR_GRAD, pair_grad, norm_c, F32, "1", "of its chosen side"),
    COL(PAIR_GRAD, pair_grad, norm_r, F32, "1", "of its rejected side"),
    COL(PAIR_GRAD, pair_grad, cos_batch, F32, "1", "cosine with the batch's gradient"),
    COL(PAIR_GRAD, pair_grad, cos_static, F32, "1", "with the mean gradient of the static pairs"),
    COL(PAIR_GRAD, pair_grad, cos_on, F32, "1", "with the mean gradient of the on-policy pairs"),
    ENU(PAIR_GRAD, pair_grad, source, origin_names, "where the pair came from"),
    WIDE(PAIR_GRAD, "group_norm", F32, GROUPS, "1", "norm by layer group"),
    WIDE(PAIR_GRAD, "group_cos", F32, GROUPS, "1", "cos_batch by layer group"),
    WIDE(PAIR_GRAD, "sketch", F32, SKETCH, "1", "count sketch of the gradient"),
    NEW_WIDE(PAIR_GRAD, "sketch_c", F32, SKETCH, "1", "of the gradient of the chosen log p"),
    NEW_WIDE(PAIR_GRAD, "sketch_r", F32, SKETCH, "1", "of the gradient of the rejected log p"),
};

static const sl_column candidates_columns[] = {
    THETA_STEP(CANDIDATES, candidates),
    COL(CANDIDATES, candidates, candidate_id, U64, "id", "answer"),
    COL(CANDIDATES, candidates, prompt_id, U64, "id", "prompt"),
    COL(CANDIDATES, candidates, text_hash, U64, "id", "its text in the text file"),
    COL(CANDIDATES, candidates, logp, F64, "nat", "log-probability under its sampler"),
    COL(CANDIDATES, candidates, temperature, F32, "1", "sampling temperature"),
    COL(CANDIDATES, candidates, top_p, F32, "1", "nucleus mass; 1: off"),
    COL(CANDIDATES, candidates, top_k, U32, "token", "0: off"),
    COL(CANDIDATES, candidates, tokens, U32, "token", "length, EOS included"),
    COL(CANDIDATES, candidates, bytes, U32, "bytes", "length of the text"),
    COL(CANDIDATES, candidates, chars, U32, "characters", "length of the text"),
    COL(CANDIDATES, candidates, iteration, U32, "1", "iteration of on-policy data"),
    COL(CANDIDATES, candidates, slot, U16, "1", "which answer to this prompt, from 0"),
    COL(CANDIDATES, candidates, sampler, U16, "index", "sampler (names)"),
    ENU(CANDIDATES, candidates, origin, origin_names, "where the answer came from"),
    ENU(CANDIDATES, candidates, stop, stop_names, "why it ended"),
};

static const sl_column votes_columns[] = {
    THETA_STEP(VOTES, votes),
    COL(VOTES, votes, prompt_id, U64, "id", "prompt"),
    COL(VOTES, votes, a_id, U64, "id", "answer a; on-policy side of boundary votes"),
    COL(VOTES, votes, b_id, U64, "id", "answer b"),
    COL(VOTES, votes, reply_hash, U64, "id", "the judge's reply in the text file"),
    COL(VOTES, votes, vote, F32, "1", "in [0,1], for a; NaN: none"),
    COL(VOTES, votes, score_a, F32, "1", "score of a"),
    COL(VOTES, votes, score_b, F32, "1", "score of b"),
    COL(VOTES, votes, chars_a, U32, "characters", "length of a"),
    COL(VOTES, votes, chars_b, U32, "characters", "length of b"),
    COL(VOTES, votes, tok_a, U32, "token", "length of a"),
    COL(VOTES, votes, tok_b, U32, "token", "length of b"),
    COL(VOTES, votes, measurement, U32, "1", "number of the measurement"),
    COL(VOTES, votes, judge, U16, "index", "judge (names)"),
    ENU(VOTES, votes, a_origin, origin_names, "where a came from"),
    ENU(VOTES, votes, b_origin, origin_names, "where b came from"),
    ENU(VOTES, votes, order, order_names, "which was shown first"),
    ENU(VOTES, votes, purpose, purpose_names, "what the vote is for"),
    COL(VOTES, votes, cut, U8, "bits", "1 a was cut, 2 b was cut"),
    ENU(VOTES, votes, status, vote_names, "whether the judge answered"),
};

static const sl_column boundary_columns[] = {
    THETA_STEP(BOUNDARY, boundary),
    COL(BOUNDARY, boundary, bs, F64, "1", "boundary score"),
    COL(BOUNDARY, boundary, se, F64, "1", "its standard error, by prompts"),
    COL(BOUNDARY, boundary, lower, F64, "1", "confidence sequence, lower end"),
    COL(BOUNDARY, boundary, upper, F64, "1", "confidence sequence, upper end"),
    COL(BOUNDARY, boundary, tau, F64, "1", "threshold"),
    COL(BOUNDARY, boundary, delta, F64, "1", "half-width of indifference"),
    COL(BOUNDARY, boundary, alpha, F64, "1", "error level"),
    COL(BOUNDARY, boundary, v_on, F64, "1", "value of the on-policy side"),
    COL(BOUNDARY, boundary, v_off, F64, "1", "value of the static side"),
    COL(BOUNDARY, boundary, log_e_ft, F64, "nat", "log e-value for fine-tuning"),
    COL(BOUNDARY, boundary, log_e_inj, F64, "nat", "log e-value for injection"),
    COL(BOUNDARY, boundary, margin_static, F64, "1", "mean |2p-1| of static pairs"),
    COL(BOUNDARY, boundary, margin_on, F64, "1", "mean |2p-1| of on-policy pairs"),
    COL(BOUNDARY, boundary, lc_bs, F64, "1", "length-controlled boundary score"),
    COL(BOUNDARY, boundary, measurement, U32, "1", "number of the measurement"),
    COL(BOUNDARY, boundary, prompts, U32, "prompt", "prompts used"),
    COL(BOUNDARY, boundary, votes, U32, "vote", "votes used"),
    COL(BOUNDARY, boundary, dropped, U32, "vote", "votes without a value"),
    COL(BOUNDARY, boundary, ties, U32, "vote", "votes of 1/2"),
    COL(BOUNDARY, boundary, max_prompts, U32, "prompt", "largest number the test may use"),
    COL(BOUNDARY, boundary, rule, U16, "index", "rule (names)"),
    COL(BOUNDARY, boundary, judge, U16, "index", "judge (names)"),
    ENU(BOUNDARY, boundary, stage, stage_names, "by the test with the indifference zone"),
    ENU(BOUNDARY, boundary, certified, stage_names, "by the test without it (delta 0)"),
    COL(BOUNDARY, boundary, final, U8, "bool", "last look of its measurement"),
};

static const sl_column evals_columns[] = {
    THETA_STEP(EVALS, evals),
    COL(EVALS, evals, value, F64, "of the eval", "exact reward, KL, win rate, ..."),
    COL(EVALS, evals, se, F64, "of the eval", "its standard error"),
    COL(EVALS, evals, measurement, U32, "1", "number of the measurement"),
    COL(EVALS, evals, used, U32, "1", "items used"),
    COL(EVALS, evals, dropped, U32, "1", "items dropped"),
    COL(EVALS, evals, eval, U16, "index", "what was measured (names)"),
    COL(EVALS, evals, judge, U16, "index", "judge (names); 0: none"),
    COL(EVALS, evals, replicate, U16, "1", "replicate, from 0"),
    ENU(EVALS, evals, origin, origin_names, "of the answers measured"),
    ENU(EVALS, evals, status, eval_names, "whether the value is defined"),
};

static const sl_column decisions_columns[] = {
    COL(DECISIONS, decisions, step, I64, "update", "step at which it takes effect"),
    COL(DECISIONS, decisions, decision_id, U64, "id", "ascending"),
    COL(DECISIONS, decisions, based_on, I64, "update", "step of the measurement behind it"),
    COL(DECISIONS, decisions, expiry, I64, "update", "last step at which it may be applied"),
    COL(DECISIONS, decisions, rule_hash, U64, "id", "rule with parameters in the text file"),
    COL(DECISIONS, decisions, bs, F64, "1", "boundary score"),
    COL(DECISIONS, decisions, lower, F64, "1", "its interval, lower end"),
    COL(DECISIONS, decisions, upper, F64, "1", "its interval, upper end"),
    COL(DECISIONS, decisions, mix_weight, F64, "1", "share of on-policy data from here on"),
    COL(DECISIONS, decisions, measurement, U32, "1", "number of the measurement"),
    COL(DECISIONS, decisions, votes, U32, "vote", "votes behind it"),
    COL(DECISIONS, decisions, reason, U16, "index", "reason (names)"),
    ENU(DECISIONS, decisions, stage, stage_names, "stage decided"),
    ENU(DECISIONS, decisions, action, action_names, "what the trainer does"),
    ENU(DECISIONS, decisions, outcome, outcome_names, "what became of it"),
    ENU(DECISIONS, decisions, decider, decider_names, "who decided"),
};

static const sl_column names_columns[] = {
    COL(NAMES, names, step, I64, "update", "step at which the name was first used"),
    COL(NAMES, names, index, U16, "index", "from 1, per kind; group 0 is \"all\""),
    ENU(NAMES, names, kind, name_names, "what it names"),
    COL(NAMES, names, name, S64, "text", "the name"),
};

static const sl_column clock_columns[] = {
    UPDATE_STEP(CLOCK, clock),
    COL(CLOCK, clock, utc_s, F64, "s", "since 1970, UTC"),
    COL(CLOCK, clock, mono_s, F64, "s", "monotonic clock"),
    COL(CLOCK, clock, queue_bytes, U64, "bytes", "waiting for the writer"),
    COL(CLOCK, clock, rss_bytes, U64, "bytes", "resident memory"),
    COL(CLOCK, clock, step_s, F32, "s", "whole step"),
    COL(CLOCK, clock, sample_s, F32, "s", "sampling"),
    COL(CLOCK, clock, judge_s, F32, "s", "judging"),
    COL(CLOCK, clock, forward_s, F32, "s", "forward"),
    COL(CLOCK, clock, backward_s, F32, "s", "backward"),
    COL(CLOCK, clock, update_s, F32, "s", "optimizer"),
    COL(CLOCK, clock, stall_s, F32, "s", "waiting for the record"),
    NEW(CLOCK, clock, norms_s, F32, "s", "norms of gradient, parameters and update (in update_s)"),
    NEW(CLOCK, clock, split_s, F32, "s", "splits and shards of the gradient"),
    NEW(CLOCK, clock, pair_grad_s, F32, "s", "gradients of pairs"),
    COL(CLOCK, clock, stalls, U32, "1", "waits for the record so far"),
    COL(CLOCK, clock, dropped, U32, "row", "rows dropped so far (record.on_full: drop-tokens)"),
};

static const sl_column events_columns[] = {
    COL(EVENTS, events, step, I64, "update", "step at which it happened"),
    COL(EVENTS, events, value, F64, "of the event", "segment, seconds, ...; NaN: none"),
    COL(EVENTS, events, text_hash, U64, "id", "its message in the text file"),
    ENU(EVENTS, events, kind, event_names, "what happened"),
};

static const sl_column units_columns[] = {
    COL(UNITS, units, step, I64, "update", "step of the COMMIT"),
    COL(UNITS, units, seq, U64, "1", "sequence number of the COMMIT frame"),
    COL(UNITS, units, rows, U32, "row", "rows of the unit"),
    COL(UNITS, units, crc32c, U32, "1", "CRC32C of the unit's packed rows, tables in schema order"),
    ENU(UNITS, units, kind, unit_names, "what the unit holds"),
    WIDE(UNITS, "table_rows", U32, TABLES, "row", "rows of the unit in each table before this one"),
};

#define TABLE(upper, lower, level_, digest_, per_)                                                 \
    [SL_TABLE_##upper] = { .name = #lower,                                                         \
                           .per = per_,                                                            \
                           .columns = lower##_columns,                                             \
                           .column_count = sizeof lower##_columns / sizeof lower##_columns[0],     \
                           .level = level_,                                                        \
                           .is_in_digest = digest_,                                                \
                           .row_size = sizeof(sl_row_##lower) }

static const sl_table_info tables[] = {
    TABLE(STEPS, steps, 0, 1, "update"),
    TABLE(PAIRS, pairs, 0, 1, "visit of a pair"),
    TABLE(GRAD_GROUPS, grad_groups, 0, 1, "update and layer group (group 0: all)"),
    TABLE(TOKENS, tokens, 1, 1, "answer token"),
    TABLE(TOPK, topk, 1, 1, "answer token (level 1: of 8 pairs a step, picked by hash; 2: of all)"),
    TABLE(PROBE, probe, 1, 1, "position of the frozen probe set, every record.probe_every updates"),
    TABLE(PAIR_GRAD, pair_grad, 3, 1,
          "pair (source other: answer of the probe set), every record.pair_grad_every updates"),
    TABLE(CANDIDATES, candidates, 0, 1, "answer sampled or read"),
    TABLE(VOTES, votes, 0, 1, "answer of a judge, each order by itself"),
    TABLE(BOUNDARY, boundary, 0, 1, "look of the sequential test"),
    TABLE(EVALS, evals, 0, 1, "measured value"),
    TABLE(DECISIONS, decisions, 0, 1, "decision, at the step it takes effect"),
    TABLE(NAMES, names, 0, 1, "name behind an index"),
    TABLE(CLOCK, clock, 0, 0, "update"),
    TABLE(EVENTS, events, 0, 0, "event"),
    TABLE(UNITS, units, 0, 0, "unit (COMMIT)"),
};
_Static_assert(sizeof tables / sizeof tables[0] == SL_TABLE_COUNT, "a table lacks its row");

static const struct {
    const char *name;
    size_t bytes;
} types[] = {
    [SL_TYPE_I64] = { "i64", 8 },  [SL_TYPE_U64] = { "u64", 8 }, [SL_TYPE_I32] = { "i32", 4 },
    [SL_TYPE_U32] = { "u32", 4 },  [SL_TYPE_U16] = { "u16", 2 }, [SL_TYPE_U8] = { "u8", 1 },
    [SL_TYPE_F64] = { "f64", 8 },  [SL_TYPE_F32] = { "f32", 4 }, [SL_TYPE_F16] = { "f16", 2 },
    [SL_TYPE_S64] = { "s64", 64 }, [SL_TYPE_E8] = { "e8", 1 },
};
_Static_assert(sizeof types / sizeof types[0] == SL_TYPE_COUNT, "a type lacks its row");

static const char *const width_names[] = { "1", "k", "vocab", "groups", "sketch", "tables" };
_Static_assert(sizeof width_names / sizeof width_names[0] == SL_WIDTH_COUNT,
               "a width lacks a name");

const char *sl_width_name(sl_width width)
{
    return width_names[width];
}

sl_layout sl_layout_defaults(void)
{
    const sl_layout layout = { .width = {
                                   [SL_WIDTH_ONE] = 1, [SL_WIDTH_TABLES] = SL_TABLE_UNITS } };

    return layout;
}

const sl_table_info *sl_table_get(sl_table table)
{
    return &tables[table];
}

sl_table sl_table_find(const char *name)
{
    int table = 0;

    while (table < SL_TABLE_COUNT && strcmp(tables[table].name, name))
        table++;
    return (sl_table)table;
}

const sl_column *sl_table_columns(sl_table table, size_t *count)
{
    *count = tables[table].column_count;
    return tables[table].columns;
}

const sl_column *sl_column_find(sl_table table, const char *name)
{
    size_t count;
    const sl_column *c = sl_table_columns(table, &count);

    for (size_t i = 0; i < count; i++)
        if (!strcmp(c[i].name, name))
            return &c[i];
    return NULL;
}

size_t sl_table_wide_count(sl_table table)
{
    size_t count, narrow;
    const sl_column *c = sl_table_columns(table, &count);

    for (narrow = count; c[narrow - 1].width != SL_WIDTH_ONE; narrow--)
        continue;
    return count - narrow;
}

const char *sl_type_name(sl_type type)
{
    return types[type].name;
}

size_t sl_type_bytes(sl_type type)
{
    return types[type].bytes;
}

size_t sl_column_values(const sl_column *column)
{
    size_t n = 0;

    while (column->names && column->names[n])
        n++;
    return n;
}

/* "TABLE.COLUMN TYPE[width]\n" at text; gives its length. */
static size_t column_line(char *text, size_t size, const sl_column *c)
{
    const int is_wide = c->width != SL_WIDTH_ONE;

    return (size_t)snprintf(text, size, "%s.%s %s%s%s%s\n", tables[c->table].name, c->name,
                            types[c->type].name, is_wide ? "[" : "",
                            is_wide ? width_names[c->width] : "", is_wide ? "]" : "");
}

sl_status sl_schema_text(char **out)
{
    enum { LINE = 96 }; /* bytes, more than the longest line */
    size_t lines = 0, used = 0;
    char *text = NULL;

    *out = NULL;
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        lines += tables[t].column_count;
    SL_TRY(sl_take(&text, lines * LINE + 1, 1));
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        for (size_t i = 0; i < tables[t].column_count; i++)
            used += column_line(text + used, LINE, &tables[t].columns[i]);
    *out = text;
    return SL_OK;
}
