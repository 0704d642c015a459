/* run.h5: all sealed live rows for any HDF5 tool. Derived from the segments, never written under
 * its own name, never read by us.
 *
 * While the run lasts it is an index: one virtual dataset per table over the segments. Its trap is
 * that a source which cannot be opened reads as fill values, so the fill is a step of -1 and NaN,
 * and above SOURCES_MAX files (half of the usual limit of open files) only /segments is given.
 * After the end it is packed, if it is small enough: the rows themselves, compared. */
#include "run/index_list_int.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/h5_sink_int.h"
#include "run/segment_read_int.h"
#include "run/userblock_int.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SOURCES_MAX 512u
#define NAME_BYTES SL_SOURCE_NAME

/* A row of /segments: one segment's part of one table. */
typedef struct part {
    uint64_t first, live, stored; /* first: row of the table here where the part begins */
    int64_t first_step, last_step;
    uint32_t rank, segment, attempt;
    char file[NAME_BYTES], table[NAME_BYTES];
} part;

static sl_status part_type(hid_t *out)
{
    const struct {
        const char *name;
        size_t offset;
        hid_t type;
    } members[] = {
        { "first", offsetof(part, first), H5T_STD_U64LE },
        { "live", offsetof(part, live), H5T_STD_U64LE },
        { "stored", offsetof(part, stored), H5T_STD_U64LE },
        { "first_step", offsetof(part, first_step), H5T_STD_I64LE },
        { "last_step", offsetof(part, last_step), H5T_STD_I64LE },
        { "rank", offsetof(part, rank), H5T_STD_U32LE },
        { "segment", offsetof(part, segment), H5T_STD_U32LE },
        { "attempt", offsetof(part, attempt), H5T_STD_U32LE },
    };
    hid_t text = H5I_INVALID_HID;
    sl_status st = SL_OK;

    SL_TRY_OUT(SL_H5_ID(out, H5Tcreate(H5T_COMPOUND, sizeof(part))));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        SL_TRY_OUT(SL_H5(H5Tinsert(*out, members[i].name, members[i].offset, members[i].type)));
    SL_TRY_OUT(sl_h5_text_type(&text, NAME_BYTES));
    SL_TRY_OUT(SL_H5(H5Tinsert(*out, "file", offsetof(part, file), text)));
    SL_TRY_OUT(SL_H5(H5Tinsert(*out, "table", offsetof(part, table), text)));
out:
    sl_h5_close(&text);
    return st;
}

/* parts (at most count * SL_TABLE_COUNT) of all segments; returns their number. */
static size_t list_parts(part *parts, const sl_index_list *list)
{
    size_t used = 0;

    for (int t = 0; t < SL_TABLE_COUNT; t++) {
        uint64_t first = 0;

        for (size_t i = 0; i < list->count; i++) {
            const sl_index_source *s = &list->source[i];
            part *p = &parts[used];

            if (!s->info.rows[t])
                continue;
            *p = (part){ .first = first,
                         .live = s->live[t],
                         .stored = s->info.rows[t],
                         .first_step = s->info.first_step,
                         .last_step = s->info.last_step,
                         .rank = s->info.rank,
                         .segment = s->info.number,
                         .attempt = s->info.attempt };
            memcpy(p->file, s->name, sizeof p->file);
            (void)snprintf(p->table, sizeof p->table, "%s", sl_table_get((sl_table)t)->name);
            first += s->live[t];
            used++;
        }
    }
    return used;
}

static sl_status put_parts(hid_t file, const part *parts, size_t count)
{
    sl_status st = SL_OK;
    const hsize_t dims = count;
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, creation = H5I_INVALID_HID;
    hid_t dataset = H5I_INVALID_HID;

    SL_TRY_OUT(part_type(&type));
    SL_TRY_OUT(SL_H5_ID(&space, H5Screate_simple(1, &dims, NULL)));
    SL_TRY_OUT(SL_H5_ID(&creation, H5Pcreate(H5P_DATASET_CREATE)));
    SL_TRY_OUT(SL_H5(H5Pset_obj_track_times(creation, 0)));
    SL_TRY_OUT(SL_H5_ID(
        &dataset, H5Dcreate2(file, "segments", type, space, H5P_DEFAULT, creation, H5P_DEFAULT)));
    SL_TRY_OUT(sl_h5_put_text(dataset, "units", "first, live, stored: row; *_step: update"));
    SL_TRY_OUT(sl_h5_put_text(dataset, "description",
                              "one row per sealed segment and table: where its live rows stand in "
                              "the table, how many rows the segment stores"));
    if (count)
        SL_TRY_OUT(SL_H5(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, parts)));
