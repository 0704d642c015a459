/* What is durable in a run, without touching it. */
#include "run/run_int.h"

#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum { TRIES = 5 }; /* a live run may seal while we look */

sl_status sl_run_is_locked(int *answer, const char *run_path)
{
    char path[SL_RUN_PATH];
    int fd;

    *answer = 0;
    SL_TRY(sl_file_join(path, sizeof path, run_path, "lock"));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return SL_OK;
    *answer = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return SL_OK;
}

static sl_status look(sl_recovery *out, const char *path, const sl_run_identity *identity,
                      int is_running)
{
    sl_status st = SL_OK;

    for (int i = 0; i < TRIES; i++) {
        sl_err_clear();
        st = sl_recover_look(out, path, identity, 0, NULL, NULL);
        if (st == SL_OK || !is_running)
            break;
        sl_recovery_close(out);
    }
    return st;
}

sl_status sl_run_scan(sl_run_scan_result *out, const char *path)
{
    sl_run_identity identity;
    sl_recovery found = { 0 };
    char rank_folder[SL_RUN_PATH];
    sl_status st = SL_OK;

    *out =
        (sl_run_scan_result){ .last_step = -1, .newest_checkpoint = -1, .ended = SL_ENDED_KILLED };
    SL_TRY(sl_run_identity_load(&identity, path));
    SL_TRY_OUT(sl_run_is_locked(&out->is_running, path));
    SL_TRY_OUT(sl_checkpoint_newest(&out->newest_checkpoint, path));
    SL_TRY_OUT(sl_rank_folder(rank_folder, path, 0));
    if (!sl_file_exists(rank_folder)) /* killed while it was created: nothing is recorded */
        goto out;
    SL_TRY_OUT(look(&found, path, &identity, out->is_running));
    out->last_step = found.last_step;
    out->ended = found.ended;
    if (found.attempts.count)
        out->attempt = found.attempts.row[found.attempts.count - 1].attempt;
out:
    sl_recovery_close(&found);
    sl_run_identity_close(&identity);
    return st;
}
