/* The tiny checkpoints: logits, SFT, every pairwise loss with all gradients, greedy tokens. */
#include "base/alloc.h"
#include "base/file.h"
#include "cli/golden_model.h"
#include "train/objective.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PAIRS = 4, SIDES = 2 };
static const char *const sides[SIDES] = { "chosen", "rejected" };

/* Rows of whole sequences: the first token is the prompt, the others the answer, and one more makes
 * a target of the last row, whose own target does not count. */
static sl_status take_rows(sl_golden_model *g)
{
    size_t count = 0, dims[SL_ARRAY_RANK];
    int32_t *ids = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_arrays_read(&ids, &count, dims, g->list.file, "ids", SL_ARRAY_I32));
    SL_TRY_OUT(sl_golden_input(&g->list, "ids"));
    if (!dims[0] || dims[0] > SL_GOLDEN_SEQUENCES || dims[1] < 2)
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT,
                           "/ids: want 1 to %d rows of 2 tokens or more, found %zu of "
                           "%zu",
                           SL_GOLDEN_SEQUENCES, dims[0], dims[1]));
    for (size_t r = 0; r < dims[0]; r++) {
        const size_t n = dims[1];

        SL_TRY_OUT(sl_take(&g->ids[r], n + 1, sizeof **g->ids));
        g->sequences = r + 1;
        memcpy(g->ids[r], ids + r * n, n * sizeof *ids);
        g->sequence[r] =
            (sl_sequence){ .prompt = { .token = g->ids[r], .count = 1, .id = r },
                           .answer = { .token = g->ids[r] + 1, .count = (uint32_t)n } };
    }
out:
    sl_free(ids);
    return st;
}

static sl_status check_logits(sl_golden_model *g)
{
    static const char *const names[] = { "logits", "logits_f64" };
    const size_t V = sl_model_config(g->model)->V;
    float *z = NULL;
    size_t count;
    sl_status st = SL_OK;

    SL_TRY(take_rows(g));
    SL_TRY(sl_golden_compute(g, 0, 0));
    count = g->scorer.packer.packed.N * V;
    SL_TRY(sl_take(&z, count, sizeof *z));
    SL_TRY_OUT(sl_model_logits(z, g->model, g->scorer.work, &g->scorer.packer.packed));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        SL_TRY_OUT(sl_golden_floats(&g->list, names[i], z, count, g->bounds.logits, 0));
out:
    sl_free(z);
    return st;
}

/* Loss and coefficients of the mean of -log p over the targets of which is_target is true. */
static double mean_nll(sl_golden_model *g, int (*is_target)(const sl_packed *packed, size_t i))
{
    const sl_packed *packed = &g->scorer.packer.packed;
    size_t targets = 0;
    double loss = 0.0;

    for (size_t i = 0; i < packed->N; i++)
        targets += (size_t)is_target(packed, i);
    for (size_t i = 0; i < packed->N; i++) {
        g->coef[i] = is_target(packed, i) ? -1.0f / (float)targets : 0.0f;
        if (is_target(packed, i))
            loss -= (double)g->scorer.logp[i] / (double)targets;
    }
    return loss;
}

static int is_not_last(const sl_packed *packed, size_t i)
{
    return i + 1 < packed->seq_first[packed->target[i].sequence + 1];
}

static int is_chosen(const sl_packed *packed, size_t i)
{
    return packed->target[i].sequence % SIDES == 0;
}

static sl_status check_sft(sl_golden_model *g)
{
    SL_TRY(take_rows(g));
    SL_TRY(sl_golden_compute(g, 0, 1));
    SL_TRY(sl_golden_number(&g->list, "sft/loss", mean_nll(g, is_not_last), g->bounds.loss));
    return sl_golden_gradient(g, "sft");
}

/* --- pairs ----------------------------------------------------------------------------------- */

/* Pair by pair, chosen before rejected; equal prompts get one id, so that they are shared. */
static sl_status take_pairs(sl_golden_model *g)
{
    int32_t *prompt_len = NULL;
    size_t count = 0;
    char name[SL_ARRAY_NAME];
    sl_status st = SL_OK;

    SL_TRY(
        sl_arrays_read(&prompt_len, &count, NULL, g->list.file, "pairs/prompt_len", SL_ARRAY_I32));
    SL_TRY_OUT(sl_golden_input(&g->list, "pairs/prompt_len"));
    if (count != PAIRS)
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "/pairs: want %d pairs, found %zu", PAIRS, count));
    for (size_t i = 0; i < PAIRS; i++)
        for (size_t s = 0; s < SIDES; s++) {
            (void)snprintf(name, sizeof name, "pairs/%s/%zu", sides[s], i);
            SL_TRY_OUT(sl_golden_take(g, name, prompt_len[i] > 0 ? (size_t)prompt_len[i] : 0));
        }
out:
    sl_free(prompt_len);
    return st;
}

static sl_status check_token_logps(sl_golden_model *g)
{
    const uint32_t *first = g->scorer.packer.packed.seq_first;
    char name[SL_ARRAY_NAME];

    for (size_t i = 0; i < g->sequences; i++) {
        (void)snprintf(name, sizeof name, "pairs/token_logps/%s/%zu", sides[i % SIDES], i / SIDES);
        SL_TRY(sl_golden_floats(&g->list, name, g->scorer.logp + first[i], first[i + 1] - first[i],
                                g->bounds.logits, 0));
    }
    return SL_OK;
}

