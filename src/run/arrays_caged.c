/* Reading, on this side of the child process: questions, and answers that are checked for size. */
#include "run/arrays_int.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/userblock_int.h"

#include <stdio.h>
#include <string.h>

static sl_status ask(sl_array_head *head, uint64_t *bytes, const sl_arrays *a,
                     const sl_array_question *question)
{
    sl_cage_answer answer = { .bytes = 0 };

    if (a->child->lost.code != SL_OK)
        return sl_err_restore(&a->child->lost);
    SL_TRY(sl_cage_ask(&answer, &a->child->cage, question, sizeof *question));
    memcpy(head, answer.head, sizeof *head);
    *bytes = answer.bytes;
    return SL_OK;
}

static sl_status make_question(sl_array_question *out, sl_array_ask kind, const char *name,
                               const char *attribute)
{
    *out = (sl_array_question){ .kind = (uint32_t)kind };
    if (strlen(name) >= sizeof out->name || strlen(attribute) >= sizeof out->attribute)
        return SL_FAIL(SL_EFORMAT, "want names below %d bytes, found longer", SL_ARRAY_NAME);
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    (void)snprintf(out->attribute, sizeof out->attribute, "%s", attribute);
    return SL_OK;
}

static sl_status check_size(const sl_array_head *head, uint64_t bytes, size_t element_bytes)
{
    if (head->count > SL_ARRAY_BYTES / element_bytes || bytes != head->count * element_bytes)
        return SL_FAIL(SL_EFORMAT, "want an array of at most 1 GiB, found another answer");
    return SL_OK;
}

/* *data (count, element_bytes) of the answer that was just given, owned by the caller. */
static sl_status take_array(void **data, const sl_arrays *a, size_t count, size_t element_bytes)
{
    sl_status st;

    SL_TRY(sl_take(data, count ? count : 1, element_bytes));
    st = sl_cage_take(*data, count * element_bytes, &a->child->cage);
    if (st != SL_OK) {
        sl_free(*data);
        *data = NULL;
    }
    return st;
}

static sl_status ask_array(void **data, sl_array_head *head, const sl_arrays *a,
                           const sl_array_question *question, size_t element_bytes)
{
    uint64_t bytes = 0;

    *data = NULL;
    SL_TRY(ask(head, &bytes, a, question));
    SL_TRY(check_size(head, bytes, element_bytes));
    return take_array(data, a, (size_t)head->count, element_bytes);
}

/* Starts the child and lets it open the file. */
static sl_status start(sl_arrays *a, const char *path)
{
    const sl_cage_work work = { .state = a, .answer = sl_arrays_answer };
    sl_array_question question;
    sl_array_head head = { .count = 0 };
    sl_cage_limits limits;
    uint64_t bytes;

    SL_TRY(sl_take(&a->child, 1, sizeof *a->child));
    SL_TRY(sl_userblock_open(&a->fd, &bytes, path));
    limits = sl_cage_limits_for(bytes, SL_ARRAY_BYTES);
    SL_TRY(sl_cage_open(&a->child->cage, a->fd, &work, &limits));
    SL_TRY(make_question(&question, SL_ASK_OPEN, "", ""));
    return ask(&head, &bytes, a, &question);
}

sl_status sl_arrays_open(sl_arrays **out, const char *path)
{
    sl_arrays *a = NULL;
    sl_status st;

    *out = NULL;
    if (!sl_file_exists(path))
        return sl_err_where(SL_FAIL(SL_EIO, "want an HDF5 file, found none"), "%s", path);
    SL_TRY(sl_take(&a, 1, sizeof *a));
    a->file = a->rows.set = a->rows.space = H5I_INVALID_HID;
    a->fd = -1;
    st = start(a, path);
    if (st == SL_OK)
        *out = a;
    else
        sl_arrays_close(&a);
    return sl_err_where(st, "%s", path);
}

static int ask_whether(const sl_arrays *a, sl_array_ask kind, const char *name)
{
    sl_array_question question;
    sl_array_head head = { .count = 0 };
    uint64_t bytes;

    if (make_question(&question, kind, name, "") == SL_OK &&
        ask(&head, &bytes, a, &question) == SL_OK)
        return head.count != 0;
    sl_err_save(&a->child->lost);
    sl_err_clear();
    return 0;
}

int sl_arrays_has(const sl_arrays *arrays, const char *name)
{
    return ask_whether(arrays, SL_ASK_HAS, name);
}

int sl_arrays_is_group(const sl_arrays *arrays, const char *name)
{
    return ask_whether(arrays, SL_ASK_IS_GROUP, name);
}

/* Extents make up the count, whoever said them. *row_items: of the first dimension. */
static sl_status check_dims(size_t *row_items, const sl_array_head *head)
{
    size_t items = 1;

    for (size_t i = 1; i < SL_ARRAY_RANK; i++)
        SL_TRY(sl_mul(&items, items, (size_t)head->dims[i]));
    *row_items = items;
    SL_TRY(sl_mul(&items, items, (size_t)head->dims[0]));
    return items == head->count ? SL_OK
                                : SL_FAIL(SL_EFORMAT, "want extents of %llu elements, found others",
                                          (unsigned long long)head->count);
}

