/* .npy files against any bytes: refused with the path, or as many rows as are there, one by one. */
#include "analysis/npy.h"
#include "base/alloc.h"
#include "harness/fuzz.h"
#include <stdio.h>
#include <string.h>

static size_t make_seed(char *to);
const t_fuzz_target t_fuzz = { .name = "fuzz npy",
                               .spice = "{}()'\":,<>f480123456789 TrueFalse\1\2\3\xff",
                               .changes = 6000,
                               .make = make_seed };

enum { ROWS_MOST = 4096 };

static void read_rows(sl_npy *npy)
{
    double *row = NULL;
    size_t rows = 0;

    t_expect(sl_take(&row, sl_npy_dim(npy), sizeof *row) == SL_OK, "memory");
    t_expect(sl_npy_left(npy) == sl_npy_rows(npy), "all rows before the first");
    while (rows < ROWS_MOST && sl_npy_next(row, npy) == SL_OK)
        rows++;
    t_expect(rows <= sl_npy_rows(npy), "no row that was not promised");
    t_expect(rows == ROWS_MOST || sl_err_code() == SL_EFORMAT, "a refusal after the last");
    sl_err_clear();
    sl_free(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_npy *npy = NULL;
    char path[4200];
    sl_status st;

    t_fuzz_write("rows.npy", data, size);
    (void)snprintf(path, sizeof path, "%s/rows.npy", t_fuzz_folder());
    st = sl_npy_open(&npy, path);
    t_expect(st == SL_OK || (st == SL_EFORMAT && strstr(sl_err_place(), path)),
             "the file by its name");
    t_fuzz_count(st == SL_OK);
    if (st == SL_OK)
        read_rows(npy);
    sl_npy_close(&npy);
    return 0;
}

/* Three rows of two numbers, version 1. */
static size_t make_seed(char *to)
{
    static const char header[] =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }          \n";
    const float rows[6] = { 0.0f, 1.0f, -2.5f, 3.0f, 4.0f, 5.0f };
    const size_t bytes = sizeof header - 1;

    memcpy(to, "\x93NUMPY\1\0", 8);
    to[8] = (char)bytes;
    to[9] = 0;
    memcpy(to + 10, header, bytes);
    memcpy(to + 10 + bytes, rows, sizeof rows);
    return 10 + bytes + sizeof rows;
}
