/* The child, its socket and windows, and what the parent makes of its end. */
#include "run/cage_int.h"

#include "run/h5_int.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONFINE_FAILED = 3, WINDOWS = 2 }; /* exit code of a child without its limits */
#define NEXT_PART UINT32_MAX              /* instead of the length of a question */

/* What the socket carries for an answer and for each of its parts. */
typedef struct frame {
    int32_t status;
    uint64_t bytes; /* of all parts */
    uint32_t part;  /* bytes in the window */
    unsigned char head[SL_CAGE_HEAD];
    char message[512], place[512], hint[512];
} frame;

sl_cage_limits sl_cage_limits_for(uint64_t file_bytes, uint64_t array_bytes)
{
    const uint64_t library = (uint64_t)256 << 20; /* caches, chunks, the library's own tables */
    const unsigned seconds = 20 + (unsigned)(file_bytes >> 22 > 3600 ? 3600 : file_bytes >> 22);

    /* A file that costs time costs time of the processor. Patience is for a child that stands
     * still; a sound one gets little of a busy machine. */
    return (sl_cage_limits){ .memory_bytes = library + 2 * array_bytes,
                             .cpu_s = seconds,
                             .wait_s = 15 * (int)seconds };
}

/* --- the child */

static int read_all(int fd, void *to, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = read(fd, (char *)to + done, bytes - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        done += (size_t)n;
    }
    return 1;
}

static int write_all(int fd, const void *from, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = write(fd, (const char *)from + done, bytes - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        done += (size_t)n;
    }
    return 1;
}

/* The child at work. */
typedef struct desk {
    const sl_cage_work *work;
    unsigned char *windows;
    sl_cage_answer answer;
    uint64_t put; /* bytes of it that were put into windows */
    unsigned turn;
    frame next; /* of the part that comes next */
} desk;

static unsigned char *window_of(unsigned char *windows, unsigned turn)
{
    return windows + turn % WINDOWS * (size_t)SL_CAGE_WINDOW;
}

/* The next part into its window, and its frame; none when everything was put. */
static void put_part(desk *d, sl_status st)
{
    const uint64_t left = d->answer.bytes - d->put;
    unsigned char *window = window_of(d->windows, d->turn++);
    frame *f = &d->next;
    size_t n = left < SL_CAGE_WINDOW ? (size_t)left : SL_CAGE_WINDOW;

    if (st == SL_OK && left && d->answer.part)
        st = d->answer.part(&n, window, d->work->state);
    else if (st == SL_OK && left)
        memcpy(window, (const unsigned char *)d->answer.data + d->put, n);
    d->put += n;
    *f = (frame){ .status = (int32_t)st, .bytes = d->answer.bytes, .part = (uint32_t)n };
    memcpy(f->head, d->answer.head, sizeof f->head);
    (void)snprintf(f->message, sizeof f->message, "%s", sl_err_message());
    (void)snprintf(f->place, sizeof f->place, "%s", sl_err_place());
    (void)snprintf(f->hint, sizeof f->hint, "%s", sl_err_hint_text());
    sl_err_clear();
}

static void answer(desk *d, const void *question, size_t bytes)
{
    sl_status st;

    d->answer = (sl_cage_answer){ .bytes = 0 };
    st = d->work->answer(&d->answer, d->work->state, question, bytes);
    if (st != SL_OK)
        d->answer.bytes = 0;
    d->put = d->turn = 0;
    put_part(d, st);
}

/* While the parent takes a part, the next one is made. */
static void serve(int fd, const sl_cage_work *work, unsigned char *windows)
{
    unsigned char question[SL_CAGE_QUESTION];
    desk d = { .work = work, .windows = windows };
    uint32_t bytes;

    while (read_all(fd, &bytes, sizeof bytes)) {
        if (bytes != NEXT_PART) {
            if (bytes > sizeof question || !read_all(fd, question, bytes))
                break;
            answer(&d, question, bytes);
        }
        if (!write_all(fd, &d.next, sizeof d.next))
            break;
        if (d.next.status == SL_OK && d.put < d.answer.bytes)
            put_part(&d, SL_OK);
    }
}