/* sum (SIDES, PAIRS) of the model, against pairs/NAME/SIDE. */
static sl_status check_sums(double sum[SIDES][PAIRS], sl_golden_model *g, const sl_model *model,
                            const char *name)
{
    char path[SL_ARRAY_NAME];

    SL_TRY(sl_scorer_run(&g->scorer, model, g->sequence, g->sequences));
    for (size_t s = 0; s < SIDES; s++) {
        for (size_t i = 0; i < PAIRS; i++)
            sum[s][i] = sl_scorer_value(&g->scorer, SIDES * i + s);
        (void)snprintf(path, sizeof path, "pairs/%s/%s", name, sides[s]);
        SL_TRY(sl_golden_doubles(&g->list, path, sum[s], PAIRS, g->bounds.logp_sum, 1));
    }
    return SL_OK;
}

static sl_status check_reference(double ref[SIDES][PAIRS], sl_golden_model *g)
{
    char path[PATH_MAX];
    sl_model *reference = NULL;
    sl_status st;

    SL_TRY(sl_file_join(path, sizeof path, g->folder, "ref"));
    SL_TRY(sl_model_load(&reference, path, g->backend, 0));
    st = check_sums(ref, g, reference, "ref_logps");
    sl_model_close(&reference);
    return st;
}

/* A loss of the files as a row of ours; parameters as the files' README gives them. */
typedef struct known_loss {
    const char *golden, *ours;
    sl_loss_settings settings;
} known_loss;

static const known_loss losses[] = {
    { "dpo", "dpo", { .beta = 0.1 } },
    { "hinge", "hinge", { .beta = 0.1 } },
    { "ipo", "ipo", { .beta = 0.1 } },
    { "ipo_avg", "ipo-mean", { .beta = 0.1 } },
    { "slic", "slic-hf", { .delta = 1.0, .lambda = 0.1 } },
    { "cdpo", "cdpo", { .beta = 0.1, .smoothing = 0.1 } },
    { "simpo", "simpo", { .beta = 2.0, .gamma = 1.0 } },
};

/* Coefficients of every target from those of the sequences, of the mean over pairs. */
static void spread(sl_golden_model *g, double coef[SIDES][PAIRS])
{
    const sl_packed *packed = &g->scorer.packer.packed;

    for (size_t i = 0; i < packed->N; i++) {
        const uint32_t s = packed->target[i].sequence;

        g->coef[i] = (float)(coef[s % SIDES][s / SIDES] / PAIRS);
    }
}

static sl_status check_loss(sl_golden_model *g, const known_loss *known, double sum[SIDES][PAIRS],
                            double ref[SIDES][PAIRS])
{
    double loss[PAIRS], margin[PAIRS], coef[SIDES][PAIRS], mean = 0.0;
    uint32_t tok[SIDES][PAIRS];
    const sl_objective_in in = { sum[0], sum[1], ref[0], ref[1], tok[0], tok[1], NAN, NULL, NULL };
    const sl_objective_out out = { loss, margin, coef[0], coef[1], NULL };
    sl_objective row;
    char prefix[SL_ARRAY_NAME], name[SL_ARRAY_NAME];

    SL_TRY(sl_objective_parse(&row, known->ours));
    row.settings = known->settings;
    for (size_t i = 0; i < g->sequences; i++)
        tok[i % SIDES][i / SIDES] = g->sequence[i].answer.count;
    sl_objective_pairs(&out, &in, PAIRS, &row);
    for (size_t i = 0; i < PAIRS; i++)
        mean += loss[i] / PAIRS;
    spread(g, coef);
    SL_TRY(sl_golden_name(prefix, "pairs", known->golden));
    SL_TRY(sl_golden_name(name, prefix, "loss_per_pair"));
    SL_TRY(sl_golden_doubles(&g->list, name, loss, PAIRS, g->bounds.loss, 1));
    SL_TRY(sl_golden_name(name, prefix, "loss"));
    SL_TRY(sl_golden_number(&g->list, name, mean, g->bounds.loss));
    return sl_golden_gradient(g, prefix);
}

static sl_status check_chosen(sl_golden_model *g)
{
    SL_TRY(sl_golden_number(&g->list, "sft_chosen/loss", mean_nll(g, is_chosen), g->bounds.loss));
    return sl_golden_gradient(g, "sft_chosen");
}

static sl_status check_pairs(sl_golden_model *g)
{
    double sum[SIDES][PAIRS], ref[SIDES][PAIRS];
    char name[SL_ARRAY_NAME];

    SL_TRY(take_pairs(g));
    SL_TRY(sl_golden_compute(g, 0, 1));
    SL_TRY(check_reference(ref, g));
    SL_TRY(check_sums(sum, g, g->model, "policy_logps")); /* last: backward wants its activations */
    SL_TRY(check_token_logps(g));
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        SL_TRY(sl_golden_name(name, "pairs", losses[i].golden));
        if (sl_arrays_has(g->list.file, name))
            SL_TRY(check_loss(g, &losses[i], sum, ref));
    }
    return sl_arrays_has(g->list.file, "sft_chosen") ? check_chosen(g) : SL_OK;
}

static sl_status check_greedy(sl_golden_model *g)
{
    return sl_golden_greedy(g, "greedy", "greedy/prompt", 0.0, 1);
}

const sl_golden_part sl_golden_small[] = {
    { "logits", check_logits }, { "sft", check_sft }, { "pairs", check_pairs },
    { "greedy", check_greedy }, { NULL, NULL },
};
