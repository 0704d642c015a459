/* A real checkpoint: statistics of real prompts, greedy continuations, DPO and SFT gradients by
 * norms and samples, and four steps of the optimizer. */
#include "base/alloc.h"
#include "cli/golden_model.h"
#include "train/objective.h"
#include "train/optim.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PAIRS = 2, SIDES = 2, TOP_MAX = 1024 };
static const char *const sides[SIDES] = { "chosen", "rejected" };
static const sl_loss_settings dpo_settings = { .beta = 0.1 };

/* --- prompts --------------------------------------------------------------------------------- */

/* Best logits of the last position; ids where the order is not closer than rounding. */
static sl_status check_top(sl_golden_model *g, const char *prefix, size_t last)
{
    const sl_scorer *s = &g->scorer;
    const size_t k = s->top.k;
    char name[SL_ARRAY_NAME];
    double *want = NULL;
    int32_t *ids = NULL;
    float *z = NULL;
    size_t count = 0, n = 0, wrong = 0;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&z, k, sizeof *z));
    for (size_t i = 0; i < k; i++)
        z[i] = s->top.logp[last * k + i] + s->stats[last].lse;
    SL_TRY_OUT(sl_golden_name(name, prefix, "top/logits"));
    SL_TRY_OUT(sl_golden_floats(&g->list, name, z, k, g->bounds.logits, 0));
    SL_TRY_OUT(sl_arrays_read(&want, &count, NULL, g->list.file, name, SL_ARRAY_F64));
    SL_TRY_OUT(sl_golden_name(name, prefix, "top/ids"));
    SL_TRY_OUT(sl_arrays_read(&ids, &n, NULL, g->list.file, name, SL_ARRAY_I32));
    for (size_t i = 0; i < k && i < n && i < count; i++) {
        const int is_clear = (i == 0 || want[i - 1] - want[i] > g->bounds.logits) &&
                             (i + 1 == k || want[i] - want[i + 1] > g->bounds.logits);

        wrong += is_clear && s->top.id[last * k + i] != ids[i];
    }
    st = sl_golden_add(&g->list, name, n == k ? (double)wrong : NAN, 0.0);
out:
    sl_free(z);
    sl_free(ids);
    sl_free(want);
    return st;
}

static sl_status count_of(size_t *count, const sl_golden_model *g, const char *prefix,
                          const char *what)
{
    char name[SL_ARRAY_NAME];
    float *x = NULL;

    SL_TRY(sl_golden_name(name, prefix, what));
    SL_TRY(sl_arrays_read(&x, count, NULL, g->list.file, name, SL_ARRAY_F32));
    sl_free(x);
    return SL_OK;
}

/* The ids and one token more, which makes a target of the last row. */
static sl_status take_prompt(sl_golden_model *g, const char *name)
{
    int32_t *ids = NULL, *more = NULL;
    size_t n = 0;
    sl_status st = SL_OK;

    SL_TRY(sl_arrays_read(&ids, &n, NULL, g->list.file, name, SL_ARRAY_I32));
    if (n < 2)
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "/%s: want 2 ids or more, found %zu", name, n));
    SL_TRY_OUT(sl_take(&more, n + 1, sizeof *more));
    memcpy(more, ids, n * sizeof *ids);
    g->ids[0] = more;
    g->sequences = 1;
    g->sequence[0] = (sl_sequence){ .prompt = { .token = more, .count = 1 },
                                    .answer = { .token = more + 1, .count = (uint32_t)n } };
    st = sl_golden_input(&g->list, name);
out:
    sl_free(ids);
    return st;
}

static sl_status check_form(sl_golden_model *g, const char *prefix)
{
    char name[SL_ARRAY_NAME], greedy[SL_ARRAY_NAME];
    float *lse = NULL;
    size_t n, k = 0;
    sl_status st = SL_OK;

    SL_TRY(count_of(&k, g, prefix, "top/logits"));
    if (k < 1 || k > TOP_MAX)
        return SL_FAIL(SL_EFORMAT, "/%s: want 1 to %d best logits, found %zu", prefix, TOP_MAX, k);
    SL_TRY(sl_golden_name(name, prefix, "ids"));
    SL_TRY(take_prompt(g, name));
    SL_TRY(sl_golden_compute(g, (uint32_t)k, 0));
    n = g->scorer.packer.packed.N;
    SL_TRY(sl_take(&lse, n, sizeof *lse));
    for (size_t i = 0; i < n; i++)
        lse[i] = g->scorer.stats[i].lse;
    SL_TRY_OUT(sl_golden_name(name, prefix, "logsumexp"));
    SL_TRY_OUT(sl_golden_floats(&g->list, name, lse, n, g->bounds.logits, 0));
    SL_TRY_OUT(sl_golden_name(name, prefix, "token_logps"));
    SL_TRY_OUT(sl_golden_floats(&g->list, name, g->scorer.logp, n - 1, g->bounds.logits, 0));
    SL_TRY_OUT(check_top(g, prefix, n - 1));
    SL_TRY_OUT(sl_golden_name(name, prefix, "ids"));
    SL_TRY_OUT(sl_golden_name(greedy, prefix, "greedy"));
    SL_TRY_OUT(sl_golden_greedy(g, greedy, name, g->bounds.logits, 0));
    SL_TRY_OUT(sl_golden_name(name, greedy, "text"));
    st = sl_golden_input(&g->list, name); /* the tokens as words: the tokenizer's matter */
out:
    sl_free(lse);
    sl_golden_drop(g);
    return st;
}

