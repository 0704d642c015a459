/* What is read of a file of arrays, in the child process that holds it. */
#include "run/arrays_int.h"

#include "base/alloc.h"
#include <string.h>

enum { LIST_MAX = 100000 };

/* Every link on the way is hard: nothing leads out of the file. */
static int has_path(hid_t file, const char *name)
{
    char prefix[SL_ARRAY_NAME];
    H5L_info_t link;

    if (strlen(name) >= sizeof prefix)
        return 0;
    for (size_t n = strcspn(name, "/");; n += 1 + strcspn(name + n + 1, "/")) {
        memcpy(prefix, name, n);
        prefix[n] = '\0';
        if (H5Lexists(file, prefix, H5P_DEFAULT) <= 0 ||
            H5Lget_info(file, prefix, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
            return 0;
        if (!name[n])
            return 1;
    }
}

static int is_group(hid_t file, const char *name)
{
    H5O_info_t info;

    return has_path(file, name) &&
           H5Oget_info_by_name2(file, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
           info.type == H5O_TYPE_GROUP;
}

static sl_status check_storage(hid_t set)
{
    hid_t creation = H5I_INVALID_HID;
    H5D_layout_t layout;
    sl_status st = SL_OK;

    SL_TRY_OUT(SL_H5_ID(&creation, H5Dget_create_plist(set)));
    layout = H5Pget_layout(creation);
    if (layout == H5D_VIRTUAL || H5Pget_external_count(creation) != 0)
        st = SL_FAIL(SL_EFORMAT, "want data in this file, found them elsewhere");
    else
        st = sl_h5_check_filters(creation);
out:
    sl_h5_close(&creation);
    return st;
}

/* Elements and extents; bounded before anything is allocated. */
static sl_status measure(hid_t set, size_t element_bytes, size_t *count, size_t *dims)
{
    hsize_t extent[SL_ARRAY_RANK] = { 1, 1, 1, 1 };
    hid_t space = H5I_INVALID_HID;
    int rank = -1;
    sl_status st = SL_OK;

    SL_TRY(SL_H5_ID(&space, H5Dget_space(set)));
    if (H5Sget_simple_extent_type(space) != H5S_NULL)
        rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > SL_ARRAY_RANK)
        st = SL_FAIL(SL_EFORMAT, "want at most %d dimensions, found %d", SL_ARRAY_RANK, rank);
    else
        (void)H5Sget_simple_extent_dims(space, extent, NULL);
    sl_h5_close(&space);
    SL_TRY(st);
    *count = 1;
    for (size_t i = 0; i < SL_ARRAY_RANK; i++) {
        if (extent[i] > SL_ARRAY_BYTES || sl_mul(count, *count, (size_t)extent[i]) != SL_OK ||
            *count > SL_ARRAY_BYTES / element_bytes)
            return SL_FAIL(SL_EFORMAT, "want at most %zu elements, found more",
                           SL_ARRAY_BYTES / element_bytes);
        if (dims)
            dims[i] = (size_t)extent[i];
    }
    return SL_OK;
}

static int fits(H5T_class_t found, sl_array_type wanted)
{
    const int is_integer = wanted == SL_ARRAY_I32 || wanted == SL_ARRAY_I64;

    return found == H5T_INTEGER || (found == H5T_FLOAT && !is_integer);
}

static sl_status check_type(hid_t set, sl_array_type type)
{
    hid_t found = H5I_INVALID_HID;
    int is_fit;

    SL_TRY(SL_H5_ID(&found, H5Dget_type(set)));
    is_fit = fits(H5Tget_class(found), type) && H5Tget_size(found) <= 16;
    sl_h5_close(&found);
    return is_fit ? SL_OK : SL_FAIL(SL_EFORMAT, "want numbers of another type");
}

/* The library clips what does not fit; so integers are read wide and narrowed here. */
static sl_status narrow(int32_t *out, const int64_t *wide, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (wide[i] < INT32_MIN || wide[i] > INT32_MAX)
            return SL_FAIL(SL_EFORMAT, "want integers of 32 bits, found %lld", (long long)wide[i]);
        out[i] = (int32_t)wide[i];
    }
    return SL_OK;
}

static sl_array_type read_as(sl_array_type type)
{
    return type == SL_ARRAY_I32 ? SL_ARRAY_I64 : type;
}

/* Numbers of `space`, all of it or what is selected. wide: room for them where they are narrowed.
 */
static sl_status read_numbers(void *out, hid_t set, hid_t memory, hid_t space, sl_array_type type,
                              int64_t *wide, size_t count)
{
    const sl_array_type as = read_as(type);

    SL_TRY(SL_H5(
        H5Dread(set, sl_array_native(as), memory, space, H5P_DEFAULT, as == type ? out : wide)));
    return as == type ? SL_OK : narrow(out, wide, count);
}

static sl_status read_all(void **out, size_t count, hid_t set, sl_array_type type)
{
    int64_t *wide = NULL;
    sl_status st;

    SL_TRY(sl_take(out, count ? count : 1, sl_array_bytes(type)));
    if (type == SL_ARRAY_I32)
        SL_TRY(sl_take(&wide, count ? count : 1, sizeof *wide));
    st = read_numbers(*out, set, H5S_ALL, H5S_ALL, type, wide, count);
    sl_free(wide);
    return st;
}

/* *rows = those of a chunk; 1 of a dataset without chunks. */
static sl_status chunk_rows(hsize_t *rows, hid_t set, int rank)
{
    hsize_t chunk[SL_ARRAY_RANK] = { 1, 1, 1, 1 };
    hid_t creation = H5I_INVALID_HID;
    sl_status st = SL_OK;

    SL_TRY(SL_H5_ID(&creation, H5Dget_create_plist(set)));
    if (H5Pget_layout(creation) == H5D_CHUNKED && H5Pget_chunk(creation, rank, chunk) != rank)
        st = SL_FAIL(SL_EFORMAT, "want chunks of %d dimensions, found others", rank);
    sl_h5_close(&creation);
    *rows = chunk[0];
    return st;
}

/* Rows of a window: whole chunks, each read once; 0 when a window is too small for that, or not
 * needed. */
static sl_status plan_windows(sl_array_rows *r, hid_t set, size_t count, const size_t *dims)
{
    const size_t bytes = sl_array_bytes(r->type);
    hsize_t chunk = 1;

    if (count <= SL_CAGE_WINDOW / bytes)
        return SL_OK;
    r->rows = dims[0];
    r->row_items = count / dims[0];
    r->step = SL_CAGE_WINDOW / bytes / r->row_items;
    SL_TRY(SL_H5_ID(&r->space, H5Dget_space(set)));
    r->rank = H5Sget_simple_extent_ndims(r->space);
    SL_TRY(chunk_rows(&chunk, set, r->rank));
    r->step -= r->step % chunk;
    for (size_t i = 0; i < SL_ARRAY_RANK; i++)
        r->count[i] = dims[i];
    if (r->step && r->type == SL_ARRAY_I32)
        return sl_take(&r->wide, (size_t)r->step * r->row_items, sizeof *r->wide);
    return SL_OK;
}

/* sl_cage_answer.part */
static sl_status next_rows(size_t *bytes, void *window, void *state)
{
    sl_array_rows *r = &((sl_arrays *)state)->rows;
    const hsize_t left = r->rows - r->start[0];
    hid_t memory = H5I_INVALID_HID;
    sl_status st = SL_OK;
    size_t items;

    sl_h5_begin();
    r->count[0] = left < r->step ? left : r->step;
    items = (size_t)r->count[0] * r->row_items;
    SL_TRY_OUT(
        SL_H5(H5Sselect_hyperslab(r->space, H5S_SELECT_SET, r->start, NULL, r->count, NULL)));
    SL_TRY_OUT(SL_H5_ID(&memory, H5Screate_simple(r->rank, r->count, NULL)));
    SL_TRY_OUT(read_numbers(window, r->set, memory, r->space, r->type, r->wide, items));
    r->start[0] += r->count[0];
    *bytes = items * sl_array_bytes(r->type);
out:
    sl_h5_close(&memory);
    sl_h5_end();
    return st;
}

static void close_rows(sl_array_rows *r)
{
    sl_h5_close(&r->space);
    sl_h5_close(&r->set);
    sl_free(r->wide);
    *r = (sl_array_rows){ .set = H5I_INVALID_HID, .space = H5I_INVALID_HID };
}

/* Opens the dataset of that name; everything on the way to it stays in this file. */
static sl_status open_set(hid_t *set, hid_t file, const char *name)
{
    if (!has_path(file, name))
        return SL_FAIL(SL_EFORMAT, "want this dataset, found none");
    return SL_H5_ID(set, H5Dopen2(file, name, H5P_DEFAULT));
}

static sl_status read_strings(char **out, size_t *count, hid_t set)
{
    hid_t type = H5I_INVALID_HID, found = H5I_INVALID_HID;
    sl_status st = SL_OK;

    SL_TRY_OUT(check_storage(set));
    SL_TRY_OUT(SL_H5_ID(&found, H5Dget_type(set)));
    if (H5Tget_class(found) != H5T_STRING || H5Tis_variable_str(found) != 0 ||
        H5Tget_size(found) >= SL_ARRAY_NAME)
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "want fixed strings below %d bytes", SL_ARRAY_NAME));
    SL_TRY_OUT(measure(set, SL_ARRAY_NAME, count, NULL));
    SL_TRY_OUT(sl_h5_text_type(&type, SL_ARRAY_NAME));
    SL_TRY_OUT(SL_H5(H5Tset_cset(type, H5Tget_cset(found))));
    SL_TRY_OUT(sl_take(out, *count ? *count : 1, SL_ARRAY_NAME));
    SL_TRY_OUT(SL_H5(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *out)));