out:
    sl_h5_close(&dataset);
    sl_h5_close(&creation);
    sl_h5_close(&space);
    sl_h5_close(&type);
    return sl_err_where(st, "/segments");
}

static sl_status put_segments(hid_t file, const sl_index_list *list)
{
    part *parts = NULL;
    sl_status st;

    SL_TRY(sl_take(&parts, list->count * SL_TABLE_COUNT + 1, sizeof *parts));
    st = put_parts(file, parts, list_parts(parts, list));
    sl_free(parts);
    return st;
}

/* Maps rows [first, first + live) of the virtual dataset to the first live rows of a segment's. */
static sl_status map_source(hid_t creation, hid_t space, const sl_h5_set *set,
                            const sl_index_source *s, uint64_t first)
{
    sl_status st = SL_OK;
    const int rank = set->wide ? 2 : 1;
    const hsize_t stored[2] = { s->info.rows[set->table], set->width };
    const hsize_t at[2] = { first, 0 }, zero[2] = { 0, 0 };
    const hsize_t count[2] = { s->live[set->table], set->width };
    hid_t source = H5I_INVALID_HID;
    char name[SL_H5_NAME_BYTES + 1];

    (void)snprintf(name, sizeof name, "/%s", set->name);
    SL_TRY_OUT(SL_H5_ID(&source, H5Screate_simple(rank, stored, NULL)));
    SL_TRY_OUT(SL_H5(H5Sselect_hyperslab(source, H5S_SELECT_SET, zero, NULL, count, NULL)));
    SL_TRY_OUT(SL_H5(H5Sselect_hyperslab(space, H5S_SELECT_SET, at, NULL, count, NULL)));
    SL_TRY_OUT(SL_H5(H5Pset_virtual(creation, space, s->name, name, source)));
out:
    sl_h5_close(&source);
    return sl_err_where(st, "%s", s->name);
}

static sl_status map_sources(hid_t creation, hid_t space, const sl_h5_set *set,
                             const sl_index_list *list)
{
    uint64_t first = 0;

    for (size_t i = 0; i < list->count; i++) {
        const sl_index_source *s = &list->source[i];

        if (!s->live[set->table])
            continue;
        SL_TRY(map_source(creation, space, set, s, first));
        first += s->live[set->table];
    }
    return SL_OK;
}

/* One dataset over all segments; without rows an empty one of the same type. */
static sl_status put_virtual(hid_t file, const sl_h5_set *set, const sl_index_list *list)
{
    sl_status st = SL_OK;
    const hsize_t dims[2] = { list->live[set->table], set->width };
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, creation = H5I_INVALID_HID;
    hid_t dataset = H5I_INVALID_HID;

    SL_TRY_OUT(sl_h5_set_type(&type, set));
    SL_TRY_OUT(SL_H5_ID(&space, H5Screate_simple(set->wide ? 2 : 1, dims, NULL)));
    SL_TRY_OUT(SL_H5_ID(&creation, H5Pcreate(H5P_DATASET_CREATE)));
    SL_TRY_OUT(SL_H5(H5Pset_obj_track_times(creation, 0)));
    SL_TRY_OUT(sl_h5_set_fill(creation, set, type));
    SL_TRY_OUT(map_sources(creation, space, set, list));
    SL_TRY_OUT(SL_H5(H5Sselect_all(space)));
    SL_TRY_OUT(SL_H5_ID(
        &dataset, H5Dcreate2(file, set->name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT)));
    SL_TRY_OUT(sl_h5_set_describe(dataset, set));
out:
    sl_h5_close(&dataset);
    sl_h5_close(&creation);
    sl_h5_close(&space);
    sl_h5_close(&type);
    return sl_err_where(st, "/%s", set->name);
}

static sl_status put_index(hid_t file, const sl_index_list *list, sl_table table)
{
    sl_h5_set set[SL_TABLE_SETS_MAX];
    const size_t count = sl_h5_sets(set, table, &list->identity.layout);

    for (size_t i = 0; i < count; i++)
        SL_TRY(put_virtual(file, &set[i], list));
    return SL_OK;
}

