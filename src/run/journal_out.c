#include "run/journal_out_int.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/io_int.h"
#include "run/texts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static sl_status write_frames(sl_journal_out *j)
{
    const size_t bytes = j->unit.frame_bytes;

    SL_TRY(sl_io_write(j->fd, j->unit.frames, bytes));
    j->journal_bytes += bytes;
    j->unsynced_bytes += bytes;
    j->written_bytes += bytes;
    j->unit.frame_bytes = 0;
    return SL_OK;
}

static sl_status write_text(sl_journal_out *j)
{
    const size_t bytes = j->unit.text_bytes;

    if (!bytes)
        return SL_OK;
    SL_TRY(sl_io_write(j->text_fd, j->unit.text, bytes));
    j->unsynced_bytes += bytes;
    j->written_bytes += bytes;
    j->text_size += bytes;
    j->text_is_dirty = 1;
    return SL_OK;
}

/* A line of spaces up to the next 4096-byte edge that has room for it. */
static sl_status pad_line(char **line, size_t *bytes, uint64_t size)
{
    size_t least, gap = SL_FRAME_BLOCK - (size_t)(size % SL_FRAME_BLOCK);
    char spaces[2 * SL_FRAME_BLOCK];

    SL_TRY(sl_text_line_make(line, &least, sl_hash_id("", 0), "pad", NULL, NULL, ""));
    sl_free(*line);
    if (gap < least)
        gap += SL_FRAME_BLOCK;
    memset(spaces, ' ', gap - least);
    spaces[gap - least] = 0;
    return sl_text_line_make(line, bytes, sl_hash_id(spaces, gap - least), "pad", NULL, NULL,
                             spaces);
}

static sl_status pad_text(sl_journal_out *j)
{
    char *line = NULL;
    size_t bytes;
    sl_status st;

    if (j->text_size % SL_FRAME_BLOCK == 0)
        return SL_OK;
    SL_TRY(pad_line(&line, &bytes, j->text_size));
    st = sl_io_write(j->text_fd, line, bytes);
    j->text_crc32c = sl_crc32c(j->text_crc32c, line, bytes);
    sl_free(line);
    j->text_size += bytes;
    j->commit.text_bytes += bytes;
    j->written_bytes += bytes;
    return st;
}

/* A PAD frame up to the next 4096-byte edge that has room for it. */
static sl_status append_pad(sl_journal_out *j)
{
    const uint64_t size = j->journal_bytes + j->unit.frame_bytes;
    size_t gap = SL_FRAME_BLOCK - (size_t)(size % SL_FRAME_BLOCK);
    static const unsigned char zeros[SL_FRAME_BLOCK];
    sl_frame head = { .type = SL_FRAME_PAD, .synced_seq = j->synced_seq, .payload = zeros };

    if (gap == SL_FRAME_BLOCK)
        return SL_OK;
    if (gap < SL_FRAME_HEADER)
        gap += SL_FRAME_BLOCK;
    head.payload_bytes = (uint32_t)(gap - SL_FRAME_HEADER);
    return sl_unit_out_frame(&j->unit, &head, &j->next_seq, j->seed);
}

static sl_status sync_files(sl_journal_out *j)
{
    if (j->text_is_dirty)
        SL_TRY(sl_io_sync(j->text_fd));
    j->text_is_dirty = 0;
    SL_TRY(sl_io_sync(j->fd));
    j->synced_seq = j->next_seq - 1;
    j->unsynced_bytes = 0;
    j->durable_step = j->committed_step;
    return SL_OK;
}

static sl_status open_new(int *fd, const char *rank_folder, sl_rank_file kind, uint32_t number)
{
    char path[SL_RUN_PATH];

    SL_TRY(sl_rank_path(path, rank_folder, kind, number));
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (*fd < 0)
        return sl_err_where(SL_FAIL(SL_EIO, "want a new file, found: %s", strerror(errno)), "%s",
                            path);
    return SL_OK;
}

static sl_status append_start(sl_journal_out *j)
{
    sl_start start = { .attempt = j->begin.attempt,
                       .rank = j->begin.rank,
                       .number = j->begin.number,
                       .resumed_from = j->begin.resumed_from,
                       .last_seq = j->next_seq - 1 };
    char *payload = NULL;
    sl_frame head = { .type = SL_FRAME_START, .synced_seq = j->synced_seq };
    sl_status st;

    memcpy(start.run_sha256, j->begin.identity->sha256, sizeof start.run_sha256);
    SL_TRY(sl_start_encode(&payload, &start, j->begin.start_json));
    head.payload = (const unsigned char *)payload;
    head.payload_bytes = (uint32_t)strlen(payload);
    st = sl_unit_out_frame(&j->unit, &head, &j->next_seq, j->seed);
    sl_free(payload);
    return st;
}

