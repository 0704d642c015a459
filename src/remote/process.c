/* Invariants: 1. all three descriptors are ours alone (close-on-exec) and never block. 2. `pid` is
 * not reaped before close, so that no other process can get its number while we hold it. 3. Reading
 * never waits for writing nor writing for reading: one poll over all three. */
#include "remote/process.h"
#include "base/alloc.h"
#include "remote/remote_int.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 1 << 16,
    TAIL_BYTES = 2048,
    SAID_BYTES = 240,
    CLOSE_MS = 1000,
    NAP_MS = 5,
    LAST_READS = 8
};
enum { IN, OUT, ERR, PIPES }; /* of the program */

struct sl_process {
    pid_t pid;
    int fd[PIPES]; /* our ends; -1: closed */
    char *line;    /* (capacity) what came and is not taken yet */
    size_t used, capacity, scanned;
    char tail[TAIL_BYTES]; /* the last of its stderr */
    size_t tail_used;
    size_t most_line_bytes;
    int is_spoiled; /* an exchange failed: there is nothing to wait for */
    const volatile int *stop;
};

sl_process_settings sl_process_defaults(void)
{
    return (sl_process_settings){ .most_line_bytes = 1 << 20 };
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* --- start ----------------------------------------------------------------------------------- */

/* A pipe whose ends are above the standard descriptors, so that the child can place them. */
static sl_status make_pipe(int end[2])
{
    int low[2];

    if (pipe(low))
        return SL_FAIL(SL_EIO, "want a pipe, found: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        end[i] = fcntl(low[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        close(low[i]);
    }
    if (end[0] < 0 || end[1] < 0)
        return SL_FAIL(SL_EIO, "want a pipe, found: %s", strerror(errno));
    return SL_OK;
}

static int spawn(pid_t *pid, const int theirs[PIPES], const char *command, char **environment)
{
    char *const words[] = { "sh", "-c", (char *)(size_t)command, NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, usual;
    int failed;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    for (int i = 0; i < PIPES; i++)
        posix_spawn_file_actions_adddup2(&files, theirs[i], i);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &usual);
    failed = posix_spawn(pid, "/bin/sh", &files, &how, words, environment);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

static sl_status start(sl_process *p, const char *command, char **environment)
{
    int theirs[PIPES] = { -1, -1, -1 }, failed;
    sl_status st = SL_OK;

    for (int i = 0; i < PIPES; i++) {
        int end[2] = { -1, -1 };

        st = make_pipe(end);
        p->fd[i] = end[i == IN];
        theirs[i] = end[i != IN];
        if (st == SL_OK && fcntl(p->fd[i], F_SETFL, O_NONBLOCK))
            st = SL_FAIL(SL_EIO, "want a pipe that does not block, found: %s", strerror(errno));
        if (st != SL_OK)
            goto out;
    }
    failed = spawn(&p->pid, theirs, command, environment);
    if (failed) {
        p->pid = 0;
        st = SL_FAIL(SL_EIO, "want to start /bin/sh, found: %s", strerror(failed));
    }
out:
    for (int i = 0; i < PIPES; i++)
        shut(&theirs[i]);
    return st;
}

sl_status sl_process_open(sl_process **out, const sl_process_settings *settings)
{
    sl_process *p = NULL;
    char **environment = NULL;
    sl_status st;

    *out = NULL;
    SL_TRY(sl_environment_take(&environment, settings->env));
    st = sl_take(&p, 1, sizeof *p);
    if (st != SL_OK)
        goto out;
    for (int i = 0; i < PIPES; i++)
        p->fd[i] = -1;
    p->most_line_bytes = settings->most_line_bytes;
    p->stop = settings->stop;
    st = start(p, settings->command, environment);
    if (st != SL_OK)
        sl_process_close(&p);
    *out = p;
out:
    sl_free(environment);
    return st;
}

/* --- end ------------------------------------------------------------------------------------- */

/* Whether it has ended; it stays to be reaped. *info: how. */
static int has_ended(siginfo_t *info, const sl_process *p)
{
    *info = (siginfo_t){ 0 };
    return !waitid(P_PID, (id_t)p->pid, info, WEXITED | WNOHANG | WNOWAIT) &&
           info->si_pid == p->pid;
}

static int wait_for_end(siginfo_t *info, const sl_process *p, int ms)
{
    const struct timespec nap = { 0, NAP_MS * 1000000L };

    for (; ms > 0 && !has_ended(info, p); ms -= NAP_MS)
        nanosleep(&nap, NULL);
    return has_ended(info, p);
}

void sl_process_close(sl_process **process)
{
    sl_process *p = *process;
    siginfo_t info;

    if (!p)
        return;
    for (int i = 0; i < PIPES; i++)
        shut(&p->fd[i]);
    if (p->pid) {
        if (!wait_for_end(&info, p, p->is_spoiled ? 0 : CLOSE_MS) && !kill(-p->pid, SIGTERM))
            wait_for_end(&info, p, CLOSE_MS);
        kill(-p->pid, SIGKILL); /* before it is reaped: the group's number is still ours */
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    sl_free(p->line);
    sl_free(p);
    *process = NULL;
}

/* --- talk ------------------------------------------------------------------------------------ */

static void keep_tail(sl_process *p, const char *text, size_t bytes)
{
    if (bytes > TAIL_BYTES) {
        text += bytes - TAIL_BYTES;
        bytes = TAIL_BYTES;
    }
    if (p->tail_used + bytes > TAIL_BYTES) {
        const size_t drop = p->tail_used + bytes - TAIL_BYTES;

        memmove(p->tail, p->tail + drop, p->tail_used - drop);
        p->tail_used -= drop;
    }
    memcpy(p->tail + p->tail_used, text, bytes);
    p->tail_used += bytes;
}

/* One read; 0 at the end of the stream, which is closed then. */
static ssize_t read_some(char *buffer, int *fd)
{
    const ssize_t n = *fd < 0 ? 0 : read(*fd, buffer, READ_BYTES);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return -1;
    if (n <= 0)
        shut(fd);
    return n < 0 ? 0 : n;
}

static void read_errors(sl_process *p)
{
    char buffer[READ_BYTES];
    const ssize_t n = read_some(buffer, &p->fd[ERR]);

    if (n > 0)
        keep_tail(p, buffer, (size_t)n);
}

/* *is_over: nothing will come any more. */
static sl_status read_answers(sl_process *p, int *is_over)
{
    ssize_t n;

    SL_TRY(sl_grow(&p->line, &p->capacity, p->used + READ_BYTES, 1));
    n = read_some(p->line + p->used, &p->fd[OUT]);
    *is_over = n == 0;
    if (n > 0)
        p->used += (size_t)n;
    return SL_OK;
}

/* *is_over: it reads no more. */
static void write_some(sl_process *p, const char **text, size_t *bytes, int *is_over)
{
    sl_sigpipe held;
    ssize_t n;

    sl_sigpipe_hold(&held);
    n = write(p->fd[IN], *text, *bytes);
    *is_over = n < 0 && errno != EAGAIN && errno != EINTR;
    sl_sigpipe_release(&held);
    if (n > 0) {
        *text += n;
        *bytes -= (size_t)n;
    }
}

static void last_words(char said[SAID_BYTES + 32], sl_process *p)
{
    char quote[SAID_BYTES];

    for (int reads = 0; reads < LAST_READS && p->fd[ERR] >= 0; reads++)
        read_errors(p); /* does not block */
    sl_remote_quote(quote, sizeof quote, p->tail, p->tail_used);
    snprintf(said, SAID_BYTES + 32, "%s%s", *quote ? "; it said: " : "", quote);
}

static sl_status it_ended(sl_process *p)
{
    char said[SAID_BYTES + 32];
    siginfo_t info;

    if (!wait_for_end(&info, p, CLOSE_MS)) {
        last_words(said, p);
        return SL_FAIL(SL_EIO, "want answers of the command, found that it closed its %s%s",
                       p->fd[OUT] < 0 ? "stdout" : "stdin", said);
    }
    last_words(said, p);
    return SL_FAIL(SL_EIO, "want answers of the command, found that it ended by %s %d%s",
                   info.si_code == CLD_EXITED ? "exit code" : "signal", info.si_status, said);
}

static sl_status it_is_late(sl_process *p, double timeout_s)
{
    char said[SAID_BYTES + 32];

    last_words(said, p);
    return SL_FAIL(SL_EIO, "want answers of the command within %g s, found too few%s", timeout_s,
                   said);
}

static sl_status long_line(const sl_process *p)
{
    return SL_FAIL(SL_EFORMAT, "want lines of at most %zu bytes, found a longer one",
                   p->most_line_bytes);
}

/* Gives all whole lines to `line`, until it is done. */
static sl_status take_lines(sl_process *p, int *is_done, sl_process_line line, void *with)
{
    size_t begin = 0;
    sl_status st = SL_OK;

    while (st == SL_OK && !*is_done) {
        const size_t from = begin > p->scanned ? begin : p->scanned;
        const char *end = p->used > from ? memchr(p->line + from, '\n', p->used - from) : NULL;
        size_t bytes;

        p->scanned = p->used;
        if (!end)
            break;
        bytes = (size_t)(end - (p->line + begin));
        st =
            bytes > p->most_line_bytes ? long_line(p) : line(with, is_done, p->line + begin, bytes);
        begin += bytes + 1;
        p->scanned = begin;
    }
    if (begin)
        memmove(p->line, p->line + begin, p->used - begin);
    p->used -= begin;
    p->scanned -= begin;
    if (st == SL_OK && !*is_done && p->used > p->most_line_bytes)
        st = long_line(p);
    return st;
}

/* One wait for all three pipes and what there is to do on each. */
static sl_status attend(sl_process *p, const char **text, size_t *bytes, double until, int *is_over)
{
    struct pollfd wait[PIPES] = {
        { *bytes ? p->fd[IN] : -1, POLLOUT, 0 },
        { p->fd[OUT], POLLIN, 0 },
        { p->fd[ERR], POLLIN, 0 },
    };
    int reads_no_more = 0, says_no_more = 0;

    if (poll(wait, PIPES, sl_remote_slice_ms(until)) <= 0)
        return SL_OK;
    if (wait[ERR].revents)
        read_errors(p);
    if (wait[OUT].revents)
        SL_TRY(read_answers(p, &says_no_more));
    if (wait[IN].revents)
        write_some(p, text, bytes, &reads_no_more);
    /* a program that ended may have left answers in the pipe: they come first */
    *is_over = says_no_more || (reads_no_more && !wait[OUT].revents);
    return SL_OK;
}

static sl_status talk(sl_process *p, const char *text, size_t bytes, double timeout_s,
                      sl_process_line line, void *with)
{
    const double until = sl_remote_now() + timeout_s;
    int is_done = 0, is_over = 0;

    for (;;) {
        SL_TRY(take_lines(p, &is_done, line, with));
        if (is_done && bytes)
            return SL_FAIL(SL_EFORMAT,
                           "want answers after the questions, found %zu bytes of "
                           "questions unread",
                           bytes);
        if (is_done)
            return SL_OK;
        if (is_over)
            return it_ended(p);
        SL_TRY(sl_remote_stopped(p->stop));
        if (sl_remote_now() > until)
            return it_is_late(p, timeout_s);
        SL_TRY(attend(p, &text, &bytes, until, &is_over));
    }
}

sl_status sl_process_exchange(sl_process *process, const char *text, size_t bytes, double timeout_s,
                              sl_process_line line, void *with)
{
    const sl_status st = talk(process, text, bytes, timeout_s, line, with);

    process->is_spoiled = st != SL_OK;
    return st;
}
