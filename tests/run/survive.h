/* A trainer of paper that meets a fault, and what must be there afterwards. Its runs have a few
 * seals, checkpoints of which two stay, and a clean end with a packed run.h5. */
#ifndef SL_TESTS_RUN_SURVIVE_H
#define SL_TESTS_RUN_SURVIVE_H

#include "harness/disk.h"
#include "run/play.h"

enum { SURVIVE_LAST = 12, SURVIVE_CHECKPOINT_EVERY = 3 };

extern char survive_root[SL_RUN_PATH], survive_path[SL_RUN_PATH];
extern int survive_is_full; /* --full: every call, all trials */

/* Scratch folder, the run that nothing happens to. */
void survive_begin(void);
void survive_end(void);

typedef struct survived {
    int64_t synced;     /* the last step that was said to be durable */
    int64_t checkpoint; /* the last that was said to be published; 0: none */
    int is_killed, is_refused, has_hit;
    size_t calls[T_DISK_CALLS];
} survived;

sl_run_settings survive_settings(void);
/* Here: a new run from step 1, or the run at survive_path after a checkpoint; marks what is
 * durable in the disk's log. *synced and *published: as far as it came. */
sl_status survive_train(int64_t resumed_from, int64_t *synced, int64_t *published);
/* In a child, under a fault. is_new: from step 1; else from the newest checkpoint. */
survived survive_child(const t_disk_plan *plan, int is_new);
/* What was promised is there, and nothing else than what the unbroken run has; then the run goes on
 * to the same end, and is removed. 0: nothing durable was promised and there is no run. */
int survive_check(const survived *before);
/* The same for a run at any path: 1 when something promised is lost or called damage, and why. */
int survive_is_lost(const char *path, int64_t promised, const char **why);
/* Goes on from its newest checkpoint: 0 when it does not end as the unbroken run. */
int survive_resumes(const char *path, const char **why);
/* Of the tests' main: [--full [TEST]]. */
void survive_options(int argc, char **argv);

#endif
