/* Writing and closing; arrays_caged.c reads, by a child process in which arrays_read.c runs. */
#include "run/arrays_int.h"

#include "base/alloc.h"
#include "base/file.h"
#include <stdio.h>
#include <unistd.h>

hid_t sl_array_native(sl_array_type type)
{
    const hid_t types[] = { H5T_NATIVE_FLOAT, H5T_NATIVE_DOUBLE, H5T_NATIVE_INT32,
                            H5T_NATIVE_INT64 };

    return types[type];
}

size_t sl_array_bytes(sl_array_type type)
{
    static const size_t bytes[] = { 4, 8, 4, 8 };

    return bytes[type];
}

static sl_status finish_opening(sl_arrays **out, sl_arrays *a, sl_status st, const char *path)
{
    if (st == SL_OK)
        *out = a;
    else
        sl_arrays_close(&a);
    return sl_err_where(st, "%s", path);
}

sl_status sl_arrays_create(sl_arrays **out, const char *path)
{
    sl_arrays *a = NULL;
    sl_status st;
    int n;

    *out = NULL;
    if (sl_file_exists(path))
        return sl_err_where(SL_FAIL(SL_EIO, "want a new file, found one there"), "%s", path);
    SL_TRY(sl_take(&a, 1, sizeof *a));
    a->file = H5I_INVALID_HID;
    a->fd = -1;
    n = snprintf(a->path, sizeof a->path, "%s", path);
    if (n < 0 || (size_t)n >= sizeof a->path - sizeof ".part") {
        sl_free(a);
        return SL_FAIL(SL_EARG, "want a path below %zu bytes, found %d", sizeof a->path, n);
    }
    (void)snprintf(a->part, sizeof a->part, "%.*s.part", (int)(sizeof a->part - sizeof ".part"),
                   path);
    sl_h5_begin();
    st = sl_h5_create(&a->file, a->part, 0);
    sl_h5_end();
    return finish_opening(out, a, st, path);
}

/* Contiguous, without times: the same numbers are the same bytes. */
static sl_status write_new(const sl_arrays *a, const char *name, sl_array_type type, const void *x,
                           const size_t *dims, size_t rank)
{
    hid_t space = H5I_INVALID_HID, set = H5I_INVALID_HID, links = H5I_INVALID_HID;
    hid_t creation = H5I_INVALID_HID;
    hsize_t extent[SL_ARRAY_RANK];
    sl_status st = SL_OK;

    for (size_t i = 0; i < rank; i++)
        extent[i] = dims[i];
    SL_TRY_OUT(SL_H5_ID(&space, H5Screate_simple((int)rank, extent, NULL)));
    SL_TRY_OUT(SL_H5_ID(&links, H5Pcreate(H5P_LINK_CREATE)));
    SL_TRY_OUT(SL_H5(H5Pset_create_intermediate_group(links, 1)));
    SL_TRY_OUT(SL_H5_ID(&creation, H5Pcreate(H5P_DATASET_CREATE)));
    SL_TRY_OUT(SL_H5(H5Pset_obj_track_times(creation, 0)));
    SL_TRY_OUT(SL_H5_ID(&set, H5Dcreate2(a->file, name, sl_array_native(type), space, links,
                                         creation, H5P_DEFAULT)));
    SL_TRY_OUT(SL_H5(H5Dwrite(set, sl_array_native(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, x)));
out:
    sl_h5_close(&set);
    sl_h5_close(&creation);
    sl_h5_close(&links);
    sl_h5_close(&space);
    return st;
}

sl_status sl_arrays_write(sl_arrays *arrays, const char *name, sl_array_type type, const void *x,
                          const size_t *dims, size_t rank)
{
    sl_status st;

    SL_CHECK(rank <= SL_ARRAY_RANK && arrays->part[0]);
    sl_h5_begin();
    st = write_new(arrays, name, type, x, dims, rank);
    sl_h5_end();
    return sl_err_where(st, "%s:/%s", arrays->path, name);
}

sl_status sl_arrays_finish(sl_arrays **arrays)
{
    sl_arrays *a = *arrays;
    sl_status st = SL_OK;

    sl_h5_begin();
    st = sl_h5_close_file(&a->file);
    sl_h5_end();
    SL_TRY_OUT(sl_err_where(st, "%s", a->path));
    SL_TRY_OUT(sl_file_publish(a->part, a->path));
    a->part[0] = '\0';
out:
    sl_arrays_close(arrays);
    return st;
}

void sl_arrays_close(sl_arrays **arrays)
{
    sl_arrays *a = *arrays;

    if (!a)
        return;
    sl_h5_begin();
    sl_h5_close(&a->file);
    sl_h5_end();
    if (a->child)
        sl_cage_close(&a->child->cage);
    sl_free(a->child);
    if (a->fd >= 0)
        (void)close(a->fd);
    if (a->part[0])
        (void)unlink(a->part);
    sl_free(a);
    *arrays = NULL;
}
