/* A DPO step as the trainer does it: prompts shared, no padding, no stored logits; with the
 * reference's log-probabilities cached, and live. And loading. */
#include "cli/bench.h"
#include "judge/scorer.h"
#include "train/optim.h"
#include <stdio.h>
#include <string.h>

enum { LENGTHS = 32 };

/* Tokens of prompt, chosen and rejected answer of 32 pairs drawn at random from the AlpacaEval
 * votes, as SmolLM2's tokenizer counts them. */
static const uint32_t lengths[LENGTHS][3] = {
    { 43, 287, 295 },  { 32, 178, 70 },   { 29, 512, 330 },  { 21, 7, 45 },    { 41, 58, 31 },
    { 51, 172, 2167 }, { 9, 6, 2 },       { 10, 611, 82 },   { 5, 68, 22 },    { 21, 96, 9 },
    { 6, 6, 6 },       { 7, 48, 9 },      { 24, 9, 18 },     { 42, 120, 271 }, { 17, 209, 62 },
    { 78, 247, 113 },  { 50, 435, 307 },  { 33, 277, 96 },   { 7, 411, 149 },  { 18, 532, 427 },
    { 36, 573, 340 },  { 139, 433, 187 }, { 24, 414, 93 },   { 96, 77, 77 },   { 50, 114, 65 },
    { 88, 43, 79 },    { 8, 778, 89 },    { 124, 191, 179 }, { 14, 498, 273 }, { 17, 392, 343 },
    { 19, 599, 83 },   { 37, 21, 7 },
};

typedef struct stepping {
    sl_model *policy, *reference;
    sl_scorer scorer;
    sl_optim optim;
    sl_arena arena;
    sl_sequence *sequence; /* (2 * pairs) */
    int32_t *token;        /* (most_tok) ids, cut from by every answer */
    float *coef;           /* (N) */
    size_t count;
    int is_live; /* the reference is computed too */
} stepping;

static sl_status step(void *state)
{
    stepping *s = state;
    const sl_packed *packed = &s->scorer.packer.packed;

    if (s->is_live)
        SL_TRY(sl_scorer_run(&s->scorer, s->reference, s->sequence, s->count));
    SL_TRY(sl_scorer_run(&s->scorer, s->policy, s->sequence, s->count));
    for (size_t i = 0; i < packed->N; i++)
        s->coef[i] = packed->target[i].sequence % 2 ? 1e-3f : -1e-3f;
    SL_TRY(sl_model_backward(s->policy, s->scorer.work, packed, s->coef));
    return sl_optim_step(&s->optim, 1e-9);
}

static void carve(stepping *s, sl_arena *arena, const sl_bench_size *size, size_t targets)
{
    sl_optim_carve(&s->optim, arena, sl_model_tensors(s->policy));
    s->sequence = sl_arena_take(arena, 2 * (size_t)size->pairs, sizeof *s->sequence);
    s->token = sl_arena_i32(arena, 1, size->most_tok);
    s->coef = sl_arena_f32(arena, 1, targets);
}

/* The world's pairs have one length; others those of the table, cut as a trainer would. */
static void fill(stepping *s, const sl_bench_size *size, size_t vocab)
{
    for (uint32_t i = 0; i < size->most_tok; i++)
        s->token[i] = (int32_t)((size_t)i * 7919 % vocab);
    for (uint32_t i = 0; i < 2 * size->pairs; i++) {
        const uint32_t *l = lengths[i / 2 % LENGTHS];
        uint32_t prompt = l[0], answer = l[1 + i % 2];

        if (size->most_tok < 64) {
            prompt = 8;
            answer = size->most_tok - 8;
        }
        if (prompt + answer > size->most_tok)
            answer = size->most_tok - prompt;
        s->sequence[i] = (sl_sequence){
            .prompt = { .token = s->token + i / 2 % 2, .count = prompt, .id = i / 2 + 1 },
            .answer = { .token = s->token, .count = answer }
        };
    }
    s->count = 2 * size->pairs;
}

