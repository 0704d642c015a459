/* What `watch` shows of a run: the numbers, and the screen. */
#include "cli/watch.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- the numbers ----------------------------------------------------------------------------- */

static void take_trend(sl_watch_trend *out, const sl_row_steps *rows, size_t count, size_t offset)
{
    const size_t first = count > SL_WATCH_TREND ? count - SL_WATCH_TREND : 0;

    out->count = count - first;
    for (size_t i = first; i < count; i++)
        memcpy(&out->value[i - first], (const char *)&rows[i] + offset, sizeof(double));
}

static sl_status look_at_steps(sl_watch_view *v, sl_reader *reader)
{
    const sl_row_steps *rows;
    size_t count;

    v->last.step = -1;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_STEPS, &rows, &count));
    if (count)
        v->last = rows[count - 1];
    take_trend(&v->loss, rows, count, offsetof(sl_row_steps, loss));
    take_trend(&v->margin, rows, count, offsetof(sl_row_steps, margin));
    take_trend(&v->norm, rows, count, offsetof(sl_row_steps, grad_norm));
    sl_reader_release(reader, SL_TABLE_STEPS);
    return SL_OK;
}

/* Over the last updates, by the trainer's clock; measurements between them count as they would in
 * "time left". */
static sl_status look_at_clock(sl_watch_view *v, sl_reader *reader)
{
    enum { OVER = 64 };
    const sl_row_clock *rows;
    size_t count, first;

    v->rate = NAN;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_CLOCK, &rows, &count));
    first = count > OVER ? count - OVER : 0;
    while (first + 1 < count && rows[first].mono_s > rows[count - 1].mono_s)
        first++; /* an earlier attempt on another machine, or before a restart of this one */
    if (first + 1 < count && rows[count - 1].mono_s > rows[first].mono_s)
        v->rate = (double)(count - 1 - first) / (rows[count - 1].mono_s - rows[first].mono_s);
    sl_reader_release(reader, SL_TABLE_CLOCK);
    return SL_OK;
}

static sl_status look_at_decisions(sl_watch_view *v, sl_reader *reader)
{
    const sl_row_decisions *rows;
    size_t count, first;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_DECISIONS, &rows, &count));
    first = count > SL_WATCH_KEPT ? count - SL_WATCH_KEPT : 0;
    v->all_decisions = count;
    v->decisions = count - first;
    if (count)
        memcpy(v->decision, rows + first, v->decisions * sizeof *rows);
    sl_reader_release(reader, SL_TABLE_DECISIONS);
    return SL_OK;
}

static sl_status look_at_boundary(sl_watch_view *v, sl_reader *reader)
{
    const sl_row_boundary *rows;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_BOUNDARY, &rows, &v->looks));
    if (v->looks)
        v->look = rows[v->looks - 1];
    for (size_t i = 0; i < v->looks; i++)
        v->all_finals += rows[i].final;
    for (size_t i = v->looks; i-- > 0 && v->finals < SL_WATCH_KEPT;)
        if (rows[i].final)
            v->final[v->finals++] = rows[i]; /* newest first */
    for (size_t i = 0; i < v->finals / 2; i++) {
        const sl_row_boundary kept = v->final[i];

        v->final[i] = v->final[v->finals - 1 - i];
        v->final[v->finals - 1 - i] = kept;
    }
    sl_reader_release(reader, SL_TABLE_BOUNDARY);
    return SL_OK;
}

sl_status sl_watch_look(sl_watch_view *v, sl_reader *reader, const char *path)
{
    memset(v, 0, sizeof *v);
    v->path = path;
    v->updates = json_integer_value(json_object_get(sl_reader_json(reader), "updates"));
    SL_TRY(sl_reader_state_get(reader, &v->state));
    SL_TRY(look_at_steps(v, reader));
    SL_TRY(look_at_clock(v, reader));
    SL_TRY(look_at_decisions(v, reader));
    return look_at_boundary(v, reader);
}

/* --- sentences ------------------------------------------------------------------------------- */

static const char *const stages[] = { "undecided", "injection", "fine-tuning" };
static const char *const actions[] = { "the data stay as they are", "static data next",
                                       "on-policy data next", "mixed data next", "stop" };
