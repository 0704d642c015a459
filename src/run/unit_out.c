#include "run/journal_out_int.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <string.h>

void sl_unit_out_close(sl_unit_out *unit)
{
    for (int t = 0; t < SL_TABLE_UNITS; t++)
        sl_free(unit->table[t].data);
    sl_free(unit->text);
    sl_free(unit->frames);
    *unit = (sl_unit_out){ 0 };
}

void sl_unit_out_clear(sl_unit_out *unit)
{
    for (int t = 0; t < SL_TABLE_UNITS; t++) {
        unit->table[t].bytes = 0;
        unit->table[t].rows = 0;
    }
    unit->text_bytes = 0;
    unit->frame_bytes = 0;
}

unsigned char *sl_unit_out_row(sl_unit_out *unit, sl_table table, size_t bytes)
{
    sl_unit_table *t = &unit->table[table];

    if (sl_grow(&t->data, &t->capacity, t->bytes + bytes, 1) != SL_OK)
        return NULL;
    t->bytes += bytes;
    t->rows++;
    return t->data + t->bytes - bytes;
}

unsigned char *sl_unit_out_text(sl_unit_out *unit, size_t bytes)
{
    if (sl_grow(&unit->text, &unit->text_capacity, unit->text_bytes + bytes, 1) != SL_OK)
        return NULL;
    unit->text_bytes += bytes;
    return unit->text + unit->text_bytes - bytes;
}

sl_status sl_unit_out_frame(sl_unit_out *unit, const sl_frame *head, uint64_t *seq, uint32_t seed)
{
    const size_t bytes = sl_frame_bytes(head->payload_bytes);
    sl_frame frame = *head;

    SL_TRY(sl_grow(&unit->frames, &unit->frame_capacity, unit->frame_bytes + bytes, 1));
    frame.seq = (*seq)++;
    sl_frame_encode(unit->frames + unit->frame_bytes, &frame, seed);
    unit->frame_bytes += bytes;
    return SL_OK;
}

/* One table in as many frames as its payload needs. */
static sl_status rows_frames(sl_unit_out *unit, sl_table table, const sl_commit *commit,
                             uint64_t *seq, uint64_t synced_seq, uint32_t seed, size_t row_bytes)
{
    const sl_unit_table *t = &unit->table[table];
    const uint32_t most = (uint32_t)(SL_FRAME_PAYLOAD_MAX / row_bytes);

    for (uint32_t first = 0; first < t->rows; first += most) {
        const uint32_t rows = t->rows - first < most ? t->rows - first : most;
        const sl_frame head = { .type = SL_FRAME_ROWS,
                                .table = (uint16_t)table,
                                .payload_bytes = (uint32_t)(rows * row_bytes),
                                .rows = rows,
                                .step = commit->step,
                                .synced_seq = synced_seq,
                                .payload = t->data + first * row_bytes };

        SL_TRY(sl_unit_out_frame(unit, &head, seq, seed));
    }
    return SL_OK;
}

sl_status sl_unit_out_frames(sl_unit_out *unit, sl_commit *commit, uint64_t *seq,
                             uint64_t synced_seq, uint32_t seed, const sl_layout *layout)
{
    unsigned char payload[SL_COMMIT_BYTES];
    sl_frame head = { .type = SL_FRAME_COMMIT,
                      .payload_bytes = SL_COMMIT_BYTES,
                      .step = commit->step,
                      .synced_seq = synced_seq,
                      .payload = payload };

    commit->rows = 0;
    commit->crc32c = 0;
    for (int i = 0; i < SL_TABLE_UNITS; i++) {
        const sl_unit_table *t = &unit->table[i];
        const size_t row_bytes = sl_table_packed_bytes((sl_table)i, layout);

        if (!t->rows)
            continue;
        SL_TRY(rows_frames(unit, (sl_table)i, commit, seq, synced_seq, seed, row_bytes));
        commit->rows += t->rows;
        commit->so_far[i] += t->rows;
        commit->crc32c = sl_crc32c(commit->crc32c, t->data, t->bytes);
    }
    commit->text_bytes += unit->text_bytes;
    commit->text_crc32c = sl_crc32c(commit->text_crc32c, unit->text, unit->text_bytes);
    sl_commit_encode(payload, commit);
    head.rows = commit->rows;
    return sl_unit_out_frame(unit, &head, seq, seed);
}
