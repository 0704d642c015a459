/* An open segment and the raw rows of its datasets. libhdf5 meets the file in a child process,
 * unless this process wrote it. */
#include "run/segment_read_int.h"

#include "base/alloc.h"
#include "run/userblock_int.h"

#include <string.h>
#include <unistd.h>

#define ANSWER_BYTES ((size_t)64 << 20) /* most of one answer; a row is at most 16 MiB */

typedef struct question {
    uint32_t table, set;
    uint64_t first, count;
} question;

/* The dataset, opened and checked at its first use. */
static sl_status open_set(const sl_h5_set *set, sl_segment_file *f, sl_table table, size_t index)
{
    if (f->dataset[table][index] >= 0)
        return SL_OK;
    if (f->file < 0)
        SL_TRY(sl_h5_open_fd(&f->file, f->fd));
    return sl_h5_set_open(&f->dataset[table][index], &f->type[table][index], f->file, set,
                          f->info->rows[table], f->info->minor);
}

static sl_status select_and_read(void *raw, const sl_segment_file *f, const sl_h5_set *set,
                                 size_t index, uint64_t first, size_t n)
{
    const hid_t dataset = f->dataset[set->table][index];
    const hsize_t start[2] = { first, 0 }, count[2] = { n, set->width };
    hid_t space = H5I_INVALID_HID, memory = H5I_INVALID_HID;
    sl_status st = SL_OK;

    SL_TRY_OUT(SL_H5_ID(&space, H5Dget_space(dataset)));
    SL_TRY_OUT(SL_H5(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL)));
    SL_TRY_OUT(SL_H5_ID(&memory, H5Screate_simple(set->wide ? 2 : 1, count, NULL)));
    SL_TRY_OUT(
        SL_H5(H5Dread(dataset, f->type[set->table][index], memory, space, H5P_DEFAULT, raw)));
out:
    sl_h5_close(&memory);
    sl_h5_close(&space);
    return sl_err_where(st, "/%s rows from %llu", set->name, (unsigned long long)first);
}

/* A wide column that is younger than the file is not in it. */
static int is_stored(const sl_segment_file *f, const sl_h5_set *set)
{
    return !set->wide || set->wide->since <= f->info->minor;
}

/* Nothing is known of columns that are younger than the file: they stay blank. */
static sl_status read_here(void *raw, sl_segment_file *f, const sl_h5_set *set, size_t index,
                           uint64_t first, size_t count)
{
    for (size_t row = 0; f->info->minor < SL_SCHEMA_MINOR && row < count; row++)
        sl_h5_set_blank((unsigned char *)raw + row * set->item_bytes, set);
    if (!is_stored(f, set))
        return SL_OK;
    SL_TRY(open_set(set, f, set->table, index));
    return select_and_read(raw, f, set, index, first, count);
}

/* In the child. The question is the parent's; the file is not to be believed. */
static sl_status answer(sl_cage_answer *out, void *state, const void *asked, size_t bytes)
{
    sl_segment_file *f = state;
    sl_h5_set set[SL_TABLE_SETS_MAX];
    question q;

    SL_CHECK(bytes == sizeof q);
    memcpy(&q, asked, sizeof q);
    SL_CHECK(q.table < SL_TABLE_COUNT &&
             q.set < sl_h5_sets(set, (sl_table)q.table, &f->identity->layout));
    SL_CHECK(q.count && q.count <= ANSWER_BYTES / set[q.set].item_bytes);
    sl_free(f->raw);
    f->raw = NULL;
    SL_TRY(sl_take(&f->raw, (size_t)q.count, set[q.set].item_bytes));
    sl_h5_begin();
    bytes = (size_t)q.count;
    if (read_here(f->raw, f, &set[q.set], q.set, q.first, bytes) == SL_OK) {
        out->data = f->raw;
        out->bytes = bytes * set[q.set].item_bytes;
    }
    sl_h5_end();
    return sl_err_code();
}

sl_status sl_segment_file_open(sl_segment_file *out, const char *path, const sl_segment_info *info,
                               const sl_run_identity *identity)
{
    const sl_cage_work work = { .state = out, .answer = answer };
    sl_cage_limits limits;
    uint64_t bytes;

    *out =
        (sl_segment_file){ .fd = -1, .info = info, .identity = identity, .file = H5I_INVALID_HID };
    for (size_t t = 0; t < SL_TABLE_COUNT; t++)
        for (size_t i = 0; i < SL_TABLE_SETS_MAX; i++)
            out->dataset[t][i] = out->type[t][i] = H5I_INVALID_HID;
    SL_TRY(sl_userblock_open(&out->fd, &bytes, path));
    if (identity->is_own)
        return SL_OK;
    limits = sl_cage_limits_for(bytes, ANSWER_BYTES);
    return sl_cage_open(&out->cage, out->fd, &work, &limits);
}

void sl_segment_file_close(sl_segment_file *segment)
{
    sl_cage_close(&segment->cage);
    sl_h5_begin();
    for (size_t t = 0; t < SL_TABLE_COUNT; t++)
        for (size_t i = 0; i < SL_TABLE_SETS_MAX; i++) {
            sl_h5_close(&segment->dataset[t][i]);
            sl_h5_close(&segment->type[t][i]);
        }
    sl_h5_close(&segment->file);
    sl_h5_end();
    if (segment->fd >= 0)
        (void)close(segment->fd);
    segment->fd = -1;
}

static sl_status read_caged(void *raw, sl_segment_file *f, const sl_h5_set *set, size_t index,
                            uint64_t first, size_t count)
{
    const question q = { set->table, (uint32_t)index, first, count };
    sl_cage_answer head;

    SL_TRY(sl_cage_ask(&head, &f->cage, &q, sizeof q));
    if (head.bytes != count * set->item_bytes)
        return SL_FAIL(SL_EFORMAT, "want %zu rows of %s, found another answer", count, set->name);
    return sl_cage_take(raw, (size_t)head.bytes, &f->cage);
}

sl_status sl_segment_file_read(void *raw, sl_segment_file *segment, sl_table table, size_t set,
                               uint64_t first, size_t count)
{
    sl_h5_set sets[SL_TABLE_SETS_MAX];

    SL_CHECK(set < sl_h5_sets(sets, table, &segment->identity->layout));
    if (segment->identity->is_own)
        return read_here(raw, segment, &sets[set], set, first, count);
    return read_caged(raw, segment, &sets[set], set, first, count);
}
