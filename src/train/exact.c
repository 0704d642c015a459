#include "train/exact.h"
#include "base/alloc.h"
#include "datasets/world.h"
#include <math.h>

/* Buffers of one batch of prompts. */
typedef struct exact_batch {
    size_t most;
    sl_prompt_text *prompt;
    int32_t *token, *answer;
    sl_drawn *drawn;
    sl_sequence *sequence;
    float *logits; /* (most * SL_WORLD_ANSWER, V) */
} exact_batch;

static sl_status batch_open(exact_batch *b, size_t most, size_t V)
{
    b->most = most;
    SL_TRY(sl_take(&b->prompt, most, sizeof *b->prompt));
    SL_TRY(sl_take(&b->token, most * SL_WORLD_PROMPT, sizeof *b->token));
    SL_TRY(sl_take(&b->answer, most * SL_WORLD_ANSWER, sizeof *b->answer));
    SL_TRY(sl_take(&b->drawn, most, sizeof *b->drawn));
    SL_TRY(sl_take(&b->sequence, most, sizeof *b->sequence));
    return sl_take(&b->logits, most * SL_WORLD_ANSWER * V, sizeof *b->logits);
}

static void batch_close(exact_batch *b)
{
    sl_free(b->prompt);
    sl_free(b->token);
    sl_free(b->answer);
    sl_free(b->drawn);
    sl_free(b->sequence);
    sl_free(b->logits);
}

/* Log-probabilities over the world's tokens; what a larger vocabulary holds beyond counts as none
 * of them, at log-probability as it stands. */
static void log_softmax(double out[SL_WORLD_VOCAB], const float *z, size_t V)
{
    double most = -INFINITY, sum = 0.0;

    for (size_t v = 0; v < V; v++)
        most = fmax(most, (double)z[v]);
    for (size_t v = 0; v < V; v++)
        sum += exp((double)z[v] - most);
    for (size_t v = 0; v < SL_WORLD_VOCAB; v++)
        /* cppcheck-suppress invalidFunctionArg ; the largest term is exp(0) */
        out[v] = (double)z[v] - most - log(sum);
}

static sl_status measure_batch(sl_session *s, exact_batch *b, const sl_model *model, size_t first,
                               size_t n)
{
    sl_packer *packer = &s->update.packer;
    sl_generate law = s->door.law;

    law.law = (sl_sample_settings){ .temperature = 1.0f, .top_p = 1.0f };
    for (size_t i = 0; i < n; i++) {
        SL_TRY(sl_data_prompt(&b->prompt[i], b->token + i * SL_WORLD_PROMPT, s->data, SL_SPLIT_EVAL,
                              0, first + i));
        b->drawn[i].stream = sl_rng_substream(sl_rng_stream("exact"), first + i);
    }
    s->sampler.model = model;
    SL_TRY(s->door.draw(s->door.state, b->drawn, b->answer, &law, b->prompt, n, 1));
    for (size_t i = 0; i < n; i++)
        b->sequence[i] = (sl_sequence){ b->prompt[i], b->drawn[i].answer };
    SL_TRY(sl_pack(packer, b->sequence, n));
    SL_TRY(sl_model_forward(model, s->work, &packer->packed));
    return sl_model_logits(b->logits, model, s->work, &packer->packed);
}

static void add_batch(sl_exact *sum, double *per_prompt, const exact_batch *b, size_t n, size_t V)
{
    for (size_t i = 0; i < n; i++) {
        double logp[SL_WORLD_ANSWER][SL_WORLD_VOCAB];
        sl_world_exact e;

        for (size_t t = 0; t < SL_WORLD_ANSWER; t++)
            log_softmax(logp[t], b->logits + (i * SL_WORLD_ANSWER + t) * V, V);
        sl_world_exact_of(&e, b->prompt[i].token, logp);
        per_prompt[i] = e.reward;
        sum->reward += e.reward;
        sum->reward_se += e.reward * e.reward;
        sum->entropy += e.entropy;
        sum->kl += e.kl;
        sum->accuracy += e.accuracy;
    }
}

static void close_means(sl_exact *e, double n)
{
    e->reward /= n;
    e->reward_se = sqrt(fmax(0.0, e->reward_se / n - e->reward * e->reward) / (n - 1.0));
    e->entropy /= n;
    e->kl /= n;
    e->accuracy /= n;
}

sl_status sl_exact_measure(sl_exact *out, double *per_prompt, sl_session *session,
                           const sl_model *model)
{
    const size_t count = (size_t)session->recipe.measure.exact_prompts;
    const size_t V = sl_model_config(model)->V, most = session->update.packer.limits.B;
    exact_batch b = { 0 };
    sl_status st = SL_OK;

    *out = (sl_exact){ .prompts = (uint32_t)count };
    SL_TRY_OUT(batch_open(&b, most, V));
    for (size_t done = 0; done < count; done += most) {
        const size_t n = count - done < most ? count - done : most;

        SL_TRY_OUT(measure_batch(session, &b, model, done, n));
        add_batch(out, per_prompt + done, &b, n, V);
    }
    close_means(out, (double)count);
out:
    session->sampler.model = session->start;
    batch_close(&b);
    return st;
}

void sl_exact_gain(double *gain, double *se, const double *before, const double *after, size_t n)
{
    double sum = 0.0, sq = 0.0;

    for (size_t i = 0; i < n; i++) {
        const double d = after[i] - before[i];

        sum += d;
        sq += d * d;
    }
    *gain = sum / (double)n;
    *se = sqrt(fmax(0.0, sq / (double)n - *gain * *gain) / ((double)n - 1.0));
}
