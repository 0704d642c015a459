/* Opening a run: a new one, or the next attempt of an old one; and closing it. */
#include "run/run_int.h"

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

/* linux/magic.h of newer kernels lacks some of them. */
static const struct {
    unsigned magic;
    const char *name;
} network_systems[] = {
    { 0x6969, "NFS" },
    { 0x517b, "SMB" },
    { 0xff534d42, "CIFS" },
    { 0xfe534d42, "SMB2" },
};

static sl_status check_file_system(const char *path, const sl_run_settings *settings)
{
    struct statfs s;

    if (statfs(path, &s))
        return SL_FAIL(SL_EIO, "want to know its file system, found: %s", strerror(errno));
    for (size_t i = 0; i < sizeof network_systems / sizeof network_systems[0]; i++)
        if ((unsigned)s.f_type == network_systems[i].magic && !settings->allow_network)
            return sl_err_hint(
                SL_FAIL(SL_EIO, "want a local file system, found %s", network_systems[i].name),
                "use a local folder, or set record.allow_network");
    return SL_OK;
}

static sl_status check_room(const char *path, const sl_run_settings *settings, int *is_tight)
{
    const uint64_t want = settings->plan_bytes > settings->min_free_bytes
                              ? settings->plan_bytes
                              : settings->min_free_bytes;
    struct statvfs s;
    uint64_t room;

    if (statvfs(path, &s))
        return SL_FAIL(SL_EIO, "want to know its free space, found: %s", strerror(errno));
    room = (uint64_t)s.f_bavail * s.f_frsize;
    *is_tight = s.f_bavail < s.f_blocks / 10;
    if (room < want)
        return sl_err_hint(SL_FAIL(SL_EIO, "want %llu MiB free for the record, found %llu MiB",
                                   (unsigned long long)(want >> 20),
                                   (unsigned long long)(room >> 20)),
                           "make room, lower record.level, or set record.min_free_bytes");
    return SL_OK;
}

sl_status sl_run_lock(int *fd, const char *run_path)
{
    char path[SL_RUN_PATH];

    SL_TRY(sl_file_join(path, sizeof path, run_path, "lock"));
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return sl_err_where(SL_FAIL(SL_EIO, "want to open it, found: %s", strerror(errno)), "%s",
                            path);
    if (!flock(*fd, LOCK_EX | LOCK_NB))
        return SL_OK;
    close(*fd);
    *fd = -1;
    return SL_OK;
}

static sl_status lock_or_refuse(sl_run *run)
{
    SL_TRY(sl_run_lock(&run->lock_fd, run->path));
    if (run->lock_fd >= 0)
        return SL_OK;
    return sl_err_where(SL_FAIL(SL_EARG, "want to be the only trainer, found another at work"),
                        "%s", run->path);
}

static int wants_table(const sl_run_settings *s, int table)
{
    if (table == SL_TABLE_UNITS)
        return 1;
    if (s->tables[table] != SL_TABLE_AUTO)
        return s->tables[table];
    return sl_table_get((sl_table)table)->level <= s->level;
}

static void identity_from(sl_run_identity *identity, const sl_run_settings *s)
{
    identity->world_size = 1;
    identity->level = s->level;
    identity->layout = sl_layout_defaults();
    identity->layout.width[SL_WIDTH_K] = s->k;
    identity->layout.width[SL_WIDTH_VOCAB] = s->vocab;
    identity->layout.width[SL_WIDTH_GROUPS] = s->groups;
    identity->layout.width[SL_WIDTH_SKETCH] = s->sketch;
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        identity->has_table[t] = (uint8_t)wants_table(s, t);
}

static sl_status run_take(sl_run **out, const char *path, const sl_run_settings *settings)
{
    sl_run *run = NULL;
    const int bytes = snprintf(NULL, 0, "%s", path);

    *out = NULL;
    if (bytes >= SL_RUN_PATH - 128)
        return SL_FAIL(SL_EARG, "want a path below %d bytes, found %d", SL_RUN_PATH - 128, bytes);
    SL_TRY(sl_take(&run, 1, sizeof *run));
    snprintf(run->path, sizeof run->path, "%s", path);
    run->settings = *settings;
    run->lock_fd = -1;
    *out = run;
    return sl_rank_folder(run->rank_folder, path, 0);
}

