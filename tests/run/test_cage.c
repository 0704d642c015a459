/* The child in which files from outside are read: whatever it does, the parent lives, says what
 * happened, and takes nothing; what it is not meant to do it cannot do. */
#include "harness/harness.h"

#include "base/alloc.h"
#include "run/cage_int.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 3 << 20 };

static unsigned char big[BIG];

static sl_status echo(sl_cage_answer *out, void *state, const void *question, size_t bytes)
{
    int *count = state;

    memcpy(out->head, question, bytes < SL_CAGE_HEAD ? bytes : SL_CAGE_HEAD);
    (*count)++;
    memset(big, *count, sizeof big);
    out->data = big;
    out->bytes = sizeof big;
    return SL_OK;
}

static sl_status refuse(sl_cage_answer *out, void *state, const void *question, size_t bytes)
{
    (void)out;
    (void)state;
    (void)question;
    (void)bytes;
    return sl_err_hint(sl_err_where(SL_FAIL(SL_ESHAPE, "want 3 rows, found\n2"), "/votes"), "look");
}

static sl_status crash(sl_cage_answer *out, void *state, const void *question, size_t bytes)
{
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)out;
    (void)state;
    (void)question;
    (void)bytes;
    *page = 1; /* a signal of the kernel's: the child may not send any */
    return SL_OK;
}

static sl_status spin(sl_cage_answer *out, void *state, const void *question, size_t bytes)
{
    volatile unsigned long turns = 0;

    (void)out;
    (void)state;
    (void)question;
    (void)bytes;
    for (;;)
        turns++;
    return SL_OK;
}

static sl_status stand_still(sl_cage_answer *out, void *state, const void *question, size_t bytes)
{
    char byte;

    (void)out;
    (void)question;
    (void)bytes;
    while (read(*(int *)state, &byte, 1) < 0) /* closed in the child: never an answer */
        continue;
    return SL_OK;
}

static sl_status babble(sl_cage_answer *out, void *state, const void *question, size_t bytes)
{
    (void)out;
    (void)state;
    (void)question;
    (void)bytes;
    return (sl_status)12345;
}

/* An answer in parts. */
typedef struct parts {
    uint64_t bytes;
    sl_status (*part)(size_t *bytes, void *window, void *state);
    size_t second; /* bytes of a second part that lies */
} parts;
static unsigned part_number;

static sl_status in_parts(sl_cage_answer *out, void *state, const void *question, size_t bytes)
{
    const parts *p = state;

    (void)question;
    (void)bytes;
    part_number = 0;
    out->bytes = p->bytes;
    out->part = p->part;
    return SL_OK;
}

/* 1, 2, 3, ... bytes, each of them the number of its part. */
static sl_status next_part(size_t *bytes, void *window, void *state)
{
    (void)state;
    *bytes = ++part_number;
    memset(window, (int)part_number, part_number);
    return SL_OK;
}

static sl_status part_that_fails(size_t *bytes, void *window, void *state)
{
    if (part_number < 2)
        return next_part(bytes, window, state);
    return sl_err_hint(sl_err_where(SL_FAIL(SL_ENOMEM, "want memory, found none"), "/x"), "less");
}

static sl_status part_that_crashes(size_t *bytes, void *window, void *state)
{
    return part_number < 2 ? next_part(bytes, window, state) : crash(NULL, NULL, NULL, 0);
}

/* What a child says that was taken over. */
static sl_status part_that_lies(size_t *bytes, void *window, void *state)
{
    (void)window;
    *bytes = part_number++ ? ((const parts *)state)->second : 1;
    return SL_OK;
}

/* Answers with a bit for each thing that it could do and must not. */
static sl_status try_everything(sl_cage_answer *out, void *state, const void *question,
                                size_t bytes)
{
    const char *path = state;
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)question;
    (void)bytes;
    out->head[0] = (unsigned char)((open("/etc/passwd", O_RDONLY) >= 0) |
                                   (open(path, O_WRONLY | O_CREAT, 0600) >= 0) << 1 |
                                   (socket(AF_INET, SOCK_STREAM, 0) >= 0) << 2 |
                                   (fork() >= 0) << 3 | (code != MAP_FAILED) << 4 |
                                   (kill(getppid(), 0) == 0) << 5 | (fcntl(0, F_GETFD) >= 0) << 6);
    return SL_OK;
}

