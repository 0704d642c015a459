/* decisions.log: decisions from outside, in the framing of the journal (number 0), one decider at a
 * time. Each session of a decider begins with a START that holds its rule with parameters; each
 * decision is a unit of one decisions row whose step is 0: the trainer sets the step at which it
 * takes effect, writes the row into its own record and syncs before it acts. */
#ifndef SL_RUN_DECISION_H
#define SL_RUN_DECISION_H

#include "run/identity.h"
#include "run/schema.h"

/* The decider's side. */
typedef struct sl_decider sl_decider;
/* Takes the lock of the file; a torn end that another decider left is cut. rule: its parameters as
 * text, which rule_hash of the decisions names. who: SL_DECIDER_WATCH or SL_DECIDER_PERSON.
 * Errors: SL_EARG when another decider is at work; SL_EFORMAT when synced bytes are damaged. */
sl_status sl_decider_open(sl_decider **out, const char *run_path, int who,
                          const char *rule) SL_MUSTUSE;
/* Largest decision_id in the file; 0: none. */
uint64_t sl_decider_last_id(const sl_decider *decider);
/* Whether the file holds a decision about this measurement. */
int sl_decider_has(const sl_decider *decider, uint32_t measurement);
/* Appends a decision, durable on return. decision_id, rule_hash, decider and step are set here.
 * Errors: SL_EARG for values out of range, as the trainer would refuse them; SL_EIO. */
sl_status sl_decider_put(sl_decider *decider, sl_row_decisions *row) SL_MUSTUSE;
void sl_decider_close(sl_decider **decider);

/* The trainer's side. */
typedef struct sl_decisions sl_decisions;
typedef struct sl_decisions_settings {
    int64_t min_gap; /* steps between two applied decisions; default 1 */
} sl_decisions_settings;
sl_decisions_settings sl_decisions_settings_defaults(void);

/* known (count): the decisions rows of all attempts so far, live or not, in the order of the
 * record; done: the newest decision that the checkpoint holds which this attempt begins at (0:
 * none). Those behind it take effect again at the same step, with the same outcome. */
sl_status sl_decisions_open(sl_decisions **out, const char *run_path, const sl_row_decisions *known,
                            size_t count, uint64_t done,
                            const sl_decisions_settings *settings) SL_MUSTUSE;
/* The newest measurement made so far (-1: none). An analyzer's decision about a later one waits,
 * as one that is based on a later step does. Not called: none waits for a measurement. */
void sl_decisions_measured(sl_decisions *decisions, int64_t measurement);
/* Whether the next decision is one that an earlier attempt took. */
int sl_decisions_is_replaying(const sl_decisions *decisions);
/* The next decision for this step boundary: *found = 1, row with step and outcome set; call again
 * until 0. One based on what is still to come waits, and those behind it. *rule (may be NULL): its
 * rule, borrowed until the next call; NULL when not known. Costs a stat when nothing is new.
 * Errors: SL_EFORMAT when synced bytes of the file are damaged. */
sl_status sl_decisions_next(sl_decisions *decisions, int64_t step, sl_row_decisions *row,
                            const char **rule, int *found) SL_MUSTUSE;
void sl_decisions_close(sl_decisions **decisions);

/* Share of on-policy data after a decision, where `share` was in use before. */
double sl_decision_share(const sl_row_decisions *row, double share);

/* Why a row is out of range, or NULL. */
const char *sl_decision_fault(const sl_row_decisions *row);

#endif
