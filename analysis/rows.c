#include "analysis/rows.h"
#include "base/alloc.h"
#include "base/hash.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE_BYTES = 1 << 18 };

sl_rows_limit sl_rows_limit_defaults(void)
{
    return (sl_rows_limit){ .share = SL_BAD_SHARE };
}

/* One file on its way: text[at .. end) is read and not used yet. */
typedef struct stream {
    gzFile file;
    const char *shown; /* path for messages */
    char *text;
    size_t at, end, capacity, line;
    int is_over;
    int is_hashed; /* stdin: its contents are hashed as they come */
    sl_sha256 sha;
    sl_rows *rows;
    sl_err_record first_bad;
    sl_status (*parse)(sl_json **out, const char *text, size_t bytes, const char *where);
    sl_status (*take)(void *state, const sl_json *row);
    void *state;
} stream;

/* --- bytes ------------------------------------------------------------------------------------ */

static sl_status open_stream(stream *s, const char *path)
{
    s->is_hashed = !strcmp(path, "-");
    s->shown = s->is_hashed ? "stdin" : path;
    sl_sha256_open(&s->sha);
    s->file = s->is_hashed ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (!s->file)
        return sl_err_where(SL_FAIL(SL_EIO, "want to read it, found: %s",
                                    errno ? strerror(errno) : "no memory for it"),
                            "%s", s->shown);
    gzbuffer(s->file, PIECE_BYTES);
    return SL_OK;
}

/* The end of the input, and whether it is one. */
static sl_status end_of_input(stream *s, int got)
{
    int code;

    gzerror(s->file, &code);
    s->is_over = 1;
    s->rows->is_cut = code == Z_BUF_ERROR;
    if (code == Z_ERRNO || (got < 0 && code == Z_MEM_ERROR))
        return SL_FAIL(SL_EIO, "want to read it, found: %s", strerror(errno));
    if (got < 0 || code == Z_DATA_ERROR)
        return SL_FAIL(SL_EFORMAT, "want a sound gzip stream, found a damaged one");
    return SL_OK;
}

/* More text behind what is there; room is made first. */
static sl_status read_more(stream *s)
{
    int got;

    if (s->is_over)
        return SL_OK;
    if (s->at) {
        memmove(s->text, s->text + s->at, s->end - s->at);
        s->end -= s->at;
        s->at = 0;
    }
    SL_TRY(sl_grow(&s->text, &s->capacity, s->end + PIECE_BYTES + 1, 1));
    if (s->rows->held_bytes < s->capacity)
        s->rows->held_bytes = s->capacity;
    got = gzread(s->file, s->text + s->end, PIECE_BYTES);
    if (got > 0) {
        if (s->is_hashed)
            sl_sha256_add(&s->sha, s->text + s->end, (size_t)got);
        s->end += (size_t)got;
        s->rows->bytes += (size_t)got;
    }
    return got < PIECE_BYTES ? end_of_input(s, got) : SL_OK;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Keeps the record of the error that is held, which begins with place and reason. */
static void note_bad(stream *s, size_t line)
{
    sl_rows *r = s->rows;

    if (!r->bad)
        sl_err_save(&s->first_bad);
    if (r->bad < SL_BAD_KEPT) {
        r->first[r->bad].line = line;
        snprintf(r->first[r->bad].reason, sizeof r->first->reason, "%s", sl_err_message());
    }
    r->bad++;
    sl_err_clear();
}

/* Counts a row that was taken, or is bad; passes on what ends the reading. */
static sl_status settle(stream *s, sl_status st, size_t line)
{
    if (st == SL_OK)
        s->rows->rows++;
    else if (st == SL_EFORMAT)
        note_bad(s, line);
    else
        return st;
    return SL_OK;
}

static sl_status take_line(stream *s, const char *text, size_t bytes)
{
    char place[4200];
    sl_json *json = NULL;
    sl_status st;

    if (strspn(text, " \t\r") >= bytes)
        return SL_OK;
    snprintf(place, sizeof place, "%s:%zu", s->shown, s->line);
    st = s->parse(&json, text, bytes, place);
    if (st == SL_OK)
        st = sl_err_where(s->take(s->state, json), "%s", place);
    sl_json_close(&json);
    return settle(s, st, s->line);
}

/* Drops text up to the end of the line; the line is bad. */
static sl_status skip_line(stream *s)
{
    char *end = NULL;

    while (!end) {
        end = memchr(s->text + s->at, '\n', s->end - s->at);
        s->at = end ? (size_t)(end - s->text) + 1 : s->end;
        if (s->is_over)
            break;
        if (!end)
            SL_TRY(read_more(s));
    }
    return settle(
        s,
        sl_err_where(SL_FAIL(SL_EFORMAT, "want a line of at most %zu bytes, found a longer one",
                             SL_ROW_BYTES_MOST),
                     "%s:%zu", s->shown, s->line),
        s->line);
}

/* The lines of the stream; the last one need not end. */
static sl_status take_lines(stream *s)
{
    while (s->at < s->end || !s->is_over) {
        char *end = memchr(s->text + s->at, '\n', s->end - s->at);
        const size_t bytes = (end ? (size_t)(end - s->text) : s->end) - s->at;

        if (bytes > SL_ROW_BYTES_MOST) {
            s->line++;
            SL_TRY(skip_line(s));
            continue;
        }
        if (!end && !s->is_over) {
            SL_TRY(read_more(s));
            continue;
        }
        if (!end && s->rows->is_cut) /* the part of a line before the cut */
            break;
        s->text[s->at + bytes] = 0;
        s->line++;
        SL_TRY(take_line(s, s->text + s->at, bytes));
        if (end)
            *end = '\n';
        s->at += bytes + (end != NULL);
    }
    return SL_OK;
}

static sl_status take_array(stream *s)
{
    sl_json *list;

    while (!s->is_over) {
        if (s->end > SL_ROWS_ARRAY_MOST)
            return sl_err_where(SL_FAIL(SL_EFORMAT,
                                        "want an array of at most %zu bytes, found more",
                                        SL_ROWS_ARRAY_MOST),
                                "%s", s->shown);
        SL_TRY(read_more(s));
    }
    s->rows->is_array = 1;
    if (s->rows->is_cut) /* an array without its end holds no row */
        return SL_OK;
    SL_TRY(s->parse(&list, s->text + s->at, s->end - s->at, s->shown));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const sl_status st = settle(
            s,
            sl_err_where(s->take(s->state, json_array_get(list, i)), "%s element %zu", s->shown, i),
            i);

        if (st != SL_OK) {
            sl_json_close(&list);
            return st;
        }
    }
    sl_json_close(&list);
    return SL_OK;
}

