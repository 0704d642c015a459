#include "cli/gnuplot.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMPLAINT_BYTES = 2048 };

static sl_status failed(const char *wanted, int cause)
{
    return SL_FAIL(SL_EIO, "want to %s, found: %s", wanted, strerror(cause));
}

/* The child reads nothing, its results are in files, and what it complains of is ours to tell. */
static int redirect(posix_spawn_file_actions_t *actions, int complaints)
{
    int bad = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    if (!bad)
        bad = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!bad)
        bad = posix_spawn_file_actions_adddup2(actions, complaints, STDERR_FILENO);
    return bad;
}

static sl_status spawn(pid_t *child, char *const *argv, int complaints)
{
    posix_spawn_file_actions_t actions;
    int bad = posix_spawn_file_actions_init(&actions);

    if (bad)
        return failed("prepare gnuplot", bad);
    bad = redirect(&actions, complaints);
    if (!bad)
        bad = posix_spawnp(child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (bad == ENOENT)
        return sl_err_hint(SL_FAIL(SL_EIO, "want gnuplot on the PATH, found none"),
                           "install the package gnuplot (Debian, Ubuntu: gnuplot-nox)");
    return bad ? failed("start gnuplot", bad) : SL_OK;
}

/* text (COMPLAINT_BYTES) = the end of what comes, cut at the front. */
static void listen_to(char *text, int from)
{
    size_t used = 0;

    for (;;) {
        ssize_t got;

        if (used == COMPLAINT_BYTES - 1) {
            used = COMPLAINT_BYTES / 2;
            memmove(text, text + COMPLAINT_BYTES - 1 - used, used);
        }
        got = read(from, text + used, COMPLAINT_BYTES - 1 - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    text[used] = 0;
}

/* The last line that says anything; cuts the text. */
static const char *last_line(char *text)
{
    size_t bytes = strlen(text);

    while (bytes && strchr(" \n\r\t", text[bytes - 1]))
        text[--bytes] = 0;
    while (bytes && text[bytes - 1] != '\n')
        bytes--;
    return text + bytes;
}

static sl_status wait_for(pid_t child, char *complaint)
{
    int how = 0;
    pid_t got;

    do
        got = waitpid(child, &how, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return failed("wait for gnuplot", errno);
    if (WIFSIGNALED(how))
        return SL_FAIL(SL_EIO, "want gnuplot to end by itself, found signal %d", WTERMSIG(how));
    if (WEXITSTATUS(how))
        return SL_FAIL(SL_EIO, "want gnuplot to draw, found exit %d: %s", WEXITSTATUS(how),
                       last_line(complaint));
    return SL_OK;
}

sl_status sl_gnuplot_run(const char *script, const char *const *argument)
{
    const char *words[SL_GNUPLOT_MOST + 5] = { "gnuplot", "-d", "-c", script };
    char *argv[SL_GNUPLOT_MOST + 5];
    char complaint[COMPLAINT_BYTES];
    int ends[2];
    pid_t child;
    sl_status st;

    for (size_t i = 0; argument[i]; i++) {
        SL_CHECK(i < SL_GNUPLOT_MOST);
        words[4 + i] = argument[i];
    }
    memcpy(argv, words, sizeof argv); /* exec's signature predates const; it changes nothing */
    if (pipe2(ends, O_CLOEXEC))
        return failed("make a pipe", errno);
    st = spawn(&child, argv, ends[1]);
    close(ends[1]);
    if (st == SL_OK) {
        listen_to(complaint, ends[0]);
        st = sl_err_where(wait_for(child, complaint), "%s", script);
    }
    close(ends[0]);
    return st;
}
