/* A run from its first to its last update: iterations, measurements, decisions, checkpoints. */
#ifndef SL_TRAIN_TRAIN_H
#define SL_TRAIN_TRAIN_H

#include "train/session.h"

/* What a person watching wants to know; called after every update and every measurement. */
typedef struct sl_progress {
    int64_t step, steps;     /* of the whole run */
    double loss, margin, bs; /* bs: of the last measurement, NaN before */
    int64_t iteration;
    const char *doing; /* "training", "measuring", "branch" */
    int is_noted;      /* a measurement or an iteration ended: worth a line of its own */
    const char *note;  /* NULL: none */
} sl_progress;

typedef struct sl_train_hooks {
    void (*progress)(void *state, const sl_progress *progress);
    void *state;
} sl_train_hooks;

/* Runs the session to its end. The session has a run (created or resumed) and, when the recipe asks
 * for it, an advisor. is_resumed: its state came from a checkpoint.
 * Errors: SL_EINTERRUPT when *session->stop was set (a checkpoint of the step stands), SL_ENUMERIC,
 * SL_EIO. The caller closes the run. */
sl_status sl_train(sl_session *session, int is_resumed, const sl_train_hooks *hooks) SL_MUSTUSE;

/* Trains the session's policy for one iteration (session->iteration, its prompts) on `mix` as share
 * of on-policy pairs, and leaves nothing but the trained policy: no row is recorded, and all else
 * of the session is as before. For branches; session->start holds the policy they fork from. */
sl_status sl_train_branch(sl_session *session, double mix, const sl_train_hooks *hooks) SL_MUSTUSE;

#endif