/* What the parent does on a signal is not the child's to do. The parent answers Ctrl-C. */
static void reset_signals(void)
{
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGPIPE };
    struct sigaction act = { .sa_handler = SIG_DFL };

    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        (void)sigaction(fatal[i], &act, NULL);
    act.sa_handler = SIG_IGN;
    (void)sigaction(SIGINT, &act, NULL);
}

static _Noreturn void live(int file_fd, int socket_fd, const sl_cage_work *work,
                           const sl_cage *cage)
{
    sl_err_clear();
    sl_h5_forked();
    reset_signals();
    if (!sl_cage_confine(file_fd, socket_fd, &cage->limits))
        _exit(CONFINE_FAILED);
    serve(socket_fd, work, cage->windows);
    _exit(0);
}

/* --- the parent */

static sl_status open_windows(sl_cage *cage)
{
    void *w = mmap(NULL, WINDOWS * (size_t)SL_CAGE_WINDOW, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (w == MAP_FAILED)
        return SL_FAIL(SL_ENOMEM, "want memory that two processes share, found: %s",
                       strerror(errno));
    cage->windows = w;
    return SL_OK;
}

static void close_windows(sl_cage *cage)
{
    if (cage->windows)
        (void)munmap(cage->windows, WINDOWS * (size_t)SL_CAGE_WINDOW);
    cage->windows = NULL;
}

static sl_status start(sl_cage *cage, int file_fd, const sl_cage_work *work)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return SL_FAIL(SL_EIO, "want a socket to a child process, found: %s", strerror(errno));
    sl_h5_begin(); /* no other thread is inside the library while it is copied */
    pid = fork();
    if (pid == 0)
        live(file_fd, pair[1], work, cage);
    sl_h5_end();
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        return SL_FAIL(SL_EIO, "want a child process to read in, found: %s", strerror(errno));
    }
    cage->pid = pid;
    cage->fd = pair[0];
    return SL_OK;
}

sl_status sl_cage_open(sl_cage *out, int file_fd, const sl_cage_work *work,
                       const sl_cage_limits *limits)
{
    sl_status st;

    *out = (sl_cage){ .fd = -1, .limits = *limits };
    st = open_windows(out);
    if (st == SL_OK)
        st = start(out, file_fd, work);
    if (st != SL_OK)
        close_windows(out);
    return st;
}

