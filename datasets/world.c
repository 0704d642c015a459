/* The built-in world's law: rewards, generators, exact expectations. Everything is a closed form of
 * the prompt; where the data come from is world_data.c. */
#include "datasets/world.h"
#include <math.h>

enum { UPPER = 8, STYLE = 16, TONE_A = 24, LETTERS = 8, SYMBOLS = 8 };
static const int permutation[SL_WORLD_CONTENT] = { 3, 0, 5, 1, 4, 2 };

int32_t sl_world_right(const int32_t prompt[SL_WORLD_PROMPT], int slot)
{
    return prompt[1 + permutation[slot]] + UPPER;
}

/* 1 - k/7 under tone A, k/7 under tone B. */
static double taste(const int32_t prompt[SL_WORLD_PROMPT], int symbol)
{
    const double share = (double)symbol / (SYMBOLS - 1);

    return prompt[0] == TONE_A ? 1.0 - share : share;
}

void sl_world_rewards(double r[SL_WORLD_ANSWER][SL_WORLD_VOCAB],
                      const int32_t prompt[SL_WORLD_PROMPT])
{
    for (int t = 0; t < SL_WORLD_ANSWER; t++)
        for (int v = 0; v < SL_WORLD_VOCAB; v++)
            r[t][v] = -1.0;
    for (int t = 0; t < SL_WORLD_CONTENT; t++) {
        for (int v = UPPER; v < UPPER + LETTERS; v++)
            r[t][v] = 0.0;
        r[t][sl_world_right(prompt, t)] = 2.0;
    }
    for (int t = SL_WORLD_CONTENT; t < SL_WORLD_ANSWER; t++)
        for (int k = 0; k < SYMBOLS; k++)
            r[t][STYLE + k] = 0.8 * taste(prompt, k);
}

double sl_world_reward(const int32_t prompt[SL_WORLD_PROMPT], const int32_t answer[SL_WORLD_ANSWER])
{
    double r[SL_WORLD_ANSWER][SL_WORLD_VOCAB], sum = 0.0;

    sl_world_rewards(r, prompt);
    for (int t = 0; t < SL_WORLD_ANSWER; t++)
        sum += answer[t] >= 0 && answer[t] < SL_WORLD_VOCAB ? r[t][answer[t]] : -1.0;
    return sum;
}

/* Log-sum-exp of a slot; entries of -inf count nothing. */
static double log_sum(const double *x, int n)
{
    double most = -INFINITY, sum = 0.0;

    for (int v = 0; v < n; v++)
        most = fmax(most, x[v]);
    for (int v = 0; v < n; v++)
        sum += exp(x[v] - most);
    /* cppcheck-suppress invalidFunctionArg ; the largest term is exp(0) */
    return most + log(sum);
}

double sl_world_log_z(void)
{
    static const int32_t prompt[SL_WORLD_PROMPT] = { TONE_A, 0, 0, 0, 0, 0, 0, 26 };
    double r[SL_WORLD_ANSWER][SL_WORLD_VOCAB], sum = 0.0;

    sl_world_rewards(r, prompt); /* the same for every prompt: slots are permuted or mirrored */
    for (int t = 0; t < SL_WORLD_ANSWER; t++)
        sum += log_sum(r[t], SL_WORLD_VOCAB);
    return sum;
}

void sl_world_truth_slot(double logp[SL_WORLD_VOCAB], const int32_t prompt[SL_WORLD_PROMPT],
                         int slot)
{
    double r[SL_WORLD_ANSWER][SL_WORLD_VOCAB];
    double norm;

    sl_world_rewards(r, prompt);
    norm = log_sum(r[slot], SL_WORLD_VOCAB);
    for (int v = 0; v < SL_WORLD_VOCAB; v++)
        logp[v] = r[slot][v] - norm;
}

void sl_world_slot(double logp[SL_WORLD_VOCAB], const sl_world_generator *g,
                   const int32_t prompt[SL_WORLD_PROMPT], int slot)
{
    double norm;

    for (int v = 0; v < SL_WORLD_VOCAB; v++)
        logp[v] = -INFINITY;
    if (slot < SL_WORLD_CONTENT) {
        const int right = sl_world_right(prompt, slot) - UPPER;

        for (int k = 0; k < LETTERS; k++)
            logp[UPPER + k] = 0.0;
        logp[UPPER + right] = g->content;
        logp[UPPER + (right + 1) % LETTERS] += g->quirk;
    } else {
        for (int k = 0; k < SYMBOLS; k++)
            logp[STYLE + k] = g->style * taste(prompt, k) + g->habit[slot - SL_WORLD_CONTENT][k];
    }
    norm = log_sum(logp, SL_WORLD_VOCAB);
    for (int v = 0; v < SL_WORLD_VOCAB; v++)
        logp[v] -= norm;
}

/* The token at which the running sum of probabilities passes a uniform number. */
static int32_t draw_slot(const double logp[SL_WORLD_VOCAB], sl_rng *rng)
{
    const double u = sl_rng_uniform(rng);
    double sum = 0.0;
    int32_t last = 0;

    for (int32_t v = 0; v < SL_WORLD_VOCAB; v++) {
        if (logp[v] == -INFINITY)
            continue;
        last = v;
        sum += exp(logp[v]);
        if (u < sum)
            return v;
    }
    return last; /* u beyond the sum by rounding */
}

void sl_world_draw(int32_t answer[SL_WORLD_ANSWER], const sl_world_generator *g,
                   const int32_t prompt[SL_WORLD_PROMPT], sl_rng *rng)
{
    for (int t = 0; t < SL_WORLD_ANSWER; t++) {
        double logp[SL_WORLD_VOCAB];

        sl_world_slot(logp, g, prompt, t);
        answer[t] = draw_slot(logp, rng);
    }
}

void sl_world_prompt(int32_t prompt[SL_WORLD_PROMPT], sl_rng *rng)
{
    prompt[0] = TONE_A + (int32_t)sl_rng_below(rng, 2);
    for (int i = 1; i < SL_WORLD_PROMPT - 1; i++)
        prompt[i] = (int32_t)sl_rng_below(rng, LETTERS);
    prompt[SL_WORLD_PROMPT - 1] = 26;
}

void sl_world_exact_of(sl_world_exact *out, const int32_t prompt[SL_WORLD_PROMPT],
                       const double logp[SL_WORLD_ANSWER][SL_WORLD_VOCAB])
{
    double r[SL_WORLD_ANSWER][SL_WORLD_VOCAB];

    *out = (sl_world_exact){ .kl = sl_world_log_z() };
    sl_world_rewards(r, prompt);
    for (int t = 0; t < SL_WORLD_ANSWER; t++)
        for (int v = 0; v < SL_WORLD_VOCAB; v++) {
            const double p = exp(logp[t][v]);

            if (p == 0.0)
                continue;
            out->reward += p * r[t][v];
            out->entropy -= p * logp[t][v];
            out->kl += p * (logp[t][v] - r[t][v]);
        }
    for (int t = 0; t < SL_WORLD_CONTENT; t++)
        out->accuracy += exp(logp[t][sl_world_right(prompt, t)]) / SL_WORLD_CONTENT;
}
