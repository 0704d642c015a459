#include "run/reader_int.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/run_int.h"

#include <string.h>

static void release_all(sl_reader *reader)
{
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        sl_reader_release(reader, (sl_table)t);
}

sl_status sl_reader_open(sl_reader **out, const char *run_path)
{
    sl_status st = SL_OK;
    sl_reader *r = NULL;

    *out = NULL;
    SL_TRY(sl_take(&r, 1, sizeof *r));
    SL_TRY_OUT(sl_file_join(r->path, sizeof r->path, run_path, "."));
    SL_TRY_OUT(sl_run_identity_load(&r->identity, run_path));
    if (r->identity.world_size != 1) {
        st = SL_FAIL(SL_EUNSUPPORTED, "want a run of one rank, found %u", r->identity.world_size);
        goto out;
    }
    SL_TRY_OUT(sl_json_parse(&r->json, r->identity.json, strlen(r->identity.json), "run.json"));
    SL_TRY_OUT(sl_rank_folder(r->folder, run_path, 0));
    SL_TRY_OUT(sl_parts_open(r));
out:
    if (st != SL_OK)
        sl_reader_close(&r);
    *out = r;
    return st;
}

void sl_reader_close(sl_reader **reader)
{
    sl_reader *r = *reader;

    if (!r)
        return;
    release_all(r);
    sl_texts_release(r);
    sl_parts_close(r);
    sl_free(r->part);
    sl_json_close(&r->json);
    sl_run_identity_close(&r->identity);
    sl_free(r);
    *reader = NULL;
}

/* Segments proved before need not be proved again. old (count), by number. */
static void keep_proofs(sl_reader *reader, const sl_part *old, size_t count)
{
    for (size_t i = 0; i < reader->parts && i < count; i++) {
        sl_part *p = &reader->part[i];

        if (!p->journal && !old[i].journal && !strcmp(p->info.sha256, old[i].info.sha256))
            p->is_proved = old[i].is_proved;
    }
}

/* A new list of parts; the old one stays when that fails. */
static sl_status reopen_parts(sl_reader *reader)
{
    sl_reader old;
    sl_status st;

    sl_open_segment_close(reader); /* of neither list from here */
    old = *reader;
    reader->part = NULL;
    reader->parts = reader->capacity = 0;
    reader->attempts = (sl_attempts){ 0 };
    st = sl_parts_open(reader);
    if (st == SL_OK) {
        keep_proofs(reader, old.part, old.parts);
        sl_parts_close(&old);
        sl_free(old.part);
        return SL_OK;
    }
    sl_parts_close(reader);
    sl_free(reader->part);
    *reader = old;
    return st;
}

sl_status sl_reader_refresh(sl_reader *reader, int *is_changed)
{
    int changed = 0, other = 0;

    SL_TRY(sl_parts_follow(reader, &changed, &other));
    if (other)
        SL_TRY(reopen_parts(reader));
    if (changed) {
        release_all(reader);
        sl_texts_release(reader);
    }
    if (is_changed)
        *is_changed = changed;
    return SL_OK;
}

void sl_reader_set_all_attempts(sl_reader *reader, int is_all)
{
    reader->is_all = is_all;
    release_all(reader);
}

const sl_json *sl_reader_json(const sl_reader *reader)
{
    return reader->json;
}

const sl_layout *sl_reader_layout(const sl_reader *reader)
{
    return &reader->identity.layout;
}

int sl_reader_has(const sl_reader *reader, sl_table table)
{
    return reader->identity.has_table[table];
}

const sl_attempts *sl_reader_attempts(const sl_reader *reader)
{
    return &reader->attempts;
}

/* First and last step of the units of a part that has some. */
static void part_steps(const sl_part *p, sl_reader_state *out)
{
    const int64_t first = p->journal ? p->unit[0].commit.step : p->info.first_step;

    if (out->first_step < 0 || first < out->first_step)
        out->first_step = first;
    out->last_step = p->journal ? p->unit[p->units - 1].commit.step : p->info.last_step;
}

/* What the newest part says of the end; that another part follows is no end. */
static sl_ended part_ended(const sl_part *p)
{
    sl_tail tail;
    sl_ended ended = p->info.ended;

    if (p->journal) {
        sl_journal_tail(p->journal, &tail);
        ended = tail.ended;
    }
    return ended == SL_ENDED_ROTATED ? SL_ENDED_KILLED : ended;
}

sl_status sl_reader_state_get(const sl_reader *reader, sl_reader_state *out)
{
    *out = (sl_reader_state){ .attempts = reader->attempts.count,
                              .first_step = -1,
                              .last_step = -1,
                              .ended = SL_ENDED_KILLED };
    SL_TRY(sl_run_is_locked(&out->is_running, reader->path));
    for (size_t i = 0; i < reader->parts; i++)
        if (reader->part[i].rows[SL_TABLE_UNITS])
            part_steps(&reader->part[i], out);
    if (reader->parts)
        out->ended = part_ended(&reader->part[reader->parts - 1]);
    return SL_OK;
}
