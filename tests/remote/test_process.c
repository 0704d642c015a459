/* Commands that work, die, hang, babble: what they said is given or one clear error, nothing blocks
 * for ever, no process and no descriptor stays. */
#include "base/alloc.h"
#include "base/file.h"
#include "harness/harness.h"
#include "remote/process.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BIG = 3 << 20 };

/* What came back. */
typedef struct heard {
    size_t lines, want; /* done after `want` lines */
    size_t bytes;
    char last[256];
} heard;

static sl_status hear(void *with, int *is_done, const char *line, size_t bytes)
{
    heard *h = with;

    h->lines++;
    h->bytes += bytes;
    snprintf(h->last, sizeof h->last, "%.*s", bytes < 255 ? (int)bytes : 255, line);
    *is_done = h->lines == h->want;
    return SL_OK;
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;

    if (!folder)
        return -1; /* another system: not counted */
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static sl_process *start(const char *command)
{
    sl_process_settings set = sl_process_defaults();
    sl_process *p = NULL;

    set.command = command;
    T_OK(sl_process_open(&p, &set));
    return p;
}

/* One exchange with a command of its own; then nothing is left. */
static sl_status ask(heard *h, const char *command, const char *text, size_t bytes,
                     double timeout_s)
{
    const int before = open_descriptors();
    sl_process *p = start(command);
    const sl_status st = sl_process_exchange(p, text, bytes, timeout_s, hear, h);

    sl_process_close(&p);
    assert_null(p);
    assert_int_equal(open_descriptors(), before);
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* no zombie */
    return st;
}

static void test_lines_go_and_come(void **state)
{
    sl_process *p = start("while read -r l; do echo \"<$l>\"; done");

    (void)state;
    for (int i = 0; i < 3; i++) {
        heard h = { .want = 2 };

        T_OK(sl_process_exchange(p, "one\ntwo\n", 8, 10.0, hear, &h));
        assert_int_equal(h.lines, 2);
        assert_string_equal(h.last, "<two>");
    }
    sl_process_close(&p);
}

/* 3 MiB each way through pipes of 64 KiB: who waited for one side only would wait for ever. */
static void test_full_pipes_do_not_deadlock(void **state)
{
    heard h = { .want = 3 };
    char *text;

    (void)state;
    T_OK(sl_take(&text, BIG, 1));
    memset(text, 'x', BIG);
    for (size_t i = 1; i <= 3; i++)
        text[i * (1 << 20) - 1] = '\n';
    T_OK(ask(&h, "cat", text, BIG, 30.0));
    assert_int_equal(h.bytes, BIG - 3);
    /* and one that fills its stderr and its stdout before it reads */
    h = (heard){ .want = 20001 };
    T_OK(ask(&h, "seq 100000 >&2; seq 20000; head -c 3145728 | wc -c", text, BIG, 30.0));
    assert_true(strstr(h.last, "3145728") != NULL);
    sl_free(text);
}

/* What a command sees of our environment with `env` named; *st: of the start. */
static void look_at_environment(char *last, size_t size, const char *env)
{
    sl_process_settings set = sl_process_defaults();
    heard h = { .want = 1 };
    sl_process *p = NULL;

    set.command = "read -r l; echo \"$T_SECRET:$T_WANTED:${PATH:+path}:$LC_T\"";
    set.env = env;
    T_OK(sl_process_open(&p, &set));
    T_OK(sl_process_exchange(p, "q\n", 2, 10.0, hear, &h));
    sl_process_close(&p);
    (void)snprintf(last, size, "%s", h.last);
}

static void test_the_environment_is_named(void **state)
{
    sl_process_settings set = sl_process_defaults();
    sl_process *p = NULL;
    char last[256];

    (void)state;
    assert_int_equal(setenv("T_SECRET", "key", 1), 0);
    assert_int_equal(setenv("T_WANTED", "gpu 0", 1), 0);
    assert_int_equal(setenv("LC_T", "C", 1), 0);
    look_at_environment(last, sizeof last, NULL);
    assert_string_equal(last, "::path:C");
    look_at_environment(last, sizeof last, " T_WANTED  LC_T ");
    assert_string_equal(last, ":gpu 0:path:C");
    look_at_environment(last, sizeof last, "T_WANTED T_SECRET");
    assert_string_equal(last, "key:gpu 0:path:C");
    set.command = "cat";
    set.env = "T_WANTED T_WANT";
    T_FAILS(sl_process_open(&p, &set), SL_EARG, "want the environment variable T_WANT, found none");
    assert_null(p);
}

/* Questions reach the command as lines on its stdin: nothing in them is the shell's. */
static void test_data_is_not_the_shells(void **state)
{
    static const char text[] = "$(touch made) `touch made` ; touch made | touch made && $HOME\n";
    heard h = { .want = 1 };
    char folder[4096];

    (void)state;
    assert_non_null(getcwd(folder, sizeof folder));
    assert_int_equal(chdir(t_scratch()), 0);
    T_OK(ask(&h, "cat", text, sizeof text - 1, 10.0));
    assert_memory_equal(h.last, text, sizeof text - 2);
    assert_int_not_equal(access("made", F_OK), 0);
    assert_int_equal(chdir(folder), 0);
    t_scratch_remove();
}

static void test_a_dead_command_says_its_last_words(void **state)
{
    heard h = { .want = 2 };

    (void)state;
    T_FAILS(ask(&h, "read -r l; echo one; echo 'CUDA out\nof memory' >&2; exit 3", "q\n", 2, 10.0),
            SL_EIO, "ended by exit code 3; it said: CUDA out of memory");
    assert_int_equal(h.lines, 1); /* what was said before stays said */
    T_FAILS(ask(&h, "kill -9 $$", "q\n", 2, 10.0), SL_EIO, "ended by signal 9");
    T_FAILS(ask(&h, "no-such-judge-anywhere", "q\n", 2, 10.0), SL_EIO, "ended by exit code 127");
}

/* Dead before anything was written: no SIGPIPE reaches the program, whose handling of it stays. */
static void test_writing_to_the_dead(void **state)
{
    heard h = { .want = 1 };
    struct sigaction action;
    sigset_t pending;
    char *text;

    (void)state;
    T_OK(sl_take(&text, BIG, 1));
    T_FAILS(ask(&h, "exit 0", text, BIG, 10.0), SL_EIO, "ended by exit code 0");
    sl_free(text);
    assert_false(sigaction(SIGPIPE, NULL, &action));
    assert_true(action.sa_handler == SIG_DFL);
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGPIPE));
}

