/* Progress on stderr: one line redrawn in place on a terminal, a plain line every 10 s elsewhere;
 * silent when quiet. */
#ifndef SL_CLI_PROGRESS_H
#define SL_CLI_PROGRESS_H

#include "train/train.h"

typedef struct sl_progress_line {
    const char *label; /* of the run */
    int is_quiet, is_terminal, is_drawn;
    double begun, printed; /* seconds */
    int64_t first_step;
} sl_progress_line;

void sl_progress_open(sl_progress_line *line, const char *label, int is_quiet);
sl_train_hooks sl_progress_hooks(sl_progress_line *line);
void sl_progress_close(sl_progress_line *line);
/* Work that is counted: done of total rows, prompts, ... (the unit); total 0: not known. */
void sl_progress_count(sl_progress_line *line, size_t done, size_t total, const char *unit);
/* A line of its own, unless quiet. */
void sl_progress_say(sl_progress_line *line, const char *text);

#endif