static sl_status take_memory(sl_cage_answer *out, void *state, const void *question, size_t bytes)
{
    void *x = NULL;

    (void)out;
    (void)state;
    (void)question;
    (void)bytes;
    for (size_t i = 0; i < 64; i++) {
        SL_TRY(sl_take(&x, (size_t)32 << 20, 1));
        memset(x, 1, (size_t)32 << 20);
    }
    return SL_OK;
}

typedef sl_status (*answer_fn)(sl_cage_answer *, void *, const void *, size_t);

static sl_cage open_cage(answer_fn fn, void *state, sl_cage_limits limits)
{
    const sl_cage_work work = { .state = state, .answer = fn };
    const int fd = open("/dev/null", O_RDONLY);
    sl_cage cage;

    assert_true(fd >= 0);
    T_OK(sl_cage_open(&cage, fd, &work, &limits));
    (void)close(fd);
    return cage;
}

static const sl_cage_limits roomy = { (uint64_t)256 << 20, 60, 60 };

static void test_answers_come_whole(void **state)
{
    int count = 0;
    sl_cage cage = open_cage(echo, &count, roomy);
    unsigned char *got = malloc(BIG);

    (void)state;
    assert_non_null(got);
    for (int i = 1; i <= 3; i++) {
        sl_cage_answer answer;

        T_OK(sl_cage_ask(&answer, &cage, "question", sizeof "question"));
        assert_string_equal((const char *)answer.head, "question");
        assert_int_equal(answer.bytes, BIG);
        T_OK(sl_cage_take(got, BIG, &cage));
        assert_true(got[0] == i && got[BIG - 1] == i && !memcmp(got, got + 1, BIG - 1));
    }
    assert_int_equal(count, 0); /* the child counted in its own copy */
    free(got);
    sl_cage_close(&cage);
    sl_cage_close(&cage);
}

/* Byte i of 1, 2, 2, 3, 3, 3, ... */
static int byte_of_parts(unsigned i)
{
    unsigned part = 1;

    while (part * (part + 1) / 2 <= i)
        part++;
    return (int)part;
}

static void test_parts_are_taken_in_any_pieces(void **state)
{
    enum { TOTAL = 15 * 16 / 2 };
    parts whole = { TOTAL, next_part, 0 };
    sl_cage cage = open_cage(in_parts, &whole, roomy);
    unsigned char got[TOTAL];
    unsigned count;

    (void)state;
    for (unsigned piece = 1; piece <= TOTAL; piece++) {
        sl_cage_answer answer;

        T_OK(sl_cage_ask(&answer, &cage, "", 0)); /* what is left of the one before is let go */
        assert_int_equal(answer.bytes, TOTAL);
        for (count = 0; count + piece <= TOTAL; count += piece)
            T_OK(sl_cage_take(got + count, piece, &cage));
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(got[i], byte_of_parts(i));
    }
    assert_int_equal(sl_cage_take(got, TOTAL, &cage), SL_EINTERNAL); /* more than is left */
    sl_err_clear();
    sl_cage_close(&cage);
}

static void test_a_later_part_may_fail(void **state)
{
    parts some = { 120, part_that_fails, 0 };
    sl_cage cage = open_cage(in_parts, &some, roomy);
    unsigned char got[7];

    (void)state;
    for (int i = 0; i < 2; i++) {
        sl_cage_answer answer;

        T_OK(sl_cage_ask(&answer, &cage, "", 0));
        T_OK(sl_cage_take(got, 3, &cage));
        assert_int_equal(sl_cage_take(got + 3, 4, &cage), SL_ENOMEM);
        assert_string_equal(sl_err_message(), "want memory, found none");
        assert_string_equal(sl_err_place(), "/x");
        assert_string_equal(sl_err_hint_text(), "less");
        sl_err_clear();
    }
    sl_cage_close(&cage);
}