static void run_give(sl_run **run)
{
    sl_run *r = *run;

    if (!r)
        return;
    sl_writer_close(&r->writer);
    sl_sealer_close(&r->sealer);
    for (int kind = 0; kind < SL_NAME_KINDS; kind++)
        sl_free(r->names[kind].name);
    sl_hash_set_close(&r->texts);
    sl_free(r->packed);
    sl_run_identity_close(&r->identity);
    if (r->lock_fd >= 0)
        close(r->lock_fd);
    sl_free(r);
    *run = NULL;
}

/* A resumed run may have been killed before it had them all. */
static sl_status make_folders(const sl_run *run)
{
    static const char *const names[] = { "rank000", "checkpoints", "quarantine" };
    char path[SL_RUN_PATH];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        SL_TRY(sl_file_join(path, sizeof path, run->path, names[i]));
        SL_TRY(sl_run_folder(path));
    }
    return sl_file_sync_folder(run->path);
}

/* Rows and threads; the first journal of the attempt becomes durable. */
static sl_status begin_attempt(sl_run *run, const sl_journal_begin *begin,
                               const sl_recovery *recovered)
{
    const sl_segment_info *previous =
        recovered && recovered->last_number ? &recovered->previous : NULL;
    size_t largest = 0;

    run->identity.is_own = 1; /* what recovery left is checked; from here we read what we wrote */
    run->attempt = begin->attempt;
    run->step = begin->resumed_from < 0 ? 0 : begin->resumed_from;
    for (int t = 0; t < SL_TABLE_COUNT; t++) {
        run->packed_bytes[t] = sl_table_packed_bytes((sl_table)t, &run->identity.layout);
        run->table_step[t] = run->step;
        if (run->packed_bytes[t] > largest)
            largest = run->packed_bytes[t];
    }
    run->unit_step = run->step;
    if (largest > SL_FRAME_PAYLOAD_MAX || largest * 2 > run->settings.ring_bytes)
        return SL_FAIL(SL_EARG, "want rows below %llu bytes, found %zu",
                       (unsigned long long)run->settings.ring_bytes / 2, largest);
    SL_TRY(sl_take(&run->packed, largest, 1));
    SL_TRY(sl_sealer_open(&run->sealer, run->path, run->rank_folder, begin->rank, &run->identity,
                          previous, recovered ? recovered->sealed_bytes : 0,
                          run->settings.pack_bytes));
    return sl_writer_open(&run->writer, begin, &run->settings, run->sealer);
}

/* Rows of one run have one form. */
static sl_status check_version(const sl_run_identity *identity)
{
    if (identity->minor == SL_SCHEMA_MINOR)
        return SL_OK;
    return sl_err_hint(SL_FAIL(SL_EVERSION, "want a run of schema %d.%d to go on with, found %u.%u",
                               SL_SCHEMA_MAJOR, SL_SCHEMA_MINOR, identity->major, identity->minor),
                       "go on with the stageline that began it, or start anew from its checkpoint");
}

static sl_status first_events(sl_run *run, int kind, double value, int is_tight)
{
    SL_TRY(sl_run_event(run, kind, value, NULL));
    if (is_tight)
        SL_TRY(sl_run_event(run, SL_EVENT_WARNING, NAN, "less than 10 % of the disk is free"));
    return SL_OK;
}

