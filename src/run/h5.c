/* HDF5 calls as status records. Holds no state but the mutex of the process. */
#include "run/h5_int.h"
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Recursive: a visitor of one segment's rows may write them to another file. */
static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void sl_h5_begin(void)
{
    (void)pthread_mutex_lock(&mutex);
    /* A dataset whose close failed on a full disk stays open inside the library, whose handler at
     * exit crashes on it (1.10.8). Everything is closed here, so nothing is left to that handler.
     */
    (void)H5dont_atexit();
    (void)H5open();
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    (void)H5PLset_loading_state(0);
}

void sl_h5_end(void)
{
    (void)H5Eclear2(H5E_DEFAULT);
    (void)pthread_mutex_unlock(&mutex);
}

void sl_h5_forked(void)
{
    mutex = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}

/* What is kept of the library's error stack: the cause, and whether the system gave it. */
typedef struct cause {
    char text[256];
    int is_system;
} cause;

/* H5Ewalk2 callback, innermost first. */
static herr_t keep(unsigned n, const H5E_error2_t *entry, void *user)
{
    cause *c = user;

    if (n == 0)
        (void)snprintf(c->text, sizeof c->text, "%s: %s", entry->func_name ? entry->func_name : "?",
                       entry->desc ? entry->desc : "no description");
    if (entry->desc && strstr(entry->desc, "errno = "))
        c->is_system = 1;
    return 0;
}

static sl_status fail(const char *call, const char *file, int line)
{
    cause c = { .text = "no description" };
    const size_t name = strcspn(call, "(");

    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep, &c);
    (void)H5Eclear2(H5E_DEFAULT);
    return sl_err_set(c.is_system ? SL_EIO : SL_EFORMAT, file, line, "HDF5 %.*s: %s", (int)name,
                      call, c.text);
}

sl_status sl_h5_id(hid_t *out, hid_t id, const char *call, const char *file, int line)
{
    *out = id;
    return id >= 0 ? SL_OK : fail(call, file, line);
}

sl_status sl_h5_done(herr_t ret, const char *call, const char *file, int line)
{
    return ret >= 0 ? SL_OK : fail(call, file, line);
}

void sl_h5_close(hid_t *id)
{
    if (*id > 0)
        (void)H5Idec_ref(*id);
    *id = H5I_INVALID_HID;
}

sl_status sl_h5_close_file(hid_t *file)
{
    const hid_t id = *file;

    *file = H5I_INVALID_HID;
    SL_TRY(SL_H5(H5Fflush(id, H5F_SCOPE_GLOBAL)));
    return SL_H5(H5Fclose(id));
}

sl_status sl_h5_access(hid_t *out)
{
    SL_TRY(SL_H5_ID(out, H5Pcreate(H5P_FILE_ACCESS)));
    SL_TRY(SL_H5(H5Pset_libver_bounds(*out, H5F_LIBVER_V110, H5F_LIBVER_V110)));
#if H5_VERSION_GE(1, 10, 7)
    /* Files are our own temporary ones or never change: a lock would only fail where there is none.
     */
    SL_TRY(SL_H5(H5Pset_file_locking(*out, 0, 1)));
#endif
    return SL_H5(H5Pset_fclose_degree(*out, H5F_CLOSE_STRONG));
}

sl_status sl_h5_create(hid_t *out, const char *path, size_t user_block_bytes)
{
    sl_status st = SL_OK;
    hid_t access = H5I_INVALID_HID, creation = H5I_INVALID_HID;

    SL_TRY_OUT(sl_h5_access(&access));
    SL_TRY_OUT(SL_H5_ID(&creation, H5Pcreate(H5P_FILE_CREATE)));
    SL_TRY_OUT(SL_H5(H5Pset_userblock(creation, user_block_bytes)));
    SL_TRY_OUT(SL_H5(H5Pset_obj_track_times(creation, 0)));
    (void)unlink(path); /* left by a process that died, or a link: never written through */
    SL_TRY_OUT(SL_H5_ID(out, H5Fcreate(path, H5F_ACC_EXCL, creation, access)));
out:
    sl_h5_close(&creation);
    sl_h5_close(&access);
    return st;
}

sl_status sl_h5_text_type(hid_t *out, size_t bytes)
{
    SL_TRY(SL_H5_ID(out, H5Tcopy(H5T_C_S1)));
    SL_TRY(SL_H5(H5Tset_size(*out, bytes)));
    SL_TRY(SL_H5(H5Tset_strpad(*out, H5T_STR_NULLTERM)));
    return SL_H5(H5Tset_cset(*out, H5T_CSET_UTF8));
}

/* Attribute of a scalar of `type` from `value`. */
static sl_status put(hid_t object, const char *name, hid_t type, const void *value)
{
    sl_status st = SL_OK;
    hid_t space = H5I_INVALID_HID, attribute = H5I_INVALID_HID;

    SL_TRY_OUT(SL_H5_ID(&space, H5Screate(H5S_SCALAR)));
    SL_TRY_OUT(
        SL_H5_ID(&attribute, H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT)));
    SL_TRY_OUT(SL_H5(H5Awrite(attribute, type, value)));
out:
    sl_h5_close(&attribute);
    sl_h5_close(&space);
    return st;
}

sl_status sl_h5_put_text(hid_t object, const char *name, const char *text)
{
    sl_status st = SL_OK;
    hid_t type = H5I_INVALID_HID;

    SL_TRY_OUT(sl_h5_text_type(&type, strlen(text) + 1));
    SL_TRY_OUT(put(object, name, type, text));
out:
    sl_h5_close(&type);
    return sl_err_where(st, "attribute \"%s\"", name);
}

sl_status sl_h5_put_i64(hid_t object, const char *name, long long value)
{
    const int64_t stored = value;

    return sl_err_where(put(object, name, H5T_STD_I64LE, &stored), "attribute \"%s\"", name);
}

sl_status sl_h5_put_document(hid_t file, const char *name, const char *text)
{
    sl_status st = SL_OK;
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, set = H5I_INVALID_HID;
    hid_t creation = H5I_INVALID_HID;

    SL_TRY_OUT(sl_h5_text_type(&type, strlen(text) + 1));
    SL_TRY_OUT(SL_H5_ID(&space, H5Screate(H5S_SCALAR)));
    SL_TRY_OUT(SL_H5_ID(&creation, H5Pcreate(H5P_DATASET_CREATE)));
    SL_TRY_OUT(SL_H5(H5Pset_obj_track_times(creation, 0)));
    SL_TRY_OUT(
        SL_H5_ID(&set, H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT)));
    SL_TRY_OUT(SL_H5(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text)));
out:
    sl_h5_close(&set);
    sl_h5_close(&creation);
    sl_h5_close(&space);
    sl_h5_close(&type);
    return sl_err_where(st, "/%s", name);
}
