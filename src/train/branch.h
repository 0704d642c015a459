/* The branch test: which source of data wins from here on? From one policy (session->start) some
 * updates are run on static and as many on on-policy pairs, with fresh data in every replicate, and
 * the gains are compared. Prompts, order and random streams of both branches of a replicate are the
 * same; they are keyed (seed, "branch", step, replicate), so the run itself never sees them. */
#ifndef SL_TRAIN_BRANCH_H
#define SL_TRAIN_BRANCH_H

#include "train/train.h"

enum { SL_BRANCH_MOST = 64, SL_BRANCH_SOURCES = 2 }; /* replicates; static, on-policy */

/* One branch. gain: exact reward on the world where measure.exact_prompts asks for it, elsewhere
 * the share of votes against the fork, less 1/2. */
typedef struct sl_branch_gain {
    double gain, se;        /* se: over probe prompts; data and labels are not in it */
    uint32_t used, dropped; /* probe prompts */
} sl_branch_gain;

typedef struct sl_branch {
    int is_exact;
    size_t replicates;
    int64_t updates;                                       /* of one branch */
    sl_branch_gain row[SL_BRANCH_SOURCES][SL_BRANCH_MOST]; /* static, on-policy */
    int64_t answers, votes;                                /* drawn and asked for, in all */
    double seconds;
} sl_branch;

/* Whether measure.branch fits the iterations of an open session. */
sl_status sl_branch_check(const sl_session *session) SL_MUSTUSE;
/* Runs the test at session->step. Afterwards session->policy is session->start again and all else
 * is as before; rows "branch_gain_*" are left to the recorder (not committed). Errors: those of
 * training, sampler and judge; SL_EINTERRUPT. */
sl_status sl_branch_test(sl_branch *out, sl_session *session) SL_MUSTUSE;

#endif
