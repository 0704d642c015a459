/* `watch`: follows a live run; with --decide it is the analyzer that the trainer waits for. */
#include "cli/watch.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/stop.h"
#include "run/files.h"
#include "train/clock.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

typedef struct watch_opts {
    int is_decider, is_once;
    double wait_s;
} watch_opts;

static const sl_opt opts[] = {
    { "decide", SL_OPT_FLAG, offsetof(watch_opts, is_decider), NULL,
      "decide which data come next, by the rule of the run's recipe" },
    { "once", SL_OPT_FLAG, offsetof(watch_opts, is_once), NULL, "show how it stands, and end" },
    { "wait", SL_OPT_F64, offsetof(watch_opts, wait_s), "S",
      "seconds to wait for the run to begin (default: 0)" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

/* A look costs the time of reading; at most a tenth of it is spent so, that the trainer's machine
 * stays the trainer's. */
static const double screen_every_s = 0.5, decide_every_s = 0.02, line_every_s = 10.0;
static const double share_of_time = 0.1;

typedef struct watch {
    const char *path;
    sl_reader *reader;
    sl_watch_view view;
    sl_watch_decider *decider; /* NULL: another decides */
    sl_watch_screen screen;
    int is_terminal, is_seen;
    int idle;           /* looks in a row that found no trainer */
    size_t drawn;       /* lines on the screen */
    size_t told_finals; /* of the view, in lines */
    size_t told_decisions;
    double told; /* when the last line about updates was printed */
    int64_t told_step;
} watch;

static void nap(double seconds)
{
    const struct timespec t = { .tv_sec = (time_t)seconds,
                                .tv_nsec = (long)((seconds - floor(seconds)) * 1e9) };

    nanosleep(&t, NULL); /* a signal may end it early */
}

static int is_utf8_terminal(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return 0;
}

static sl_watch_screen screen_now(void)
{
    sl_watch_screen screen = { .columns = 80, .rows = 24, .is_utf8 = is_utf8_terminal() };
    struct winsize size;

    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col > 0 && size.ws_row > 1) {
        screen.columns = size.ws_col;
        screen.rows = (size_t)size.ws_row - 1; /* the cursor stands below */
    }
    return screen;
}

/* --- what is printed ------------------------------------------------------------------------- */

/* Over the lines drawn before, from the first of them. */
static void redraw(watch *w)
{
    char text[16384], out[20480];
    size_t used = 0;

    w->screen = screen_now();
    if (w->drawn > w->screen.rows)
        w->drawn = w->screen.rows;
    if (w->drawn)
        used += (size_t)snprintf(out, 32, "\033[%zuA\r", w->drawn);
    w->drawn = sl_watch_draw(text, sizeof text, &w->view, &w->screen);
    for (const char *at = text; *at; at++) {
        if (*at == '\n') {
            memcpy(out + used, "\033[K", 3);
            used += 3;
        }
        out[used++] = *at;
    }
    fwrite(out, 1, used, stdout);
    fputs("\033[J", stdout);
    fflush(stdout);
}

static void say(const watch *w, const char *words)
{
    sl_print_text(w->path);
    printf(": %s\n", words);
    fflush(stdout);
}

/* What is new of `all`, as far as the view keeps it. A resumed run has fewer. */
static size_t first_new(size_t *told, size_t kept, size_t all)
{
    const size_t fresh = all > *told ? all - *told : 0;

    *told = all;
    return fresh < kept ? kept - fresh : 0;
}

static void say_news(watch *w)
{
    const sl_watch_view *v = &w->view;
    char words[SL_WATCH_WORDS];

    for (size_t i = first_new(&w->told_finals, v->finals, v->all_finals); i < v->finals; i++) {
        sl_watch_say_look(words, &v->final[i]);
        say(w, words);
    }
    for (size_t i = first_new(&w->told_decisions, v->decisions, v->all_decisions); i < v->decisions;
         i++) {
        sl_watch_say_decision(words, &v->decision[i]);
        say(w, words);
    }
}

static void say_updates(watch *w, int is_last)
{
    const double now = sl_clock_now();
    char words[SL_WATCH_WORDS];

    if (w->view.last.step == w->told_step || (!is_last && now - w->told < line_every_s))
        return;
    w->told = now;
    w->told_step = w->view.last.step;
    sl_watch_say(words, &w->view);
    say(w, words);
}

static void show(watch *w, int is_last)
{
    if (w->is_terminal) {
        redraw(w);
        return;
    }
    say_news(w);
    say_updates(w, is_last);
}

/* --- the loop -------------------------------------------------------------------------------- */

/* A run is there when its run.json is. */
static sl_status open_run(watch *w, const watch_opts *o)
{
    const double until = sl_clock_now() + o->wait_s;
    char file[SL_RUN_PATH];

    SL_TRY(sl_file_join(file, sizeof file, w->path, "run.json"));
    while (!sl_file_exists(file) && sl_clock_now() < until && !*sl_stop_flag())
        nap(0.05);
    if (!sl_file_exists(file))
        return sl_err_hint(
            SL_FAIL(SL_EIO, "want a run with run.json, found none in \"%s\"", w->path),
            "--wait S waits for a run that is about to begin");
    return sl_reader_open(&w->reader, w->path);
}

static sl_status decide(watch *w)
{
    sl_row_decisions row;
    char words[SL_WATCH_WORDS];
    int is_made;

    SL_TRY(sl_watch_decide(w->decider, w->reader, &row, &is_made));
    if (!is_made || w->is_terminal)
        return SL_OK;
    snprintf(words, sizeof words, "answered measurement %u of step %lld", row.measurement,
             (long long)row.based_on);
    say(w, words);
    return SL_OK;
}

/* One look at the run. *is_over: no trainer held it, twice in a row; a run that is being created
 * has a moment without one. */
static sl_status look(watch *w, int *is_over)
{
    int is_changed = 0;

    SL_TRY(sl_reader_refresh(w->reader, &is_changed));
    if (is_changed || !w->is_seen) {
        if (w->decider)
            SL_TRY(decide(w));
        SL_TRY(sl_watch_look(&w->view, w->reader, w->path));
    } else {
        SL_TRY(sl_reader_state_get(w->reader, &w->view.state));
    }
    w->is_seen = 1;
    w->idle = w->view.state.is_running ? 0 : w->idle + 1;
    *is_over = w->idle > 1 && !is_changed;
    return SL_OK;
}

static sl_status follow(watch *w)
{
    const double every = w->decider ? decide_every_s : screen_every_s;
    double shown = -INFINITY;
    int is_over = 0;
    char words[SL_WATCH_WORDS];

    while (!is_over && !*sl_stop_flag()) {
        const double begun = sl_clock_now();
        double spent;

        SL_TRY(look(w, &is_over));
        if (begun - shown >= screen_every_s || is_over) {
            show(w, is_over);
            shown = begun;
        }
        spent = sl_clock_now() - begun;
        if (!is_over)
            nap(fmax(every, spent / share_of_time));
    }
    if (*sl_stop_flag())
        return SL_OK;
    snprintf(words, sizeof words, "ended: %s at step %lld", sl_ended_name(w->view.state.ended),
             (long long)w->view.state.last_step);
    say(w, words);
    return SL_OK;
}

static sl_status show_once(watch *w)
{
    char text[16384];
    int is_over;

    SL_TRY(look(w, &is_over));
    w->screen = screen_now();
    w->screen.rows = SIZE_MAX;
    sl_watch_draw(text, sizeof text, &w->view, &w->screen);
    fputs(text, stdout);
    return SL_OK;
}

static sl_status watch_open(watch *w, const watch_opts *o, sl_watch_decider *decider)
{
    const char *terminal = getenv("TERM");

    w->told = sl_clock_now();
    w->told_step = -1;
    w->is_terminal = !o->is_once && isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb");
    sl_stop_install();
    SL_TRY(open_run(w, o));
    if (!o->is_decider)
        return SL_OK;
    SL_TRY(sl_watch_decider_open(decider, w->reader, w->path));
    w->decider = decider;
    return SL_OK;
}

static sl_status watch_run(int argc, char **argv)
{
    static sl_watch_decider decider; /* a recipe is some tens of kilobytes */
    watch_opts o = { 0 };
    const char *argument[16];
    size_t count;
    int is_done;
    watch w = { 0 };
    sl_status st;

    if (argc > 16)
        return SL_FAIL(SL_EUSAGE, "want at most 16 words, found %d", argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_watch, argc, argv));
    if (is_done)
        return SL_OK;
    if (o.is_once && o.is_decider)
        return SL_FAIL(SL_EUSAGE, "want --once or --decide, found both");
    if (!(o.wait_s >= 0.0 && o.wait_s <= 86400.0))
        return SL_FAIL(SL_EUSAGE, "want --wait in [0,86400], found %g", o.wait_s);
    w.path = argument[0];
    st = watch_open(&w, &o, &decider);
    if (st == SL_OK)
        st = o.is_once ? show_once(&w) : follow(&w);
    sl_watch_decider_close(&decider);
    sl_reader_close(&w.reader);
    return st;
}

const sl_command sl_command_watch = {
    .name = "watch",
    .operands = "RUN [--decide]",
    .summary =
        "follows a live run: score, margins, norms, decisions\n"
        "Redrawn in place on a terminal, lines elsewhere; ends with the run. It only reads. With\n"
        "--decide it is the analyzer of a run with policy.decider: outside: the trainer waits for\n"
        "it after every measurement, policy.wait_s seconds at most. Started again, it goes on.",
    .opts = opts,
    .least = 1,
    .most = 1,
    .example = "stageline watch demo-out/run-weak --once",
    .run = watch_run,
};
