#include "run/play.h"

#include "run/digest.h"

#include <stdio.h>
#include <string.h>

sl_run_settings play_settings(void)
{
    sl_run_settings s = sl_run_settings_defaults();

    s.level = 3;
    s.k = 8;
    s.vocab = 300;
    s.groups = 5;
    s.sketch = 16;
    s.min_free_bytes = 0;
    s.ring_bytes = (uint64_t)1 << 20;
    s.fsync_every_s = 0.005;
    return s;
}

void play_create(sl_run **run, const char *path, const sl_run_settings *settings)
{
    sl_json *about = json_pack("{s:s, s:f}", "loss", "dpo", "beta", 0.1);
    sl_json *start = json_pack("{s:s, s:i}", "blas", "none", "threads", 2);

    T_OK(sl_run_create(run, path, about, start, settings));
    sl_json_close(&about);
    sl_json_close(&start);
}

void play_resume(sl_run **run, const char *path, int64_t checkpoint,
                 const sl_run_settings *settings)
{
    sl_json *start = json_pack("{s:s, s:i}", "blas", "none", "threads", 2);

    T_OK(sl_run_resume(run, path, start, checkpoint, settings));
    sl_json_close(&start);
}

/* Rows of one table: more or fewer by step, so that units differ. */
static sl_status put_rows(sl_run *run, sl_table table, int64_t step)
{
    const size_t n = 1 + (size_t)(step + (int64_t)table) % 3;

    for (size_t i = 0; i < n; i++) {
        rec_row row;
        const void *wide[REC_WIDES];

        rec_make_row(&row, table, step, i, sl_run_layout(run));
        rec_wide_of(wide, &row);
        SL_TRY(sl_run_row(run, table, &row.row, wide));
    }
    return SL_OK;
}

static sl_status put_names(sl_run *run, int64_t step)
{
    char name[64];
    uint16_t index;

    for (int kind = 0; kind < SL_NAME_KINDS; kind++) {
        (void)snprintf(name, sizeof name, "name-%d-%lld", kind, (long long)(step / 5));
        SL_TRY(sl_run_name(run, &index, kind, name));
        if (index != step / 5 + 1)
            return SL_FAIL(SL_EINTERNAL, "want index %lld, found %u", (long long)(step / 5 + 1),
                           index);
    }
    return SL_OK;
}

sl_status play_step(sl_run *run, int64_t step)
{
    char text[256];
    uint64_t hash;
    const uint64_t want = rec_text(text, sizeof text, step);

    SL_TRY(sl_run_text(run, &hash, "answer", "id of the data", NULL, text));
    SL_CHECK(hash == want);
    SL_TRY(put_rows(run, SL_TABLE_VOTES, step));
    SL_TRY(sl_run_commit(run, SL_UNIT_VOTES, step));
    SL_TRY(put_names(run, step));
    for (int t = 0; t < SL_TABLE_UNITS; t++)
        if (t != SL_TABLE_VOTES && t != SL_TABLE_NAMES && t != SL_TABLE_EVENTS)
            SL_TRY(put_rows(run, (sl_table)t, step));
    return sl_run_commit(run, SL_UNIT_UPDATE, step);
}

void play_steps(sl_run *run, int64_t first, int64_t last)
{
    for (int64_t s = first; s <= last; s++)
        T_OK(play_step(run, s));
}

sl_status play_digest_try(char *hex, const char *path, int64_t until)
{
    sl_run_identity identity;
    sl_live_run live = { .run_path = path, .identity = &identity, .until_step = until };
    sl_status st;

    SL_TRY(sl_run_identity_load(&identity, path));
    st = sl_digest_of(hex, sl_live_rows, &live);
    sl_run_identity_close(&identity);
    return st;
}

void play_digest(char *hex, const char *path, int64_t until)
{
    T_OK(play_digest_try(hex, path, until));
}

void play_whole(const char *path, int64_t last)
{
    const sl_run_settings settings = play_settings();
    sl_run *run;

    play_create(&run, path, &settings);
    play_steps(run, 1, last);
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
}
