/* A run in one HDF5 file that needs no other: unlike run.h5 of any size, and with the tail of a run
 * that was not sealed. */
#include "run/export.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/export_int.h"
#include "run/h5_sink_int.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

typedef struct packer {
    sl_h5_sinks sinks;
    sl_table table;
    const sl_layout *layout;
    unsigned char *packed; /* (row_bytes) */
    size_t row_bytes;
} packer;

static sl_status pack_row(void *with, const void *row, const void *const *wide)
{
    packer *p = with;

    sl_row_pack(p->packed, p->table, row, wide, p->layout);
    return sl_h5_sinks_add(&p->sinks, p->table, p->packed, 1, p->row_bytes);
}

static sl_status put_table(hid_t file, sl_reader *reader, sl_table table)
{
    packer p = { .table = table, .layout = sl_reader_layout(reader) };
    size_t count;
    sl_status st = SL_OK;

    p.row_bytes = sl_table_packed_bytes(table, p.layout);
    SL_TRY_OUT(sl_reader_count(reader, table, &count));
    SL_TRY_OUT(sl_take(&p.packed, p.row_bytes, 1));
    SL_TRY_OUT(sl_h5_sinks_open(&p.sinks, file, table, count, p.layout));
    SL_TRY_OUT(sl_export_each(reader, table, pack_row, &p));
    SL_TRY_OUT(sl_h5_sinks_flush(&p.sinks));
out:
    sl_h5_sinks_close(&p.sinks);
    sl_free(p.packed);
    return st;
}

static sl_status put_root(hid_t file, sl_reader *reader)
{
    const sl_json *run = sl_reader_json(reader);
    const char *uuid;
    char *text = NULL;
    sl_status st;

    SL_TRY(sl_json_text(&uuid, run, "run_uuid"));
    SL_TRY(sl_h5_put_text(file, "schema", SL_SCHEMA_NAME));
    SL_TRY(sl_h5_put_i64(file, "major", SL_SCHEMA_MAJOR));
    SL_TRY(sl_h5_put_i64(file, "minor", SL_SCHEMA_MINOR));
    SL_TRY(sl_h5_put_text(file, "run_uuid", uuid));
    SL_TRY(sl_json_dump(&text, run, 0));
    st = sl_h5_put_document(file, "run_json", text);
    sl_free(text);
    return st;
}

static sl_status put_tables(hid_t file, sl_reader *reader, sl_table only)
{
    SL_TRY(put_root(file, reader));
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        if (only == SL_TABLE_COUNT ? sl_reader_has(reader, (sl_table)t) : only == (sl_table)t)
            SL_TRY(sl_err_where(put_table(file, reader, (sl_table)t), "/%s",
                                sl_table_get((sl_table)t)->name));
    return SL_OK;
}

sl_status sl_export_h5(const char *path, sl_reader *reader, sl_table only)
{
    hid_t file = H5I_INVALID_HID;
    char part[PATH_MAX];
    sl_status st = SL_OK;

    if (sl_file_exists(path))
        return sl_err_where(SL_FAIL(SL_EARG, "want a new file, found one there"), "%s", path);
    if ((size_t)snprintf(part, sizeof part, "%s.part-%ld", path, (long)getpid()) >= sizeof part)
        return SL_FAIL(SL_EARG, "want a path below %d bytes, found more", PATH_MAX);
    sl_h5_begin();
    SL_TRY_OUT(sl_h5_create(&file, part, 0));
    SL_TRY_OUT(put_tables(file, reader, only));
    SL_TRY_OUT(sl_h5_close_file(&file));
    st = sl_file_publish(part, path);
out:
    sl_h5_close(&file);
    sl_h5_end();
    if (st != SL_OK)
        (void)unlink(part);
    return sl_err_where(st, "%s", path);
}
