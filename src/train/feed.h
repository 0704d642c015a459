/* The feed: which pairs an update sees. Everything is a function of (seed, iteration, update), so a
 * resumed run sees the same pairs.
 *
 * The pairs of an iteration come in refills: for each prompt the mixing weight decides static or
 * on-policy by the prompt's own random stream; on-policy answers are drawn, judged and labelled;
 * the reference log-probabilities of all pairs are cached, unless they are live. Then batches are
 * cut from it, in an order that is a function of the epoch. */
#ifndef SL_TRAIN_FEED_H
#define SL_TRAIN_FEED_H

#include "base/arena.h"
#include "datasets/pack.h"
#include "judge/judge.h"
#include "measure/sampler.h"
#include "model/model.h"

enum { SL_FEED_MOST = 4096 }; /* most pairs kept at once, unless a refill asks for more */

typedef struct sl_feed_settings {
    uint64_t seed;
    size_t prompts, batch;  /* of an iteration; of an update */
    int64_t epochs, refill; /* refill: updates, 0: once an iteration where it fits */
    double label_temperature;
    int is_in_order;  /* every epoch in the order of the prompts */
    int is_live;      /* reference log-probabilities at every update, not once a refill */
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

/* Told of every on-policy answer and label, to record them; may be NULL. */
typedef struct sl_feed_sink {
    void *state;
    sl_status (*drawn)(void *state, const sl_prompt_text *prompt, const sl_drawn *drawn,
                       uint32_t slot, float score);
    sl_status (*label)(void *state, const sl_prompt_text *prompt, const sl_drawn *a,
                       const sl_drawn *b, const sl_vote *vote);
    sl_status (*filled)(void *state); /* a refill is complete: close the unit */
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
    double mix; /* share of on-policy pairs from the next refill on */

    uint64_t iteration;
    size_t capacity;        /* pairs of a refill */
    size_t first, count;    /* prompts of the iteration that are kept now; count 0: none */
    uint32_t *order;        /* (capacity) */
    int64_t ordered_epoch;  /* epoch that `order` belongs to, -1: none */
    sl_fed *fed;            /* (capacity) */
    int32_t *token;         /* (capacity, prompt_tok + 2 answer_tok) */
    int32_t *target_token;  /* (capacity, prompt_tok + answer_tok) or NULL */
    int32_t *drawn_token;   /* (capacity, 2, answer_tok) */
    sl_drawn *drawn;        /* (2 capacity) */
    sl_prompt_text *prompt; /* (capacity) prompts to draw for */
    uint32_t *drawn_for;    /* (capacity) */
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
/* Forgets the kept pairs at the next multiple of the refill, so that a new mix takes effect there.
 */
int sl_feed_is_refill(const sl_feed *feed, int64_t update);
/* The pairs of update (0-based within the iteration): *fed (*count), borrowed until the next call.
 * Refills when needed; is_replay: a refill tells the sink nothing (it was recorded before). */
sl_status sl_feed_next(const sl_fed **fed, size_t *count, sl_feed *feed, int64_t update,
                       int is_replay) SL_MUSTUSE;

#endif
