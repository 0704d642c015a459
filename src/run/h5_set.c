/* Opening a dataset that may come from a stranger: everything that HDF5 could follow, allocate or
 * invent is refused before a byte of data is read. */
#include "run/segment_read_int.h"

#include <string.h>

#define CHUNK_MAX_BYTES ((hsize_t)16 << 20)
#define RATIO_MAX 1100u     /* logical over stored bytes; deflate reaches 1032 */
#define ROW_MAX_BYTES 4096u /* of a compound with columns of a later minor version */

/* The link is hard and leads to a dataset, not to another file or a group. */
static sl_status check_link(hid_t file, const char *name)
{
    H5L_info_t link;
    H5O_info_t object;

    if (H5Lexists(file, name, H5P_DEFAULT) <= 0)
        return SL_FAIL(SL_EFORMAT, "want this dataset, found none");
    SL_TRY(SL_H5(H5Lget_info(file, name, &link, H5P_DEFAULT)));
    if (link.type != H5L_TYPE_HARD)
        return SL_FAIL(SL_EFORMAT, "want a hard link, found another");
    SL_TRY(SL_H5(H5Oget_info_by_name2(file, name, &object, H5O_INFO_BASIC, H5P_DEFAULT)));
    if (object.type != H5O_TYPE_DATASET)
        return SL_FAIL(SL_EFORMAT, "want a dataset, found another object");
    return SL_OK;
}

sl_status sl_h5_check_filters(hid_t creation)
{
    const int n = H5Pget_nfilters(creation);

    if (n < 0 || n > 3)
        return SL_FAIL(SL_EFORMAT, "want at most 3 filters, found %d", n);
    for (int i = 0; i < n; i++) {
        unsigned flags = 0, config = 0;
        size_t values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(creation, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);

        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32)
            return SL_FAIL(SL_EFORMAT, "want deflate, shuffle or fletcher32, found filter %d",
                           (int)filter);
    }
    return SL_OK;
}

static sl_status check_chunk(hid_t creation, const sl_h5_set *set, hsize_t *chunk_rows)
{
    hsize_t chunk[2] = { 0, 1 };
    const int rank = set->wide ? 2 : 1;

    if (H5Pget_chunk(creation, rank, chunk) != rank || !chunk[0] || chunk[1] != set->width)
        return SL_FAIL(SL_EFORMAT, "want chunks of whole rows, found others");
    if (chunk[0] > CHUNK_MAX_BYTES / set->item_bytes)
        return SL_FAIL(SL_EFORMAT, "want chunks of at most 16 MiB, found %llu rows",
                       (unsigned long long)chunk[0]);
    *chunk_rows = chunk[0];
    return SL_OK;
}

/* Chunked or contiguous, all inside this file. *chunk_rows = 0: contiguous. */
static sl_status check_layout(hid_t dataset, const sl_h5_set *set, hsize_t *chunk_rows)
{
    sl_status st = SL_OK;
    hid_t creation = H5I_INVALID_HID;

    *chunk_rows = 0;
    SL_TRY_OUT(SL_H5_ID(&creation, H5Dget_create_plist(dataset)));
    if (H5Pget_external_count(creation) != 0)
        st = SL_FAIL(SL_EFORMAT, "want data in this file, found external storage");
    else if (H5Pget_layout(creation) == H5D_CHUNKED)
        st = check_chunk(creation, set, chunk_rows);
    else if (H5Pget_layout(creation) != H5D_CONTIGUOUS)
        st = SL_FAIL(SL_EFORMAT, "want a chunked or contiguous layout, found another");
    if (st == SL_OK)
        st = sl_h5_check_filters(creation);
out:
    sl_h5_close(&creation);
    return st;
}

static sl_status check_extent(hid_t dataset, const sl_h5_set *set, uint64_t rows)
{
    sl_status st = SL_OK;
    hid_t space = H5I_INVALID_HID;
    hsize_t dims[2] = { 0, 1 }, most[2] = { 0, 1 };
    const int rank = set->wide ? 2 : 1;

    SL_TRY_OUT(SL_H5_ID(&space, H5Dget_space(dataset)));
    if (H5Sget_simple_extent_type(space) != H5S_SIMPLE ||
        H5Sget_simple_extent_ndims(space) != rank) {
        st = SL_FAIL(SL_EFORMAT, "want %d dimensions, found others", rank);
        goto out;
    }
    (void)H5Sget_simple_extent_dims(space, dims, most);
    if (dims[0] != rows || dims[1] != set->width || most[0] != dims[0] || most[1] != dims[1])
        st = SL_FAIL(SL_EFORMAT, "want a fixed extent (%llu,%zu), found (%llu,%llu)",
                     (unsigned long long)rows, set->width, (unsigned long long)dims[0],
                     (unsigned long long)dims[1]);
out:
    sl_h5_close(&space);
    return st;
}

