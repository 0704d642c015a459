/* The one place where HDF5 calls become status records.
 *
 * The library is not thread-safe as it is commonly built. Every use stands between sl_h5_begin and
 * sl_h5_end, which hold one recursive mutex of the process: whoever seals, reads or indexes
 * waits for the other. Plug-ins (filters from outside) are off for the whole process. */
#ifndef SL_RUN_H5_INT_H
#define SL_RUN_H5_INT_H

#include "base/status.h"
#include <hdf5.h>

/* Takes the mutex, silences the library's own printing. Always paired, also on failure. */
void sl_h5_begin(void);
void sl_h5_end(void);
/* In a child process that was forked between the two: the mutex is free again. */
void sl_h5_forked(void);

/* *out = id when id is valid; else SL_EIO or SL_EFORMAT (see sl_h5_done) with the innermost message
 * of the library's stack. call: the text of the call. */
sl_status sl_h5_id(hid_t *out, hid_t id, const char *call, const char *file, int line) SL_MUSTUSE;
/* SL_OK when ret >= 0. A failure of a system call is SL_EIO, of the library SL_EFORMAT. */
sl_status sl_h5_done(herr_t ret, const char *call, const char *file, int line) SL_MUSTUSE;
#define SL_H5_ID(out, call) sl_h5_id((out), (call), #call, __FILE__, __LINE__)
#define SL_H5(call) sl_h5_done((call), #call, __FILE__, __LINE__)

/* Lets go of an object of any kind; accepts invalid ids; sets it to invalid. Files that were
 * written are closed with sl_h5_close_file, which can fail. */
void sl_h5_close(hid_t *id);
sl_status sl_h5_close_file(hid_t *file) SL_MUSTUSE;

/* Access list with V110 bounds, closed together with all objects of the file. */
sl_status sl_h5_access(hid_t *out) SL_MUSTUSE;
/* New file with a user block of user_block_bytes, no times, V110. Replaces an older one. */
sl_status sl_h5_create(hid_t *out, const char *path, size_t user_block_bytes) SL_MUSTUSE;
/* Opens what a descriptor reads, which must stay open as long. */
sl_status sl_h5_open_fd(hid_t *out, int fd) SL_MUSTUSE;
/* A creation list names only filters that are compiled in: deflate, shuffle, fletcher32. */
sl_status sl_h5_check_filters(hid_t creation) SL_MUSTUSE;
/* A fixed-size UTF-8 string type of `bytes` bytes. */
sl_status sl_h5_text_type(hid_t *out, size_t bytes) SL_MUSTUSE;
/* Fixed-size attributes of object (dataset, group or file). */
sl_status sl_h5_put_text(hid_t object, const char *name, const char *text) SL_MUSTUSE;
sl_status sl_h5_put_i64(hid_t object, const char *name, long long value) SL_MUSTUSE;
/* A scalar dataset /name with a fixed string; never empty, never variable. */
sl_status sl_h5_put_document(hid_t file, const char *name, const char *text) SL_MUSTUSE;

#endif
