/* `watch`: what a live run shows, and the analyzer that decides beside it. Both read through the
 * reader of the record; neither touches the trainer. */
#ifndef SL_CLI_WATCH_H
#define SL_CLI_WATCH_H

#include "cli/advise.h"
#include "run/decision.h"
#include "run/reader.h"

/* --- what is shown --------------------------------------------------------------------------- */

enum { SL_WATCH_TREND = 512, SL_WATCH_WORDS = 256, SL_WATCH_KEPT = 64 };

/* The last values of a column, oldest first. */
typedef struct sl_watch_trend {
    double value[SL_WATCH_TREND];
    size_t count;
} sl_watch_trend;

typedef struct sl_watch_view {
    const char *path;
    sl_reader_state state;
    int64_t updates;   /* of the whole run; 0: not known */
    sl_row_steps last; /* its step is -1 before the first update */
    double rate;       /* updates a second, NaN: not known */
    sl_watch_trend loss, margin, norm;
    sl_row_boundary look; /* newest */
    size_t looks;
    sl_row_boundary final[SL_WATCH_KEPT]; /* (finals) ends of measurements: the newest, in order */
    size_t finals, all_finals;
    sl_row_decisions decision[SL_WATCH_KEPT]; /* (decisions) the newest, in order */
    size_t decisions, all_decisions;
} sl_watch_view;

/* Fills the view from what the reader shows now. */
sl_status sl_watch_look(sl_watch_view *view, sl_reader *reader, const char *path) SL_MUSTUSE;

typedef struct sl_watch_screen {
    size_t columns, rows;
    int is_utf8; /* else pictures are made of ASCII */
} sl_watch_screen;
/* text (bytes) = the view as lines, none wider than the screen, no more than fit on it. Returns the
 * number of lines. */
size_t sl_watch_draw(char *text, size_t bytes, const sl_watch_view *view,
                     const sl_watch_screen *screen);
/* words (SL_WATCH_WORDS) = one sentence about what the view, a look or a decision says. */
void sl_watch_say(char *words, const sl_watch_view *view);
void sl_watch_say_look(char *words, const sl_row_boundary *look);
void sl_watch_say_decision(char *words, const sl_row_decisions *decision);

/* --- who decides ----------------------------------------------------------------------------- */

typedef struct sl_watch_decider {
    sl_recipe recipe; /* of the run */
    sl_advise advise;
    sl_decider *decider;
    int64_t updates;
    size_t looks; /* of the record when it was analyzed last */
} sl_watch_decider;

/* The rule of the run's recipe; takes the lock of decisions.log. Errors: SL_EARG when the run does
 * not ask for decisions from outside, or another decider is at work. */
sl_status sl_watch_decider_open(sl_watch_decider *out, sl_reader *reader,
                                const char *path) SL_MUSTUSE;
void sl_watch_decider_close(sl_watch_decider *decider);
/* Decides about the newest measurement if it is complete and decisions.log has nothing about it.
 * *is_made 1: *row was written and is durable. Errors: SL_EFORMAT when the looks that the trainer
 * recorded do not follow from its votes. */
sl_status sl_watch_decide(sl_watch_decider *decider, sl_reader *reader, sl_row_decisions *row,
                          int *is_made) SL_MUSTUSE;

#endif
