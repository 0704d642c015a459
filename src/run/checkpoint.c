/* Checkpoints: made under a temporary name, published only when the record has their step. */
#include "run/run_int.h"

#include "base/file.h"
#include "run/sums.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALK_DESCRIPTORS = 16 };

sl_status sl_run_checkpoint_begin(sl_run *run, char *folder, int64_t step)
{
    char name[64];

    snprintf(name, sizeof name, "checkpoints/step-%012lld.tmp", (long long)step);
    SL_TRY(sl_file_join(folder, SL_RUN_PATH, run->path, name));
    if (sl_file_exists(folder))
        SL_TRY(sl_file_remove_tree(folder));
    return sl_file_new_folder(folder);
}

static int sync_entry(const char *path, const struct stat *s, int type, struct FTW *level)
{
    sl_status st;
    int fd;

    (void)s;
    (void)level;
    if (type != FTW_F && type != FTW_DP)
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    st = sl_file_sync(fd);
    close(fd);
    return st == SL_OK ? 0 : -1;
}

static sl_status publish(const char *folder, const char *path, const char *checkpoints)
{
    if (nftw(folder, sync_entry, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT))
        return SL_FAIL(SL_EIO, "want to fsync its files, found: %s", strerror(errno));
    if (rename(folder, path))
        return SL_FAIL(errno == ENOTEMPTY || errno == EEXIST ? SL_EARG : SL_EIO,
                       "want to publish a new checkpoint, found: %s", strerror(errno));
    return sl_file_sync_folder(checkpoints);
}

sl_status sl_run_checkpoint_publish(sl_run *run, const char *folder, int64_t step)
{
    char path[SL_RUN_PATH], checkpoints[SL_RUN_PATH];

    SL_TRY(sl_run_sync(run));
    if (step > 0 && sl_writer_durable_step(run->writer) < step)
        return sl_err_where(SL_FAIL(SL_EARG,
                                    "want a checkpoint of a committed step, found %lld "
                                    "after %lld",
                                    (long long)step,
                                    (long long)sl_writer_durable_step(run->writer)),
                            "%s", folder);
    SL_TRY(sl_checkpoint_path(path, run->path, step));
    SL_TRY(sl_file_join(checkpoints, sizeof checkpoints, run->path, "checkpoints"));
    SL_TRY(sl_sums_write(folder));
    SL_TRY(sl_err_where(publish(folder, path, checkpoints), "%s", path));
    return sl_run_event(run, SL_EVENT_CHECKPOINT, (double)step, NULL);
}

static sl_status forget(sl_run *run, int64_t step)
{
    char path[SL_RUN_PATH], dead[SL_RUN_PATH + 8], checkpoints[SL_RUN_PATH];

    SL_TRY(sl_checkpoint_path(path, run->path, step));
    SL_TRY(sl_file_join(checkpoints, sizeof checkpoints, run->path, "checkpoints"));
    snprintf(dead, sizeof dead, "%s.tmp", path);
    if (rename(path, dead))
        return sl_err_where(
            SL_FAIL(SL_EIO, "want to remove this checkpoint, found: %s", strerror(errno)), "%s",
            path);
    SL_TRY(sl_file_sync_folder(checkpoints));
    SL_TRY(sl_file_remove_tree(dead));
    return sl_run_event(run, SL_EVENT_CHECKPOINT, (double)step, "removed: newer ones are kept");
}

sl_status sl_run_checkpoint_keep(sl_run *run, size_t keep)
{
    sl_checkpoint_span span;

    SL_TRY(sl_checkpoint_span_of(&span, run->path));
    while (span.count > (keep ? keep : 1)) {
        SL_TRY(forget(run, span.oldest));
        SL_TRY(sl_checkpoint_span_of(&span, run->path));
    }
    return SL_OK;
}