static void test_silence_has_an_end(void **state)
{
    heard h = { .want = 1 };
    const double begun = now();

    (void)state;
    T_FAILS(ask(&h, "echo loading >&2; sleep 1000", "q\n", 2, 0.3), SL_EIO,
            "within 0.3 s, found too few; it said: loading");
    T_FAILS(ask(&h, "trap '' TERM; while :; do sleep 1; done", "q\n", 2, 0.3), SL_EIO,
            "within 0.3 s");
    T_FAILS(ask(&h, "while :; do echo babble >&2; done", "q\n", 2, 0.3), SL_EIO, "within 0.3 s");
    assert_true(now() - begun < 15.0);
}

static void test_a_closed_end(void **state)
{
    heard h = { .want = 1 };
    char *text;

    (void)state;
    T_OK(sl_take(&text, BIG, 1)); /* more than a pipe holds */
    T_FAILS(ask(&h, "exec >&-; sleep 1000", "q\n", 2, 10.0), SL_EIO, "closed its stdout");
    T_FAILS(ask(&h, "exec <&-; sleep 1000", text, BIG, 10.0), SL_EIO, "closed its stdin");
    sl_free(text);
}

static void test_a_giant_line_is_refused(void **state)
{
    heard h = { .want = 1 };

    (void)state;
    T_FAILS(ask(&h, "head -c 100000000 /dev/zero", "q\n", 2, 10.0), SL_EFORMAT,
            "want lines of at most 1048576 bytes");
    assert_int_equal(h.lines, 0);
}

static void test_an_answer_before_the_question(void **state)
{
    heard h = { .want = 1 };
    char *text;

    (void)state;
    T_OK(sl_take(&text, BIG, 1));
    T_FAILS(ask(&h, "echo early; sleep 1000", text, BIG, 10.0), SL_EFORMAT,
            "want answers after the questions");
    sl_free(text);
}

static void test_a_request_to_stop(void **state)
{
    static volatile int stop;
    sl_process_settings set = sl_process_defaults();
    sl_process *p = NULL;
    heard h = { .want = 1 };

    (void)state;
    stop = 1;
    set.command = "sleep 1000";
    set.stop = &stop;
    T_OK(sl_process_open(&p, &set));
    T_FAILS(sl_process_exchange(p, "q\n", 2, 10.0, hear, &h), SL_EINTERRUPT, "request to stop");
    sl_process_close(&p);
}

/* Whether a process is there and not a zombie that waits for init. */
static int is_alive(int pid)
{
    char path[64], *text = NULL;
    size_t bytes = 0;
    int alive;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (sl_file_read(&text, &bytes, path, 4096) != SL_OK) {
        sl_err_clear();
        return 0;
    }
    alive = strstr(text, ") Z ") == NULL;
    sl_free(text);
    return alive;
}

static void test_children_of_the_command_go_with_it(void **state)
{
    /* one that stays until it is told, one that ends with its input and leaves a child behind */
    static const char *const commands[] = { "sleep 1000 & echo $!; wait",
                                            "sleep 1000 & echo $!; read -r l" };

    (void)state;
    for (size_t c = 0; c < 2; c++) {
        sl_process *p = start(commands[c]);
        heard h = { .want = 1 };
        int pid;

        T_OK(sl_process_exchange(p, "", 0, 10.0, hear, &h));
        pid = atoi(h.last);
        assert_true(pid > 1 && !kill(pid, 0));
        sl_process_close(&p);
        for (int i = 0; i < 200 && is_alive(pid); i++)
            usleep(10000);
        assert_false(is_alive(pid));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_go_and_come),
        cmocka_unit_test(test_full_pipes_do_not_deadlock),
        cmocka_unit_test(test_the_environment_is_named),
        cmocka_unit_test(test_data_is_not_the_shells),
        cmocka_unit_test(test_a_dead_command_says_its_last_words),
        cmocka_unit_test(test_writing_to_the_dead),
        cmocka_unit_test(test_silence_has_an_end),
        cmocka_unit_test(test_a_closed_end),
        cmocka_unit_test(test_a_giant_line_is_refused),
        cmocka_unit_test(test_an_answer_before_the_question),
        cmocka_unit_test(test_a_request_to_stop),
        cmocka_unit_test(test_children_of_the_command_go_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
