/* What the schema table says, said to HDF5. */
#include "run/h5_schema_int.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)256 << 10)
#define CHUNK_MAX_BYTES ((size_t)16 << 20) /* readers refuse more */
#define ATTRIBUTE_BYTES ((size_t)4096)     /* readers refuse more */

size_t sl_h5_sets(sl_h5_set *out, sl_table table, const sl_layout *layout)
{
    size_t count, used = 1;
    const sl_column *c = sl_table_columns(table, &count);
    const char *name = sl_table_get(table)->name;

    out[0] = (sl_h5_set){ .table = table, .item_bytes = sl_table_fixed_bytes(table), .width = 1 };
    (void)snprintf(out[0].name, sizeof out[0].name, "%s", name);
    for (size_t i = 0; i < count; i++) {
        const size_t width = layout->width[c[i].width];

        if (c[i].width == SL_WIDTH_ONE || width == 0)
            continue;
        out[used] = (sl_h5_set){ .table = table,
                                 .wide = &c[i],
                                 .item_bytes = width * sl_type_bytes(c[i].type),
                                 .width = width };
        (void)snprintf(out[used].name, sizeof out[used].name, "%s_%s", name, c[i].name);
        used++;
    }
    return used;
}

/* IEEE 754 binary16: sign bit 15, exponent from bit 10 (5 bits), mantissa from 0 (10 bits). */
static sl_status half_type(hid_t *out)
{
    SL_TRY(SL_H5_ID(out, H5Tcopy(H5T_IEEE_F32LE)));
    SL_TRY(SL_H5(H5Tset_fields(*out, 15, 10, 5, 0, 10)));
    SL_TRY(SL_H5(H5Tset_size(*out, 2)));
    return SL_H5(H5Tset_ebias(*out, 15));
}

static sl_status enumeration_type(hid_t *out, const sl_column *column)
{
    SL_TRY(SL_H5_ID(out, H5Tenum_create(H5T_STD_U8LE)));
    for (size_t i = 0; i < sl_column_values(column); i++) {
        const uint8_t value = (uint8_t)i;

        SL_TRY(SL_H5(H5Tenum_insert(*out, column->names[i], &value)));
    }
    return SL_OK;
}

/* The library's own type of a number; invalid where there is none. Its ids are run-time values. */
static hid_t number_type(sl_type type)
{
    const hid_t ids[SL_TYPE_COUNT] = {
        [SL_TYPE_I64] = H5T_STD_I64LE,  [SL_TYPE_U64] = H5T_STD_U64LE,
        [SL_TYPE_I32] = H5T_STD_I32LE,  [SL_TYPE_U32] = H5T_STD_U32LE,
        [SL_TYPE_U16] = H5T_STD_U16LE,  [SL_TYPE_U8] = H5T_STD_U8LE,
        [SL_TYPE_F64] = H5T_IEEE_F64LE, [SL_TYPE_F32] = H5T_IEEE_F32LE,
    };

    return ids[type];
}

sl_status sl_h5_column_type(hid_t *out, const sl_column *column)
{
    *out = H5I_INVALID_HID;
    if (column->type == SL_TYPE_F16)
        return half_type(out);
    if (column->type == SL_TYPE_S64)
        return sl_h5_text_type(out, 64);
    if (column->type == SL_TYPE_E8)
        return enumeration_type(out, column);
    return SL_H5_ID(out, H5Tcopy(number_type(column->type)));
}

static sl_status insert_columns(hid_t row, const sl_h5_set *set)
{
    size_t count, offset = 0;
    const sl_column *c = sl_table_columns(set->table, &count);

    for (size_t i = 0; i < count && c[i].width == SL_WIDTH_ONE; i++) {
        hid_t type = H5I_INVALID_HID;
        sl_status st = sl_h5_column_type(&type, &c[i]);

        if (st == SL_OK)
            st = SL_H5(H5Tinsert(row, c[i].name, offset, type));
        sl_h5_close(&type);
        SL_TRY(sl_err_where(st, "column \"%s\"", c[i].name));
        offset += sl_type_bytes(c[i].type);
    }
    return SL_OK;
}

sl_status sl_h5_set_type(hid_t *out, const sl_h5_set *set)
{
    *out = H5I_INVALID_HID;
    if (set->wide)
        return sl_h5_column_type(out, set->wide);
    SL_TRY(SL_H5_ID(out, H5Tcreate(H5T_COMPOUND, set->item_bytes)));
    return insert_columns(*out, set);
}

