/* What other rules would have decided over votes that were recorded, when, and at which cost,
 * beside what was done; and where the exact gains of both sources are known, how right each rule
 * was, with the baselines that it has to beat. */
#ifndef SL_ANALYSIS_REPLAY_RULES_H
#define SL_ANALYSIS_REPLAY_RULES_H

#include "analysis/rule.h"
#include "analysis/run_analysis.h"
#include "analysis/summary.h"

/* A run among the inputs: its points have its path as their name. */
typedef struct sl_replay_run {
    const char *name; /* borrowed */
    sl_run_analysis analysis;
    sl_gain *gain; /* (gains) owned */
    size_t gains;
} sl_replay_run;
sl_status sl_replay_run_read(sl_replay_run *out, sl_reader *reader, const char *name) SL_MUSTUSE;
void sl_replay_run_close(sl_replay_run *run);

typedef struct sl_replay_set {
    const sl_vote_set *votes;
    const sl_replay_run *run; /* (runs) */
    size_t runs;
    const sl_rule *rule; /* (rules) */
    size_t rules;
} sl_replay_set;
/* *out: stageline.replay/1 (docs/documents.md), owned by the caller. */
sl_status sl_replay_rules(sl_json **out, const sl_replay_set *set,
                          const sl_votes_settings *settings) SL_MUSTUSE;

#endif
