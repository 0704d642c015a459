/* A server that is busy, broken, silent or lies: each call gets its reply once or there is one
 * clear error; the key is never in a message. */
#include "base/alloc.h"
#include "harness/harness.h"
#include "remote/http.h"
#include "remote/server.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CALLS = 20 };

typedef struct heard {
    size_t replies, of[CALLS];
    char last[512];
} heard;

static sl_status hear(void *with, size_t index, const char *body, size_t bytes)
{
    heard *h = with;

    h->replies++;
    h->of[index]++;
    snprintf(h->last, sizeof h->last, "%.*s", bytes < 511 ? (int)bytes : 511, body);
    return SL_OK;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;

    if (!folder)
        return -1;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static sl_http_settings settings(const char *path)
{
    sl_http_settings set = sl_http_defaults();

    set.url = server_url(path);
    set.timeout_s = 5.0;
    set.backoff_s = 0.01;
    set.retries = 2;
    set.most_bytes = 1 << 16;
    return set;
}

static sl_status post(heard *h, sl_http_call *call, size_t count, const sl_http_settings *set)
{
    const int before = open_descriptors();
    sl_http *http = NULL;
    sl_status st;

    *h = (heard){ 0 };
    for (size_t i = 0; i < count; i++)
        call[i] = (sl_http_call){ .body = "{}", .bytes = 2 };
    T_OK(sl_http_open(&http, set));
    st = sl_http_post(http, call, count, hear, h);
    sl_http_close(&http);
    assert_null(http);
    assert_int_equal(open_descriptors(), before);
    return st;
}

static void test_every_call_gets_its_reply_once(void **state)
{
    sl_http_settings set = settings("/echo");
    sl_http_call call[CALLS];
    heard h;

    (void)state;
    set.parallel = 3;
    T_OK(post(&h, call, CALLS, &set));
    for (size_t i = 0; i < CALLS; i++)
        assert_true(h.of[i] == 1 && call[i].is_done && call[i].attempts == 1);
    assert_non_null(strstr(h.last, "\"body\": \"{}\""));
}

static void test_passing_faults_are_tried_again(void **state)
{
    static const char *const path[] = { "/busy/2", "/cut/2" };
    sl_http_call call;
    heard h;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const sl_http_settings set = settings(path[i]);

        T_OK(post(&h, &call, 1, &set));
        assert_true(h.replies == 1 && call.attempts == 3);
    }
}

static void test_a_silent_server_is_tried_again(void **state)
{
    sl_http_settings set = settings("/hang/1");
    sl_http_call call;
    heard h;

    (void)state;
    set.timeout_s = 0.3;
    T_OK(post(&h, &call, 1, &set));
    assert_true(h.replies == 1 && call.attempts == 2);
}

/* The server's wish counts, up to the bound. */
static void test_retry_after(void **state)
{
    sl_http_settings set = settings("/busy/1/1");
    double begun = now();
    sl_http_call call;
    heard h;

    (void)state;
    T_OK(post(&h, &call, 1, &set));
    assert_true(now() - begun >= 0.9 && call.attempts == 2);
    set = settings("/busy/1/3600");
    set.most_wait_s = 0.2;
    begun = now();
    T_OK(post(&h, &call, 1, &set));
    assert_true(now() - begun >= 0.15 && now() - begun < 10.0);
}

static void test_lasting_faults_are_one_error(void **state)
{
    sl_http_call call[2];
    sl_http_settings set = settings("/broken");
    heard h;

    (void)state;
    T_FAILS(post(&h, call, 1, &set), SL_EIO, "found 500: out of order (3 attempts)");
    set = settings("/busy/1000");
    T_FAILS(post(&h, call, 2, &set), SL_EIO, "found 429: {\"error\": \"slow down\"} (3 attempts)");
    assert_int_equal(h.replies, 0);
    set = settings("/hang/1000");
    set.timeout_s = 0.2;
    T_FAILS(post(&h, call, 1, &set), SL_EIO, "Timeout was reached (3 attempts)");
    set.keeps_late = 1;
    T_OK(post(&h, call, 1, &set));
    assert_true(call[0].is_late && !call[0].is_done && call[0].attempts == 3);
    set = settings("/echo");
    set.url = "http://127.0.0.1:1/"; /* nobody listens */
    T_FAILS(post(&h, call, 1, &set), SL_EIO, "connect");
}

static void test_a_huge_body_is_refused_at_once(void **state)
{
    const sl_http_settings set = settings("/huge");
    sl_http_call call;
    heard h;

    (void)state;
    T_FAILS(post(&h, &call, 1, &set), SL_EFORMAT, "want a reply of at most 65536 bytes");
    assert_int_equal(call.attempts, 1);
}

static void test_redirects_are_not_followed(void **state)
{
    const sl_http_settings set = settings("/redirect");
    sl_http_call call;
    heard h;

    (void)state;
    T_FAILS(post(&h, &call, 1, &set), SL_EIO, "found 302");
}

static void test_the_key_goes_to_the_server_only(void **state)
{
    sl_http_settings set = settings("/auth");
    sl_http_call call;
    sl_http *http = NULL;
    heard h;

    (void)state;
    set.key = "sesame";
    T_OK(post(&h, &call, 1, &set));
    set.key = "s3cret-of-mine"; /* the server repeats it in its complaint */
    assert_int_equal(post(&h, &call, 1, &set), SL_EIO);
    assert_non_null(strstr(sl_err_message(), "found 401"));
    assert_null(strstr(sl_err_message(), "s3cret"));
    sl_err_clear();
    set.key = "two\r\nX-Header: lines";
    assert_int_equal(sl_http_open(&http, &set), SL_EARG);
    assert_null(strstr(sl_err_message(), "X-Header"));
    assert_null(http);
    sl_err_clear();
}

static void test_addresses(void **state)
{
    static const char *const bad[] = { "",          "ftp://x/",  "file:///etc/passwd",
                                       "localhost", "http:// x", "http://user:word@x/" };
    sl_http_settings set = settings("/echo");
    sl_http *http = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set.url = bad[i];
        T_FAILS(sl_http_open(&http, &set), SL_EARG, "want an address http");
        assert_null(http);
    }
}

static void test_a_request_to_stop(void **state)
{
    static volatile int stop;
    sl_http_settings set = settings("/hang/1000");
    sl_http_call call;
    heard h;

    (void)state;
    stop = 1;
    set.stop = &stop;
    T_FAILS(post(&h, &call, 1, &set), SL_EINTERRUPT, "request to stop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call_gets_its_reply_once),
        cmocka_unit_test(test_passing_faults_are_tried_again),
        cmocka_unit_test(test_a_silent_server_is_tried_again),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_lasting_faults_are_one_error),
        cmocka_unit_test(test_a_huge_body_is_refused_at_once),
        cmocka_unit_test(test_redirects_are_not_followed),
        cmocka_unit_test(test_the_key_goes_to_the_server_only),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_a_request_to_stop),
    };
    int failed;

    if (!server_start())
        return T_SKIP;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    server_stop();
    return failed;
}
