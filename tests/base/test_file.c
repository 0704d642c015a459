#include "harness/fault.h"
#include "harness/harness.h"
#include "base/alloc.h"
#include "base/file.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { BIG = 300000 };

static char folder[4096];
static char big[BIG]; /* compresses to a few kilobytes, needs several reads and inflates */

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)('a' + i * i % 23);
    snprintf(folder, sizeof folder, "%s", t_scratch());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    t_scratch_remove();
    return 0;
}

/* The path of a file of the scratch folder, until the next call. */
static const char *in_folder(const char *name)
{
    static char path[4200];

    T_OK(sl_file_join(path, sizeof path, folder, name));
    return path;
}

static size_t entries(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2; /* "." and ".." */
}

/* out (size) = data as one gzip member; returns its bytes. */
static size_t gzipped(unsigned char *out, size_t size, const char *data, size_t bytes)
{
    z_stream z = { .next_in = (unsigned char *)(uintptr_t)data,
                   .avail_in = (unsigned)bytes,
                   .next_out = out,
                   .avail_out = (unsigned)size };

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return size - z.avail_out;
}

static void check_read(const char *path, const char *want, size_t want_bytes)
{
    char *text = NULL;
    size_t bytes = 1;

    T_OK(sl_file_read(&text, &bytes, path, want_bytes));
    assert_int_equal(bytes, want_bytes);
    assert_memory_equal(text, want, want_bytes);
    assert_int_equal(text[bytes], 0);
    sl_free(text);
    if (want_bytes)
        T_FAILS(sl_file_read(&text, &bytes, path, want_bytes - 1), SL_EFORMAT, "want at most");
    assert_true(!want_bytes || !text);
}

static void test_write_then_read(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 16381, 16382, 16383, 16384, BIG };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        T_OK(sl_file_write_atomic(in_folder("plain"), big, sizes[i]));
        check_read(in_folder("plain"), big, sizes[i]);
    }
    assert_int_equal(entries(folder), 1);
}

static void test_gzip(void **state)
{
    static unsigned char z[2 * BIG];
    const size_t first = gzipped(z, sizeof z, big, BIG / 3);
    const size_t both = first + gzipped(z + first, sizeof z - first, big + BIG / 3, BIG - BIG / 3);
    char *text = NULL;
    size_t bytes = 0;

    (void)state;
    T_OK(sl_file_write_atomic(in_folder("a.gz"), z, both));
    check_read(in_folder("a.gz"), big, BIG); /* two members are one text */
    for (size_t cut = 2; cut < both; cut += cut < 40 ? 1 : 97) {
        if (cut == first)
            continue;
        T_OK(sl_file_write_atomic(in_folder("a.gz"), z, cut));
        T_FAILS(sl_file_read(&text, &bytes, in_folder("a.gz"), BIG), SL_EFORMAT, "cut short");
        assert_null(text);
    }
    z[both] = 'x';
    T_OK(sl_file_write_atomic(in_folder("a.gz"), z, both + 1));
    T_FAILS(sl_file_read(&text, &bytes, in_folder("a.gz"), BIG), SL_EFORMAT, "a.gz: want a whole");
    z[first - 6] ^= 1; /* the checksum of the first member */
    T_OK(sl_file_write_atomic(in_folder("a.gz"), z, both));
    T_FAILS(sl_file_read(&text, &bytes, in_folder("a.gz"), BIG), SL_EFORMAT,
            "incorrect data check");
}

static void test_read_refuses(void **state)
{
    char *text = NULL;
    size_t bytes = 0;

    (void)state;
    T_FAILS(sl_file_read(&text, &bytes, in_folder("none"), 10), SL_EIO,
            "none: want to read it, found: No such file");
    T_FAILS(sl_file_read(&text, &bytes, folder, 10), SL_EIO, "directory");
    T_FAILS(sl_file_read(&text, &bytes, "/dev/zero", 100000), SL_EFORMAT,
            "/dev/zero: want at most 100000 bytes, found more");
}

static void *slow_writer(void *fd)
{
    for (size_t i = 0; i < BIG; i += 1000) {
        assert_int_equal(write(*(int *)fd, big + i, 1000), 1000);
        if (i % 100000 == 0)
            usleep(1000);
    }
    close(*(int *)fd);
    return NULL;
}

static void test_stdin_in_short_reads(void **state)
{
    const int kept = dup(STDIN_FILENO);
    char *text = NULL;
    size_t bytes = 0;
    pthread_t writer;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(pthread_create(&writer, NULL, slow_writer, &ends[1]), 0);
    T_OK(sl_file_read(&text, &bytes, "-", BIG));
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(bytes, BIG);
    assert_memory_equal(text, big, BIG);
    sl_free(text);
    close(ends[0]);
    dup2(kept, STDIN_FILENO);
    close(kept);
}