static sl_status check_prompt(sl_golden_model *g, const char *prompt)
{
    static const char *const forms[] = { "plain", "chat" };
    static const char *const words[] = { "text", "chat_text", "messages" };
    char name[SL_ARRAY_NAME];

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        SL_TRY(sl_golden_name(name, prompt, words[i]));
        SL_TRY(sl_golden_input(&g->list, name));
    }
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        SL_TRY(sl_golden_name(name, prompt, forms[i]));
        SL_TRY(check_form(g, name));
    }
    return SL_OK;
}

static sl_status check_prompts(sl_golden_model *g)
{
    char *names = NULL, prompt[SL_ARRAY_NAME];
    size_t count = 0;
    sl_status st = SL_OK;

    SL_TRY(sl_arrays_list(&names, &count, g->list.file, "prompts"));
    for (size_t i = 0; i < count; i++) {
        SL_TRY_OUT(sl_golden_name(prompt, "prompts", names + i * SL_ARRAY_NAME));
        SL_TRY_OUT(check_prompt(g, prompt));
    }
out:
    sl_free(names);
    return st;
}

/* --- gradients ------------------------------------------------------------------------------- */

/* A few rows of the embedding; which, the files' README says. It stands first in the table. */
static sl_status check_embedding_rows(sl_golden_model *g, const char *prefix)
{
    static const size_t rows[] = { 0, 1, 2, 198 };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    const size_t D = sl_model_config(g->model)->D;
    const float *gradients = sl_model_gradients(g->model);
    double norm[ROWS];
    char name[SL_ARRAY_NAME];

    for (size_t i = 0; i < ROWS; i++)
        norm[i] = sl_golden_norm(gradients + rows[i] * D, D);
    SL_TRY(sl_golden_name(name, prefix, "embedding_row_grad_norm"));
    return sl_golden_doubles(&g->list, name, norm, ROWS, g->bounds.gradient, 1);
}

/* Largest |got - want| of the samples of a tensor, relative to the root mean square of its
 * gradient: *error keeps the worst. */
static void sample_error(double *error, const float *gradient, size_t size, const double *want,
                         const int64_t *index, size_t n)
{
    const double rms = sl_golden_norm(gradient, size) / sqrt((double)size);

    for (size_t i = 0; i < n; i++) {
        const double apart = index[i] >= 0 && (size_t)index[i] < size
                                 ? fabs((double)gradient[index[i]] - want[i]) / rms
                                 : NAN;

        *error = isnan(apart) || isnan(*error) ? NAN : fmax(*error, apart);
    }
}

static const float *find_gradient(size_t *size, const sl_golden_model *g, const char *name)
{
    const sl_tensors *table = sl_model_tensors(g->model);

    for (size_t i = 0; i < table->count; i++)
        if (!strcmp(table->row[i].name, name)) {
            *size = table->row[i].rows * table->row[i].cols;
            return sl_model_gradients(g->model) + table->row[i].offset;
        }
    return NULL;
}

static sl_status check_samples(sl_golden_model *g, const char *prefix)
{
    char name[SL_ARRAY_NAME], *names = NULL;
    double *want = NULL, error = 0.0;
    int64_t *index = NULL;
    size_t tensors = 0, count = 0, n = 0, size = 0, dims[SL_ARRAY_RANK];
    sl_status st = SL_OK;

    SL_TRY(sl_golden_name(name, prefix, "grad_sample"));
    SL_TRY_OUT(sl_arrays_strings(&names, &tensors, g->list.file, "tensors"));
    SL_TRY_OUT(sl_arrays_read(&want, &count, dims, g->list.file, name, SL_ARRAY_F64));
    SL_TRY_OUT(sl_arrays_read(&index, &n, NULL, g->list.file, "grad_sample_index", SL_ARRAY_I64));
    SL_TRY_OUT(sl_golden_input(&g->list, "grad_sample_index"));
    if (n != count || dims[0] != tensors)
        error = NAN;
    for (size_t i = 0; i < tensors && !isnan(error); i++) {
        const float *gradient = find_gradient(&size, g, names + i * SL_ARRAY_NAME);

        if (gradient)
            sample_error(&error, gradient, size, want + i * dims[1], index + i * dims[1], dims[1]);
        else
            error = NAN;
    }
    st = sl_golden_add(&g->list, name, error, 10.0 * g->bounds.gradient);
out:
    sl_free(names);
    sl_free(want);
    sl_free(index);
    return st;
}

