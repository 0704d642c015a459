#include "run/files.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *prefix, *suffix;
} kinds[] = {
    [SL_FILE_JOURNAL] = { "journal-", ".log" },
    [SL_FILE_SEGMENT] = { "seg-", ".h5" },
    [SL_FILE_TEXTS] = { "texts-", ".jsonl" },
    [SL_FILE_TEXTS_GZ] = { "texts-", ".jsonl.gz" },
};
_Static_assert(sizeof kinds / sizeof kinds[0] == SL_FILE_COUNT, "a kind of file lacks its row");

enum { NAME = 64 }; /* bytes of a name made here */

sl_status sl_rank_folder(char *out, const char *run_path, uint32_t rank)
{
    char name[NAME];

    snprintf(name, sizeof name, "rank%03u", rank);
    return sl_file_join(out, SL_RUN_PATH, run_path, name);
}

sl_status sl_rank_path(char *out, const char *rank_folder, sl_rank_file kind, uint32_t number)
{
    char name[NAME];

    snprintf(name, sizeof name, "%s%06u%s", kinds[kind].prefix, number, kinds[kind].suffix);
    return sl_file_join(out, SL_RUN_PATH, rank_folder, name);
}

sl_status sl_checkpoint_path(char *out, const char *run_path, int64_t step)
{
    char name[NAME];

    snprintf(name, sizeof name, "checkpoints/step-%012lld", (long long)step);
    return sl_file_join(out, SL_RUN_PATH, run_path, name);
}

/* The digits between prefix and suffix, nothing else: 1 and *value. */
static int numbered(uint64_t *value, const char *name, const char *prefix, const char *suffix)
{
    const size_t n = strlen(prefix);
    uint64_t v = 0;
    size_t digits = 0;

    if (strncmp(name, prefix, n))
        return 0;
    for (; name[n + digits] >= '0' && name[n + digits] <= '9' && digits < 18; digits++)
        v = v * 10 + (uint64_t)(name[n + digits] - '0');
    *value = v;
    return digits >= 6 && !strcmp(name + n + digits, suffix);
}

static sl_status list_add(sl_rank_list *list, size_t *capacity, uint32_t number, sl_rank_file kind)
{
    size_t at = 0;

    while (at < list->count && list->row[at].number < number)
        at++;
    if (at == list->count || list->row[at].number != number) {
        SL_TRY(sl_grow(&list->row, capacity, list->count + 1, sizeof list->row[0]));
        memmove(list->row + at + 1, list->row + at, (list->count - at) * sizeof list->row[0]);
        list->row[at] = (sl_rank_entry){ .number = number };
        list->count++;
    }
    list->row[at].has[kind] = 1;
    return SL_OK;
}

static sl_status list_name(sl_rank_list *list, size_t *capacity, const char *name)
{
    uint64_t number;

    for (int kind = 0; kind < SL_FILE_COUNT; kind++)
        if (numbered(&number, name, kinds[kind].prefix, kinds[kind].suffix) && number &&
            number < UINT32_MAX)
            return list_add(list, capacity, (uint32_t)number, (sl_rank_file)kind);
    return SL_OK;
}

sl_status sl_rank_list_open(sl_rank_list *out, const char *rank_folder)
{
    size_t capacity = 0;
    sl_status st = SL_OK;
    struct dirent *entry;
    DIR *dir = opendir(rank_folder);

    *out = (sl_rank_list){ 0 };
    if (!dir)
        return sl_err_where(SL_FAIL(SL_EIO, "want this folder, found: %s", strerror(errno)), "%s",
                            rank_folder);
    while (st == SL_OK && (entry = readdir(dir)))
        st = list_name(out, &capacity, entry->d_name);
    closedir(dir);
    if (st != SL_OK)
        sl_rank_list_close(out);
    return st;
}

sl_status sl_run_folder(const char *path)
{
    sl_status st;

    if (sl_file_is_folder(path))
        return SL_OK;
    st = sl_file_new_folder(path);
    return st == SL_EARG ? sl_err_hint(st, "a link in place of a folder of a run is not followed")
                         : st;
}

sl_status sl_run_file_sha256(char out[65], const char *path)
{
    struct stat s;

    if (lstat(path, &s) == 0 && !S_ISREG(s.st_mode))
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want a regular file, found another kind"), "%s",
                            path);
    return sl_sha256_file(out, path);
}

void sl_rank_list_close(sl_rank_list *list)
{
    sl_free(list->row);
    *list = (sl_rank_list){ 0 };
}

static sl_status each_checkpoint(void (*take)(void *with, int64_t step), void *with,
                                 const char *run_path)
{
    char path[SL_RUN_PATH];
    struct dirent *entry;
    uint64_t value;
    DIR *dir;

    SL_TRY(sl_file_join(path, sizeof path, run_path, "checkpoints"));
    dir = opendir(path);
    if (!dir && errno == ENOENT)
        return SL_OK;
    if (!dir)
        return sl_err_where(SL_FAIL(SL_EIO, "want this folder, found: %s", strerror(errno)), "%s",
                            path);
    while ((entry = readdir(dir)))
        if (numbered(&value, entry->d_name, "step-", ""))
            take(with, (int64_t)value);
    closedir(dir);
    return SL_OK;
}

static void take_into_span(void *with, int64_t step)
{
    sl_checkpoint_span *span = with;

    if (span->count++ == 0 || step < span->oldest)
        span->oldest = step;
    if (step > span->newest)
        span->newest = step;
}

sl_status sl_checkpoint_span_of(sl_checkpoint_span *out, const char *run_path)
{
    *out = (sl_checkpoint_span){ .oldest = -1, .newest = -1 };
    return each_checkpoint(take_into_span, out, run_path);
}

typedef struct looking_after {
    int64_t after, step;
} looking_after;

static void take_if_next(void *with, int64_t step)
{
    looking_after *l = with;

    if (step > l->after && (l->step < 0 || step < l->step))
        l->step = step;
}

sl_status sl_checkpoint_after(int64_t *step, const char *run_path, int64_t after)
{
    looking_after l = { .after = after, .step = -1 };

    SL_TRY(each_checkpoint(take_if_next, &l, run_path));
    *step = l.step;
    return SL_OK;
}

sl_status sl_checkpoint_newest(int64_t *step, const char *run_path)
{
    sl_checkpoint_span span;

    *step = -1;
    SL_TRY(sl_checkpoint_span_of(&span, run_path));
    *step = span.newest;
    return SL_OK;
}