/* Where packed rows go, and their CRC32C. */
typedef struct packer {
    sl_h5_sinks sinks;
    uint32_t crc;
} packer;

static sl_status sum_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                          size_t row_bytes)
{
    packer *p = with;

    (void)table;
    p->crc = sl_crc32c(p->crc, rows, count * row_bytes);
    return SL_OK;
}

static sl_status pack_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                           size_t row_bytes)
{
    packer *p = with;

    SL_TRY(sum_rows(with, table, rows, count, row_bytes));
    return sl_h5_sinks_add(&p->sinks, table, rows, count, row_bytes);
}

/* The live rows themselves, in the form of a segment's tables. *crc: of all of them. */
static sl_status put_packed(uint32_t *crc, hid_t file, const sl_index_list *list, sl_table table,
                            const char *run_path)
{
    sl_status st = SL_OK;
    packer p = { .crc = 0 };

    SL_TRY_OUT(sl_h5_sinks_open(&p.sinks, file, table, list->live[table], &list->identity.layout));
    for (size_t i = 0; i < list->count; i++) {
        const sl_index_source *s = &list->source[i];
        char path[SL_RUN_PATH];

        SL_TRY_OUT(sl_file_join(path, sizeof path, run_path, s->name));
        SL_TRY_OUT(sl_segment_visit(path, &s->info, &list->identity, table, 0, s->live[table],
                                    pack_rows, &p));
    }
    SL_TRY_OUT(sl_h5_sinks_flush(&p.sinks));
    *crc = p.crc;
out:
    sl_h5_sinks_close(&p.sinks);
    return st;
}

/* Reads a packed file again: it must hold the rows that were given to it. crc (SL_TABLE_COUNT). */
static sl_status compare_packed(const char *tmp, const sl_index_list *list, const uint32_t *crc)
{
    sl_segment_info info = { .minor = SL_SCHEMA_MINOR, .last_step = INT64_MAX };

    memcpy(info.rows, list->live, sizeof info.rows);
    for (int t = 0; t < SL_TABLE_COUNT; t++) {
        packer found = { .crc = 0 };

        SL_TRY(sl_segment_visit(tmp, &info, &list->identity, (sl_table)t, 0, info.rows[t], sum_rows,
                                &found));
        if (found.crc != crc[t])
            return SL_FAIL(SL_EFORMAT, "%s: /%s: want rows with CRC32C %08x, found %08x", tmp,
                           sl_table_get((sl_table)t)->name, crc[t], found.crc);
    }
    return SL_OK;
}

/* How run.h5 is made of a list. */
typedef struct form {
    int is_packed, is_complete;
} form;

static form choose_form(const sl_index_list *list, int is_final, uint64_t pack_bytes)
{
    uint64_t bytes = 0;
    size_t sources = 0;

    for (size_t i = 0; i < list->count; i++)
        sources += list->source[i].live[SL_TABLE_UNITS] > 0;
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        bytes += list->live[t] * sl_table_packed_bytes((sl_table)t, &list->identity.layout);
    return (form){ .is_packed = is_final && bytes <= pack_bytes,
                   .is_complete = (is_final && bytes <= pack_bytes) || sources <= SOURCES_MAX };
}

static sl_status put_root(hid_t file, const sl_index_list *list, form f)
{
    SL_TRY(sl_h5_put_text(file, "schema", SL_SCHEMA_NAME));
    SL_TRY(sl_h5_put_i64(file, "major", SL_SCHEMA_MAJOR));
    SL_TRY(sl_h5_put_i64(file, "minor", SL_SCHEMA_MINOR));
    SL_TRY(sl_h5_put_text(file, "run_uuid", list->identity.uuid_text));
    SL_TRY(sl_h5_put_i64(file, "world_size", list->identity.world_size));
    SL_TRY(sl_h5_put_i64(file, "complete", f.is_complete));
    return sl_h5_put_document(file, "run_json", list->identity.json);
}