/* Takes the child's end away; returns its wait status, or -1 when there is none to be had. */
static int reap(sl_cage *cage, int is_kill)
{
    int status = -1;
    pid_t got;

    if (cage->fd >= 0)
        (void)close(cage->fd);
    if (is_kill)
        (void)kill(cage->pid, SIGKILL);
    do {
        got = waitpid(cage->pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    cage->pid = 0;
    cage->fd = -1;
    close_windows(cage);
    return got < 0 ? -1 : status;
}

static sl_status how_it_ended(int status)
{
    if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == CONFINE_FAILED)
        return SL_FAIL(SL_EIO, "want limits for the process that reads, found them refused");
    if (status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return SL_FAIL(SL_EFORMAT, "want a file that can be read, found one that takes too long");
    if (status >= 0 && WIFSIGNALED(status))
        return SL_FAIL(SL_EFORMAT,
                       "want a file that can be read, found one that ends libhdf5 by signal %d",
                       WTERMSIG(status));
    return SL_FAIL(SL_EFORMAT, "want a file that can be read, found one that ends libhdf5");
}

static sl_status lose(sl_cage *cage)
{
    return sl_err_hint(how_it_ended(reap(cage, 0)),
                       "it was read in a process of its own; nothing of it was taken");
}

static sl_status time_out(sl_cage *cage)
{
    const int seconds = cage->limits.wait_s;

    (void)reap(cage, 1);
    return sl_err_hint(SL_FAIL(SL_EFORMAT,
                               "want a file that can be read, found one without an answer in %d s",
                               seconds),
                       "it was read in a process of its own; nothing of it was taken");
}

static sl_status receive(void *to, size_t bytes, sl_cage *cage)
{
    for (size_t done = 0; done < bytes;) {
        struct pollfd p = { .fd = cage->fd, .events = POLLIN };
        const int ready = poll(&p, 1, cage->limits.wait_s * 1000);
        ssize_t n;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return time_out(cage);
        n = recv(cage->fd, (char *)to + done, bytes - done, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lose(cage);
        done += (size_t)n;
    }
    return SL_OK;
}

/* Questions fit into the socket's buffer, so this does not wait. */
static sl_status send_all(sl_cage *cage, const void *from, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = send(cage->fd, (const char *)from + done, bytes - done, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lose(cage);
        done += (size_t)n;
    }
    return SL_OK;
}

/* Words of a process that may not be ours any more: one line of printable text. */
static void scrub(char *text, size_t size)
{
    text[size - 1] = '\0';
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

/* Taken over: it says what cannot be. */
static sl_status no_sense(void)
{
    return SL_FAIL(SL_EFORMAT, "want an answer about the file, found none that makes sense");
}

static sl_status repeat_failure(frame *f)
{
    sl_status st;

    scrub(f->message, sizeof f->message);
    scrub(f->place, sizeof f->place);
    scrub(f->hint, sizeof f->hint);
    if (f->status < 0 || f->status >= SL_STATUS_COUNT || !f->message[0])
        return no_sense();
    st = SL_FAIL((sl_status)f->status, "%s", f->message);
    if (f->place[0])
        st = sl_err_where(st, "%s", f->place);
    return f->hint[0] ? sl_err_hint(st, "%s", f->hint) : st;
}

/* The frame of a part, which stands in its window then. */
static sl_status receive_part(frame *f, sl_cage *cage)
{
    SL_TRY(receive(f, sizeof *f, cage));
    if (f->status != SL_OK)
        return repeat_failure(f);
    if (f->part > SL_CAGE_WINDOW)
        return no_sense();
    cage->have = f->part;
    cage->used = 0;
    return SL_OK;
}

static sl_status ask_next_part(sl_cage *cage)
{
    const uint32_t what = NEXT_PART;
    frame f;

    SL_TRY(send_all(cage, &what, sizeof what));
    cage->turn++;
    SL_TRY(receive_part(&f, cage));
    if (!f.part || f.part > cage->left)
        return no_sense();
    cage->left -= f.part;
    return SL_OK;
}

static sl_status want_child(const sl_cage *cage)
{
    if (!cage->pid)
        return SL_FAIL(SL_EFORMAT, "want the process that reads this file, found it ended");
    return SL_OK;
}

sl_status sl_cage_ask(sl_cage_answer *answer, sl_cage *cage, const void *question, size_t bytes)
{
    const uint32_t length = (uint32_t)bytes;
    frame f;

    SL_CHECK(bytes <= SL_CAGE_QUESTION);
    SL_TRY(want_child(cage));
    SL_TRY(send_all(cage, &length, sizeof length));
    SL_TRY(send_all(cage, question, bytes));
    cage->turn = 0;
    cage->left = 0;
    SL_TRY(receive_part(&f, cage));
    if (f.part > f.bytes || (f.bytes && !f.part))
        return no_sense();
    cage->left = f.bytes - f.part;
    *answer = (sl_cage_answer){ .bytes = f.bytes };
    memcpy(answer->head, f.head, sizeof answer->head);
    return SL_OK;
}

sl_status sl_cage_take(void *to, size_t bytes, sl_cage *cage)
{
    SL_TRY(want_child(cage));
    SL_CHECK(bytes <= cage->left + (cage->have - cage->used));
    for (size_t done = 0; done < bytes;) {
        size_t n = cage->have - cage->used;

        if (!n) {
            SL_TRY(ask_next_part(cage));
            continue;
        }
        n = n < bytes - done ? n : bytes - done;
        memcpy((char *)to + done, window_of(cage->windows, cage->turn) + cage->used, n);
        cage->used += n;
        done += n;
    }
    return SL_OK;
}

void sl_cage_close(sl_cage *cage)
{
    if (cage->pid)
        (void)reap(cage, 1);
}
