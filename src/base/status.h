/* Status codes and the thread-local error record. The record holds code, source line, message
 * ("want X, found Y"), place in the data and a hint; it has a fixed size and never allocates.
 * The first error wins: a later sl_err_set while one is held changes nothing. */
#ifndef SL_BASE_STATUS_H
#define SL_BASE_STATUS_H

#include "base/attr.h"

typedef enum sl_status {
    SL_OK,
    SL_ENOMEM,
    SL_EIO,
    SL_EFORMAT,
    SL_EVERSION,
    SL_ESHAPE,
    SL_EARG,
    SL_ENUMERIC,
    SL_EDEVICE,
    SL_EUNSUPPORTED,
    SL_EUSAGE,     /* the command line is at fault */
    SL_EINTERRUPT, /* stopped on request, nothing lost */
    SL_EINTERNAL,
    SL_STATUS_COUNT
} sl_status;

/* Records an error and returns code. fmt: "want X, found Y". */
sl_status sl_err_set(sl_status code, const char *file, int line, const char *fmt, ...)
    SL_PRINTF(4, 5);
/* Passes st on; on failure puts its part in front of the place in the data. */
sl_status sl_err_where(sl_status st, const char *fmt, ...) SL_MUSTUSE SL_PRINTF(2, 3);
/* Adds a hint for the person, once; passes st on. */
sl_status sl_err_hint(sl_status st, const char *fmt, ...) SL_MUSTUSE SL_PRINTF(2, 3);
void sl_err_clear(void);

/* The record of the calling thread; strings borrowed until the next error call. */
sl_status sl_err_code(void);
const char *sl_err_message(void);
const char *sl_err_place(void);
const char *sl_err_hint_text(void);
const char *sl_err_source(void); /* "src/run/journal.c:88" */

/* Moves a record between threads: a worker saves, the thread that joins it restores. */
typedef struct sl_err_record {
    sl_status code;
    int line;
    const char *file;
    char message[512];
    char place[512];
    char hint[512];
} sl_err_record;
void sl_err_save(sl_err_record *out);
sl_status sl_err_restore(const sl_err_record *record);

/* Sentence and exit code of a status, from one table. */
const char *sl_status_text(sl_status st);
int sl_status_exit(sl_status st);

#define SL_FAIL(code, ...) sl_err_set((code), __FILE__, __LINE__, __VA_ARGS__)
#define SL_TRY(call)                                                                               \
    do {                                                                                           \
        sl_status s_ = (call);                                                                     \
        if (s_ != SL_OK)                                                                           \
            return s_;                                                                             \
    } while (0)
#define SL_TRY_OUT(call)                                                                           \
    do {                                                                                           \
        st = (call);                                                                               \
        if (st != SL_OK)                                                                           \
            goto out;                                                                              \
    } while (0)
#define SL_CHECK(cond)                                                                             \
    do {                                                                                           \
        if (!(cond))                                                                               \
            return SL_FAIL(SL_EINTERNAL, "bug: %s", #cond);                                        \
    } while (0)

#endif
