#include "cli/golden_model.h"
#include "base/alloc.h"
#include "model/sample.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

sl_status sl_golden_name(char out[SL_ARRAY_NAME], const char *a, const char *b)
{
    const int n = snprintf(out, SL_ARRAY_NAME, "%s/%s", a, b);

    if (n < 0 || n >= SL_ARRAY_NAME)
        return SL_FAIL(SL_EFORMAT, "want names below %d bytes, found \"%s\"", SL_ARRAY_NAME, b);
    return SL_OK;
}

void sl_golden_drop(sl_golden_model *g)
{
    for (size_t i = 0; i < g->sequences; i++)
        sl_free(g->ids[i]);
    g->sequences = 0;
    sl_scorer_close(&g->scorer);
    g->scorer = (sl_scorer){ 0 };
    sl_free(g->coef);
    g->coef = NULL;
}

static sl_status add(sl_golden_model *g, int32_t *ids, size_t count, size_t prompt_tok)
{
    const size_t V = sl_model_config(g->model)->V;

    g->ids[g->sequences] = ids;
    g->sequence[g->sequences] =
        (sl_sequence){ .prompt = { .token = ids, .count = (uint32_t)prompt_tok },
                       .answer = { .token = ids + prompt_tok,
                                   .count = (uint32_t)(count - prompt_tok) } };
    g->sequences++;
    if (prompt_tok < 1 || prompt_tok >= count)
        return SL_FAIL(SL_EFORMAT, "want a prompt and an answer, found %zu of %zu tokens",
                       prompt_tok, count);
    for (size_t i = 0; i < count; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= V)
            return SL_FAIL(SL_EFORMAT, "want token ids below %zu, found %d", V, ids[i]);
    return SL_OK;
}

sl_status sl_golden_take(sl_golden_model *g, const char *name, size_t prompt_tok)
{
    int32_t *ids = NULL;
    size_t count = 0;

    SL_CHECK(g->sequences < SL_GOLDEN_SEQUENCES);
    SL_TRY(sl_arrays_read(&ids, &count, NULL, g->list.file, name, SL_ARRAY_I32));
    SL_TRY(sl_err_where(add(g, ids, count, prompt_tok), "/%s", name));
    return sl_golden_input(&g->list, name);
}

sl_status sl_golden_take_two(sl_golden_model *g, const char *prompt, const char *answer)
{
    int32_t *a = NULL, *b = NULL, *ids = NULL;
    size_t m = 0, n = 0;
    sl_status st = SL_OK;

    SL_CHECK(g->sequences < SL_GOLDEN_SEQUENCES);
    SL_TRY_OUT(sl_arrays_read(&a, &m, NULL, g->list.file, prompt, SL_ARRAY_I32));
    SL_TRY_OUT(sl_arrays_read(&b, &n, NULL, g->list.file, answer, SL_ARRAY_I32));
    SL_TRY_OUT(sl_take(&ids, m + n, sizeof *ids));
    memcpy(ids, a, m * sizeof *ids);
    memcpy(ids + m, b, n * sizeof *ids);
    SL_TRY_OUT(sl_err_where(add(g, ids, m + n, m), "/%s", answer));
    SL_TRY_OUT(sl_golden_input(&g->list, prompt));
    st = sl_golden_input(&g->list, answer);
out:
    sl_free(a);
    sl_free(b);
    return st;
}

sl_status sl_golden_compute(sl_golden_model *g, uint32_t top_k, int with_backward)
{
    sl_packed_limits limits = { .S = 2 * SL_GOLDEN_SEQUENCES, .B = SL_GOLDEN_SEQUENCES };

    for (size_t i = 0; i < g->sequences; i++) {
        const size_t n = (size_t)g->sequence[i].prompt.count + g->sequence[i].answer.count;

        limits.T += n;
        limits.positions = n > limits.positions ? n : limits.positions;
    }
    limits.N = limits.T;
    SL_TRY(sl_take(&g->coef, limits.N, sizeof *g->coef));
    SL_TRY(sl_scorer_open(&g->scorer, sl_model_config(g->model), g->backend, &limits, top_k,
                          with_backward));
    return sl_scorer_run(&g->scorer, g->model, g->sequence, g->sequences);
}

double sl_golden_norm(const float *x, size_t count)
{
    double sum = 0.0;

    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

static const sl_tensor *tensor_of(const sl_tensors *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (!strcmp(table->row[i].name, name))
            return &table->row[i];
    return NULL;
}

/* Norms in the order of the file's `tensors`. */
static sl_status tensor_norms(sl_golden_model *g, const char *name, double total)
{
    const sl_tensors *table = sl_model_tensors(g->model);
    const float *gradients = sl_model_gradients(g->model);
    char *names = NULL;
    double *want = NULL, error = 0.0;
    size_t count = 0, found = 0;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_arrays_strings(&names, &count, g->list.file, "tensors"));
    SL_TRY_OUT(sl_golden_input(&g->list, "tensors"));
    SL_TRY_OUT(sl_arrays_read(&want, &found, NULL, g->list.file, name, SL_ARRAY_F64));
    if (count != found || count != table->count)
        error = NAN;
    for (size_t i = 0; i < found && !isnan(error); i++) {
        const sl_tensor *t = tensor_of(table, names + i * SL_ARRAY_NAME);
        const double norm = t ? sl_golden_norm(gradients + t->offset, t->rows * t->cols) : NAN;
        const double apart = fabs(norm - want[i]) / fmax(want[i], g->bounds.least_tensor * total);

        error = isnan(apart) ? NAN : fmax(error, apart);
    }
    st = sl_golden_add(&g->list, name, error, g->bounds.gradient);
out:
    sl_free(names);
    sl_free(want);
    return st;
}

