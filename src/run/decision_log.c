/* Reading decisions.log: whole units, and the rule of the session that each belongs to. */
#include "run/decision_int.h"

#include "base/alloc.h"
#include "base/file.h"

#include <string.h>

sl_status sl_decision_log_open(sl_decision_log *out, const char *path,
                               const sl_run_identity *identity)
{
    const uint32_t seed = sl_journal_seed(identity->uuid, 0, SL_DECISIONS_NUMBER);
    char *data;
    sl_frame f;

    *out = (sl_decision_log){ 0 };
    SL_TRY(sl_file_read_regular(&data, &out->bytes, path, SL_DECISIONS_MAX));
    out->data = (unsigned char *)data;
    if (!sl_frame_decode(&f, out->data, out->bytes, 0, seed)) {
        if (sl_frame_was_synced(out->data, out->bytes, 0, 1, seed))
            return SL_FAIL(SL_EFORMAT,
                           "synced decisions are damaged: want START, found other bytes");
        return SL_OK; /* a first START that is still being written */
    }
    return sl_journal_open_memory(&out->journal, out->data, out->bytes, NULL, 0, seed,
                                  &identity->layout);
}

int sl_decision_log_is_torn(const sl_decision_log *log)
{
    sl_tail tail;

    if (!log->journal)
        return log->bytes > 0;
    sl_journal_tail(log->journal, &tail);
    return tail.kind == SL_TAIL_TORN;
}

void sl_decision_log_close(sl_decision_log *log)
{
    sl_journal_close(&log->journal);
    sl_free(log->data);
    sl_free(log->rule);
    *log = (sl_decision_log){ 0 };
}

static sl_status take_rule(sl_decision_log *log, const sl_frame *frame)
{
    sl_json *environment = NULL;
    const char *rule;
    sl_start start;
    sl_status st;

    SL_TRY(sl_start_decode(&start, frame));
    sl_free(log->rule);
    log->rule = NULL;
    SL_TRY_OUT(sl_json_parse(&environment, start.json, strlen(start.json), "START"));
    SL_TRY_OUT(sl_json_text_or(&rule, environment, "rule", ""));
    SL_TRY_OUT(sl_strdup(&log->rule, rule));
out:
    sl_json_close(&environment);
    sl_start_close(&start);
    return st;
}

/* The frames before a unit were found sound with it. */
static sl_status read_rules(sl_decision_log *log, size_t end)
{
    sl_frame f;

    while (log->read_to < end && sl_frame_peek(&f, log->data, end, log->read_to)) {
        if (f.type == SL_FRAME_START)
            SL_TRY(take_rule(log, &f));
        log->read_to += sl_frame_bytes(f.payload_bytes);
    }
    return SL_OK;
}

static sl_status take_row(void *with, sl_table table, const unsigned char *rows, size_t count,
                          size_t row_bytes)
{
    (void)row_bytes;
    if (count != 1)
        return SL_FAIL(SL_EFORMAT, "want one decision in a unit, found %zu", count);
    sl_row_unpack(with, table, rows);
    return SL_OK;
}

static sl_status read_unit(sl_decision_log *log)
{
    sl_unit unit;
    sl_tail tail;
    int found;

    SL_TRY(sl_journal_next(log->journal, &unit, &found));
    if (!found) {
        sl_journal_tail(log->journal, &tail);
        if (tail.kind == SL_TAIL_CORRUPT)
            return SL_FAIL(SL_EFORMAT,
                           "synced decisions are damaged at byte %zu: %s, found other "
                           "bytes",
                           tail.bad_offset, tail.reason);
        return SL_OK;
    }
    SL_TRY(read_rules(log, unit.end));
    if (unit.commit.rows != 1 || unit.table_rows[SL_TABLE_DECISIONS] != 1)
        return SL_FAIL(SL_EFORMAT, "want units of one decision, found %u rows", unit.commit.rows);
    SL_TRY(sl_unit_rows(log->journal, &unit, SL_TABLE_DECISIONS, take_row, &log->row));
    log->commit = unit.commit;
    log->has_row = 1;
    return SL_OK;
}

sl_status sl_decision_log_peek(sl_decision_log *log, sl_row_decisions *row, const char **rule,
                               int *there)
{
    if (log->journal && !log->has_row)
        SL_TRY(read_unit(log));
    *there = log->has_row;
    *row = log->row;
    *rule = log->rule ? log->rule : "";
    return SL_OK;
}

void sl_decision_log_take(sl_decision_log *log)
{
    log->has_row = 0;
}