static sl_status check_gradient(sl_golden_model *g, const char *prefix)
{
    SL_TRY(sl_golden_gradient(g, prefix));
    SL_TRY(check_embedding_rows(g, prefix));
    return check_samples(g, prefix);
}

/* --- pairs ----------------------------------------------------------------------------------- */

static sl_status take_pairs(sl_golden_model *g)
{
    static const char *const words[] = { "messages", "chosen_text", "rejected_text" };
    char prompt[SL_ARRAY_NAME], answer[SL_ARRAY_NAME];

    for (size_t i = 0; i < PAIRS; i++) {
        (void)snprintf(prompt, sizeof prompt, "dpo/prompt/%zu", i);
        for (size_t s = 0; s < SIDES; s++) {
            (void)snprintf(answer, sizeof answer, "dpo/%s/%zu", sides[s], i);
            SL_TRY(sl_golden_take_two(g, prompt, answer));
        }
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
            (void)snprintf(answer, sizeof answer, "dpo/%s/%zu", words[w], i);
            SL_TRY(sl_golden_input(&g->list, answer));
        }
    }
    return SL_OK;
}

/* Loss, mean margin and coefficients of the batch as it was computed; ref: of the start. */
static double dpo_loss(sl_golden_model *g, double *margin, double sum[SIDES][PAIRS],
                       double ref[SIDES][PAIRS], const sl_objective *row)
{
    const sl_packed *packed = &g->scorer.packer.packed;
    double each[PAIRS], coef[SIDES][PAIRS], arg[PAIRS], loss = 0.0;
    uint32_t tok[SIDES][PAIRS];

    for (size_t i = 0; i < g->sequences; i++)
        sum[i % SIDES][i / SIDES] = sl_scorer_value(&g->scorer, i);
    for (size_t i = 0; i < g->sequences; i++)
        tok[i % SIDES][i / SIDES] = g->sequence[i].answer.count;
    sl_objective_pairs(
        &(sl_objective_out){ each, arg, coef[0], coef[1], NULL },
        &(sl_objective_in){ sum[0], sum[1], ref[0], ref[1], tok[0], tok[1], NAN, NULL, NULL },
        PAIRS, row);
    *margin = 0.0;
    for (size_t i = 0; i < PAIRS; i++) {
        loss += each[i] / PAIRS;
        *margin += dpo_settings.beta * ((sum[0][i] - ref[0][i]) - (sum[1][i] - ref[1][i])) / PAIRS;
    }
    for (size_t i = 0; i < packed->N; i++) {
        const uint32_t s = packed->target[i].sequence;

        g->coef[i] = (float)(coef[s % SIDES][s / SIDES] / PAIRS);
    }
    return loss;
}

static sl_status check_tokens(sl_golden_model *g)
{
    const uint32_t *first = g->scorer.packer.packed.seq_first;
    char name[SL_ARRAY_NAME];

    for (size_t i = 0; i < g->sequences; i++) {
        (void)snprintf(name, sizeof name, "dpo/token_logps/%s/%zu", sides[i % SIDES], i / SIDES);
        SL_TRY(sl_golden_floats(&g->list, name, g->scorer.logp + first[i], first[i + 1] - first[i],
                                g->bounds.logits, 0));
    }
    return SL_OK;
}

static void chosen_only(sl_golden_model *g, double *loss)
{
    const sl_packed *packed = &g->scorer.packer.packed;
    size_t targets = 0;

    *loss = 0.0;
    for (size_t i = 0; i < packed->N; i++)
        targets += packed->target[i].sequence % SIDES == 0;
    for (size_t i = 0; i < packed->N; i++) {
        const int is_chosen = packed->target[i].sequence % SIDES == 0;

        g->coef[i] = is_chosen ? -1.0f / (float)targets : 0.0f;
        *loss -= is_chosen ? (double)g->scorer.logp[i] / (double)targets : 0.0;
    }
}

/* --- steps ----------------------------------------------------------------------------------- */

enum { STEPS = 4 };
typedef struct steps {
    double loss[STEPS], norm[STEPS], margin[STEPS], logp[SIDES][STEPS][PAIRS];
} steps;

