#include "remote/remote_int.h"
#include <math.h>
#include <stddef.h>
#include <time.h>

double sl_remote_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

sl_status sl_remote_stopped(const volatile int *stop)
{
    if (!stop || !*stop)
        return SL_OK;
    return SL_FAIL(SL_EINTERRUPT, "want an answer from outside, found a request to stop");
}

int sl_remote_slice_ms(double until)
{
    const double ms = ceil(1e3 * (until - sl_remote_now()));

    return ms <= 0.0 ? 0 : ms < SL_REMOTE_SLICE_MS ? (int)ms : SL_REMOTE_SLICE_MS;
}

sl_status sl_remote_wait(double seconds, const volatile int *stop)
{
    const double until = sl_remote_now() + seconds;

    for (int ms; (ms = sl_remote_slice_ms(until)) > 0;) {
        const struct timespec nap = { 0, ms * 1000000L };

        SL_TRY(sl_remote_stopped(stop));
        nanosleep(&nap, NULL);
    }
    return sl_remote_stopped(stop);
}

static int is_pending(void)
{
    sigset_t set;

    sigpending(&set);
    return sigismember(&set, SIGPIPE) == 1;
}

void sl_sigpipe_hold(sl_sigpipe *held)
{
    sigset_t set;

    held->was_pending = is_pending();
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &held->old);
}

void sl_sigpipe_release(const sl_sigpipe *held)
{
    sigset_t set;
    int number;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    if (!held->was_pending && is_pending())
        sigwait(&set, &number); /* ours: taken before anyone can see it */
    pthread_sigmask(SIG_SETMASK, &held->old, NULL);
}

void sl_remote_quote(char *out, size_t size, const char *text, size_t bytes)
{
    const size_t skip = bytes > size - 1 ? bytes - (size - 1) : 0;
    size_t n = 0;

    for (size_t i = skip; i < bytes; i++) {
        const unsigned char c = (unsigned char)text[i];
        const int is_blank = c <= 0x20 || c == 0x7f;

        if (is_blank && (!n || out[n - 1] == ' '))
            continue;
        out[n++] = is_blank ? ' ' : (char)c;
    }
    if (n && out[n - 1] == ' ')
        n--;
    out[n] = 0;
}
