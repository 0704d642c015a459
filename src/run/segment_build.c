/* From a journal to a sealed segment: one pass that counts, one that copies, a chunk per dataset in
 * memory; then the file is read again and every unit compared before it gets its name. */
#include "run/segment_read_int.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "run/files.h"
#include "run/h5_sink_int.h"
#include "run/texts.h"
#include "run/userblock_int.h"

#include <stdio.h>
#include <string.h>

typedef struct builder {
    const sl_run_identity *identity;
    sl_journal *journal;
    hid_t file;
    sl_h5_sinks sinks;
    uint64_t plain_bytes; /* of the text file, whole units */
    uint32_t units_crc;   /* CRC32C of all rows of the units table */
    sl_segment_info info;
    char path[SL_RUN_PATH], tmp[SL_RUN_PATH];
} builder;

/* Rows per table, steps and texts of the whole units. */
static sl_status count_units(builder *b)
{
    sl_unit unit;
    sl_tail tail;
    int found = 1;

    for (;;) {
        SL_TRY(sl_journal_next(b->journal, &unit, &found));
        if (!found)
            break;
        for (int t = 0; t < SL_TABLE_UNITS; t++)
            b->info.rows[t] = unit.commit.so_far[t];
        b->info.first_step = b->info.rows[SL_TABLE_UNITS] ? b->info.first_step : unit.commit.step;
        b->info.last_step = unit.commit.step;
        b->info.rows[SL_TABLE_UNITS]++;
        b->plain_bytes = unit.commit.text_bytes;
    }
    sl_journal_tail(b->journal, &tail);
    if (tail.kind == SL_TAIL_CORRUPT)
        return SL_FAIL(SL_EFORMAT, "byte %zu: want the frames that were synced, found damage: %s",
                       tail.bad_offset, tail.reason);
    b->info.last_seq = tail.last_seq;
    b->info.ended = tail.ended;
    return SL_OK;
}

static sl_status put_root(const builder *b)
{
    const sl_segment_info *info = &b->info;
    const struct {
        const char *name;
        long long value;
    } numbers[] = {
        { "major", SL_SCHEMA_MAJOR },
        { "minor", SL_SCHEMA_MINOR },
        { "rank", info->rank },
        { "world_size", b->identity->world_size },
        { "segment", info->number },
        { "attempt", info->attempt },
        { "resumed_from", info->resumed_from },
        { "first_step", info->first_step },
        { "last_step", info->last_step },
    };

    SL_TRY(sl_h5_put_text(b->file, "schema", SL_SCHEMA_NAME));
    SL_TRY(sl_h5_put_text(b->file, "run_uuid", b->identity->uuid_text));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        SL_TRY(sl_h5_put_i64(b->file, numbers[i].name, numbers[i].value));
    SL_TRY(sl_h5_put_document(b->file, "run_json", b->identity->json));
    return sl_h5_put_document(b->file, "start_json", sl_journal_start(b->journal)->json);
}

static sl_status add_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                          size_t row_bytes)
{
    builder *b = with;

    /* A name may be recorded with a step before its unit's. Rows ascend: the first says enough. */
    if (count && sl_row_step(rows) < b->info.first_step)
        b->info.first_step = sl_row_step(rows);
    if (table == SL_TABLE_UNITS)
        b->units_crc = sl_crc32c(b->units_crc, rows, count * row_bytes);
    return sl_h5_sinks_add(&b->sinks, table, rows, count, row_bytes);
}

static sl_status copy_units(builder *b)
{
    sl_unit unit;
    int found = 1;

    sl_journal_rewind(b->journal);
    for (;;) {
        SL_TRY(sl_journal_next(b->journal, &unit, &found));
        if (!found)
            break;
        for (int t = 0; t < SL_TABLE_COUNT; t++)
            SL_TRY(sl_unit_rows(b->journal, &unit, (sl_table)t, add_rows, b));
    }
    return sl_h5_sinks_flush(&b->sinks);
}

