#include "run/h5_sink_int.h"

#include "base/alloc.h"

#include <string.h>

/* The dataset of a sink, with its final extent. */
static sl_status create(sl_h5_sink *s, hid_t file, uint64_t rows)
{
    sl_status st = SL_OK;
    const hsize_t dims[2] = { rows, s->set.width };
    hid_t space = H5I_INVALID_HID, creation = H5I_INVALID_HID;

    SL_TRY_OUT(sl_h5_set_type(&s->type, &s->set));
    SL_TRY_OUT(sl_h5_set_creation(&creation, &s->chunk_rows, &s->set, (size_t)rows));
    SL_TRY_OUT(SL_H5_ID(&space, H5Screate_simple(s->set.wide ? 2 : 1, dims, NULL)));
    SL_TRY_OUT(SL_H5_ID(&s->dataset, H5Dcreate2(file, s->set.name, s->type, space, H5P_DEFAULT,
                                                creation, H5P_DEFAULT)));
    SL_TRY_OUT(sl_h5_set_describe(s->dataset, &s->set));
    SL_TRY_OUT(sl_take(&s->chunk, s->chunk_rows, s->set.item_bytes));
out:
    sl_h5_close(&creation);
    sl_h5_close(&space);
    return sl_err_where(st, "/%s", s->set.name);
}

sl_status sl_h5_sinks_open(sl_h5_sinks *sinks, hid_t file, sl_table table, uint64_t rows,
                           const sl_layout *layout)
{
    sl_h5_set set[SL_TABLE_SETS_MAX];
    const size_t count = sl_h5_sets(set, table, layout);
    size_t offset = 0;

    SL_TRY(sl_grow(&sinks->sink, &sinks->capacity, sinks->count + count, sizeof *sinks->sink));
    for (size_t i = 0; i < count; i++) {
        sl_h5_sink *s = &sinks->sink[sinks->count++];

        *s = (sl_h5_sink){
            .set = set[i], .dataset = H5I_INVALID_HID, .type = H5I_INVALID_HID, .offset = offset
        };
        offset += set[i].item_bytes;
        SL_TRY(create(s, file, rows));
    }
    return SL_OK;
}

static sl_status flush(sl_h5_sink *s)
{
    sl_status st = SL_OK;
    const hsize_t first[2] = { s->written, 0 }, count[2] = { s->have, s->set.width };
    hid_t space = H5I_INVALID_HID, memory = H5I_INVALID_HID;

    if (!s->have)
        return SL_OK;
    SL_TRY_OUT(SL_H5_ID(&space, H5Dget_space(s->dataset)));
    SL_TRY_OUT(SL_H5(H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, count, NULL)));
    SL_TRY_OUT(SL_H5_ID(&memory, H5Screate_simple(s->set.wide ? 2 : 1, count, NULL)));
    SL_TRY_OUT(SL_H5(H5Dwrite(s->dataset, s->type, memory, space, H5P_DEFAULT, s->chunk)));
    s->written += s->have;
    s->have = 0;
out:
    sl_h5_close(&memory);
    sl_h5_close(&space);
    return sl_err_where(st, "/%s", s->set.name);
}

/* Adds this dataset's part of count packed rows. */
static sl_status add(sl_h5_sink *s, const unsigned char *rows, size_t count, size_t row_bytes)
{
    const size_t bytes = s->set.item_bytes;

    for (size_t i = 0; i < count; i++) {
        memcpy(s->chunk + s->have * bytes, rows + i * row_bytes + s->offset, bytes);
        if (++s->have == s->chunk_rows)
            SL_TRY(flush(s));
    }
    return SL_OK;
}

sl_status sl_h5_sinks_add(sl_h5_sinks *sinks, sl_table table, const unsigned char *rows,
                          size_t count, size_t row_bytes)
{
    for (size_t i = 0; i < sinks->count; i++)
        if (sinks->sink[i].set.table == table)
            SL_TRY(add(&sinks->sink[i], rows, count, row_bytes));
    return SL_OK;
}

sl_status sl_h5_sinks_flush(sl_h5_sinks *sinks)
{
    for (size_t i = 0; i < sinks->count; i++) {
        const sl_h5_sink *s = &sinks->sink[i];

        SL_TRY(flush(&sinks->sink[i]));
        /* A close says nothing of chunks that a full disk did not take. */
        SL_TRY(sl_err_where(SL_H5(H5Dflush(s->dataset)), "/%s", s->set.name));
    }
    return SL_OK;
}

void sl_h5_sinks_close(sl_h5_sinks *sinks)
{
    for (size_t i = 0; i < sinks->count; i++) {
        sl_h5_close(&sinks->sink[i].dataset);
        sl_h5_close(&sinks->sink[i].type);
        sl_free(sinks->sink[i].chunk);
    }
    sl_free(sinks->sink);
    *sinks = (sl_h5_sinks){ 0 };
}
