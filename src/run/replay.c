/* Going on after a checkpoint: which rows the record has already. */
#include "run/run_int.h"

#include <string.h>

typedef struct live_count {
    uint64_t rows;
    int64_t until;
} live_count;

static sl_status count_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                            size_t row_bytes)
{
    live_count *live = with;

    (void)table;
    live->rows += sl_attempts_live_prefix(rows, count, row_bytes, live->until);
    return SL_OK;
}

/* Rows are read only where a segment reaches beyond the live steps. */
static sl_status count_segment(sl_run *run, const char *path, const sl_segment_info *info,
                               int64_t until)
{
    for (int t = 0; t < SL_TABLE_UNITS; t++) {
        live_count live = { .until = until };

        if (info->last_step > until && info->rows[t])
            SL_TRY(sl_segment_rows(path, &run->identity, (sl_table)t, 0, info->rows[t], count_rows,
                                   &live));
        run->live[t] += info->last_step > until ? live.rows : info->rows[t];
    }
    return SL_OK;
}

sl_status sl_run_count_live(sl_run *run, const sl_recovery *recovered, int64_t checkpoint_step)
{
    for (uint32_t number = 1; number <= recovered->last_number; number++) {
        char path[SL_RUN_PATH];
        sl_segment_info info;
        int64_t until;

        SL_TRY(sl_rank_path(path, run->rank_folder, SL_FILE_SEGMENT, number));
        SL_TRY(sl_segment_info_read(&info, path));
        until = sl_attempts_live_until(&recovered->attempts, info.attempt);
        until = checkpoint_step < until ? checkpoint_step : until;
        SL_TRY(count_segment(run, path, &info, until));
    }
    return SL_OK;
}

void sl_run_rows(const sl_run *run, uint64_t rows[SL_TABLE_COUNT])
{
    memcpy(rows, run->made, sizeof run->made);
}

void sl_run_expect(sl_run *run, const uint64_t rows[SL_TABLE_COUNT])
{
    memcpy(run->made, rows, sizeof run->made);
    for (int t = 0; t < SL_TABLE_UNITS; t++) {
        /* names are known by their indices; clock and events are an attempt's own */
        const int is_made_again = sl_table_get((sl_table)t)->is_in_digest && t != SL_TABLE_NAMES;

        run->skip[t] = is_made_again && run->live[t] > rows[t] ? run->live[t] - rows[t] : 0;
    }
}
