/* A finished text file becomes its .gz: same bytes in, same bytes out (no name, no time). */
#include "run/texts.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE = 1 << 16, LEVEL = 6, WINDOW = 15 + 16 }; /* 16: gzip framing */

typedef struct sealer {
    z_stream z;
    sl_sha256 sha;
    uint64_t bytes; /* written */
    int fd;
    unsigned char out[PIECE];
} sealer;

/* Deflates what z holds; flush: Z_NO_FLUSH or Z_FINISH. */
static sl_status push(sealer *s, int flush)
{
    do {
        size_t made;

        s->z.next_out = s->out;
        s->z.avail_out = PIECE;
        if (deflate(&s->z, flush) == Z_STREAM_ERROR)
            return SL_FAIL(SL_EINTERNAL, "bug: deflate refused its state");
        made = PIECE - s->z.avail_out;
        sl_sha256_add(&s->sha, s->out, made);
        s->bytes += made;
        SL_TRY(sl_file_write_all(s->fd, s->out, made));
    } while (!s->z.avail_out);
    return SL_OK;
}

static sl_status deflate_all(sealer *s, const unsigned char *data, uint64_t bytes)
{
    SL_CHECK(deflateInit2(&s->z, LEVEL, Z_DEFLATED, WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    while (bytes) {
        const uInt n = bytes > INT_MAX ? INT_MAX : (uInt)bytes;

        s->z.next_in = (unsigned char *)(uintptr_t)data; /* zlib does not write there */
        s->z.avail_in = n;
        SL_TRY(push(s, Z_NO_FLUSH));
        data += n;
        bytes -= n;
    }
    return push(s, Z_FINISH);
}

static sl_status seal_to(sealer *s, const char *temporary, const char *to, const sl_map *from,
                         uint64_t bytes)
{
    sl_status st;

    SL_TRY(sl_file_create(&s->fd, temporary, 0600));
    sl_sha256_open(&s->sha);
    st = deflate_all(s, from->data, bytes);
    deflateEnd(&s->z);
    if (st == SL_OK)
        st = sl_file_sync(s->fd);
    if (close(s->fd) && st == SL_OK)
        st = SL_FAIL(SL_EIO, "want to close it, found: %s", strerror(errno));
    if (st == SL_OK && rename(temporary, to))
        st = SL_FAIL(SL_EIO, "want to rename it, found: %s", strerror(errno));
    if (st != SL_OK)
        unlink(temporary);
    return st;
}

static sl_status seal_file(uint64_t *gz_bytes, char *sha256, const char *from, const char *to,
                           uint64_t bytes)
{
    char temporary[SL_RUN_PATH + 8];
    unsigned char digest[32];
    sealer *s = NULL;
    sl_map map = { 0 };
    sl_status st = SL_OK;

    snprintf(temporary, sizeof temporary, "%s.tmp", to);
    SL_TRY_OUT(sl_take(&s, 1, sizeof *s));
    SL_TRY_OUT(sl_map_open(&map, from));
    if (map.bytes < bytes)
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "want %llu bytes of text, found %zu",
                           (unsigned long long)bytes, map.bytes));
    SL_TRY_OUT(seal_to(s, temporary, to, &map, bytes));
    sl_sha256_close(&s->sha, digest);
    sl_sha256_hex(sha256, digest);
    *gz_bytes = s->bytes;
out:
    sl_map_close(&map);
    sl_free(s);
    return sl_err_where(st, "%s", to);
}

sl_status sl_texts_seal(uint64_t *gz_bytes, char *sha256, const char *rank_folder, uint32_t number,
                        uint64_t bytes)
{
    char from[SL_RUN_PATH], to[SL_RUN_PATH];

    *gz_bytes = 0;
    sha256[0] = 0;
    if (!bytes)
        return SL_OK;
    SL_TRY(sl_rank_path(from, rank_folder, SL_FILE_TEXTS, number));
    SL_TRY(sl_rank_path(to, rank_folder, SL_FILE_TEXTS_GZ, number));
    return seal_file(gz_bytes, sha256, from, to, bytes);
}