static sl_status create_in(sl_run *run, const sl_json *run_json, const sl_json *start_json)
{
    const sl_journal_begin begin = { .rank_folder = run->rank_folder,
                                     .identity = &run->identity,
                                     .start_json = start_json,
                                     .number = 1,
                                     .attempt = 1,
                                     .resumed_from = -1 };
    int is_tight;

    SL_TRY(sl_err_where(check_file_system(run->path, &run->settings), "%s", run->path));
    SL_TRY(sl_err_where(check_room(run->path, &run->settings, &is_tight), "%s", run->path));
    SL_TRY(sl_run_uuid_new(&run->identity));
    identity_from(&run->identity, &run->settings);
    SL_TRY(sl_run_identity_save(&run->identity, run_json, run->path));
    SL_TRY(sl_run_identity_load(&run->identity, run->path));
    SL_TRY(lock_or_refuse(run));
    SL_TRY(make_folders(run));
    SL_TRY(sl_file_sync_name(run->path));
    SL_TRY(sl_index_build(run->path, 1, 0, run->settings.pack_bytes));
    SL_TRY(begin_attempt(run, &begin, NULL));
    return first_events(run, SL_EVENT_START, 0, is_tight);
}

sl_status sl_run_create(sl_run **out, const char *path, const sl_json *run_json,
                        const sl_json *start_json, const sl_run_settings *settings)
{
    sl_status st;

    SL_TRY_OUT(run_take(out, path, settings));
    st = sl_file_new_folder(path);
    if (st == SL_EARG) /* it is there already */
        st = sl_err_hint(st, "--resume goes on; or give another --out");
    SL_TRY_OUT(st);
    st = create_in(*out, run_json, start_json);
    if (st != SL_OK && !(*out)->writer) { /* nothing was recorded: leave nothing */
        sl_err_record error;

        sl_err_save(&error);
        sl_err_clear();
        if (sl_file_remove_tree(path) != SL_OK)
            sl_err_clear();
        st = sl_err_restore(&error);
    }
out:
    if (st != SL_OK)
        run_give(out);
    return st;
}

typedef struct known_names {
    sl_run *run;
    int64_t until; /* live steps of the attempt at hand */
} known_names;

static sl_status take_names(void *with, sl_table table, const unsigned char *rows, size_t count,
                            size_t row_bytes)
{
    const known_names *known = with;

    (void)table;
    for (size_t i = 0; i < count; i++)
        if (sl_row_step(rows + i * row_bytes) <= known->until)
            SL_TRY(sl_run_name_known(known->run, rows + i * row_bytes));
    return SL_OK;
}

/* The names of live rows keep their indices, so that a resumed run writes what an unbroken one
 * would have written. */
static sl_status load_names(sl_run *run, const sl_recovery *recovered, int64_t checkpoint_step)
{
    for (uint32_t number = 1; number <= recovered->last_number; number++) {
        char path[SL_RUN_PATH];
        sl_segment_info info;
        known_names known = { .run = run };

        SL_TRY(sl_rank_path(path, run->rank_folder, SL_FILE_SEGMENT, number));
        SL_TRY(sl_segment_info_read(&info, path));
        known.until = sl_attempts_live_until(&recovered->attempts, info.attempt);
        if (checkpoint_step < known.until)
            known.until = checkpoint_step;
        if (info.rows[SL_TABLE_NAMES])
            SL_TRY(sl_segment_rows(path, &run->identity, SL_TABLE_NAMES, 0,
                                   info.rows[SL_TABLE_NAMES], take_names, &known));
    }
    return SL_OK;
}

/* Checkpoints ahead of where the run goes on belong to an attempt that is dead from here. */
static sl_status move_dead_checkpoints(const sl_run *run, int64_t checkpoint_step, uint32_t attempt)
{
    char from[SL_RUN_PATH], to[SL_RUN_PATH], name[64];
    int64_t step;

    for (;;) {
        SL_TRY(sl_checkpoint_newest(&step, run->path));
        if (step <= checkpoint_step)
            return SL_OK;
        SL_TRY(sl_checkpoint_path(from, run->path, step));
        snprintf(name, sizeof name, "quarantine/step-%012lld-before-attempt-%u", (long long)step,
                 attempt);
        SL_TRY(sl_file_join(to, sizeof to, run->path, name));
        if (rename(from, to))
            return sl_err_where(SL_FAIL(SL_EIO, "want to move it, found: %s", strerror(errno)),
                                "%s", from);
    }
}