static sl_status open_step(stepping *s, const sl_bench *bench, const sl_bench_size *size)
{
    const size_t rows = 2 * (size_t)size->pairs * size->most_tok;
    const sl_packed_limits limits = { .T = rows,
                                      .S = 4 * (size_t)size->pairs,
                                      .B = 2 * (size_t)size->pairs,
                                      .N = rows,
                                      .positions = size->most_tok };
    sl_arena measure = SL_ARENA_MEASURE;

    SL_TRY(sl_bench_model(&s->policy, bench, size, 1));
    SL_TRY(sl_model_clone(&s->reference, s->policy, 0));
    s->optim.model = s->policy;
    s->optim.settings =
        (sl_optim_settings){ .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .clip = 1.0 };
    carve(s, &measure, size, rows);
    SL_TRY(sl_arena_open(&s->arena, measure.used_bytes));
    carve(s, &s->arena, size, rows);
    sl_optim_reset(&s->optim);
    fill(s, size, sl_model_config(s->policy)->V);
    return sl_scorer_open(&s->scorer, sl_model_config(s->policy), bench->backend, &limits, 0, 1);
}

static void close_step(stepping *s)
{
    sl_scorer_close(&s->scorer);
    sl_arena_close(&s->arena);
    sl_model_close(&s->policy);
    sl_model_close(&s->reference);
}

/* Floating-point operations that the packed batch needs: head only at targets, forward 2P a row,
 * backward 4P and the head once more, attention by the keys a row sees. */
static double flops_of(const stepping *s)
{
    const sl_config *c = sl_model_config(s->policy);
    const sl_packed *p = &s->scorer.packer.packed;
    const double head = (double)c->V * (double)c->D, blocks = sl_bench_matrices(c) - head;
    double keys = 0.0, forward, again;

    for (size_t i = 0; i < p->S; i++)
        for (uint32_t k = 0; k < p->segment[i].count; k++)
            keys += p->segment[i].position + k + 1;
    again = 2.0 * head * (double)p->N; /* the backward pass computes the logits again */
    forward = 2.0 * blocks * (double)p->T + again + 4.0 * (double)(c->L * c->H * c->E) * keys;
    return forward * (s->is_live ? 2.0 : 1.0) + 4.0 * blocks * (double)p->T +
           4.0 * head * (double)p->N + again + 10.0 * (double)(c->L * c->H * c->E) * keys;
}

/* Tokens once: what a user counts, prompts not repeated. */
static sl_status time_step(sl_bench *bench, stepping *s, const sl_bench_size *size)
{
    char name[64];
    double seconds = 0.0;

    (void)snprintf(name, sizeof name, "%s %u pairs%s", size->name, size->pairs,
                   s->is_live ? ", live reference" : "");
    SL_TRY(sl_bench_time(&seconds, bench, step, s));
    return sl_bench_add(bench, &(sl_bench_row){ .bench = "step",
                                                .name = name,
                                                .seconds = seconds,
                                                .flops = flops_of(s),
                                                .tokens = (double)s->scorer.packer.packed.T });
}

sl_status sl_bench_step(sl_bench *bench)
{
    for (size_t i = 0; bench->size[i]; i++) {
        stepping s = { 0 };
        sl_status st = open_step(&s, bench, bench->size[i]);

        for (s.is_live = 0; st == SL_OK && s.is_live < 2; s.is_live++)
            st = time_step(bench, &s, bench->size[i]);
        close_step(&s);
        SL_TRY(st);
    }
    return SL_OK;
}

typedef struct loading {
    const sl_bench *bench;
    double bytes;
} loading;

static sl_status load(void *state)
{
    loading *l = state;
    sl_model *model = NULL;

    SL_TRY(sl_model_load(&model, l->bench->folder, l->bench->backend, 0));
    l->bytes = (double)sl_model_tensors(model)->floats * sizeof(float);
    sl_model_close(&model);
    return SL_OK;
}

sl_status sl_bench_load(sl_bench *bench)
{
    loading l = { bench, 0.0 };
    double seconds = 0.0;

    if (!bench->folder)
        return SL_OK;
    SL_TRY(sl_bench_time(&seconds, bench, load, &l));
    return sl_bench_add(
        bench, &(sl_bench_row){
                   .bench = "load", .name = bench->folder, .seconds = seconds, .bytes = l.bytes });
}
