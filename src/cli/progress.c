#include "cli/progress.h"
#include "train/clock.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PLAIN_EVERY_S = 10 };

void sl_progress_open(sl_progress_line *line, const char *label, int is_quiet)
{
    *line = (sl_progress_line){ .label = label,
                                .is_quiet = is_quiet,
                                .is_terminal = isatty(STDERR_FILENO),
                                .begun = sl_clock_now(),
                                .printed = sl_clock_now(),
                                .first_step = -1 };
}

static void wipe(sl_progress_line *line)
{
    if (line->is_drawn)
        fputs("\r\033[K", stderr);
    line->is_drawn = 0;
}

void sl_progress_say(sl_progress_line *line, const char *text)
{
    if (line->is_quiet)
        return;
    wipe(line);
    fprintf(stderr, "%s\n", text);
}

static void show(sl_progress_line *line, const char *text)
{
    if (!line->is_terminal) {
        fprintf(stderr, "%s\n", text);
        return;
    }
    fprintf(stderr, "\r\033[K%s", text);
    fflush(stderr);
    line->is_drawn = 1;
}

/* Whether it is time for the next line. */
static int is_due(sl_progress_line *line)
{
    const double now = sl_clock_now();

    if (line->is_quiet || now - line->printed < (line->is_terminal ? 0.1 : PLAIN_EVERY_S))
        return 0;
    line->printed = now;
    return 1;
}

void sl_progress_count(sl_progress_line *line, size_t done, size_t total, const char *unit)
{
    const double rate = (double)done / fmax(sl_clock_now() - line->begun, 1e-6);
    char text[256];

    if (!is_due(line))
        return;
    if (total && done)
        snprintf(text, sizeof text, "%s: %zu/%zu %s, %.1f/s, %.0f s left", line->label, done, total,
                 unit, rate, (double)(total - done) / rate);
    else
        snprintf(text, sizeof text, "%s: %zu %s, %.1f/s", line->label, done, unit, rate);
    show(line, text);
}

static void draw(sl_progress_line *line, const sl_progress *p)
{
    const double spent = sl_clock_now() - line->begun;
    const double rate = (double)(p->step - line->first_step) / fmax(spent, 1e-6);
    const double left = rate > 0.0 ? (double)(p->steps - p->step) / rate : NAN;
    char bs[32] = "", text[256];

    if (isfinite(p->bs))
        snprintf(bs, sizeof bs, ", boundary score %.3f", p->bs);
    snprintf(text, sizeof text, "%s: %s, step %lld/%lld, %.1f steps/s, %.0f s left, loss %.4f%s",
             line->label, p->doing, (long long)p->step, (long long)p->steps, rate,
             isfinite(left) ? left : 0.0, p->loss, bs);
    show(line, text);
}

static void on_progress(void *state, const sl_progress *p)
{
    sl_progress_line *line = state;

    if (line->is_quiet)
        return;
    if (line->first_step < 0)
        line->first_step = p->step;
    if (p->note) {
        char text[384];

        snprintf(text, sizeof text, "%s: %s", line->label, p->note);
        sl_progress_say(line, text);
        return;
    }
    if (is_due(line))
        draw(line, p);
}

sl_train_hooks sl_progress_hooks(sl_progress_line *line)
{
    return (sl_train_hooks){ .progress = on_progress, .state = line };
}

void sl_progress_close(sl_progress_line *line)
{
    wipe(line);
}