/* What the first character that is no space begins. */
static sl_status take_all(stream *s)
{
    size_t blank = 0;

    SL_TRY(read_more(s));
    for (;;) {
        while (s->at + blank < s->end && strchr(" \t\r\n", s->text[s->at + blank]) &&
               s->text[s->at + blank])
            blank++;
        if (s->at + blank < s->end || s->is_over)
            break;
        SL_TRY(read_more(s));
    }
    return s->at + blank < s->end && s->text[s->at + blank] == '[' ? take_array(s) : take_lines(s);
}

/* --- the verdict on the file ------------------------------------------------------------------ */

static sl_status judge(const stream *s, const sl_rows_limit *limit)
{
    const sl_rows *r = s->rows;
    const double total = (double)(r->rows + r->bad);

    if (r->is_cut && !(limit->is_given && r->rows))
        return sl_err_hint(
            sl_err_where(SL_FAIL(SL_EFORMAT, "want the end of the gzip stream, found it cut off"),
                         "%s:%zu", s->shown, s->line + 1),
            "--allow-bad SHARE takes the %zu rows before it", r->rows);
    if (r->bad && (double)r->bad > limit->share * total)
        return sl_err_hint(sl_err_restore(&s->first_bad),
                           "%zu of %zu rows are bad, more than %g %%; --allow-bad SHARE goes on "
                           "without them",
                           r->bad, r->rows + r->bad, 100.0 * limit->share);
    if (!r->rows && !r->bad)
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want rows, found an empty file"), "%s", s->shown);
    return SL_OK;
}

static sl_status finish_hash(stream *s, const char *path)
{
    unsigned char digest[32];

    if (!s->is_hashed)
        return sl_sha256_file(s->rows->sha256, path);
    sl_sha256_close(&s->sha, digest);
    sl_sha256_hex(s->rows->sha256, digest);
    return SL_OK;
}

static stream new_stream(sl_rows *out, const sl_rows_limit *limit,
                         sl_status (*take)(void *state, const sl_json *row), void *state)
{
    *out = (sl_rows){ 0 };
    return (stream){ .rows = out,
                     .parse = limit->is_python ? sl_json_parse_python : sl_json_parse,
                     .take = take,
                     .state = state };
}

static sl_status take_placed(stream *s)
{
    const sl_status st = take_all(s);

    return st != SL_OK && !*sl_err_place() ? sl_err_where(st, "%s:%zu", s->shown, s->line + 1) : st;
}

sl_status sl_rows_read(sl_rows *out, const char *path, const sl_rows_limit *limit,
                       sl_status (*take)(void *state, const sl_json *row), void *state)
{
    stream s = new_stream(out, limit, take, state);
    sl_status st = SL_OK;

    SL_TRY_OUT(open_stream(&s, path));
    SL_TRY_OUT(take_placed(&s));
    SL_TRY_OUT(finish_hash(&s, path));
    st = judge(&s, limit);
out:
    if (s.file)
        gzclose(s.file);
    sl_free(s.text);
    return st;
}

sl_status sl_rows_read_bytes(sl_rows *out, char *text, size_t bytes, const char *shown,
                             const sl_rows_limit *limit,
                             sl_status (*take)(void *state, const sl_json *row), void *state)
{
    stream s = new_stream(out, limit, take, state);

    s.text = text;
    s.end = out->bytes = bytes;
    s.shown = shown;
    s.is_over = 1;
    SL_TRY(take_placed(&s));
    return judge(&s, limit);
}
