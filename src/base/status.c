/* The error record of a thread. Text from outside ends up in messages, so control characters are
 * replaced: a message stays one line and cannot drive a terminal. */
#include "base/status.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    int exit_code; /* 0 ok, 1 data or environment, 2 usage, 3 numeric stop, 70 bug */
} statuses[] = {
    [SL_OK] = { "ok", 0 },
    [SL_ENOMEM] = { "out of memory", 1 },
    [SL_EIO] = { "reading or writing failed", 1 },
    [SL_EFORMAT] = { "malformed data", 1 },
    [SL_EVERSION] = { "unknown version of the data", 1 },
    [SL_ESHAPE] = { "shapes do not fit", 1 },
    [SL_EARG] = { "value out of range", 1 },
    [SL_ENUMERIC] = { "not a finite number", 3 },
    [SL_EDEVICE] = { "the device failed", 1 },
    [SL_EUNSUPPORTED] = { "not supported", 1 },
    [SL_EUSAGE] = { "wrong use of the command line", 2 },
    [SL_EINTERRUPT] = { "stopped on request", 1 },
    [SL_EINTERNAL] = { "bug in stageline", 70 },
};
_Static_assert(sizeof statuses / sizeof statuses[0] == SL_STATUS_COUNT, "a row for every status");

static _Thread_local sl_err_record record;

/* out (size bytes) = the formatted text, cut to fit, without control characters. */
static void render(char *out, size_t size, const char *fmt, va_list args)
{
    if (vsnprintf(out, size, fmt, args) < 0)
        out[0] = 0;
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

/* The path from the root of the source tree: what the compiler was given, less what it put in
 * front of this file's own name. */
static const char *from_root(const char *file)
{
    static const char here[] = __FILE__, tail[] = "src/base/status.c";
    const size_t front = sizeof here > sizeof tail ? sizeof here - sizeof tail : 0;

    return strncmp(file, here, front) ? file : file + front;
}

sl_status sl_err_set(sl_status code, const char *file, int line, const char *fmt, ...)
{
    va_list args;

    if (record.code != SL_OK || code == SL_OK)
        return code;
    record = (sl_err_record){ .code = code, .line = line, .file = from_root(file) };
    va_start(args, fmt);
    render(record.message, sizeof record.message, fmt, args);
    va_end(args);
    return code;
}

sl_status sl_err_where(sl_status st, const char *fmt, ...)
{
    char part[sizeof record.place];
    size_t front, rest;
    va_list args;

    if (st == SL_OK)
        return st;
    va_start(args, fmt);
    render(part, sizeof part, fmt, args);
    va_end(args);
    front = strlen(part);
    rest = strlen(record.place);
    if (rest && front && front < sizeof part - 1)
        part[front++] = ' ';
    if (rest > sizeof part - 1 - front)
        rest = sizeof part - 1 - front;
    memmove(record.place + front, record.place, rest);
    memcpy(record.place, part, front);
    record.place[front + rest] = 0;
    return st;
}

sl_status sl_err_hint(sl_status st, const char *fmt, ...)
{
    va_list args;

    if (st == SL_OK || record.hint[0])
        return st;
    va_start(args, fmt);
    render(record.hint, sizeof record.hint, fmt, args);
    va_end(args);
    return st;
}

void sl_err_clear(void)
{
    record = (sl_err_record){ 0 };
}

sl_status sl_err_code(void)
{
    return record.code;
}

const char *sl_err_message(void)
{
    return record.message;
}

const char *sl_err_place(void)
{
    return record.place;
}

const char *sl_err_hint_text(void)
{
    return record.hint;
}

const char *sl_err_source(void)
{
    static _Thread_local char text[256];

    snprintf(text, sizeof text, "%s:%d", record.file ? record.file : "", record.line);
    return text;
}

void sl_err_save(sl_err_record *out)
{
    *out = record;
}

sl_status sl_err_restore(const sl_err_record *saved)
{
    if (record.code == SL_OK)
        record = *saved;
    return saved->code;
}

const char *sl_status_text(sl_status st)
{
    return (unsigned)st < SL_STATUS_COUNT ? statuses[st].text : "unknown status";
}

int sl_status_exit(sl_status st)
{
    return (unsigned)st < SL_STATUS_COUNT ? statuses[st].exit_code
                                          : statuses[SL_EINTERNAL].exit_code;
}