out:
    sl_h5_close(&found);
    sl_h5_close(&type);
    return st;
}

static sl_status open_attribute(hid_t *attribute, hid_t file, const sl_array_question *q)
{
    const int is_root = !strcmp(q->name, "/");

    if ((!is_root && !has_path(file, q->name)) ||
        H5Aexists_by_name(file, q->name, q->attribute, H5P_DEFAULT) <= 0)
        return SL_FAIL(SL_EFORMAT, "want this attribute, found none");
    return SL_H5_ID(attribute,
                    H5Aopen_by_name(file, q->name, q->attribute, H5P_DEFAULT, H5P_DEFAULT));
}

static int is_single(hid_t attribute)
{
    const hid_t space = H5Aget_space(attribute);
    const int single = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;

    if (space >= 0)
        (void)H5Sclose(space);
    return single;
}

/* A variable string is allocated by the library: at most what the file holds. */
static sl_status read_text(char *out, size_t size, hid_t attribute, hid_t type)
{
    char *text = NULL;

    if (!H5Tis_variable_str(type)) {
        if (H5Tget_size(type) >= size)
            return SL_FAIL(SL_EFORMAT, "want text below %zu bytes, found more", size);
        memset(out, 0, size);
        return SL_H5(H5Aread(attribute, type, out));
    }
    SL_TRY(SL_H5(H5Aread(attribute, type, &text)));
    if (text && strlen(text) < size)
        memcpy(out, text, strlen(text) + 1);
    else
        out = NULL;
    (void)H5free_memory(text);
    return out ? SL_OK : SL_FAIL(SL_EFORMAT, "want text below %zu bytes, found other", size);
}