/* A write that stops half-way (the size limit of the process) leaves the old file and nothing else.
 */
static void test_failed_write_leaves_the_old_file(void **state)
{
    struct rlimit kept, small;

    (void)state;
    T_OK(sl_file_write_atomic(in_folder("old"), "old", 3));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
    small = (struct rlimit){ 1000, kept.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    T_FAILS(sl_file_write_atomic(in_folder("old"), big, BIG), SL_EIO, "old: want to write");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &kept), 0);
    check_read(in_folder("old"), "old", 3);
    assert_int_equal(entries(folder), 1);
    T_FAILS(sl_file_write_atomic(in_folder("no/file"), "x", 1), SL_EIO, "want to create it");
    T_OK(sl_file_new_folder(in_folder("full")));
    T_OK(sl_file_write_atomic(in_folder("full/x"), "x", 1));
    T_FAILS(sl_file_write_atomic(in_folder("full"), "x", 1), SL_EIO, "rename");
    assert_int_equal(entries(folder), 2);
}

static void test_write_follows_umask(void **state)
{
    const mode_t kept = umask(027);
    struct stat s;

    (void)state;
    T_OK(sl_file_write_atomic(in_folder("mode"), "x", 1));
    umask(kept);
    assert_int_equal(stat(in_folder("mode"), &s), 0);
    assert_int_equal(s.st_mode & 0777, 0640);
}

static void test_folders(void **state)
{
    struct stat s;
    char outside[4200];

    (void)state;
    T_OK(sl_file_new_folder(in_folder("new")));
    assert_int_equal(stat(in_folder("new"), &s), 0);
    assert_int_equal(s.st_mode & 0777, 0700);
    T_FAILS(sl_file_new_folder(in_folder("new")), SL_EARG, "new: want a new folder");
    T_FAILS(sl_file_new_folder(in_folder("no/new")), SL_EIO, "want to make");
    T_OK(sl_file_sync_folder(folder));
    T_OK(sl_file_sync_name(in_folder("new/")));
    T_OK(sl_file_sync_name("name"));
    T_OK(sl_file_sync_name("/name"));
    T_FAILS(sl_file_sync_name(in_folder("none/name/")), SL_EIO, "none/: want to open");
    T_FAILS(sl_file_sync_folder(in_folder("none")), SL_EIO, "none: want to open");
    T_OK(sl_file_new_folder(in_folder("kept")));
    T_OK(sl_file_write_atomic(in_folder("kept/file"), "x", 1));
    snprintf(outside, sizeof outside, "%s", in_folder("kept"));
    assert_int_equal(symlink(outside, in_folder("new/link")), 0);
    T_OK(sl_file_new_folder(in_folder("new/deep")));
    T_OK(sl_file_write_atomic(in_folder("new/deep/file"), "x", 1));
    T_OK(sl_file_remove_tree(in_folder("new")));
    assert_int_equal(sl_file_exists(in_folder("new")), 0);
    assert_int_equal(sl_file_exists(in_folder("kept/file")), 1);
    T_FAILS(sl_file_remove_tree(in_folder("new")), SL_EIO, "new: want to remove it");
}

static void test_join(void **state)
{
    char out[8];

    (void)state;
    T_OK(sl_file_join(out, sizeof out, "abc", "def"));
    assert_string_equal(out, "abc/def");
    T_OK(sl_file_join(out, sizeof out, "a/", "b"));
    assert_string_equal(out, "a/b");
    T_OK(sl_file_join(out, sizeof out, "", "b"));
    assert_string_equal(out, "b");
    T_FAILS(sl_file_join(out, sizeof out, "abc", "defg"), SL_EARG, "want a path below 8 bytes");
}

static void test_map(void **state)
{
    sl_map map;

    (void)state;
    T_OK(sl_file_write_atomic(in_folder("map"), big, BIG));
    T_OK(sl_map_open(&map, in_folder("map")));
    assert_int_equal(map.bytes, BIG);
    assert_memory_equal(map.data, big, BIG);
    sl_map_close(&map);
    assert_null(map.data);
    sl_map_close(&map);
    sl_map_close(NULL);
    T_OK(sl_file_write_atomic(in_folder("map"), "", 0));
    T_OK(sl_map_open(&map, in_folder("map")));
    assert_int_equal(map.bytes, 0);
    assert_non_null(map.data);
    sl_map_close(&map);
    T_FAILS(sl_map_open(&map, folder), SL_EARG, "want a regular file");
    T_FAILS(sl_map_open(&map, in_folder("none")), SL_EIO, "No such file");
}

