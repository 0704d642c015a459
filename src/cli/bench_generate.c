/* Sampling: a batch of prompts, several candidates of one prompt, one sequence alone. */
#include "base/arena.h"
#include "cli/bench.h"
#include "model/sample.h"
#include <stdio.h>

enum { PROMPT = 64, NEW = 64, WORLD_PROMPT = 8, WORLD_NEW = 10, BATCH = 16 };

typedef struct generating {
    sl_model *model;
    sl_generator *generator;
    sl_arena arena;
    int32_t *ids, *token; /* (BATCH, prompt), (BATCH, max_new) */
    float *logp;          /* (BATCH, max_new) */
    sl_candidate candidate[BATCH];
    sl_prompt prompt[BATCH];
    sl_generate settings;
    size_t count, each; /* prompts, candidates of each */
    uint32_t prompt_tok;
} generating;

static sl_status generate(void *state)
{
    generating *g = state;

    return sl_model_sample(g->candidate, g->generator, g->model, g->prompt, g->count, g->each,
                           &g->settings);
}

static void carve(generating *g, sl_arena *arena)
{
    g->ids = sl_arena_i32(arena, BATCH, g->prompt_tok);
    g->token = sl_arena_i32(arena, BATCH, g->settings.max_new);
    g->logp = sl_arena_f32(arena, BATCH, g->settings.max_new);
}

static sl_status open_all(generating *g, const sl_bench *bench, const sl_bench_size *size)
{
    const int is_world = size->most_tok < PROMPT + NEW;
    sl_arena measure = SL_ARENA_MEASURE;
    size_t V;

    g->prompt_tok = is_world ? WORLD_PROMPT : PROMPT;
    g->settings = (sl_generate){ .law = { .temperature = 1.0f, .top_p = 1.0f },
                                 .max_new = is_world ? WORLD_NEW : NEW,
                                 .seed = 1 };
    SL_TRY(sl_bench_model(&g->model, bench, size, 0));
    V = sl_model_config(g->model)->V;
    carve(g, &measure);
    SL_TRY(sl_arena_open(&g->arena, measure.used_bytes));
    carve(g, &g->arena);
    for (size_t i = 0; i < (size_t)BATCH * g->prompt_tok; i++)
        g->ids[i] = (int32_t)(i * 7919 % V);
    for (size_t i = 0; i < BATCH; i++) {
        g->prompt[i] = (sl_prompt){ g->ids + i * g->prompt_tok, g->prompt_tok };
        g->candidate[i] = (sl_candidate){ .token = g->token + i * g->settings.max_new,
                                          .logp = g->logp + i * g->settings.max_new,
                                          .stream = i };
    }
    return sl_generator_open(&g->generator, sl_model_config(g->model), bench->backend, BATCH,
                             g->prompt_tok, g->settings.max_new);
}

/* A way to ask for candidates. */
typedef struct way {
    const char *name;
    size_t count, each;
} way;
static const way ways[] = {
    { "16 prompts", BATCH, 1 },
    { "16 candidates of one prompt", 1, BATCH },
    { "one sequence", 1, 1 },
};

/* Every step of a sequence alone reads all weights once: a bound by memory, not by arithmetic. */
static sl_status time_way(sl_bench *bench, generating *g, const char *size, const way *w)
{
    const double weights = 4.0 * sl_bench_matrices(sl_model_config(g->model));
    const double tokens = (double)(w->count * w->each) * g->settings.max_new;
    const double prompt = (double)w->count * g->prompt_tok;
    char name[64];
    double seconds = 0.0;
    sl_bench_row row = { .bench = "generate", .name = name, .tokens = tokens };

    g->count = w->count;
    g->each = w->each;
    (void)snprintf(name, sizeof name, "%s %s", size, w->name);
    SL_TRY(sl_bench_time(&seconds, bench, generate, g));
    row.seconds = seconds;
    if (w->count * w->each == 1)
        row.bytes = weights * g->settings.max_new;
    else
        row.flops = 0.5 * weights * (tokens + prompt);
    return sl_bench_add(bench, &row);
}

sl_status sl_bench_generate(sl_bench *bench)
{
    for (size_t i = 0; bench->size[i]; i++) {
        generating g = { 0 };
        sl_status st = open_all(&g, bench, bench->size[i]);

        for (size_t w = 0; st == SL_OK && w < sizeof ways / sizeof ways[0]; w++)
            st = time_way(bench, &g, bench->size[i]->name, &ways[w]);
        sl_generator_close(&g.generator);
        sl_arena_close(&g.arena);
        sl_model_close(&g.model);
        SL_TRY(st);
    }
    return SL_OK;
}
