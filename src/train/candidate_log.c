#include "train/candidate_log.h"
#include "base/alloc.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void sl_candidate_log_init(sl_candidate_log *log)
{
    *log = (sl_candidate_log){ .fd = -1 };
}

static sl_status cut(const sl_candidate_log *log)
{
    struct stat s;

    if (fstat(log->fd, &s) != 0)
        return SL_FAIL(SL_EIO, "want the size of this file, found: %s", strerror(errno));
    if (s.st_size < log->bytes)
        return SL_FAIL(SL_EFORMAT, "want the %lld bytes of the checkpoint, found %lld",
                       (long long)log->bytes, (long long)s.st_size);
    if (ftruncate(log->fd, log->bytes) != 0 || lseek(log->fd, log->bytes, SEEK_SET) < 0)
        return SL_FAIL(SL_EIO, "want to go on behind byte %lld, found: %s", (long long)log->bytes,
                       strerror(errno));
    return SL_OK;
}

sl_status sl_candidate_log_open(sl_candidate_log *log, const char *run_path, int64_t bytes)
{
    sl_status st;

    sl_candidate_log_init(log);
    log->bytes = bytes;
    SL_TRY(sl_file_join(log->path, sizeof log->path, run_path, "candidates.jsonl"));
    log->fd = open(log->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->fd < 0)
        return sl_err_where(SL_FAIL(SL_EIO, "want to write this file, found: %s", strerror(errno)),
                            "%s", log->path);
    st = sl_err_where(cut(log), "%s", log->path);
    if (st != SL_OK)
        sl_candidate_log_close(log);
    return st;
}

sl_status sl_candidate_log_add(sl_candidate_log *log, const sl_json *row)
{
    char *text = NULL;
    size_t bytes;
    sl_status st;

    SL_TRY(sl_json_dump(&text, row, 0));
    bytes = strlen(text);
    text[bytes] = '\n'; /* in place of the zero: one write, one line */
    st = sl_err_where(sl_file_write_all(log->fd, text, bytes + 1), "%s", log->path);
    sl_free(text);
    if (st == SL_OK)
        log->bytes += (int64_t)bytes + 1;
    return st;
}

sl_status sl_candidate_log_sync(sl_candidate_log *log)
{
    return log->fd < 0 ? SL_OK : sl_err_where(sl_file_sync(log->fd), "%s", log->path);
}

void sl_candidate_log_close(sl_candidate_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
}
