/* Tables of plain files: rows with named fields. */
#include "run/arrays_int.h"

static sl_status field_type(hid_t *out, const sl_array_field *f)
{
    if (f->type == SL_FIELD_TEXT)
        return sl_h5_text_type(out, f->bytes);
    return SL_H5_ID(out, H5Tcopy(f->type == SL_FIELD_I64 ? H5T_STD_I64LE : H5T_IEEE_F64LE));
}

static sl_status row_type(hid_t *out, const sl_array_field *field, size_t fields, size_t row_bytes)
{
    SL_TRY(SL_H5_ID(out, H5Tcreate(H5T_COMPOUND, row_bytes)));
    for (size_t i = 0; i < fields; i++) {
        hid_t type = H5I_INVALID_HID;
        sl_status st = field_type(&type, &field[i]);

        if (st == SL_OK)
            st = SL_H5(H5Tinsert(*out, field[i].name, field[i].offset, type));
        sl_h5_close(&type);
        SL_TRY(sl_err_where(st, "field \"%s\"", field[i].name));
    }
    return SL_OK;
}

/* Contiguous, without times: the same rows are the same bytes. */
static sl_status write_rows(hid_t file, const char *name, hid_t type, const void *rows,
                            size_t count)
{
    const hsize_t extent = count;
    hid_t space = H5I_INVALID_HID, set = H5I_INVALID_HID, creation = H5I_INVALID_HID;
    sl_status st = SL_OK;

    SL_TRY_OUT(SL_H5_ID(&space, H5Screate_simple(1, &extent, NULL)));
    SL_TRY_OUT(SL_H5_ID(&creation, H5Pcreate(H5P_DATASET_CREATE)));
    SL_TRY_OUT(SL_H5(H5Pset_obj_track_times(creation, 0)));
    SL_TRY_OUT(
        SL_H5_ID(&set, H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT)));
    if (count)
        SL_TRY_OUT(SL_H5(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows)));
out:
    sl_h5_close(&set);
    sl_h5_close(&creation);
    sl_h5_close(&space);
    return st;
}

sl_status sl_arrays_write_rows(sl_arrays *arrays, const char *name, const sl_array_field *field,
                               size_t fields, const void *rows, size_t count, size_t row_bytes)
{
    hid_t type = H5I_INVALID_HID;
    sl_status st;

    SL_CHECK(arrays->part[0]);
    sl_h5_begin();
    st = row_type(&type, field, fields, row_bytes);
    if (st == SL_OK)
        st = write_rows(arrays->file, name, type, rows, count);
    sl_h5_close(&type);
    sl_h5_end();
    return sl_err_where(st, "%s:/%s", arrays->path, name);
}