static const char *const outcomes[] = { "", " (came too late)", " (refused)" };
static const char *const deciders[] = { "the run itself", "watch", "a person" };

void sl_watch_say(char *words, const sl_watch_view *v)
{
    char rate[48] = "";

    if (v->last.step < 0) {
        snprintf(words, SL_WATCH_WORDS, "no update yet");
        return;
    }
    if (v->state.is_running && isfinite(v->rate))
        snprintf(rate, sizeof rate, ", %.3g steps/s", v->rate);
    snprintf(words, SL_WATCH_WORDS,
             "step %lld/%lld, iteration %u%s, loss %.4f, margin %.4f, gradient norm %.4g",
             (long long)v->last.step, (long long)v->updates, v->last.iteration + 1, rate,
             v->last.loss, v->last.margin, v->last.grad_norm);
}

void sl_watch_say_look(char *words, const sl_row_boundary *b)
{
    snprintf(words, SL_WATCH_WORDS,
             "step %lld: boundary score %.3f [%.3f, %.3f] after %u votes on %u prompts: %s%s",
             (long long)b->step, b->bs, b->lower, b->upper, b->votes, b->prompts, stages[b->stage],
             b->final ? "" : " (more to come)");
}

void sl_watch_say_decision(char *words, const sl_row_decisions *d)
{
    snprintf(words, SL_WATCH_WORDS, "step %lld: %s, decided by %s%s", (long long)d->step,
             actions[d->action], deciders[d->decider], outcomes[d->outcome]);
}

/* --- the screen ------------------------------------------------------------------------------ */

typedef struct canvas {
    char *text;
    size_t bytes, used, lines;
    const sl_watch_screen *screen;
} canvas;