/* out = the fill value of one element of a column. */
static void fill_value(unsigned char *out, const sl_column *c)
{
    static const uint16_t nan16 = 0x7e00;
    static const uint32_t nan32 = 0x7fc00000u;
    static const uint64_t nan64 = 0x7ff8000000000000u;
    static const int64_t no_step = -1;
    const size_t bytes = sl_type_bytes(c->type);

    memset(out, 0, bytes);
    if (c->type == SL_TYPE_F16)
        memcpy(out, &nan16, bytes);
    else if (c->type == SL_TYPE_F32)
        memcpy(out, &nan32, bytes);
    else if (c->type == SL_TYPE_F64)
        memcpy(out, &nan64, bytes);
    else if (!strcmp(c->name, "step"))
        memcpy(out, &no_step, bytes);
}

void sl_h5_set_blank(unsigned char *row, const sl_h5_set *set)
{
    size_t count, used = 0;
    const sl_column *c = sl_table_columns(set->table, &count);

    for (size_t i = 0; set->wide && i < set->width; i++)
        fill_value(row + i * sl_type_bytes(set->wide->type), set->wide);
    for (size_t i = 0; !set->wide && i < count && c[i].width == SL_WIDTH_ONE; i++) {
        fill_value(row + used, &c[i]);
        used += sl_type_bytes(c[i].type);
    }
}

sl_status sl_h5_set_fill(hid_t creation, const sl_h5_set *set, hid_t type)
{
    unsigned char *row = NULL;
    sl_status st;

    SL_TRY(sl_take(&row, set->item_bytes, 1));
    sl_h5_set_blank(row, set);
    st = SL_H5(H5Pset_fill_value(creation, type, row));
    sl_free(row);
    return st;
}

/* Adds "column: text; " to text (used of ATTRIBUTE_BYTES). */
static sl_status join(char *text, size_t *used, const char *column, const char *meaning)
{
    const size_t room = ATTRIBUTE_BYTES - *used;
    const int wrote = snprintf(text + *used, room, "%s%s: %s", *used ? "; " : "", column, meaning);

    if (wrote < 0 || (size_t)wrote >= room)
        return SL_FAIL(SL_EINTERNAL, "bug: want at most %zu bytes of description, found more",
                       ATTRIBUTE_BYTES);
    *used += (size_t)wrote;
    return SL_OK;
}

sl_status sl_h5_set_describe(hid_t dataset, const sl_h5_set *set)
{
    char units[ATTRIBUTE_BYTES], meanings[ATTRIBUTE_BYTES];
    size_t count, units_used = 0, used = 0;
    const sl_column *c = sl_table_columns(set->table, &count);

    if (set->wide) {
        SL_TRY(sl_h5_put_text(dataset, "units", set->wide->unit));
        return sl_h5_put_text(dataset, "description", set->wide->meaning);
    }
    SL_TRY(join(meanings, &used, "one row per", sl_table_get(set->table)->per));
    for (size_t i = 0; i < count && c[i].width == SL_WIDTH_ONE; i++) {
        SL_TRY(join(units, &units_used, c[i].name, c[i].unit));
        SL_TRY(join(meanings, &used, c[i].name, c[i].meaning));
    }
    SL_TRY(sl_h5_put_text(dataset, "units", units));
    return sl_h5_put_text(dataset, "description", meanings);
}

static sl_status add_filters(hid_t creation, const sl_h5_set *set)
{
    const int is_packed = !set->wide || set->wide->width != SL_WIDTH_VOCAB;

    if (is_packed) {
        SL_TRY(SL_H5(H5Pset_filter(creation, H5Z_FILTER_SHUFFLE, H5Z_FLAG_MANDATORY, 0, NULL)));
        SL_TRY(SL_H5(H5Pset_filter(creation, H5Z_FILTER_DEFLATE, H5Z_FLAG_MANDATORY, 1,
                                   &(const unsigned){ 1 })));
    }
    return SL_H5(H5Pset_filter(creation, H5Z_FILTER_FLETCHER32, H5Z_FLAG_MANDATORY, 0, NULL));
}

sl_status sl_h5_set_creation(hid_t *out, size_t *chunk_rows, const sl_h5_set *set, size_t rows)
{
    size_t n = CHUNK_BYTES / set->item_bytes;
    hsize_t chunk[2] = { 0, set->width };

    if (set->item_bytes > CHUNK_MAX_BYTES)
        return SL_FAIL(SL_ESHAPE, "want at most %zu bytes a row, found %zu", CHUNK_MAX_BYTES,
                       set->item_bytes);
    n = n > rows ? rows : n;
    *chunk_rows = n ? n : 1;
    chunk[0] = *chunk_rows;
    SL_TRY(SL_H5_ID(out, H5Pcreate(H5P_DATASET_CREATE)));
    SL_TRY(SL_H5(H5Pset_obj_track_times(*out, 0)));
    if (!rows) /* a chunk would be larger than the extent */
        return SL_OK;
    SL_TRY(SL_H5(H5Pset_chunk(*out, set->wide ? 2 : 1, chunk)));
    return add_filters(*out, set);
}