static sl_status run_steps(steps *out, sl_golden_model *g, double ref[SIDES][PAIRS],
                           const sl_objective *row, sl_optim *optim)
{
    const size_t floats = sl_model_tensors(g->model)->floats;
    float *gradients = sl_model_gradients(g->model);
    double sum[SIDES][PAIRS];

    for (size_t k = 0; k < STEPS; k++) {
        SL_TRY(sl_scorer_run(&g->scorer, g->model, g->sequence, g->sequences));
        out->loss[k] = dpo_loss(g, &out->margin[k], sum, ref, row);
        for (size_t i = 0; i < g->sequences; i++)
            out->logp[i % SIDES][k][i / SIDES] = sum[i % SIDES][i / SIDES];
        memset(gradients, 0, floats * sizeof *gradients);
        SL_TRY(sl_model_backward(g->model, g->scorer.work, &g->scorer.packer.packed, g->coef));
        out->norm[k] = sl_golden_norm(gradients, floats);
        SL_TRY(sl_optim_step(optim, 1e-5));
    }
    return SL_OK;
}

static sl_status compare_steps(sl_golden_model *g, const steps *s)
{
    const double b = g->bounds.loss;

    SL_TRY(sl_golden_doubles(&g->list, "dpo_steps/loss", s->loss, STEPS, b, 1));
    SL_TRY(sl_golden_doubles(&g->list, "dpo_steps/grad_norm", s->norm, STEPS, 10.0 * b, 1));
    SL_TRY(sl_golden_doubles(&g->list, "dpo_steps/margin", s->margin, STEPS, 10.0 * b, 1));
    SL_TRY(sl_golden_doubles(&g->list, "dpo_steps/logps_chosen", &s->logp[0][0][0], STEPS * PAIRS,
                             g->bounds.logp_sum, 1));
    return sl_golden_doubles(&g->list, "dpo_steps/logps_rejected", &s->logp[1][0][0], STEPS * PAIRS,
                             g->bounds.logp_sum, 1);
}

/* Last: it changes the parameters. */
static sl_status check_steps(sl_golden_model *g, double ref[SIDES][PAIRS], const sl_objective *row)
{
    const sl_tensors *table = sl_model_tensors(g->model);
    sl_optim optim = { .settings = { .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .clip = 1.0 } };
    sl_arena arena, measure = SL_ARENA_MEASURE;
    steps s;
    sl_status st = SL_OK;

    sl_optim_carve(&optim, &measure, table);
    SL_TRY(sl_arena_open(&arena, measure.used_bytes));
    sl_optim_carve(&optim, &arena, table);
    optim.model = g->model;
    sl_optim_reset(&optim);
    SL_TRY_OUT(run_steps(&s, g, ref, row, &optim));
    st = compare_steps(g, &s);
out:
    sl_arena_close(&arena);
    return st;
}

static sl_status check_reference(sl_golden_model *g, double ref[SIDES][PAIRS])
{
    char name[SL_ARRAY_NAME];

    for (size_t s = 0; s < SIDES; s++) {
        for (size_t i = 0; i < PAIRS; i++)
            ref[s][i] = sl_scorer_value(&g->scorer, SIDES * i + s);
        (void)snprintf(name, sizeof name, "dpo/ref_logps/%s", sides[s]);
        SL_TRY(sl_golden_doubles(&g->list, name, ref[s], PAIRS, g->bounds.logp_sum, 1));
    }
    return SL_OK;
}

/* Policy and reference are the same checkpoint: margin 0, loss log 2. */
static sl_status check_pairs(sl_golden_model *g)
{
    double ref[SIDES][PAIRS], sum[SIDES][PAIRS], margin, loss;
    sl_objective dpo;

    SL_TRY(sl_objective_parse(&dpo, "dpo"));
    dpo.settings = dpo_settings;
    SL_TRY(take_pairs(g));
    SL_TRY(sl_golden_compute(g, 0, 1));
    SL_TRY(check_tokens(g));
    SL_TRY(check_reference(g, ref));
    loss = dpo_loss(g, &margin, sum, ref, &dpo);
    SL_TRY(sl_golden_number(&g->list, "dpo/loss", loss, g->bounds.loss));
    SL_TRY(check_gradient(g, "dpo"));
    chosen_only(g, &loss);
    SL_TRY(sl_golden_number(&g->list, "sft/loss", loss, g->bounds.loss));
    SL_TRY(check_gradient(g, "sft"));
    return sl_arrays_has(g->list.file, "dpo_steps") ? check_steps(g, ref, &dpo) : SL_OK;
}

const sl_golden_part sl_golden_large[] = {
    { "prompts", check_prompts },
    { "dpo", check_pairs },
    { NULL, NULL },
};
