/* Rows, texts, events and commits of an open run: the step thread's side. */
#include "run/run_int.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "run/texts.h"

#include <math.h>
#include <string.h>

sl_run_settings sl_run_settings_defaults(void)
{
    sl_run_settings s = { .level = 1,
                          .fsync_every_s = 1,
                          .fsync_every_bytes = (uint64_t)16 << 20,
                          .seal_bytes = (uint64_t)64 << 20,
                          .ring_bytes = (uint64_t)64 << 20,
                          .min_free_bytes = (uint64_t)2 << 30,
                          .pack_bytes = (uint64_t)2 << 30 };

    for (int t = 0; t < SL_TABLE_COUNT; t++)
        s.tables[t] = SL_TABLE_AUTO;
    return s;
}

int sl_run_wants(const sl_run *run, sl_table table)
{
    return run->identity.has_table[table];
}

const sl_layout *sl_run_layout(const sl_run *run)
{
    return &run->identity.layout;
}

const char *sl_run_path(const sl_run *run)
{
    return run->path;
}

static int may_drop(const sl_run *run, sl_table table)
{
    return run->settings.on_full == SL_ON_FULL_DROP_TOKENS &&
           (table == SL_TABLE_TOKENS || table == SL_TABLE_TOPK);
}

static void count_wait(sl_run *run, double waited_s)
{
    run->stalls += waited_s > 0;
    run->stall_s += waited_s;
}

sl_status sl_run_row(sl_run *run, sl_table table, const void *row, const void *const *wide)
{
    int64_t step;
    double waited_s = 0;

    SL_CHECK(table < SL_TABLE_UNITS);
    if (!sl_run_wants(run, table))
        return SL_OK;
    memcpy(&step, row, sizeof step);
    if (step < 0 || step < run->table_step[table])
        return SL_FAIL(SL_EINTERNAL, "bug: %s row of step %lld after step %lld",
                       sl_table_get(table)->name, (long long)step,
                       (long long)run->table_step[table]);
    run->made[table]++;
    if (run->skip[table]) {
        run->skip[table]--;
        return SL_OK;
    }
    sl_row_pack(run->packed, table, row, wide, &run->identity.layout);
    if (!sl_writer_row(run->writer, table, run->packed, run->packed_bytes[table],
                       may_drop(run, table), &waited_s)) {
        run->dropped++;
        return SL_OK;
    }
    count_wait(run, waited_s);
    run->table_step[table] = step;
    if (step > run->unit_step)
        run->unit_step = step;
    run->is_open_unit = 1;
    return SL_OK;
}

sl_status sl_run_text(sl_run *run, uint64_t *hash, const char *kind, const char *id,
                      const char *name, const char *text)
{
    const uint64_t value = sl_hash_id(text, strlen(text));
    char *line = NULL;
    size_t bytes;
    double waited_s = 0;
    int is_new;

    if (hash)
        *hash = value;
    SL_TRY(sl_hash_set_add(&run->texts, value, &is_new));
    if (!is_new)
        return SL_OK;
    SL_TRY(sl_text_line_make(&line, &bytes, value, kind, id, name, text));
    if (bytes > sl_writer_ring_bytes(run->writer) / 2 || bytes > SL_TEXT_LINE_MAX) {
        sl_free(line);
        return SL_FAIL(SL_EARG, "want a text below %zu bytes, found %zu",
                       sl_writer_ring_bytes(run->writer) / 2, bytes);
    }
    sl_writer_text(run->writer, line, bytes, &waited_s);
    sl_free(line);
    count_wait(run, waited_s);
    run->is_open_unit = 1;
    return SL_OK;
}

sl_status sl_run_event(sl_run *run, int kind, double value, const char *text)
{
    sl_row_events row = { .step = run->step, .value = value, .kind = (uint8_t)kind };

    if (run->unit_step > row.step) /* inside a unit that has gone on already */
        row.step = run->unit_step;
    if (text)
        SL_TRY(sl_run_text(run, &row.text_hash, "event", NULL, NULL, text));
    return sl_run_row(run, SL_TABLE_EVENTS, &row, NULL);
}

/* Seals and stalls happen on other threads; they are told with the next unit. */
static sl_status tell_events(sl_run *run)
{
    const uint32_t seals = sl_sealer_count(run->sealer);

    if (seals != run->told_seals)
        SL_TRY(sl_run_event(run, SL_EVENT_SEAL, seals, NULL));
    run->told_seals = seals;
    if (run->stalls != run->told_stalls)
        SL_TRY(sl_run_event(run, SL_EVENT_STALL, run->stall_s - run->told_stall_s, NULL));
    run->told_stalls = run->stalls;
    run->told_stall_s = run->stall_s;
    return SL_OK;
}

sl_status sl_run_commit(sl_run *run, sl_unit_kind kind, int64_t step)
{
    double waited_s = 0;

    SL_TRY(sl_writer_check(run->writer));
    SL_TRY(tell_events(run));
    if (step < 0 || step < run->step || step < run->unit_step)
        return SL_FAIL(SL_EINTERNAL, "bug: commit of step %lld after step %lld and rows of %lld",
                       (long long)step, (long long)run->step, (long long)run->unit_step);
    sl_writer_commit(run->writer, kind, step, &waited_s);
    count_wait(run, waited_s);
    run->step = step;
    run->is_open_unit = 0;
    return SL_OK;
}

sl_status sl_run_sync(sl_run *run)
{
    SL_TRY(sl_writer_check(run->writer));
    return sl_writer_sync(run->writer);
}

void sl_run_stats_get(sl_run_stats *out, sl_run *run)
{
    *out = (sl_run_stats){ .attempt = run->attempt,
                           .committed_step = run->step,
                           .durable_step = sl_writer_durable_step(run->writer),
                           .queue_bytes = sl_writer_queue_bytes(run->writer),
                           .stalls = run->stalls,
                           .stall_s = run->stall_s,
                           .dropped = run->dropped,
                           .seals = sl_sealer_count(run->sealer),
                           .written_bytes = sl_writer_written_bytes(run->writer) };
}