static sl_status list_names(char **out, size_t *count, hid_t group)
{
    H5G_info_t info;

    SL_TRY(SL_H5(H5Gget_info(group, &info)));
    if (info.nlinks > LIST_MAX)
        return SL_FAIL(SL_EFORMAT, "want at most %d names, found more", LIST_MAX);
    *count = (size_t)info.nlinks;
    SL_TRY(sl_take(out, *count ? *count : 1, SL_ARRAY_NAME));
    for (size_t i = 0; i < *count; i++)
        if (H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, *out + i * SL_ARRAY_NAME,
                               SL_ARRAY_NAME, H5P_DEFAULT) >= SL_ARRAY_NAME)
            return SL_FAIL(SL_EFORMAT, "want names below %d bytes, found longer", SL_ARRAY_NAME);
    return SL_OK;
}

/* --- answers: head, and data that the state keeps until the next question */

static sl_status answer_has(sl_array_head *head, sl_arrays *a, const sl_array_question *q)
{
    head->count = (uint64_t)has_path(a->file, q->name);
    return SL_OK;
}

static sl_status answer_is_group(sl_array_head *head, sl_arrays *a, const sl_array_question *q)
{
    head->count = (uint64_t)is_group(a->file, q->name);
    return SL_OK;
}

static sl_status answer_numbers(sl_array_head *head, sl_arrays *a, const sl_array_question *q)
{
    sl_array_rows *r = &a->rows;
    size_t count = 0, dims[SL_ARRAY_RANK] = { 0 };

    r->type = (sl_array_type)q->type;
    SL_TRY(open_set(&r->set, a->file, q->name));
    SL_TRY(check_storage(r->set));
    SL_TRY(check_type(r->set, r->type));
    SL_TRY(measure(r->set, sl_array_bytes(read_as(r->type)), &count, dims));
    SL_TRY(plan_windows(r, r->set, count, dims));
    if (!r->step)
        SL_TRY(read_all(&a->data, count, r->set, r->type));
    head->count = count;
    for (size_t i = 0; i < SL_ARRAY_RANK; i++)
        head->dims[i] = dims[i];
    a->bytes = count * sl_array_bytes(r->type);
    return SL_OK;
}