static size_t bytes_of_char(const char *at)
{
    size_t n = 1;

    while (((unsigned char)at[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* A line, cut where the screen ends; nothing below the screen. */
static void put_line(canvas *c, const char *text)
{
    size_t bytes = 0;

    if (c->lines == c->screen->rows)
        return;
    for (size_t column = 0; text[bytes] && column < c->screen->columns; column++)
        bytes += bytes_of_char(text + bytes);
    if (c->used + bytes + 2 > c->bytes)
        return;
    memcpy(c->text + c->used, text, bytes);
    c->used += bytes;
    c->text[c->used++] = '\n';
    c->text[c->used] = 0;
    c->lines++;
}

static void print_line(canvas *c, const char *fmt, ...) SL_PRINTF(2, 3);

static void print_line(canvas *c, const char *fmt, ...)
{
    char text[1024];
    va_list list;

    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    put_line(c, text);
}

/* Where a score stands on a line of that many columns. */
static size_t place(double score, size_t columns)
{
    const double at = fmin(1.0, fmax(0.0, score)) * (double)(columns - 1);

    return (size_t)(at + 0.5);
}

/* 0 ---(==*==)--|------ 1: score, interval and threshold. */
static void put_score_line(canvas *c, const sl_row_boundary *b)
{
    enum { MOST = 64 };
    const size_t room = c->screen->columns > 8 ? c->screen->columns - 6 : 2;
    const size_t n = room < MOST ? room : MOST;
    char line[MOST + 1];

    memset(line, '-', n);
    line[n] = 0;
    if (isfinite(b->lower) && isfinite(b->upper)) {
        const size_t lower = place(b->lower, n), upper = place(b->upper, n);

        memset(line + lower, '=', upper - lower + 1);
        line[lower] = '(';
        line[upper] = ')';
    }
    line[place(b->tau, n)] = '|';
    if (isfinite(b->bs))
        line[place(b->bs, n)] = '*';
    print_line(c, "  0 %s 1", line);
}

/* The last values between their smallest and largest, one column each. */
static void put_trend(canvas *c, const char *name, double now, const sl_watch_trend *trend)
{
    static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    static const char *const signs[] = { "_", ".", "-", "~", "+", "*", "#", "@" };
    enum { LEVELS = 8, HEAD = 27, MOST = 48 };
    const char *const *level = c->screen->is_utf8 ? blocks : signs;
    const size_t room = c->screen->columns > HEAD ? c->screen->columns - HEAD : 0;
    const size_t want = room < MOST ? room : MOST;
    const size_t n = trend->count < want ? trend->count : want;
    const double *value = trend->value + trend->count - n;
    double low = INFINITY, high = -INFINITY;
    char picture[MOST * 4 + 1] = "";

    for (size_t i = 0; i < n; i++) {
        low = fmin(low, value[i]);
        high = fmax(high, value[i]);
    }
    for (size_t i = 0; i < n; i++) {
        const double share = high > low ? (value[i] - low) / (high - low) : 0.5;
        const size_t at = isfinite(value[i]) ? (size_t)(share * (LEVELS - 1) + 0.5) : LEVELS;

        strcat(picture, at < LEVELS ? level[at] : " ");
    }
    print_line(c, "%-14s %10.4g  %s", name, now, picture);
}

static void put_head(canvas *c, const sl_watch_view *v)
{
    char name[256];
    size_t n = 0;

    for (; v->path[n] && n + 1 < sizeof name; n++)
        name[n] = (unsigned char)v->path[n] < 0x20 || v->path[n] == 0x7f ? '?' : v->path[n];
    name[n] = 0;
    print_line(c, "%s: %s, attempt %zu", name,
               v->state.is_running ? "running" : sl_ended_name(v->state.ended), v->state.attempts);
}

static void put_progress(canvas *c, const sl_watch_view *v)
{
    const double left = (double)(v->updates - v->last.step) / v->rate;

    if (v->last.step < 0) {
        put_line(c, "no update yet");
        return;
    }
    if (v->state.is_running && isfinite(left) && v->updates)
        print_line(c, "step %lld/%lld, iteration %u, %.3g steps/s, %.0f s left",
                   (long long)v->last.step, (long long)v->updates, v->last.iteration + 1, v->rate,
                   left);
    else
        print_line(c, "step %lld/%lld, iteration %u", (long long)v->last.step,
                   (long long)v->updates, v->last.iteration + 1);
    print_line(c, "data: %.0f %% on-policy (%u of %u pairs of the last update)",
               100.0 * v->last.mix_weight, v->last.pairs_on, v->last.pairs);
}

static void put_boundary(canvas *c, const sl_watch_view *v)
{
    const sl_row_boundary *b = &v->look;

    if (!v->looks) {
        put_line(c, "no measurement yet");
        return;
    }
    print_line(c, "boundary score %.3f [%.3f, %.3f] %s%s", b->bs, b->lower, b->upper,
               stages[b->stage], b->final ? "" : ", measuring");
    put_score_line(c, b);
    print_line(c, "  step %lld, %u votes on %u prompts of at most %u", (long long)b->step, b->votes,
               b->prompts, b->max_prompts);
    if (isfinite(b->margin_static) || isfinite(b->margin_on))
        print_line(c, "  margin between answers: static %.3f, on-policy %.3f", b->margin_static,
                   b->margin_on);
}

/* The newest decisions that fit, oldest first. */
static void put_decisions(canvas *c, const sl_watch_view *v)
{
    const size_t room = c->screen->rows > c->lines + 1 ? c->screen->rows - c->lines - 1 : 0;
    const size_t n = v->decisions < room ? v->decisions : room;
    char words[SL_WATCH_WORDS];

    print_line(c, "decisions: %zu", v->all_decisions);
    for (size_t i = v->decisions - n; i < v->decisions; i++) {
        sl_watch_say_decision(words, &v->decision[i]);
        print_line(c, "  %s", words);
    }
}

size_t sl_watch_draw(char *text, size_t bytes, const sl_watch_view *v,
                     const sl_watch_screen *screen)
{
    canvas c = { .text = text, .bytes = bytes, .screen = screen };

    text[0] = 0;
    put_head(&c, v);
    put_progress(&c, v);
    put_boundary(&c, v);
    if (v->last.step >= 0) {
        put_trend(&c, "loss", v->last.loss, &v->loss);
        put_trend(&c, "margin", v->last.margin, &v->margin);
        put_trend(&c, "gradient norm", v->last.grad_norm, &v->norm);
    }
    put_decisions(&c, v);
    return c.lines;
}
