#include "run/index_list_int.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/segment_read_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void hash_line(sl_sha256 *sha, const char *what, uint32_t rank, uint32_t number,
                      const char *detail)
{
    char line[160];
    const int bytes =
        snprintf(line, sizeof line, "%s %" PRIu32 " %" PRIu32 " %s\n", what, rank, number, detail);

    sl_sha256_add(sha, line, (size_t)bytes);
}

/* The attempt of an open journal ends the life of older rows before it is sealed. A journal without
 * a whole START has written nothing that counts. */
static sl_status add_journal(sl_attempts *attempts, const sl_index_list *list, const char *folder,
                             uint32_t number, uint32_t rank)
{
    sl_journal *journal = NULL;
    sl_status st = sl_journal_open(&journal, folder, number, rank, &list->identity);

    if (st != SL_OK) {
        sl_err_clear();
        return SL_OK;
    }
    st = sl_attempts_add(attempts, sl_journal_start(journal)->attempt,
                         sl_journal_start(journal)->resumed_from);
    sl_journal_close(&journal);
    return st;
}

static sl_status add_segment(sl_index_list *list, sl_attempts *attempts, const char *folder,
                             uint32_t number, uint32_t rank)
{
    sl_index_source *s;
    char path[SL_RUN_PATH];

    SL_TRY(sl_grow(&list->source, &list->capacity, list->count + 1, sizeof *list->source));
    s = &list->source[list->count];
    *s = (sl_index_source){ 0 };
    SL_TRY(sl_rank_path(path, folder, SL_FILE_SEGMENT, number));
    SL_TRY(sl_segment_info_read(&s->info, path));
    if (strcmp(s->info.uuid_text, list->identity.uuid_text) || s->info.rank != rank ||
        s->info.number != number)
        return SL_FAIL(SL_EFORMAT, "%s: want rank %u, segment %u of run %s, found another", path,
                       rank, number, list->identity.uuid_text);
    (void)snprintf(s->name, sizeof s->name, "rank%03u%s", rank, strrchr(path, '/'));
    list->count++;
    return sl_err_where(sl_attempts_add(attempts, s->info.attempt, s->info.resumed_from), "%s",
                        path);
}

static sl_status count_live(sl_index_list *list, size_t from, const sl_attempts *attempts,
                            const char *run_path)
{
    for (size_t i = from; i < list->count; i++) {
        sl_index_source *s = &list->source[i];
        const int64_t until = sl_attempts_live_until(attempts, s->info.attempt);
        char path[SL_RUN_PATH];

        SL_TRY(sl_file_join(path, sizeof path, run_path, s->name));
        for (int t = 0; t < SL_TABLE_COUNT; t++) {
            SL_TRY(
                sl_segment_live(&s->live[t], path, &s->info, &list->identity, (sl_table)t, until));
            list->live[t] += s->live[t];
        }
    }
    return SL_OK;
}

static void hash_rank(sl_sha256 *sha, const sl_index_list *list, size_t from, uint32_t rank,
                      const sl_attempts *attempts)
{
    for (size_t i = from; i < list->count; i++)
        hash_line(sha, "segment", rank, list->source[i].info.number, list->source[i].info.sha256);
    for (size_t i = 0; i < attempts->count; i++) {
        char from_step[32];

        (void)snprintf(from_step, sizeof from_step, "%" PRId64, attempts->row[i].resumed_from);
        hash_line(sha, "attempt", rank, attempts->row[i].attempt, from_step);
    }
}

/* A rank's files in order; a journal that is still there beside its segment is the segment's. */
static sl_status add_rank(sl_index_list *list, sl_sha256 *sha, const char *run_path, uint32_t rank,
                          int with_live)
{
    sl_status st = SL_OK;
    char folder[SL_RUN_PATH];
    sl_rank_list files = { 0 };
    sl_attempts attempts = { 0 };
    const size_t from = list->count;

    SL_TRY_OUT(sl_rank_folder(folder, run_path, rank));
    SL_TRY_OUT(sl_rank_list_open(&files, folder));
    for (size_t i = 0; i < files.count; i++) {
        const sl_rank_entry *e = &files.row[i];

        if (e->has[SL_FILE_SEGMENT])
            SL_TRY_OUT(add_segment(list, &attempts, folder, e->number, rank));
        else if (e->has[SL_FILE_JOURNAL])
            SL_TRY_OUT(add_journal(&attempts, list, folder, e->number, rank));
    }
    if (with_live)
        SL_TRY_OUT(count_live(list, from, &attempts, run_path));
    hash_rank(sha, list, from, rank, &attempts);
out:
    sl_attempts_close(&attempts);
    sl_rank_list_close(&files);
    return st;
}

sl_status sl_index_list_open(sl_index_list *out, const char *run_path, int is_own, int with_live)
{
    sl_status st = SL_OK;
    sl_sha256 sha;
    unsigned char digest[32];

    *out = (sl_index_list){ 0 };
    sl_sha256_open(&sha);
    SL_TRY_OUT(sl_run_identity_load(&out->identity, run_path));
    out->identity.is_own = is_own;
    for (uint32_t rank = 0; rank < out->identity.world_size; rank++)
        SL_TRY_OUT(add_rank(out, &sha, run_path, rank, with_live));
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(out->sha256, digest);
out:
    if (st != SL_OK)
        sl_index_list_close(out);
    return st;
}

void sl_index_list_close(sl_index_list *list)
{
    sl_run_identity_close(&list->identity);
    sl_free(list->source);
    *list = (sl_index_list){ 0 };
}
