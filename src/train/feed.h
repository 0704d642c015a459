/* The feed: which pairs an update sees. Everything is a function of (seed, iteration, update), so a
 * resumed run sees the same pairs.
 *
 * The pairs of an iteration come in refills: for each prompt the mixing weight decides static or
 * on-policy by the prompt's own random stream; on-policy answers are drawn, judged and made a pair,
 * or dropped; the reference log-probabilities of all pairs are cached, unless they are live. Then
 * batches are cut from it, in an order that is a function of the epoch: as many as there would be
 * without drops, each smaller by the share that was dropped. */
#ifndef SL_TRAIN_FEED_H
#define SL_TRAIN_FEED_H

#include "datasets/pack.h"
#include "model/model.h"
#include "train/draw.h"

enum { SL_FEED_MOST = 4096 }; /* most pairs kept at once, unless a refill asks for more */

typedef struct sl_feed_settings {
    uint64_t seed;
    size_t prompts, batch;  /* of an iteration; of an update */
    int64_t epochs, refill; /* refill: updates, 0: once an iteration where it fits */
    sl_draw_settings draw;
    int is_in_order;  /* every epoch in the order of the prompts */
    int is_live;      /* reference log-probabilities at every update, not once a refill */
    int is_stored;    /* those of the data in place of any model's */
    int has_target;   /* pairs come with the answer that SFT would imitate */
    int is_imitation; /* SFT: answers to imitate instead of pairs */
    int keeps_tokens; /* reference log-probabilities token by token, for the record */
} sl_feed_settings;

/* A pair with what is known of it before the update. */
typedef struct sl_fed {
    sl_pair pair;
    sl_answer target;                   /* with has_target */
    double ref_logp_c, ref_logp_r;      /* NaN: no reference */
    const float *ref_tok_c, *ref_tok_r; /* (count of the answer), or NULL */
} sl_fed;

/* A prompt with its answers and what became of them; borrowed during the call. */
typedef struct sl_drawn_prompt {
    const sl_prompt_text *prompt;
    const sl_drawn *drawn; /* (each) */
    const double *score;   /* (each): the judge's, or log-odds that fit its votes */
    size_t each;
    const sl_vote *vote; /* (votes) */
    const sl_between *between;
    size_t votes;
    const sl_pick *pick;
} sl_drawn_prompt;

/* Of one refill. */
typedef struct sl_drawn_counts {
    uint32_t prompts, answers, duplicates; /* drawn for, drawn, equal to an earlier one */
    uint32_t same, close;                  /* prompts dropped: SL_PAIR_SAME, SL_PAIR_CLOSE */
} sl_drawn_counts;

/* Told of every on-policy answer and label, to record them; members may be NULL. */
typedef struct sl_feed_sink {
    void *state;
    sl_status (*drawn)(void *state, const sl_drawn_prompt *drawn);
    /* A refill is complete: close the unit. */
    sl_status (*filled)(void *state, const sl_drawn_counts *counts);
} sl_feed_sink;

typedef struct sl_feed {
    sl_feed_settings settings;
    const sl_data *data;
    sl_judge *judge;           /* NULL when no pair is on-policy */
    const sl_sampler *sampler; /* of on-policy answers */
    const sl_model *reference; /* NULL: the loss needs none */
    sl_work *work;
    sl_packer *packer;
    sl_feed_sink sink;
    double mix;        /* share of on-policy pairs from the next refill on */
    double filled_mix; /* that of the pairs that are kept now */

    uint64_t iteration;
    size_t capacity;        /* pairs of a refill */
    size_t first, count;    /* prompts of the iteration that are kept now; count 0: none */
    size_t kept;            /* pairs of them: count less those dropped */
    uint32_t *order;        /* (capacity) of the pairs kept */
    int64_t ordered_epoch;  /* epoch that `order` belongs to, -1: none */
    int64_t filled_epoch;   /* in which the pairs kept were filled */
    sl_fed *fed;            /* (capacity) */
    int32_t *token;         /* (capacity, prompt_tok + 2 answer_tok) */
    int32_t *target_token;  /* (capacity, prompt_tok + answer_tok) or NULL */
    sl_draw draw;           /* answers of a chunk of prompts */
    sl_drawn_counts counts; /* of this refill */
    sl_prompt_text *prompt; /* (capacity) prompts to draw for */
    uint32_t *drawn_for;    /* (capacity) their places */
    uint64_t *stream;       /* (chunk, each) */
    sl_rng *label_rng;      /* (chunk) */
    float *ref_tok;         /* (capacity, 2 answer_tok) or NULL */
    float *logp;            /* (targets of a batch) */
    sl_sequence *sequence;  /* (2 batch) */
    sl_fed *batch;          /* (batch) what sl_feed_next returned last */
} sl_feed;

size_t sl_feed_capacity(const sl_feed_settings *settings);
void sl_feed_carve(sl_feed *feed, sl_arena *arena, const sl_data_limits *limits);
/* Updates of one iteration. */
int64_t sl_feed_updates(const sl_feed_settings *settings);
/* Begins an iteration; what was kept is forgotten. */
void sl_feed_begin(sl_feed *feed, uint64_t iteration);
/* Whether the pairs of an update begin a refill, where a new mix takes effect. */
int sl_feed_is_refill(const sl_feed *feed, int64_t update);
/* The pairs of update (0-based within the iteration): *fed (*count), borrowed until the next call.
 * Refills when needed; is_replay: a refill tells the sink nothing (it was recorded before). Errors:
 * SL_EARG when all pairs of an update were dropped. */
sl_status sl_feed_next(const sl_fed **fed, size_t *count, sl_feed *feed, int64_t update,
                       int is_replay) SL_MUSTUSE;

#endif
