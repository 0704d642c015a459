#include "harness/fuzz.h"
#include "base/alloc.h"
#include "base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t t_fuzz_opened, t_fuzz_refused;

void t_expect(int is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "want %s: %s %s\n", what, sl_err_place(), sl_err_message());
    abort();
}

void t_fuzz_count(int is_open)
{
    if (is_open) {
        t_fuzz_opened++;
        return;
    }
    t_fuzz_refused++;
    t_expect(sl_err_code() != SL_OK && sl_err_code() != SL_ENOMEM && sl_err_code() != SL_EINTERNAL,
             "a refusal");
    t_expect(*sl_err_message() != 0, "a reason");
    sl_err_clear();
}

static char folder[4096];

static void remove_folder(void)
{
    if (sl_file_remove_tree(folder) != SL_OK)
        fprintf(stderr, "left behind: %s\n", folder);
}

const char *t_fuzz_folder(void)
{
    const char *in = getenv("TMPDIR");

    if (!*folder) {
        (void)snprintf(folder, sizeof folder, "%s/stageline-fuzz-XXXXXX", in ? in : "/tmp");
        t_expect(mkdtemp(folder) != NULL, "a folder");
        (void)atexit(remove_folder);
    }
    return folder;
}

void t_fuzz_write(const char *name, const void *bytes, size_t count)
{
    char path[4200];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", t_fuzz_folder(), name);
    f = fopen(path, "wb");
    t_expect(f && fwrite(bytes, 1, count, f) == count && fclose(f) == 0, "a file of the target");
}

#ifdef SL_LIBFUZZER
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned number);

/* Begins with the seed that is made, where there is one; every second time it is the target's own
 * change. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned number)
{
    static char text[2 * T_FUZZ_BYTES];
    sl_rng rng = sl_rng_at(1, sl_rng_stream(t_fuzz.name), number);

    if (t_fuzz.make && size < T_FUZZ_LEAST && room >= T_FUZZ_BYTES) {
        size = t_fuzz.make(text);
        memcpy(data, text, size);
    }
    if (!t_fuzz.change || number % 2 || size < T_FUZZ_LEAST || size > T_FUZZ_BYTES)
        return LLVMFuzzerMutate(data, size, room);
    memcpy(text, data, size);
    size = t_fuzz.change(text, size, &rng);
    size = size < room ? size : room;
    memcpy(data, text, size);
    return size;
}
#else
enum { FILES = 64 };

typedef struct corpus {
    char *seed[FILES + 1]; /* and the one that is made */
    size_t bytes[FILES + 1], count;
} corpus;

/* Bytes changed, cut off, put in, taken out. */
static size_t damage(char *text, size_t n, sl_rng *rng)
{
    const uint32_t spices = (uint32_t)strlen(t_fuzz.spice);

    for (uint32_t changes = 1 + sl_rng_below(rng, 4); changes > 0 && n > 1; changes--) {
        const size_t at = sl_rng_below(rng, (uint32_t)n);
        const size_t length = 1 + sl_rng_below(rng, (uint32_t)(n - at < 40 ? n - at : 40));

        switch (sl_rng_below(rng, 8)) {
        case 0:
            text[at] = (char)sl_rng_u32(rng);
            break;
        case 1:
            n = at + 1;
            break;
        case 2:
            memmove(text + at, text + at + length, n - at - length);
            n -= length;
            break;
        case 3:
            memmove(text + at + length, text + at, n - at); /* those bytes twice */
            n += length;
            break;
        default:
            text[at] = t_fuzz.spice[sl_rng_below(rng, spices)];
        }
    }
    return n;
}

/* Its own memory of its own size, so that a sanitizer sees a step too far. */
static void run_one(const char *text, size_t n)
{
    char *exact = NULL;

    t_expect(sl_take(&exact, n ? n : 1, 1) == SL_OK, "memory");
    memcpy(exact, text, n);
    LLVMFuzzerTestOneInput((const uint8_t *)exact, n);
    sl_free(exact);
}

static void replay(corpus *c, int count, char **path)
{
    for (int i = 0; i < count && c->count < FILES; i++, c->count++)
        t_expect(sl_file_read(&c->seed[c->count], &c->bytes[c->count], path[i], T_FUZZ_BYTES) ==
                     SL_OK,
                 "a file");
    if (t_fuzz.make) {
        t_expect(sl_take(&c->seed[c->count], T_FUZZ_BYTES, 1) == SL_OK, "memory");
        c->bytes[c->count] = t_fuzz.make(c->seed[c->count]);
        c->count++;
    }
    for (size_t i = 0; i < c->count; i++)
        run_one(c->seed[i], c->bytes[i]);
}

static void run_changes(const corpus *c, long count)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream(t_fuzz.name), 0);

    for (long i = 0; i < count; i++) {
        static char text[2 * T_FUZZ_BYTES];
        const size_t s = sl_rng_below(&rng, (uint32_t)c->count);
        size_t n = c->bytes[s];

        memcpy(text, c->seed[s], n);
        n = (i & 1) && t_fuzz.change ? t_fuzz.change(text, n, &rng) : damage(text, n, &rng);
        run_one(text, n);
    }
}

int main(int argc, char **argv)
{
    const int is_counted = argc > 2 && !strcmp(argv[1], "-n"), first = is_counted ? 3 : 1;
    const long count = is_counted ? strtol(argv[2], NULL, 10) : t_fuzz.changes;
    static corpus c;

    replay(&c, argc - first, argv + first);
    t_expect(c.count > 0, "files to begin with");
    run_changes(&c, count);
    t_expect(!count || (t_fuzz_opened > 0 && t_fuzz_refused > 0), "some of each");
    printf("%zu opened, %zu refused\n", t_fuzz_opened, t_fuzz_refused);
    while (c.count > 0)
        sl_free(c.seed[--c.count]);
    return 0;
}
#endif
