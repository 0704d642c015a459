/* Writer. Tensors by type (F32 before BF16 before F16), then by name; the header padded with spaces
 * to a multiple of 8; __metadata__ says {"format":"pt"}, without which readers refuse the file. */
#include "base/alloc.h"
#include "base/sort.h"
#include "model/safetensors.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 18 }; /* elements narrowed at once */

static int by_type_then_name(const void *a, const void *b)
{
    const sl_tensor_source *x = a, *y = b;

    if (x->storage != y->storage) /* sl_storage is in the order of the file */
        return x->storage < y->storage ? -1 : 1;
    return strcmp(x->name, y->name);
}

static size_t source_bytes(const sl_tensor_source *s)
{
    return s->rows * s->cols * (sl_dtype_of(s->storage)->bits / 8);
}

/* {dtype, shape, data_offsets} of one tensor at byte `begin`; NULL when out of memory. */
static sl_json *describe(const sl_tensor_source *s, size_t begin)
{
    const json_int_t rows = (json_int_t)s->rows, cols = (json_int_t)s->cols;
    const json_int_t end = (json_int_t)(begin + source_bytes(s));
    sl_json *shape = s->rank == 1 ? json_pack("[I]", cols) : json_pack("[II]", rows, cols);

    return json_pack("{s:s, s:o, s:[II]}", "dtype", sl_dtype_of(s->storage)->name, "shape", shape,
                     "data_offsets", (json_int_t)begin, end);
}

static sl_status make_header(char **out, const sl_tensor_source *source, size_t count)
{
    sl_status st = SL_OK;
    sl_json *tree = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    size_t begin = 0;

    for (size_t i = 0; i < count && st == SL_OK; i++) {
        if (json_object_set_new(tree, source[i].name, describe(&source[i], begin)) != 0)
            st = SL_FAIL(SL_ENOMEM, "no memory for the header");
        begin += source_bytes(&source[i]);
    }
    if (st == SL_OK)
        st = sl_json_dump(out, tree, 0);
    sl_json_close(&tree);
    return st;
}

/* Length, header, padding. */
static sl_status write_header(int fd, const sl_tensor_source *source, size_t count)
{
    sl_status st = SL_OK;
    char *header = NULL;
    unsigned char prefix[8];
    size_t bytes = 0, padded = 0;

    SL_TRY(make_header(&header, source, count));
    bytes = strlen(header);
    padded = (bytes + 7) / 8 * 8;
    for (size_t i = 0; i < 8; i++)
        prefix[i] = (unsigned char)(padded >> (8 * i));
    SL_TRY_OUT(sl_file_write_all(fd, prefix, sizeof prefix));
    SL_TRY_OUT(sl_file_write_all(fd, header, bytes));
    SL_TRY_OUT(sl_file_write_all(fd, "       ", padded - bytes));
out:
    sl_free(header);
    return st;
}

static sl_status write_data(int fd, const sl_tensor_source *source, size_t count)
{
    sl_status st = SL_OK;
    void *piece = NULL;

    SL_TRY(sl_take(&piece, PIECE, sizeof(float)));
    for (size_t i = 0; i < count; i++) {
        const sl_tensor_source *s = &source[i];
        const size_t size = sl_dtype_of(s->storage)->bits / 8, total = s->rows * s->cols;

        for (size_t done = 0; done < total; done += PIECE) {
            const size_t n = total - done < PIECE ? total - done : PIECE;

            sl_dtype_narrow(piece, s->data + done, n, s->storage);
            SL_TRY_OUT(sl_file_write_all(fd, piece, n * size));
        }
    }
out:
    sl_free(piece);
    return st;
}

static sl_status write_file(const char *path, const sl_tensor_source *source, size_t count)
{
    sl_status st;
    int fd;

    SL_TRY(sl_file_create(&fd, path, 0666));
    st = write_header(fd, source, count);
    if (st == SL_OK)
        st = write_data(fd, source, count);
    if (st == SL_OK)
        st = sl_file_sync(fd);
    if (close(fd) != 0 && st == SL_OK)
        st = SL_FAIL(SL_EIO, "cannot close: %s", strerror(errno));
    return st;
}

sl_status sl_tensor_file_write(const char *path, sl_tensor_source *source, size_t count)
{
    char temporary[PATH_MAX];
    sl_status st = SL_OK;

    if (snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid()) >=
        (int)sizeof temporary)
        return SL_FAIL(SL_EARG, "want a shorter path, found %s", path);
    sl_sort(source, count, sizeof *source, by_type_then_name);
    st = sl_err_where(write_file(temporary, source, count), "%s", temporary);
    if (st == SL_OK && rename(temporary, path) != 0)
        st = SL_FAIL(SL_EIO, "%s: cannot rename to %s: %s", temporary, path, strerror(errno));
    if (st != SL_OK)
        (void)unlink(temporary);
    return st;
}