static sl_status answer_strings(sl_array_head *head, sl_arrays *a, const sl_array_question *q)
{
    hid_t set = H5I_INVALID_HID;
    size_t count = 0;
    char *strings = NULL;
    sl_status st = open_set(&set, a->file, q->name);

    if (st == SL_OK)
        st = read_strings(&strings, &count, set);
    sl_h5_close(&set);
    a->data = strings;
    a->bytes = count * SL_ARRAY_NAME;
    head->count = count;
    return st;
}

static sl_status answer_attribute(sl_array_head *head, sl_arrays *a, const sl_array_question *q)
{
    hid_t at = H5I_INVALID_HID, type = H5I_INVALID_HID;
    sl_status st = SL_OK;

    SL_TRY_OUT(open_attribute(&at, a->file, q));
    SL_TRY_OUT(SL_H5_ID(&type, H5Aget_type(at)));
    if (!fits(H5Tget_class(type), SL_ARRAY_F64) || !is_single(at))
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "want one number, found another type"));
    SL_TRY_OUT(SL_H5(H5Aread(at, H5T_NATIVE_DOUBLE, &head->value)));
out:
    sl_h5_close(&type);
    sl_h5_close(&at);
    return st;
}

static sl_status answer_text(sl_array_head *head, sl_arrays *a, const sl_array_question *q)
{
    hid_t at = H5I_INVALID_HID, type = H5I_INVALID_HID;
    char *text = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&text, SL_ARRAY_TEXT, 1));
    a->data = text;
    a->bytes = SL_ARRAY_TEXT;
    SL_TRY_OUT(open_attribute(&at, a->file, q));
    SL_TRY_OUT(SL_H5_ID(&type, H5Aget_type(at)));
    if (H5Tget_class(type) != H5T_STRING || !is_single(at))
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "want text, found another type"));
    st = read_text(text, SL_ARRAY_TEXT, at, type);
    head->count = SL_ARRAY_TEXT;
out:
    sl_h5_close(&type);
    sl_h5_close(&at);
    return st;
}

static sl_status answer_list(sl_array_head *head, sl_arrays *a, const sl_array_question *q)
{
    hid_t group = H5I_INVALID_HID;
    size_t count = 0;
    char *names = NULL;
    sl_status st;

    if (strcmp(q->name, "/") != 0 && !has_path(a->file, q->name))
        return SL_FAIL(SL_EFORMAT, "want this group, found none");
    SL_TRY(SL_H5_ID(&group, H5Gopen2(a->file, q->name, H5P_DEFAULT)));
    st = list_names(&names, &count, group);
    sl_h5_close(&group);
    a->data = names;
    a->bytes = count * SL_ARRAY_NAME;
    head->count = count;
    return st;
}

static sl_status answer_open(sl_array_head *head, sl_arrays *a, const sl_array_question *q)
{
    (void)head;
    (void)q;
    return sl_h5_open_fd(&a->file, a->fd);
}

sl_status sl_arrays_answer(sl_cage_answer *out, void *state, const void *asked, size_t bytes)
{
    static sl_status (*const answers[])(sl_array_head *, sl_arrays *, const sl_array_question *) = {
        [SL_ASK_OPEN] = answer_open,         [SL_ASK_HAS] = answer_has,
        [SL_ASK_IS_GROUP] = answer_is_group, [SL_ASK_NUMBERS] = answer_numbers,
        [SL_ASK_STRINGS] = answer_strings,   [SL_ASK_ATTRIBUTE] = answer_attribute,
        [SL_ASK_TEXT] = answer_text,         [SL_ASK_LIST] = answer_list,
    };
    sl_arrays *a = state;
    sl_array_question q;
    sl_array_head head = { .count = 0 };
    sl_status st;

    SL_CHECK(bytes == sizeof q);
    memcpy(&q, asked, sizeof q);
    SL_CHECK(q.kind < sizeof answers / sizeof answers[0]);
    sl_free(a->data);
    a->data = NULL;
    a->bytes = 0;
    sl_h5_begin();
    close_rows(&a->rows);
    st = answers[q.kind](&head, a, &q);
    sl_h5_end();
    memcpy(out->head, &head, sizeof head);
    out->data = a->data;
    out->bytes = a->bytes;
    out->part = a->rows.step ? next_rows : NULL;
    return st;
}
