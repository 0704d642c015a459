/* A trainer of paper: deterministic steps of rows through the writing door, so that a killed and
 * resumed run can be compared with an unbroken one. */
#ifndef SL_TESTS_RUN_PLAY_H
#define SL_TESTS_RUN_PLAY_H

#include "run/record.h"
#include "run/run.h"

/* Small widths, no minimum of free disk, level 3. */
sl_run_settings play_settings(void);
/* A new run at path. */
void play_create(sl_run **run, const char *path, const sl_run_settings *settings);
void play_resume(sl_run **run, const char *path, int64_t checkpoint,
                 const sl_run_settings *settings);
/* Step s: a unit of votes and texts, then the unit of the update. Passes on what the door says. */
sl_status play_step(sl_run *run, int64_t step);
/* Steps first..last; fails the test on error. */
void play_steps(sl_run *run, int64_t first, int64_t last);
/* hex (65) of the live rows up to a step. */
sl_status play_digest_try(char *hex, const char *path, int64_t until) SL_MUSTUSE;
void play_digest(char *hex, const char *path, int64_t until);
/* A run of steps 1..last at path, closed as complete. */
void play_whole(const char *path, int64_t last);

#endif
