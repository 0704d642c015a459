#include "run/userblock_int.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CRC_AT (SL_USERBLOCK_BYTES - 4u)
#define PIECE_BYTES ((size_t)1 << 18)

sl_status sl_json_put(sl_json *object, const char *key, sl_json *value)
{
    return json_object_set_new(object, key, value)
               ? SL_FAIL(SL_ENOMEM, "want memory for \"%s\", found none", key)
               : SL_OK;
}

sl_status sl_userblock_open(int *out, uint64_t *bytes, const char *path)
{
    struct stat s;

    /* O_NONBLOCK: a fifo must not hold us up before fstat tells what it is. */
    *out = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (*out < 0)
        return errno == ELOOP ? SL_FAIL(SL_EFORMAT, "want a regular file, found a link")
                              : SL_FAIL(SL_EIO, "want to read it, found: %s", strerror(errno));
    if (fstat(*out, &s) || !S_ISREG(s.st_mode)) {
        (void)close(*out);
        *out = -1;
        return SL_FAIL(SL_EFORMAT, "want a regular file, found something else");
    }
    *bytes = (uint64_t)s.st_size;
    return SL_OK;
}

/* Reads up to `bytes` bytes at `at`; *found is less only at the end of the file. */
static sl_status read_at(size_t *found, int fd, void *to, size_t bytes, uint64_t at)
{
    *found = 0;
    while (*found < bytes) {
        const ssize_t n = pread(fd, (char *)to + *found, bytes - *found, (off_t)(at + *found));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return SL_FAIL(SL_EIO, "want to read, found: %s", strerror(errno));
        if (n == 0)
            break;
        *found += (size_t)n;
    }
    return SL_OK;
}

/* raw (SL_USERBLOCK_BYTES) -> its line. */
static sl_status decode(sl_json **out, const unsigned char *raw)
{
    const unsigned char *end;
    uint32_t crc;

    memcpy(&crc, raw + CRC_AT, sizeof crc);
    if (crc != sl_crc32c(0, raw, CRC_AT))
        return SL_FAIL(SL_EFORMAT, "want CRC32C %08x, found %08x", crc, sl_crc32c(0, raw, CRC_AT));
    end = memchr(raw, '\n', CRC_AT);
    if (!end)
        return SL_FAIL(SL_EFORMAT, "want one line, found no line break");
    SL_TRY(sl_json_parse(out, (const char *)raw, (size_t)(end - raw), "line"));
    if (json_is_object(*out))
        return SL_OK;
    sl_json_close(out);
    return SL_FAIL(SL_EFORMAT, "want a JSON object, found something else");
}

sl_status sl_userblock_read(sl_json **out, int fd)
{
    unsigned char raw[SL_USERBLOCK_BYTES];
    size_t found;

    *out = NULL;
    SL_TRY(read_at(&found, fd, raw, sizeof raw, 0));
    if (found < sizeof raw)
        return SL_FAIL(SL_EFORMAT, "want a user block of %u bytes, found %zu", SL_USERBLOCK_BYTES,
                       found);
    return sl_err_where(decode(out, raw), "user block");
}

/* Size and SHA-256 (hex, 65) of everything after the user block. */
static sl_status sum_rest(uint64_t *bytes, char *hex, int fd)
{
    sl_status st = SL_OK;
    sl_sha256 sha;
    unsigned char digest[32], *piece = NULL;
    size_t n;

    *bytes = 0;
    sl_sha256_open(&sha);
    SL_TRY(sl_take(&piece, PIECE_BYTES, 1));
    do {
        SL_TRY_OUT(read_at(&n, fd, piece, PIECE_BYTES, SL_USERBLOCK_BYTES + *bytes));
        sl_sha256_add(&sha, piece, n);
        *bytes += n;
    } while (n == PIECE_BYTES);
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(hex, digest);
out:
    sl_free(piece);
    return st;
}

