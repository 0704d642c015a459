/* On-policy answers of a few prompts at a time: drawn, scored by the judge, and made a pair by a
 * rule (pair_rule.h). The buffers hold one such chunk; what is kept is copied out.
 *
 * A judge that scores is asked about pairs that name every answer once; one that only compares is
 * asked about all pairs, and the scores are the Bradley-Terry log-odds that fit its votes by least
 * squares: mean over all answers of the logit of p. */
#ifndef SL_TRAIN_DRAW_H
#define SL_TRAIN_DRAW_H

#include "base/arena.h"
#include "judge/judge.h"
#include "measure/sampler.h"
#include "train/pair_rule.h"

typedef struct sl_draw_settings {
    sl_pair_settings pair;
    size_t each;              /* answers of a prompt; 0: none are ever drawn */
    size_t chunk;             /* prompts at a time */
    double judge_temperature; /* scores / temperature are log-odds */
} sl_draw_settings;

/* Which two answers a vote is about. */
typedef struct sl_between {
    size_t a, b;
} sl_between;

typedef struct sl_draw {
    sl_draw_settings settings;
    sl_drawn *drawn;       /* (chunk, each) */
    int32_t *token;        /* (chunk, each, answer_tok) */
    float *logp;           /* (chunk, each, answer_tok) */
    double *score;         /* (chunk, each): the judge's, or fitted log-odds */
    size_t pairs, least;   /* of a prompt: all, and those that name every answer */
    sl_between *between;   /* (pairs), the least first */
    sl_vote *vote;         /* (chunk, pairs) */
    size_t *votes;         /* (chunk) asked: least or pairs */
    sl_pick *pick;         /* (chunk) */
    sl_prompt_text *asked; /* (chunk * pairs) questions of one call */
    sl_answer *side[2];    /* (chunk * pairs) */
    sl_vote *got;          /* (chunk * pairs) */
} sl_draw;

void sl_draw_carve(sl_draw *draw, sl_arena *arena, const sl_data_limits *limits);
/* Draws, judges and picks for count <= chunk prompts; stream (count * each): random streams of the
 * answers; rng (count): of the labels. Fills drawn, score, vote, votes, pick. Errors: those of
 * sampler and judge; SL_ENUMERIC for a score that is not finite. */
sl_status sl_draw_prompts(sl_draw *draw, const sl_sampler *sampler, sl_judge *judge,
                          const sl_prompt_text *prompt, const uint64_t *stream, sl_rng *rng,
                          size_t count) SL_MUSTUSE;

#endif