/* crc (SL_TABLE_COUNT): of the packed tables. */
static sl_status put_tables(uint32_t *crc, hid_t file, const sl_index_list *list, form f,
                            const char *run_path)
{
    for (int t = 0; t < SL_TABLE_COUNT; t++) {
        if (!list->identity.has_table[t] && t != SL_TABLE_UNITS && !list->live[t])
            continue;
        if (f.is_packed && list->live[t])
            SL_TRY(put_packed(&crc[t], file, list, (sl_table)t, run_path));
        else
            SL_TRY(put_index(file, list, (sl_table)t));
    }
    return SL_OK;
}

static sl_status write_tmp(const char *tmp, const sl_index_list *list, form f, const char *run_path)
{
    sl_status st = SL_OK;
    hid_t file = H5I_INVALID_HID;
    uint32_t crc[SL_TABLE_COUNT] = { 0 };

    sl_h5_begin();
    SL_TRY_OUT(sl_h5_create(&file, tmp, SL_USERBLOCK_BYTES));
    SL_TRY_OUT(put_root(file, list, f));
    SL_TRY_OUT(put_segments(file, list));
    if (f.is_complete)
        SL_TRY_OUT(put_tables(crc, file, list, f, run_path));
    SL_TRY_OUT(sl_h5_close_file(&file));
    if (f.is_packed)
        SL_TRY_OUT(compare_packed(tmp, list, crc));
out:
    sl_h5_close(&file);
    sl_h5_end();
    return sl_err_where(st, "%s", tmp);
}

/* The user block: which state of the run this file shows. */
static sl_status block_json(sl_json **out, const sl_index_list *list, form f)
{
    sl_json *o = json_object();

    *out = o;
    SL_TRY(sl_json_put(o, "schema", json_string(SL_SCHEMA_NAME)));
    SL_TRY(sl_json_put(o, "kind", json_string(f.is_packed ? "packed" : "index")));
    SL_TRY(sl_json_put(o, "major", json_integer(SL_SCHEMA_MAJOR)));
    SL_TRY(sl_json_put(o, "minor", json_integer(SL_SCHEMA_MINOR)));
    SL_TRY(sl_json_put(o, "run_uuid", json_string(list->identity.uuid_text)));
    SL_TRY(sl_json_put(o, "segments", json_integer((json_int_t)list->count)));
    return sl_json_put(o, "state_sha256", json_string(list->sha256));
}

sl_status sl_index_build(const char *run_path, int is_own, int is_final, uint64_t pack_bytes)
{
    sl_status st = SL_OK;
    sl_index_list list;
    sl_json *block = NULL;
    char path[SL_RUN_PATH], tmp[SL_RUN_PATH];
    form f;

    SL_TRY(sl_file_join(path, sizeof path, run_path, "run.h5"));
    SL_TRY(sl_file_join(tmp, sizeof tmp, run_path, "run.h5.tmp"));
    SL_TRY(sl_index_list_open(&list, run_path, is_own, 1));
    f = choose_form(&list, is_final, pack_bytes);
    SL_TRY_OUT(write_tmp(tmp, &list, f, run_path));
    SL_TRY_OUT(block_json(&block, &list, f));
    SL_TRY_OUT(sl_userblock_seal(run_path, path, block));
out:
    sl_json_close(&block);
    sl_index_list_close(&list);
    return st;
}

static sl_status check_block(int *is_stale, int fd, const char *run_path)
{
    sl_status st = SL_OK;
    sl_json *block = NULL;
    sl_index_list list = { 0 };
    const char *state = NULL;

    SL_TRY_OUT(sl_userblock_read(&block, fd));
    SL_TRY_OUT(sl_userblock_prove(fd, block));
    SL_TRY_OUT(sl_json_text(&state, block, "state_sha256"));
    SL_TRY_OUT(sl_index_list_open(&list, run_path, 0, 0));
    *is_stale = strcmp(state, list.sha256) != 0;
out:
    sl_json_close(&block);
    sl_index_list_close(&list);
    return st;
}

sl_status sl_index_check(const char *run_path, int *is_stale)
{
    char path[SL_RUN_PATH];
    uint64_t bytes;
    int fd = -1;
    sl_status st;

    *is_stale = 0;
    SL_TRY(sl_file_join(path, sizeof path, run_path, "run.h5"));
    st = sl_userblock_open(&fd, &bytes, path);
    if (st == SL_OK)
        st = check_block(is_stale, fd, run_path);
    if (fd >= 0)
        (void)close(fd);
    return sl_err_where(st, "%s", path);
}