static sl_status check_superblock(int fd)
{
    static const unsigned char signature[8] = { 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n' };
    unsigned char head[9];
    size_t found;

    SL_TRY(read_at(&found, fd, head, sizeof head, SL_USERBLOCK_BYTES));
    if (found < sizeof head || memcmp(head, signature, sizeof signature))
        return SL_FAIL(SL_EFORMAT, "want an HDF5 signature at %u, found none", SL_USERBLOCK_BYTES);
    if (head[8] != 2 && head[8] != 3)
        return SL_FAIL(SL_EFORMAT, "want superblock 2 or 3, found %u", head[8]);
    return SL_OK;
}

sl_status sl_userblock_prove(int fd, const sl_json *object)
{
    const char *want_hex = NULL;
    char hex[65];
    int64_t want = 0;
    uint64_t bytes = 0;

    SL_TRY(sl_json_i64(&want, object, "bytes"));
    SL_TRY(sl_json_text(&want_hex, object, "sha256"));
    SL_TRY(sum_rest(&bytes, hex, fd));
    if (want < 0 || (uint64_t)want != bytes)
        return SL_FAIL(SL_EFORMAT, "want %lld bytes after the user block, found %llu",
                       (long long)want, (unsigned long long)bytes);
    if (strcmp(want_hex, hex))
        return SL_FAIL(SL_EFORMAT, "want SHA-256 %.16s..., found %.16s...", want_hex, hex);
    return check_superblock(fd);
}

/* raw (SL_USERBLOCK_BYTES) = the object as one line, spaces, CRC32C. */
static sl_status encode(unsigned char *raw, const sl_json *object)
{
    char *line = NULL;
    size_t bytes;
    uint32_t crc;

    SL_TRY(sl_json_dump(&line, object, 0));
    bytes = strcspn(line, "\n");
    memset(raw, ' ', CRC_AT);
    if (bytes < CRC_AT)
        memcpy(raw, line, bytes);
    sl_free(line);
    if (bytes >= CRC_AT)
        return SL_FAIL(SL_EINTERNAL, "bug: want at most %u bytes of user block, found %zu",
                       CRC_AT - 1, bytes);
    raw[bytes] = '\n';
    crc = sl_crc32c(0, raw, CRC_AT);
    memcpy(raw + CRC_AT, &crc, sizeof crc);
    return SL_OK;
}

/* Sum, user block and fsync of an open file. */
static sl_status write_block(int fd, sl_json *object)
{
    unsigned char raw[SL_USERBLOCK_BYTES];
    char hex[65];
    uint64_t bytes;

    SL_TRY(sum_rest(&bytes, hex, fd));
    SL_TRY(sl_json_put(object, "bytes", json_integer((json_int_t)bytes)));
    SL_TRY(sl_json_put(object, "sha256", json_string(hex)));
    SL_TRY(encode(raw, object));
    if (lseek(fd, 0, SEEK_SET) != 0)
        return SL_FAIL(SL_EIO, "want to seek, found: %s", strerror(errno));
    SL_TRY(sl_file_write_all(fd, raw, sizeof raw));
    return sl_file_sync(fd);
}

sl_status sl_userblock_seal(const char *folder, const char *path, sl_json *object)
{
    char tmp[SL_RUN_PATH + 4];
    sl_status st;
    int fd;

    (void)snprintf(tmp, sizeof tmp, "%s.tmp", path);
    fd = open(tmp, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return SL_FAIL(SL_EIO, "%s: want to open it, found: %s", tmp, strerror(errno));
    st = write_block(fd, object);
    if (close(fd) && st == SL_OK)
        st = SL_FAIL(SL_EIO, "want to close it, found: %s", strerror(errno));
    SL_TRY(sl_err_where(st, "%s", tmp));
    if (rename(tmp, path))
        return SL_FAIL(SL_EIO, "%s: want to rename the temporary file to it, found: %s", path,
                       strerror(errno));
    return sl_file_sync_folder(folder);
}