/* Rows must be stored, not merely promised: an unallocated chunk reads as its fill value. */
static sl_status check_stored(hid_t dataset, const sl_h5_set *set, uint64_t rows,
                              hsize_t chunk_rows)
{
    const hsize_t stored = H5Dget_storage_size(dataset);
    hsize_t chunks = 0;
    hid_t space = H5I_INVALID_HID;
    sl_status st;

    if (rows > UINT64_MAX / set->item_bytes || rows * set->item_bytes / RATIO_MAX > stored)
        return SL_FAIL(SL_EFORMAT, "want at least 1/%u of %llu rows stored, found %llu bytes",
                       RATIO_MAX, (unsigned long long)rows, (unsigned long long)stored);
    if (!chunk_rows)
        return stored == rows * set->item_bytes
                   ? SL_OK
                   : SL_FAIL(SL_EFORMAT, "want every row stored, found %llu bytes",
                             (unsigned long long)stored);
    SL_TRY(SL_H5_ID(&space, H5Dget_space(dataset))); /* 1.10 does not take H5S_ALL */
    st = SL_H5(H5Dget_num_chunks(dataset, space, &chunks));
    sl_h5_close(&space);
    SL_TRY(st);
    if (chunks != (rows + chunk_rows - 1) / chunk_rows)
        return SL_FAIL(SL_EFORMAT, "want every chunk stored, found %llu of %llu",
                       (unsigned long long)chunks,
                       (unsigned long long)((rows + chunk_rows - 1) / chunk_rows));
    return SL_OK;
}

/* The member of a compound of another minor version has the column's type. */
static sl_status check_member(hid_t found, const sl_column *column)
{
    const int index = H5Tget_member_index(found, column->name);
    hid_t have = H5I_INVALID_HID, want = H5I_INVALID_HID;
    sl_status st = SL_OK;

    if (index < 0)
        return SL_FAIL(SL_EFORMAT, "want column \"%s\", found none", column->name);
    SL_TRY_OUT(SL_H5_ID(&have, H5Tget_member_type(found, (unsigned)index)));
    SL_TRY_OUT(sl_h5_column_type(&want, column));
    if (H5Tequal(have, want) <= 0)
        st = SL_FAIL(SL_EFORMAT, "column \"%s\": want type %s, found another", column->name,
                     sl_type_name(column->type));
out:
    sl_h5_close(&want);
    sl_h5_close(&have);
    return st;
}

/* Class, size, order, names and offsets equal the schema's; of another minor version: what both
 * know is there by name, and nothing is of variable length. */
static sl_status check_type(hid_t found, hid_t want, const sl_h5_set *set, unsigned minor)
{
    size_t count;
    const sl_column *c = sl_table_columns(set->table, &count);

    if (H5Tequal(found, want) > 0)
        return SL_OK;
    if (minor == SL_SCHEMA_MINOR || set->wide || H5Tget_class(found) != H5T_COMPOUND ||
        H5Tget_size(found) > ROW_MAX_BYTES || H5Tdetect_class(found, H5T_VLEN) != 0 ||
        H5Tdetect_class(found, H5T_REFERENCE) != 0)
        return SL_FAIL(SL_EFORMAT, "want the type of the schema, found another");
    for (size_t i = 0; i < count && c[i].width == SL_WIDTH_ONE; i++)
        if (c[i].since <= minor)
            SL_TRY(check_member(found, &c[i]));
    return SL_OK;
}

static sl_status open_checked(hid_t *dataset, hid_t *type, hid_t file, const sl_h5_set *set,
                              uint64_t rows, unsigned minor)
{
    sl_status st = SL_OK;
    hid_t found = H5I_INVALID_HID;
    hsize_t chunk_rows = 0;

    SL_TRY_OUT(check_link(file, set->name));
    SL_TRY_OUT(SL_H5_ID(dataset, H5Dopen2(file, set->name, H5P_DEFAULT)));
    SL_TRY_OUT(check_layout(*dataset, set, &chunk_rows));
    SL_TRY_OUT(SL_H5_ID(&found, H5Dget_type(*dataset)));
    SL_TRY_OUT(sl_h5_set_type(type, set));
    SL_TRY_OUT(check_type(found, *type, set, minor));
    SL_TRY_OUT(check_extent(*dataset, set, rows));
    SL_TRY_OUT(check_stored(*dataset, set, rows, chunk_rows));
out:
    sl_h5_close(&found);
    return st;
}

sl_status sl_h5_set_open(hid_t *dataset, hid_t *type, hid_t file, const sl_h5_set *set,
                         uint64_t rows, unsigned minor)
{
    sl_status st;

    *dataset = *type = H5I_INVALID_HID;
    st = open_checked(dataset, type, file, set, rows, minor);
    if (st != SL_OK) {
        sl_h5_close(dataset);
        sl_h5_close(type);
    }
    return sl_err_where(st, "/%s", set->name);
}
