#include "analysis/npy.h"
#include "base/alloc.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MOST = 1 << 16 };

struct sl_npy {
    FILE *file;
    char *path;
    unsigned char *raw;          /* one row as it stands there */
    size_t rows, dim, bytes, at; /* bytes of a number; rows read */
};

/* What follows KEY and a colon in the header, a Python dictionary. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);

    at = at ? strchr(at + strlen(key), ':') : NULL;
    return at ? at + 1 + strspn(at + 1, " ") : "";
}

static sl_status read_size(size_t *out, const char **at)
{
    char *end;

    errno = 0;
    *out = (size_t)strtoull(*at, &end, 10);
    if (end == *at || errno || **at == '-')
        return SL_FAIL(SL_EFORMAT, "want a shape (rows, dimensions), found another");
    *at = end + strspn(end, " ");
    return SL_OK;
}

static sl_status read_header(sl_npy *n, const char *header)
{
    const char *kind = value_of(header, "'descr'"), *shape = value_of(header, "'shape'");

    if (!strncmp(kind, "'<f4'", 5))
        n->bytes = 4;
    else if (!strncmp(kind, "'<f8'", 5))
        n->bytes = 8;
    else
        return SL_FAIL(SL_EFORMAT, "want '<f4' or '<f8', found %.12s", kind);
    if (strncmp(value_of(header, "'fortran_order'"), "False", 5))
        return SL_FAIL(SL_EFORMAT, "want 'fortran_order': False, found another");
    if (*shape++ != '(')
        return SL_FAIL(SL_EFORMAT, "want a shape (rows, dimensions), found none");
    SL_TRY(read_size(&n->rows, &shape));
    if (*shape++ != ',')
        return SL_FAIL(SL_EFORMAT, "want a shape of two axes, found another");
    shape += strspn(shape, " ");
    SL_TRY(read_size(&n->dim, &shape));
    if (*shape != ')' || !n->dim || n->dim > SL_NPY_DIM_MOST)
        return SL_FAIL(SL_EFORMAT, "want two axes and 1 to %d dimensions, found another shape",
                       SL_NPY_DIM_MOST);
    return sl_take(&n->raw, n->dim, n->bytes);
}

static sl_status open_file(sl_npy *n, const char *path)
{
    unsigned char fixed[12];
    char *header = NULL;
    size_t bytes, skip;
    sl_status st;

    n->file = fopen(path, "rbe");
    if (!n->file)
        return SL_FAIL(SL_EIO, "want to read it, found: %s", strerror(errno));
    if (fread(fixed, 1, 10, n->file) != 10 || memcmp(fixed, "\x93NUMPY", 6) || !fixed[6] ||
        fixed[6] > 3)
        return SL_FAIL(SL_EFORMAT, "want a .npy file, found other bytes");
    skip = fixed[6] == 1 ? 0 : 2; /* from version 2 on the length has 4 bytes */
    if (skip && fread(fixed + 10, 1, skip, n->file) != skip)
        return SL_FAIL(SL_EFORMAT, "want a .npy header, found the end");
    bytes = fixed[8] | (size_t)fixed[9] << 8;
    bytes |= skip ? (size_t)fixed[10] << 16 | (size_t)fixed[11] << 24 : 0;
    if (bytes > HEADER_MOST)
        return SL_FAIL(SL_EFORMAT, "want a header of at most %d bytes, found %zu", HEADER_MOST,
                       bytes);
    SL_TRY(sl_take(&header, bytes + 1, 1));
    st = fread(header, 1, bytes, n->file) == bytes
             ? read_header(n, header)
             : SL_FAIL(SL_EFORMAT, "want a .npy header, found the end");
    sl_free(header);
    return st;
}

sl_status sl_npy_open(sl_npy **out, const char *path)
{
    sl_status st;

    SL_TRY(sl_take(out, 1, sizeof **out));
    st = sl_strdup(&(*out)->path, path);
    if (st == SL_OK)
        st = sl_err_where(open_file(*out, path), "%s", path);
    if (st != SL_OK)
        sl_npy_close(out);
    return st;
}

void sl_npy_close(sl_npy **npy)
{
    sl_npy *n = *npy;

    if (!n)
        return;
    if (n->file)
        fclose(n->file);
    sl_free(n->path);
    sl_free(n->raw);
    sl_free(n);
    *npy = NULL;
}

size_t sl_npy_rows(const sl_npy *n)
{
    return n->rows;
}

size_t sl_npy_dim(const sl_npy *n)
{
    return n->dim;
}

size_t sl_npy_left(const sl_npy *n)
{
    return n->rows - n->at;
}

sl_status sl_npy_next(double *row, sl_npy *n)
{
    if (n->at == n->rows || fread(n->raw, n->bytes, n->dim, n->file) != n->dim)
        return sl_err_where(
            SL_FAIL(SL_EFORMAT, "want an embedding for every candidate, found %zu", n->at), "%s",
            n->path);
    n->at++;
    for (size_t k = 0; k < n->dim; k++)
        if (n->bytes == 4) {
            float x;

            memcpy(&x, n->raw + 4 * k, 4);
            row[k] = (double)x;
        } else
            memcpy(&row[k], n->raw + 8 * k, 8);
    return SL_OK;
}