/* A later part that goes wrong is an error of the file that says `words`. */
static void part_goes_wrong(parts some, const char *words)
{
    sl_cage cage = open_cage(in_parts, &some, roomy);
    sl_cage_answer answer;
    static unsigned char got[SL_CAGE_WINDOW];

    T_OK(sl_cage_ask(&answer, &cage, "", 0));
    assert_int_equal(sl_cage_take(got, (size_t)answer.bytes, &cage), SL_EFORMAT);
    if (!strstr(sl_err_message(), words))
        fail_msg("want \"%s\", found \"%s\"", words, sl_err_message());
    sl_err_clear();
    sl_cage_close(&cage);
}

static void test_parts_that_go_wrong(void **state)
{
    static const size_t size[] = { 0, SL_CAGE_WINDOW, SL_CAGE_WINDOW + 1, SIZE_MAX };

    (void)state;
    part_goes_wrong((parts){ 120, part_that_crashes, 0 }, "signal 11");
    for (size_t i = 0; i < sizeof size / sizeof size[0]; i++)
        part_goes_wrong((parts){ SL_CAGE_WINDOW, part_that_lies, size[i] }, "makes sense");
}

static void test_failures_keep_their_words(void **state)
{
    sl_cage cage = open_cage(refuse, NULL, roomy);

    (void)state;
    for (int i = 0; i < 2; i++) {
        sl_cage_answer answer;

        assert_int_equal(sl_cage_ask(&answer, &cage, "", 0), SL_ESHAPE);
        assert_string_equal(sl_err_message(), "want 3 rows, found?2");
        assert_string_equal(sl_err_place(), "/votes");
        assert_string_equal(sl_err_hint_text(), "look");
        sl_err_clear();
    }
    sl_cage_close(&cage);
}

/* One way to go wrong: an error of the file that says `words`; the child is gone afterwards. */
static void goes_wrong(answer_fn fn, void *with, sl_cage_limits limits, const char *words)
{
    sl_cage cage = open_cage(fn, with, limits);
    sl_cage_answer answer;

    assert_int_equal(sl_cage_ask(&answer, &cage, "", 0), SL_EFORMAT);
    if (!strstr(sl_err_message(), words))
        fail_msg("want \"%s\", found \"%s\"", words, sl_err_message());
    sl_err_clear();
    assert_int_equal(sl_cage_ask(&answer, &cage, "", 0), SL_EFORMAT);
    sl_err_clear();
    sl_cage_close(&cage);
}

static void test_children_that_go_wrong(void **state)
{
    const sl_cage_limits short_of_time = { (uint64_t)256 << 20, 1, 60 };
    const sl_cage_limits short_of_patience = { (uint64_t)256 << 20, 60, 1 };

    (void)state;
    goes_wrong(crash, NULL, roomy, "signal 11");
    goes_wrong(spin, NULL, short_of_time, "takes too long");
    goes_wrong(babble, NULL, roomy, "makes sense");
    {
        int pair[2];

        assert_int_equal(pipe(pair), 0);
        goes_wrong(stand_still, &pair[0], short_of_patience, "without an answer in 1 s");
        (void)close(pair[0]);
        (void)close(pair[1]);
    }
}

static void test_memory_is_bounded(void **state)
{
    const sl_cage_limits small = { (uint64_t)128 << 20, 60, 60 };
    sl_cage cage = open_cage(take_memory, NULL, small);
    sl_cage_answer answer;

    (void)state;
    /* The sanitizer's allocator ends a process that gets no memory. */
    assert_int_equal(sl_cage_ask(&answer, &cage, "", 0),
                     getenv("STAGELINE_SANITIZED") ? SL_EFORMAT : SL_ENOMEM);
    sl_err_clear();
    sl_cage_close(&cage);
}

static void test_nothing_else_can_be_done(void **state)
{
    char path[4096];
    sl_cage cage;
    sl_cage_answer answer;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/made-by-the-child", t_scratch());
    cage = open_cage(try_everything, path, roomy);
    T_OK(sl_cage_ask(&answer, &cage, "", 0));
    assert_int_equal(answer.head[0], 0);
    assert_int_not_equal(access(path, F_OK), 0);
    sl_cage_close(&cage);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_come_whole),
        cmocka_unit_test(test_parts_are_taken_in_any_pieces),
        cmocka_unit_test(test_a_later_part_may_fail),
        cmocka_unit_test(test_parts_that_go_wrong),
        cmocka_unit_test(test_failures_keep_their_words),
        cmocka_unit_test(test_children_that_go_wrong),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_nothing_else_can_be_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
