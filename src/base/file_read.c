/* Whole files into memory. Both the file and what it inflates to are bounded by the limit. */
#include "base/alloc.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { FIRST_BYTES = 16384, GZIP_WINDOW = 15 + 16 }; /* 16: a gzip head, not a zlib one */

/* Text under construction: bytes of room are filled, of which one stays free for the last zero. */
typedef struct buffer {
    char *data;
    size_t bytes, room;
    size_t limit; /* of bytes */
} buffer;

/* Makes room for at least one byte more and the last zero; refuses what is over the limit. */
static sl_status buffer_more(buffer *b)
{
    const size_t want = b->bytes + 2;

    if (b->bytes > b->limit)
        return SL_FAIL(SL_EFORMAT, "want at most %zu bytes, found more", b->limit);
    return sl_grow(&b->data, &b->room, want > FIRST_BYTES ? want : FIRST_BYTES, 1);
}

static sl_status read_descriptor(buffer *b, int fd)
{
    ssize_t found = 1;

    while (found) {
        SL_TRY(buffer_more(b));
        found = read(fd, b->data + b->bytes, b->room - b->bytes - 1);
        if (found < 0 && errno == EINTR)
            found = 1;
        else if (found < 0)
            return SL_FAIL(SL_EIO, "want to read, found: %s", strerror(errno));
        else
            b->bytes += (size_t)found;
    }
    if (b->bytes > b->limit)
        return SL_FAIL(SL_EFORMAT, "want at most %zu bytes, found more", b->limit);
    b->data[b->bytes] = 0;
    return SL_OK;
}

static sl_status read_path(buffer *b, const char *path)
{
    const int is_stdin = !strcmp(path, "-");
    const int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    sl_status st;

    if (fd < 0)
        return SL_FAIL(SL_EIO, "want to read it, found: %s", strerror(errno));
    st = read_descriptor(b, fd);
    if (!is_stdin)
        close(fd);
    return st;
}

static sl_status read_regular(buffer *b, const char *path)
{
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat s;
    sl_status st;

    if (fd < 0 && errno == ELOOP)
        return SL_FAIL(SL_EFORMAT, "want a regular file, found a link");
    if (fd < 0)
        return SL_FAIL(SL_EIO, "want to read it, found: %s", strerror(errno));
    st = fstat(fd, &s) == 0 && S_ISREG(s.st_mode)
             ? read_descriptor(b, fd)
             : SL_FAIL(SL_EFORMAT, "want a regular file, found another kind");
    close(fd);
    return st;
}

static void *zlib_take(void *unused, unsigned count, unsigned size)
{
    (void)unused;
    return sl_alloc_get()->take((size_t)count * size, sizeof(void *));
}

static void zlib_give(void *unused, void *p)
{
    (void)unused;
    sl_free(p);
}

static sl_status damaged(const z_stream *z, size_t place, int code)
{
    if (code == Z_MEM_ERROR)
        return SL_FAIL(SL_ENOMEM, "want memory to inflate, found none");
    return SL_FAIL(SL_EFORMAT, "want a whole gzip stream, found it %s at byte %zu",
                   code == Z_BUF_ERROR || code == Z_OK ? "cut short"
                   : z->msg                            ? z->msg
                                                       : "damaged",
                   place);
}

static unsigned piece(size_t bytes)
{
    return bytes < UINT_MAX ? (unsigned)bytes : UINT_MAX;
}

/* Inflates all members of in, one after another (RFC 1952 section 2.2). */
static sl_status inflate_members(buffer *out, z_stream *z, const buffer *in)
{
    size_t taken = 0;

    for (;;) {
        int code;
        size_t room;

        SL_TRY(buffer_more(out));
        room = piece(out->room - out->bytes - 1);
        z->next_in = (unsigned char *)in->data + taken;
        z->avail_in = piece(in->bytes - taken);
        z->next_out = (unsigned char *)out->data + out->bytes;
        z->avail_out = (unsigned)room;
        code = inflate(z, Z_NO_FLUSH);
        taken = (size_t)(z->next_in - (unsigned char *)in->data);
        out->bytes += room - z->avail_out;
        if (code == Z_STREAM_END && taken == in->bytes)
            return SL_OK;
        if (code == Z_STREAM_END)
            code = inflateReset(z);
        else if (code == Z_OK && taken == in->bytes && z->avail_out)
            return damaged(z, taken, Z_BUF_ERROR);
        if (code != Z_OK)
            return damaged(z, taken, code);
    }
}

static sl_status inflate_all(buffer *out, const buffer *in)
{
    z_stream z = { .zalloc = zlib_take, .zfree = zlib_give };
    sl_status st;

    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return SL_FAIL(SL_ENOMEM, "want memory to inflate, found none");
    st = inflate_members(out, &z, in);
    inflateEnd(&z);
    if (st == SL_OK && out->bytes > out->limit)
        st = SL_FAIL(SL_EFORMAT, "want at most %zu bytes when inflated, found more", out->limit);
    if (st == SL_OK)
        out->data[out->bytes] = 0;
    return st;
}

static sl_status read_whole(char **out, size_t *bytes, const char *path, size_t limit_bytes,
                            sl_status (*read_it)(buffer *b, const char *path))
{
    buffer raw = { .limit = limit_bytes }, inflated = { .limit = limit_bytes };
    sl_status st = read_it(&raw, path);

    *out = NULL;
    if (st == SL_OK && raw.bytes >= 2 && !memcmp(raw.data, "\x1f\x8b", 2)) {
        st = inflate_all(&inflated, &raw);
        sl_free(raw.data);
        raw = inflated;
    }
    if (st != SL_OK) {
        sl_free(raw.data);
        return sl_err_where(st, "%s", !strcmp(path, "-") ? "stdin" : path);
    }
    *out = raw.data;
    *bytes = raw.bytes;
    return SL_OK;
}

sl_status sl_file_read(char **out, size_t *bytes, const char *path, size_t limit_bytes)
{
    return read_whole(out, bytes, path, limit_bytes, read_path);
}

sl_status sl_file_read_regular(char **out, size_t *bytes, const char *path, size_t limit_bytes)
{
    return read_whole(out, bytes, path, limit_bytes, read_regular);
}