/* START as a synced batch of its own. */
static sl_status start_batch(sl_journal_out *j)
{
    SL_TRY(append_start(j));
    SL_TRY(append_pad(j));
    SL_TRY(write_frames(j));
    return sync_files(j);
}

static sl_status begin_journal(sl_journal_out *j)
{
    j->seed = sl_journal_seed(j->begin.identity->uuid, j->begin.rank, j->begin.number);
    j->journal_bytes = 0;
    j->units = 0;
    j->commit = (sl_commit){ 0 };
    j->text_size = 0;
    j->text_crc32c = j->seed;
    SL_TRY(open_new(&j->text_fd, j->rank_folder, SL_FILE_TEXTS, j->begin.number));
    SL_TRY(open_new(&j->fd, j->rank_folder, SL_FILE_JOURNAL, j->begin.number));
    j->text_is_dirty = 1; /* a new file */
    SL_TRY(start_batch(j));
    return sl_file_sync_folder(j->rank_folder);
}

static void close_files(sl_journal_out *j)
{
    if (j->fd >= 0)
        close(j->fd);
    if (j->text_fd >= 0)
        close(j->text_fd);
    j->fd = j->text_fd = -1;
}

static void set_begin(sl_journal_out *j, const sl_journal_begin *begin)
{
    *j = (sl_journal_out){ .begin = *begin, .fd = -1, .text_fd = -1 };
    snprintf(j->rank_folder, sizeof j->rank_folder, "%s", begin->rank_folder);
    j->begin.rank_folder = j->rank_folder;
    j->begin.start_json = json_incref((sl_json *)(uintptr_t)begin->start_json);
    j->next_seq = begin->last_seq + 1;
    j->synced_seq = begin->last_seq;
    j->committed_step = begin->resumed_from;
}

sl_status sl_journal_out_open(sl_journal_out *j, const sl_journal_begin *begin)
{
    set_begin(j, begin);
    return begin_journal(j);
}

sl_status sl_journal_out_adopt(sl_journal_out *j, const sl_journal_begin *begin, int fd,
                               uint64_t bytes, const sl_commit *commit)
{
    set_begin(j, begin);
    j->fd = fd;
    j->seed = sl_journal_seed(begin->identity->uuid, begin->rank, begin->number);
    j->journal_bytes = bytes;
    j->commit = *commit;
    j->text_crc32c = j->seed;
    return start_batch(j);
}

sl_status sl_journal_out_commit(sl_journal_out *j, sl_unit_kind kind, int64_t step)
{
    j->commit.kind = kind;
    j->commit.step = step;
    j->commit.text_crc32c = j->text_crc32c;
    SL_TRY(sl_unit_out_frames(&j->unit, &j->commit, &j->next_seq, j->synced_seq, j->seed,
                              &j->begin.identity->layout));
    SL_TRY(write_text(j));
    SL_TRY(write_frames(j));
    sl_unit_out_clear(&j->unit);
    j->text_crc32c = j->seed;
    j->units++;
    j->committed_step = step;
    return SL_OK;
}

sl_status sl_journal_out_sync(sl_journal_out *j)
{
    if (!j->unsynced_bytes)
        return SL_OK;
    if (j->text_is_dirty)
        SL_TRY(pad_text(j));
    SL_TRY(append_pad(j));
    SL_TRY(write_frames(j));
    return sync_files(j);
}

sl_status sl_journal_out_end(sl_journal_out *j, sl_ended ended)
{
    const uint32_t word = (uint32_t)ended;
    sl_frame head = { .type = SL_FRAME_END,
                      .payload_bytes = sizeof word,
                      .payload = (const unsigned char *)&word };

    SL_TRY(sl_journal_out_sync(j));
    head.synced_seq = j->synced_seq;
    SL_TRY(sl_unit_out_frame(&j->unit, &head, &j->next_seq, j->seed));
    SL_TRY(write_frames(j));
    SL_TRY(sync_files(j));
    close_files(j);
    return SL_OK;
}

sl_status sl_journal_out_next(sl_journal_out *j)
{
    j->begin.number++;
    return begin_journal(j);
}

void sl_journal_out_close(sl_journal_out *j)
{
    if (j->begin.start_json)
        json_decref((sl_json *)(uintptr_t)j->begin.start_json);
    close_files(j);
    sl_unit_out_close(&j->unit);
    *j = (sl_journal_out){ .fd = -1, .text_fd = -1 };
}