static sl_status write_file(builder *b)
{
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_h5_create(&b->file, b->tmp, SL_USERBLOCK_BYTES));
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        if (b->info.rows[t])
            SL_TRY_OUT(sl_h5_sinks_open(&b->sinks, b->file, (sl_table)t, b->info.rows[t],
                                        &b->identity->layout));
    SL_TRY_OUT(copy_units(b));
    SL_TRY_OUT(put_root(b));
out:
    sl_h5_sinks_close(&b->sinks);
    if (st == SL_OK)
        st = sl_h5_close_file(&b->file);
    sl_h5_close(&b->file);
    return sl_err_where(st, "%s", b->tmp);
}

/* Reads the file again: its units must be the journal's, and their rows must give their CRCs. */
static sl_status compare_file(const builder *b)
{
    uint32_t crc = 0;

    SL_TRY(sl_segment_check_units(&crc, b->tmp, &b->info, b->identity));
    if (crc != b->units_crc)
        return SL_FAIL(SL_EFORMAT, "%s: want units with CRC32C %08x, found %08x", b->tmp,
                       b->units_crc, crc);
    return SL_OK;
}

static void describe(builder *b, uint32_t number, uint32_t rank, const sl_segment_info *previous)
{
    const sl_start *start = sl_journal_start(b->journal);
    sl_segment_info *info = &b->info;

    *info = (sl_segment_info){ .rank = rank,
                               .number = number,
                               .minor = SL_SCHEMA_MINOR,
                               .attempt = start->attempt,
                               .resumed_from = start->resumed_from,
                               .first_step = -1,
                               .last_step = -1 };
    memcpy(info->uuid_text, b->identity->uuid_text, sizeof info->uuid_text);
    memcpy(info->run_sha256, b->identity->sha256, sizeof info->run_sha256);
    if (previous) {
        info->previous_bytes = previous->bytes;
        memcpy(info->previous_sha256, previous->sha256, sizeof info->previous_sha256);
    }
}

/* User block, fsync, rename, fsync of the folder; info gets size and sum of the rest. */
static sl_status seal(builder *b, const char *rank_folder)
{
    sl_json *object = NULL;
    sl_status st;

    SL_TRY(sl_segment_info_to_json(&object, &b->info));
    st = sl_userblock_seal(rank_folder, b->path, object);
    if (st == SL_OK)
        st = sl_segment_info_from_json(&b->info, object);
    sl_json_close(&object);
    return st;
}

sl_status sl_segment_build(sl_segment_info *out, const char *rank_folder, uint32_t number,
                           uint32_t rank, const sl_run_identity *identity,
                           const sl_segment_info *previous)
{
    sl_status st = SL_OK;
    builder *b = NULL;

    SL_TRY(sl_take(&b, 1, sizeof *b));
    b->identity = identity;
    b->file = H5I_INVALID_HID;
    sl_h5_begin();
    SL_TRY_OUT(sl_rank_path(b->path, rank_folder, SL_FILE_SEGMENT, number));
    if ((size_t)snprintf(b->tmp, sizeof b->tmp, "%s.tmp", b->path) >= sizeof b->tmp) {
        st = SL_FAIL(SL_EARG, "want a path below %zu bytes, found more", sizeof b->tmp);
        goto out;
    }
    SL_TRY_OUT(sl_journal_open(&b->journal, rank_folder, number, rank, identity));
    describe(b, number, rank, previous);
    SL_TRY_OUT(sl_err_where(count_units(b), "journal %u", number));
    SL_TRY_OUT(write_file(b));
    SL_TRY_OUT(compare_file(b));
    SL_TRY_OUT(sl_texts_seal(&b->info.text_bytes, b->info.text_sha256, rank_folder, number,
                             b->plain_bytes));
    SL_TRY_OUT(seal(b, rank_folder));
    *out = b->info;
out:
    sl_h5_end();
    sl_journal_close(&b->journal);
    sl_free(b);
    return st;
}