static sl_status resume_from(sl_run *run, const sl_json *start_json, int64_t checkpoint_step,
                             sl_recovery *recovered, int is_tight)
{
    sl_journal_begin begin = { .rank_folder = run->rank_folder,
                               .identity = &run->identity,
                               .start_json = start_json,
                               .attempt = 1,
                               .resumed_from = checkpoint_step };

    SL_TRY(sl_recover(recovered, run->path, &run->identity, 0, NULL, NULL));
    if (checkpoint_step < 0 || (checkpoint_step && checkpoint_step > recovered->last_step))
        return sl_err_where(SL_FAIL(SL_EARG, "want a checkpoint of step 0 to %lld, found %lld",
                                    (long long)recovered->last_step, (long long)checkpoint_step),
                            "%s", run->path);
    if (recovered->attempts.count)
        begin.attempt = recovered->attempts.row[recovered->attempts.count - 1].attempt + 1;
    else
        begin.resumed_from = -1; /* nothing was ever recorded: the first attempt begins again */
    begin.number = recovered->last_number + 1;
    begin.last_seq = recovered->last_seq;
    SL_TRY(load_names(run, recovered, checkpoint_step));
    SL_TRY(sl_run_count_live(run, recovered, checkpoint_step));
    SL_TRY(move_dead_checkpoints(run, checkpoint_step, begin.attempt));
    SL_TRY(begin_attempt(run, &begin, recovered));
    return first_events(run, SL_EVENT_RESUME, (double)checkpoint_step, is_tight);
}

static sl_status resume_in(sl_run *run, const sl_json *start_json, int64_t checkpoint_step)
{
    sl_recovery recovered = { 0 };
    sl_status st = SL_OK;
    int is_tight;

    SL_TRY(sl_run_identity_load(&run->identity, run->path));
    SL_TRY(check_version(&run->identity));
    SL_TRY(lock_or_refuse(run));
    SL_TRY(sl_err_where(check_file_system(run->path, &run->settings), "%s", run->path));
    SL_TRY(sl_err_where(check_room(run->path, &run->settings, &is_tight), "%s", run->path));
    if (run->identity.world_size != 1)
        return SL_FAIL(SL_EUNSUPPORTED, "want a run of one rank, found %u",
                       run->identity.world_size);
    SL_TRY(make_folders(run));
    SL_TRY_OUT(resume_from(run, start_json, checkpoint_step, &recovered, is_tight));
out:
    sl_recovery_close(&recovered);
    return st;
}

sl_status sl_run_resume(sl_run **out, const char *path, const sl_json *start_json,
                        int64_t checkpoint_step, const sl_run_settings *settings)
{
    sl_status st;

    SL_TRY_OUT(run_take(out, path, settings));
    SL_TRY_OUT(resume_in(*out, start_json, checkpoint_step));
out:
    if (st != SL_OK)
        run_give(out);
    return st;
}

/* A unit that failed on the way is no unit: none of its rows may pass as recorded. */
static void drop_open_unit(sl_run *run)
{
    sl_writer_drop(run->writer);
    run->unit_step = run->step;
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        if (run->table_step[t] > run->step)
            run->table_step[t] = run->step;
    run->is_open_unit = 0;
}

static sl_status close_in(sl_run *run, sl_ended ended)
{
    SL_TRY(sl_writer_check(run->writer));
    if (ended == SL_ENDED_ERROR && run->is_open_unit)
        drop_open_unit(run);
    SL_TRY(sl_run_event(run, SL_EVENT_STOP, ended, NULL));
    SL_TRY(sl_run_commit(run, SL_UNIT_CONTROL,
                         run->unit_step > run->step ? run->unit_step : run->step));
    return sl_writer_end(run->writer, ended);
}

sl_status sl_run_close(sl_run **run, sl_ended ended)
{
    sl_status st;

    if (!*run)
        return SL_OK;
    st = close_in(*run, ended);
    run_give(run);
    return st;
}