static sl_status ask_numbers(sl_array_head *head, size_t *row_items, size_t *dims,
                             const sl_arrays *a, const char *name, sl_array_type type)
{
    sl_array_question question;
    uint64_t bytes = 0;

    SL_TRY(make_question(&question, SL_ASK_NUMBERS, name, ""));
    question.type = (uint32_t)type;
    SL_TRY(ask(head, &bytes, a, &question));
    SL_TRY(check_size(head, bytes, sl_array_bytes(type)));
    SL_TRY(check_dims(row_items, head));
    for (size_t i = 0; dims && i < SL_ARRAY_RANK; i++)
        dims[i] = (size_t)head->dims[i];
    return SL_OK;
}

sl_status sl_arrays_read(void *out, size_t *count, size_t *dims, const sl_arrays *arrays,
                         const char *name, sl_array_type type)
{
    sl_array_head head = { .count = 0 };
    size_t row_items = 0;
    void *x = NULL;
    sl_status st = ask_numbers(&head, &row_items, dims, arrays, name, type);

    if (st == SL_OK)
        st = take_array(&x, arrays, (size_t)head.count, sl_array_bytes(type));
    *count = (size_t)head.count;
    memcpy(out, &x, sizeof x);
    return sl_err_where(st, "/%s", name);
}

/* The rows of the answer that was just given, through room for `piece` of them. */
static sl_status visit_rows(const sl_arrays *a, size_t rows, size_t row_bytes, size_t piece,
                            sl_arrays_visitor visit, void *with)
{
    void *x = NULL;
    sl_status st = sl_take(&x, piece, row_bytes);

    for (size_t at = 0, n; st == SL_OK && at < rows; at += n) {
        n = rows - at < piece ? rows - at : piece;
        st = sl_cage_take(x, n * row_bytes, &a->child->cage);
        if (st == SL_OK)
            st = visit(with, x, at, n);
    }
    sl_free(x);
    return st;
}

sl_status sl_arrays_visit(size_t *dims, const sl_arrays *arrays, const char *name,
                          sl_array_type type, sl_arrays_visitor visit, void *with)
{
    sl_array_head head = { .count = 0 };
    size_t row_bytes = 0, piece;
    sl_status st = ask_numbers(&head, &row_bytes, dims, arrays, name, type);

    row_bytes *= sl_array_bytes(type);
    if (st == SL_OK && head.count) {
        piece = row_bytes < SL_CAGE_WINDOW ? SL_CAGE_WINDOW / row_bytes : 1;
        st = visit_rows(arrays, (size_t)head.dims[0], row_bytes, piece, visit, with);
    }
    return sl_err_where(st, "/%s", name);
}

sl_status sl_arrays_scalar(double *out, const sl_arrays *arrays, const char *name)
{
    double *x = NULL;
    size_t count = 0;

    SL_TRY(sl_arrays_read(&x, &count, NULL, arrays, name, SL_ARRAY_F64));
    *out = count ? x[0] : 0.0;
    sl_free(x);
    if (count != 1)
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want one number, found %zu", count), "/%s", name);
    return SL_OK;
}

/* Fixed strings or names; each ends, whoever sent it. */
static sl_status ask_names(char **out, size_t *count, const sl_arrays *a, sl_array_ask kind,
                           const char *name)
{
    sl_array_question question;
    sl_array_head head = { .count = 0 };
    void *x = NULL;
    sl_status st = make_question(&question, kind, name, "");

    if (st == SL_OK)
        st = ask_array(&x, &head, a, &question, SL_ARRAY_NAME);
    *count = (size_t)head.count;
    *out = x;
    for (size_t i = 0; st == SL_OK && i < *count; i++)
        (*out)[(i + 1) * SL_ARRAY_NAME - 1] = '\0';
    return sl_err_where(st, "/%s", name);
}

sl_status sl_arrays_strings(char **out, size_t *count, const sl_arrays *arrays, const char *name)
{
    return ask_names(out, count, arrays, SL_ASK_STRINGS, name);
}

sl_status sl_arrays_list(char **out, size_t *count, const sl_arrays *arrays, const char *name)
{
    return ask_names(out, count, arrays, SL_ASK_LIST, name);
}

sl_status sl_arrays_attribute(double *out, const sl_arrays *arrays, const char *name,
                              const char *attribute)
{
    sl_array_question question;
    sl_array_head head = { .count = 0 };
    uint64_t bytes;
    sl_status st = make_question(&question, SL_ASK_ATTRIBUTE, name, attribute);

    if (st == SL_OK)
        st = ask(&head, &bytes, arrays, &question);
    if (st == SL_OK)
        *out = head.value;
    return sl_err_where(st, "%s attribute \"%s\"", name, attribute);
}

sl_status sl_arrays_text(char *out, size_t size, const sl_arrays *arrays, const char *name,
                         const char *attribute)
{
    sl_array_question question;
    sl_array_head head = { .count = 0 };
    void *x = NULL;
    sl_status st = make_question(&question, SL_ASK_TEXT, name, attribute);

    if (st == SL_OK)
        st = ask_array(&x, &head, arrays, &question, 1);
    if (st == SL_OK && (!memchr(x, '\0', (size_t)head.count) || strlen(x) >= size))
        st = SL_FAIL(SL_EFORMAT, "want text below %zu bytes, found more", size);
    if (st == SL_OK)
        memcpy(out, x, strlen(x) + 1);
    sl_free(x);
    return sl_err_where(st, "%s attribute \"%s\"", name, attribute);
}