static void sweep(const char *path, int is_lasting)
{
    char *text = NULL;
    size_t bytes = 0, n = 0;
    int fired = 1;

    for (; fired; n++) {
        t_fault_begin(n, is_lasting);
        const sl_status st = sl_file_read(&text, &bytes, path, BIG);

        if (st == SL_OK)
            sl_free(text);
        fired = t_fault_end();
        assert_int_equal(t_fault_held(), 0);
        if (fired)
            T_FAILS(st, SL_ENOMEM, path);
        else
            T_OK(st);
    }
    assert_true(n > 2);
}

static void put_link(const char *to, const char *name)
{
    char path[4200];

    snprintf(path, sizeof path, "%s", in_folder(to));
    assert_int_equal(symlink(path, in_folder(name)), 0);
}

static void check_victim(void)
{
    char *text;
    size_t bytes;

    T_OK(sl_file_read(&text, &bytes, in_folder("victim"), 100));
    assert_string_equal(text, "mine");
    sl_free(text);
}

/* Where a temporary name is a link to something of the user's, the link goes and that stays. */
static void test_nothing_is_written_through_a_link(void **state)
{
    FILE *to;
    int fd;

    (void)state;
    T_OK(sl_file_write_atomic(in_folder("victim"), "mine", 4));
    put_link("victim", "created");
    T_OK(sl_file_create(&fd, in_folder("created"), 0600));
    assert_int_equal(write(fd, "theirs", 6), 6);
    assert_int_equal(close(fd), 0);
    put_link("victim", "stream");
    T_OK(sl_file_stream(&to, in_folder("stream")));
    assert_true(fputs("theirs", to) >= 0);
    assert_int_equal(fclose(to), 0);
    put_link("victim", "atomic");
    T_OK(sl_file_write_atomic(in_folder("atomic"), "theirs", 6));
    check_victim();
    put_link("nowhere", "dangling");
    T_OK(sl_file_create(&fd, in_folder("dangling"), 0600));
    assert_int_equal(close(fd), 0);
    assert_int_not_equal(access(in_folder("nowhere"), F_OK), 0);
    T_OK(sl_file_create(&fd, in_folder("created"), 0600)); /* left by a process that died */
    assert_int_equal(close(fd), 0);
    T_OK(sl_file_new_folder(in_folder("folder")));
    T_FAILS(sl_file_create(&fd, in_folder("folder"), 0600), SL_EIO, "want to create it");
    put_link("folder", "to-folder");
    assert_true(sl_file_is_folder(in_folder("folder")));
    assert_false(sl_file_is_folder(in_folder("to-folder")));
    T_FAILS(sl_file_new_folder(in_folder("to-folder")), SL_EARG, "one that exists");
}

/* Files of a run folder that a stranger made: nothing is waited for, no link leads elsewhere. */
static void test_only_regular_files_where_strangers_write(void **state)
{
    char *text;
    size_t bytes;
    sl_map map;

    (void)state;
    T_OK(sl_file_write_atomic(in_folder("victim"), "mine", 4));
    T_OK(sl_file_read_regular(&text, &bytes, in_folder("victim"), 100));
    assert_string_equal(text, "mine");
    sl_free(text);
    put_link("victim", "link");
    T_FAILS(sl_file_read_regular(&text, &bytes, in_folder("link"), 100), SL_EFORMAT,
            "found a link");
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    T_FAILS(sl_file_read_regular(&text, &bytes, in_folder("pipe"), 100), SL_EFORMAT,
            "another kind");
    T_FAILS(sl_map_open(&map, in_folder("pipe")), SL_EARG, "another kind");
    T_FAILS(sl_file_read_regular(&text, &bytes, folder, 100), SL_EFORMAT, "another kind");
}

static void test_every_allocation_may_fail(void **state)
{
    static unsigned char z[BIG];
    const size_t bytes = gzipped(z, sizeof z, big, BIG);

    (void)state;
    T_OK(sl_file_write_atomic(in_folder("f"), big, BIG));
    T_OK(sl_file_write_atomic(in_folder("f.gz"), z, bytes));
    for (int is_lasting = 0; is_lasting < 2; is_lasting++) {
        sweep(in_folder("f"), is_lasting);
        sweep(in_folder("f.gz"), is_lasting);
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_write_then_read),
        IN_FOLDER(test_gzip),
        IN_FOLDER(test_read_refuses),
        IN_FOLDER(test_stdin_in_short_reads),
        IN_FOLDER(test_failed_write_leaves_the_old_file),
        IN_FOLDER(test_write_follows_umask),
        IN_FOLDER(test_folders),
        IN_FOLDER(test_join),
        IN_FOLDER(test_nothing_is_written_through_a_link),
        IN_FOLDER(test_only_regular_files_where_strangers_write),
        IN_FOLDER(test_map),
        IN_FOLDER(test_every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