static sl_status tensor_gradients(sl_golden_model *g, const char *prefix)
{
    const sl_tensors *table = sl_model_tensors(g->model);
    const float *gradients = sl_model_gradients(g->model);
    char name[SL_ARRAY_NAME], inner[SL_ARRAY_NAME];

    for (size_t i = 0; i < table->count; i++) {
        const sl_tensor *t = &table->row[i];

        SL_TRY(sl_golden_name(inner, "grad", t->name));
        SL_TRY(sl_golden_name(name, prefix, inner));
        SL_TRY(sl_golden_distance(&g->list, name, gradients + t->offset, t->rows * t->cols,
                                  g->bounds.gradient));
    }
    return SL_OK;
}

sl_status sl_golden_gradient(sl_golden_model *g, const char *prefix)
{
    const size_t floats = sl_model_tensors(g->model)->floats;
    float *gradients = sl_model_gradients(g->model);
    char name[SL_ARRAY_NAME];
    double total;

    memset(gradients, 0, floats * sizeof *gradients);
    SL_TRY(sl_model_backward(g->model, g->scorer.work, &g->scorer.packer.packed, g->coef));
    total = sl_golden_norm(gradients, floats);
    SL_TRY(sl_golden_name(name, prefix, "grad_norm"));
    if (sl_arrays_has(g->list.file, name))
        SL_TRY(sl_golden_number(&g->list, name, total, g->bounds.gradient));
    SL_TRY(sl_golden_name(name, prefix, "tensor_grad_norm"));
    if (sl_arrays_has(g->list.file, name))
        SL_TRY(tensor_norms(g, name, total));
    SL_TRY(sl_golden_name(name, prefix, "grad"));
    return sl_arrays_has(g->list.file, name) ? tensor_gradients(g, prefix) : SL_OK;
}

/* want (skip + n); tokens after the first gap that rounding can close are not compared. */
static size_t count_wrong(const int32_t *got, const int32_t *want, const double *gap, size_t n,
                          double least_gap)
{
    size_t wrong = 0;

    for (size_t i = 0; i < n && gap[i] > least_gap; i++)
        wrong += got[i] != want[i];
    return wrong;
}

/* n greedy tokens after the prompt; out (n). */
static sl_status draw(int32_t *out, const sl_golden_model *g, const int32_t *ids, size_t m,
                      size_t n)
{
    const sl_prompt prompt = { ids, (uint32_t)m };
    const sl_generate settings = { .law = { .temperature = 0.0f, .top_p = 1.0f },
                                   .max_new = (uint32_t)n };
    sl_candidate c = { .token = out };
    sl_generator *generator = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&c.logp, n, sizeof *c.logp));
    SL_TRY_OUT(sl_generator_open(&generator, sl_model_config(g->model), g->backend, 1, prompt.count,
                                 settings.max_new));
    st = sl_model_sample(&c, generator, g->model, &prompt, 1, 1, &settings);
out:
    sl_generator_close(&generator);
    sl_free(c.logp);
    return st;
}

sl_status sl_golden_greedy(sl_golden_model *g, const char *prefix, const char *prompt,
                           double least_gap, int prompt_in_tokens)
{
    char tokens[SL_ARRAY_NAME], gaps[SL_ARRAY_NAME];
    int32_t *ids = NULL, *want = NULL, *got = NULL;
    double *gap = NULL;
    size_t m = 0, count = 0, n = 0, skip;
    sl_status st = SL_OK;

    SL_TRY(sl_golden_name(tokens, prefix, "tokens"));
    SL_TRY(sl_golden_name(gaps, prefix, "logit_gap"));
    SL_TRY_OUT(sl_arrays_read(&ids, &m, NULL, g->list.file, prompt, SL_ARRAY_I32));
    SL_TRY_OUT(sl_arrays_read(&want, &count, NULL, g->list.file, tokens, SL_ARRAY_I32));
    SL_TRY_OUT(sl_arrays_read(&gap, &n, NULL, g->list.file, gaps, SL_ARRAY_F64));
    skip = prompt_in_tokens ? m : 0;
    if (!n || count != skip + n)
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "/%s: want %zu tokens, found %zu", tokens, skip + n, count));
    SL_TRY_OUT(sl_take(&got, n, sizeof *got));
    SL_TRY_OUT(draw(got, g, ids, m, n));
    SL_TRY_OUT(sl_golden_add(&g->list, tokens,
                             (double)count_wrong(got, want + skip, gap, n, least_gap), 0.0));
    SL_TRY_OUT(sl_golden_input(&g->list, prompt));
    st = sl_golden_input(&g->list, gaps);
out:
    sl_free(ids);
    sl_free(want);
    sl_free(got);
    sl_free(gap);
    return st;
}
