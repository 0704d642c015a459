/* A training session: everything that is open while a recipe runs. Opened once; the step allocates
 * nothing. */
#ifndef SL_TRAIN_SESSION_H
#define SL_TRAIN_SESSION_H

#include "measure/measure.h"
#include "run/decision.h"
#include "text/encoder.h"
#include "train/candidate_log.h"
#include "train/elsewhere.h"
#include "train/feed.h"
#include "train/optim.h"
#include "train/recipe.h"
#include "train/schedule.h"
#include "train/gradsplit.h"
#include "train/pairgrad.h"
#include "train/update.h"

/* Seconds spent in the phases of one update, for the clock table. */
typedef struct sl_phase_times {
    double step, sample, judge, forward, backward, update;
    double norms, split, pairgrad; /* gradient statistics; norms are part of update */
} sl_phase_times;

/* The frozen set whose full log-probabilities are recorded every few updates. */
typedef struct sl_probe_set {
    sl_packer packer;
    sl_sequence *sequence;
    int32_t *token;
    float *logits; /* (N, V) */
    float *logp;   /* (N) */
    sl_row_stats *stats;
    size_t count; /* answers; 0: no probe */
    uint64_t *id; /* (count) */
} sl_probe_set;

typedef struct sl_session sl_session;

/* Told of every micro-batch after its forward pass and losses: log-probabilities stand in the
 * session's update, hidden states in its work space. For comparisons; fn may be NULL. */
typedef struct sl_watch {
    void *state;
    sl_status (*fn)(void *state, sl_session *session);
} sl_watch;

struct sl_session {
    sl_recipe recipe;
    const sl_backend *backend;
    sl_objective objective;   /* of the preference method */
    const sl_objective *loss; /* &objective; NULL: SFT */
    sl_data *data;
    char tokenizer_hash[65]; /* of rows of text; "": none were read */
    size_t tokenizer_vocab;  /* its tokens; 0: none */
    sl_judge *judge;         /* NULL: none */
    sl_text_encoder *text;   /* of rows of text, while a judge wants words; NULL: none */

    sl_model *policy;    /* trained */
    sl_model *start;     /* policy at the start of the iteration; NULL for SFT */
    sl_model *reference; /* NULL: `start` is the reference, or there is none */
    sl_model *drawer;    /* the policy at the start of a refill of several updates; NULL: none */
    sl_work *work;
    sl_model_sampler sampler;
    sl_outside *elsewhere; /* answers of a model that is not here: policy is NULL; NULL: none */
    sl_sampler door; /* of `sampler` or `elsewhere`: answers of the feed and of measurements */
    sl_measure *measure;

    double *exact_before, *exact_after; /* (exact_prompts) expected reward of each prompt */
    sl_arena arena;                     /* optimizer, feed, update, splits, probe */
    sl_optim optim;
    sl_feed feed;
    sl_update update;
    sl_gradsplit split;
    sl_pairgrad pairgrad;
    sl_probe_set probe;
    sl_schedule schedule; /* of one iteration */

    sl_run *run; /* NULL while a branch runs that leaves no trace */
    sl_recorder recorder;
    const sl_advisor *advisor; /* NULL: none */
    sl_decisions *outside;     /* decisions.log; NULL: not looked at */
    uint64_t outside_done;     /* newest decision from outside that was taken; 0: none */
    int64_t outside_answered;  /* newest measurement that one of them was about; -1: none */
    int is_told_to_stop;       /* by a decision from outside */
    uint16_t *group_name;      /* (groups) indices of names */
    sl_watch watch;
    const volatile int *stop; /* not 0: stop at the next step boundary; may be NULL */

    int64_t step, samples, tokens; /* done so far */
    int64_t iteration, update_at;  /* of the iteration */
    int64_t iteration_step;        /* step at which the iteration began */
    double mix;                    /* share of on-policy pairs now */
    double refill_mix;             /* of a checkpoint: that of the refill in progress */
    int is_replay;                 /* the refill in progress was recorded by an earlier attempt */
    sl_candidate_log candidates;   /* closed: answers are not kept */
    int64_t candidates_bytes;      /* of a checkpoint: where the log stood */
    double last_bs;                /* of the last measurement; NaN before */
    char decision_note[256];       /* about the last measurement, for people */
    sl_phase_times times, spent;   /* of this update; of the recorded updates of this attempt */
};

/* Opens everything that the recipe names, except run and advisor. stop: not 0 asks to stop; may be
 * NULL. The memory plan stands in *plan
 * (bytes of parameters, activations, the rest). Errors name the key or the file. */
typedef struct sl_memory_plan {
    size_t parameters, activations, cache, other; /* other: with statistics */
    size_t statistics;                            /* splits, shards, gradients of pairs */
} sl_memory_plan;
sl_status sl_session_open(sl_session *out, const sl_recipe *recipe, const sl_backend *backend,
                          const volatile int *stop, sl_memory_plan *plan) SL_MUSTUSE;
/* The same for a measurement of model.policy as it stands, or of a model elsewhere (section
 * sampler): nothing to train with is opened, and every prompt of a data file is a probe. */
sl_status sl_session_open_measuring(sl_session *out, const sl_recipe *recipe,
                                    const sl_backend *backend, const volatile int *stop,
                                    sl_memory_plan *plan) SL_MUSTUSE;
void sl_session_close(sl_session *session);
/* Everything that the result depends on, for run.json: data, loss, policy, sizes. Owned by caller.
 */
sl_status sl_session_describe(sl_json **out, const sl_session *session) SL_MUSTUSE;
int64_t sl_session_updates(const sl_session *session); /* of one iteration */
/* The model that answers are drawn from: the policy at the start of the iteration or, with
 * policy.refill, at the start of the refill. */
const sl_model *sl_session_drawer(const sl_session *session);

#endif
