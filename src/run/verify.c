#include "run/verify.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "run/chain_int.h"
#include "run/decision_int.h"
#include "run/digest.h"
#include "run/files.h"
#include "run/run_int.h"
#include "run/sums.h"
#include "run/texts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXTS_MAX = 1 << 30 }; /* bytes of one text file, inflated */

typedef struct checker {
    const char *run_path;
    char rank_folder[SL_RUN_PATH];
    sl_run_identity identity;
    sl_rank_list list;
    sl_attempts attempts;
    sl_segment_info previous; /* number 0: none, or the one before is damaged */
    uint32_t last_number;
    sl_run_report report;
    void *with;
    sl_verify_result *out;
    sl_err_record short_of; /* the first want of memory: it says nothing about the record */
    int is_short;
} checker;

static void say(const checker *c, const char *path, const char *sentence)
{
    if (c->report)
        c->report(c->with, path, sentence);
}

/* Takes the error at hand as one damaged file and goes on. */
static void damaged(checker *c, const char *path, sl_status st)
{
    char sentence[1200];

    if (st == SL_OK)
        return;
    if (st == SL_ENOMEM) {
        if (!c->is_short)
            sl_err_save(&c->short_of);
        c->is_short = 1;
        sl_err_clear();
        return;
    }
    snprintf(sentence, sizeof sentence, "%s: %s", sl_err_place(), sl_err_message());
    sl_err_clear();
    c->out->damaged++;
    say(c, path, sentence);
}

static void lost(checker *c, const char *path, int64_t before)
{
    char sentence[128];

    if (before < 0 && c->out->last_step < 0)
        snprintf(sentence, sizeof sentence, "lost: every step");
    else if (before < 0)
        snprintf(sentence, sizeof sentence, "lost: what follows step %lld",
                 (long long)c->out->last_step);
    else
        snprintf(sentence, sizeof sentence, "lost: what stands between step %lld and step %lld",
                 (long long)c->out->last_step, (long long)before);
    say(c, path, sentence);
}

/* A tail that was never promised, or that held nothing but padding. */
static void torn(const checker *c, const char *path)
{
    if (!c->out->is_running)
        say(c, path, "ends in bytes that were never synced; --repair leaves them out");
}

static sl_status read_lines(uint64_t *count, sl_span rest, const char *path)
{
    sl_span line;
    unsigned long long number = 0;

    while (sl_text_line(&line, &rest)) {
        sl_text text;

        SL_TRY(
            sl_err_where(sl_text_line_read(&text, line.at, line.bytes), "%s:%llu", path, ++number));
        sl_text_close(&text);
        ++*count;
    }
    return SL_OK;
}

/* The first `promised` bytes are those of whole units. */
static sl_status check_text_lines(checker *c, const char *path, size_t promised)
{
    char *data = NULL;
    size_t bytes, first;
    uint64_t behind = 0;
    sl_status st;

    SL_TRY(sl_file_read_regular(&data, &bytes, path, TEXTS_MAX));
    first = bytes < promised ? bytes : promised;
    st = read_lines(&c->out->texts, (sl_span){ data, first }, path);
    if (st == SL_OK && first < bytes) {
        st = read_lines(&behind, (sl_span){ data + first, bytes - first }, path);
        if (st == SL_EFORMAT) {
            sl_err_clear();
            torn(c, path);
            st = SL_OK;
        }
    }
    sl_free(data);
    return st;
}

static sl_status check_sealed_texts(checker *c, const sl_segment_info *info)
{
    char path[SL_RUN_PATH];

    SL_TRY(sl_segment_texts_prove(path, info, c->rank_folder));
    return path[0] ? check_text_lines(c, path, SIZE_MAX) : SL_OK;
}

static sl_status segment_is_whole(checker *c, sl_segment_info *info, const char *path,
                                  uint32_t number)
{
    SL_TRY(sl_segment_prove(info, path));
    SL_TRY(
        sl_err_where(sl_segment_follows(info, &c->previous, &c->identity, 0, number), "%s", path));
    return sl_segment_check(path, &c->identity);
}

static sl_status check_segment(checker *c, uint32_t number)
{
    char path[SL_RUN_PATH];
    sl_segment_info info;
    sl_status st;

    SL_TRY(sl_rank_path(path, c->rank_folder, SL_FILE_SEGMENT, number));
    st = segment_is_whole(c, &info, path, number);
    if (st != SL_OK) {
        damaged(c, path, st);
        c->previous = (sl_segment_info){ 0 };
        return SL_OK;
    }
    if (number > 1 && !c->previous.number)
        lost(c, c->rank_folder, info.first_step);
    damaged(c, path, check_sealed_texts(c, &info));
    damaged(c, path, sl_attempts_add(&c->attempts, info.attempt, info.resumed_from));
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        c->out->rows[t] += info.rows[t];
    c->out->segments++;
    if (info.last_step >= 0)
        c->out->last_step = info.last_step;
    c->out->ended = info.ended;
    c->previous = info;
    return SL_OK;
}

static void count_unit(checker *c, const sl_unit *unit)
{
    for (int t = 0; t < SL_TABLE_UNITS; t++)
        c->out->rows[t] += unit->table_rows[t];
    c->out->rows[SL_TABLE_UNITS]++;
    c->out->last_step = unit->commit.step;
}

static sl_status check_units(checker *c, sl_journal *journal, sl_tail *tail, uint64_t *text_bytes)
{
    sl_unit unit;
    int found;

    *text_bytes = 0;
    for (;;) {
        SL_TRY(sl_journal_next(journal, &unit, &found));
        if (!found)
            break;
        count_unit(c, &unit);
        *text_bytes = unit.commit.text_bytes;
    }
    sl_journal_tail(journal, tail);
    return SL_OK;
}

static sl_status read_journal(checker *c, const char *path, uint32_t number, int is_newest)
{
    char texts[SL_RUN_PATH];
    sl_journal *journal = NULL;
    uint64_t text_bytes;
    sl_tail tail;
    sl_status st = SL_OK;

    SL_TRY((is_newest ? sl_journal_open_newest : sl_journal_open)(&journal, c->rank_folder, number,
                                                                  0, &c->identity));
    if (!journal) {
        if (!c->out->is_running)
            say(c, path, "was torn while it was created; it holds nothing");
        return SL_OK;
    }
    SL_TRY_OUT(sl_attempts_add(&c->attempts, sl_journal_start(journal)->attempt,
                               sl_journal_start(journal)->resumed_from));
    SL_TRY_OUT(check_units(c, journal, &tail, &text_bytes));
    c->out->ended = tail.ended;
    if (tail.kind == SL_TAIL_CORRUPT || (!is_newest && tail.kind != SL_TAIL_END)) {
        st = sl_err_where(SL_FAIL(SL_EFORMAT, "synced rows are damaged: %s, found other bytes",
                                  tail.reason[0] ? tail.reason : "want END"),
                          "%s byte %zu", path, tail.bad_offset);
        goto out;
    }
    if (tail.kind == SL_TAIL_TORN)
        torn(c, path);
    SL_TRY_OUT(sl_rank_path(texts, c->rank_folder, SL_FILE_TEXTS, number));
    if (text_bytes)
        SL_TRY_OUT(check_text_lines(c, texts, text_bytes));
out:
    sl_journal_close(&journal);
    return st;
}

static sl_status check_journal(checker *c, uint32_t number, int is_newest)
{
    char path[SL_RUN_PATH];
    sl_status st;

    SL_TRY(sl_rank_path(path, c->rank_folder, SL_FILE_JOURNAL, number));
    st = read_journal(c, path, number, is_newest);
    c->out->journals++;
    if (st != SL_OK) {
        damaged(c, path, st);
        lost(c, path, -1);
    }
    return SL_OK;
}

static sl_status check_rank(checker *c)
{
    uint32_t want = 1;

    for (size_t i = 0; i < c->list.count; i++) {
        const sl_rank_entry *e = &c->list.row[i];

        if (e->number != want) {
            damaged(c, c->rank_folder,
                    sl_err_where(SL_FAIL(SL_EFORMAT, "want segment %u, found %u", want, e->number),
                                 "%s", c->rank_folder));
            c->previous = (sl_segment_info){ 0 };
        }
        want = e->number + 1;
        if (e->has[SL_FILE_SEGMENT])
            SL_TRY(check_segment(c, e->number));
        else if (e->has[SL_FILE_JOURNAL])
            SL_TRY(check_journal(c, e->number, i + 1 == c->list.count));
    }
    if (want > 1 && c->list.row[c->list.count - 1].has[SL_FILE_SEGMENT] && !c->previous.number)
        lost(c, c->rank_folder, -1);
    return SL_OK;
}

static sl_status read_decisions(checker *c, sl_decision_log *log)
{
    sl_row_decisions row;
    const char *rule;
    int there = 1;

    while (there) {
        SL_TRY(sl_decision_log_peek(log, &row, &rule, &there));
        sl_decision_log_take(log);
        c->out->decisions += (uint64_t)there;
    }
    return SL_OK;
}

static sl_status check_decisions(checker *c)
{
    sl_decision_log log = { 0 };
    char path[SL_RUN_PATH];
    sl_status st;

    SL_TRY(sl_file_join(path, sizeof path, c->run_path, "decisions.log"));
    if (!sl_file_exists(path))
        return SL_OK;
    st = sl_decision_log_open(&log, path, &c->identity);
    if (st == SL_OK)
        st = sl_err_where(read_decisions(c, &log), "%s", path);
    if (st == SL_OK && sl_decision_log_is_torn(&log))
        torn(c, path);
    sl_decision_log_close(&log);
    damaged(c, path, st);
    return SL_OK;
}

static sl_status check_index(checker *c)
{
    char path[SL_RUN_PATH];
    int is_stale = 0;

    SL_TRY(sl_file_join(path, sizeof path, c->run_path, "run.h5"));
    damaged(c, path, sl_index_check(c->run_path, &is_stale));
    if (is_stale && !c->out->is_running)
        say(c, path, "shows an earlier state; --repair builds it again");
    return SL_OK;
}

static sl_status check_checkpoint(checker *c)
{
    int64_t step;

    if (c->out->damaged) /* what is missing was said already */
        return SL_OK;
    SL_TRY(sl_checkpoint_newest(&step, c->run_path));
    if (step > 0 && step > c->out->last_step && !c->out->is_running &&
        step > (c->attempts.count ? c->attempts.row[c->attempts.count - 1].resumed_from : -1))
        damaged(c, c->rank_folder,
                sl_err_where(SL_FAIL(SL_EFORMAT, "want rows up to checkpoint %lld, found step %lld",
                                     (long long)step, (long long)c->out->last_step),
                             "%s", c->rank_folder));
    return SL_OK;
}

/* A live run removes old checkpoints: what is gone by now was sound. */
static sl_status check_sums_of(checker *c, int64_t step)
{
    char path[SL_RUN_PATH];
    int is_there;
    sl_status st;

    SL_TRY(sl_checkpoint_path(path, c->run_path, step));
    st = sl_sums_check(&is_there, path);
    if (st != SL_OK && st != SL_ENOMEM && !sl_file_exists(path))
        sl_err_clear();
    else
        damaged(c, path, st);
    return SL_OK;
}

static sl_status check_sums(checker *c)
{
    int64_t step = -1;

    for (;;) {
        SL_TRY(sl_checkpoint_after(&step, c->run_path, step));
        if (step < 0)
            return SL_OK;
        SL_TRY(check_sums_of(c, step));
    }
}

static sl_status check_all(checker *c)
{
    sl_verify_result *out = c->out;

    SL_TRY(sl_rank_folder(c->rank_folder, c->run_path, 0));
    SL_TRY(sl_rank_list_open(&c->list, c->rank_folder));
    SL_TRY(check_rank(c));
    out->attempts = (uint32_t)c->attempts.count;
    if (out->ended == SL_ENDED_ROTATED)
        out->ended = SL_ENDED_KILLED;
    SL_TRY(check_checkpoint(c));
    SL_TRY(check_sums(c));
    SL_TRY(check_decisions(c));
    SL_TRY(check_index(c));
    if (!out->damaged)
        SL_TRY(sl_digest_run(out->digest, c->run_path));
    if (out->damaged)
        return sl_err_where(
            SL_FAIL(SL_EFORMAT, "want a whole record, found %u damaged files", out->damaged), "%s",
            c->run_path);
    return SL_OK;
}

static sl_status repair(checker *c, sl_verify_mode mode)
{
    sl_recovery recovery = { 0 };
    int fd = -1;
    sl_status st;

    if (mode == SL_VERIFY_LOOK)
        return SL_OK;
    SL_TRY(sl_run_lock(&fd, c->run_path));
    if (fd < 0)
        return sl_err_where(SL_FAIL(SL_EARG, "want no trainer at work, found one"), "%s",
                            c->run_path);
    if (mode == SL_VERIFY_REPAIR)
        st = sl_recover(&recovery, c->run_path, &c->identity, 0, c->report, c->with);
    else
        st = sl_recover_look(&recovery, c->run_path, &c->identity, 0, c->report, c->with);
    sl_recovery_close(&recovery);
    close(fd);
    if (st == SL_EFORMAT) { /* cannot be repaired: the look says what is lost */
        say(c, sl_err_place(), sl_err_message());
        sl_err_clear();
        st = SL_OK;
    }
    return st;
}

sl_status sl_verify(sl_verify_result *out, const char *run_path, sl_verify_mode mode,
                    sl_run_report report, void *with)
{
    checker c = { .run_path = run_path, .report = report, .with = with, .out = out };
    sl_status st;

    *out = (sl_verify_result){ .last_step = -1, .ended = SL_ENDED_KILLED };
    SL_TRY(sl_run_identity_load(&c.identity, run_path));
    SL_TRY_OUT(repair(&c, mode));
    SL_TRY_OUT(sl_run_is_locked(&out->is_running, run_path));
    SL_TRY_OUT(check_all(&c));
out:
    if (c.is_short) {
        sl_err_clear();
        st = sl_err_restore(&c.short_of);
    }
    sl_rank_list_close(&c.list);
    sl_attempts_close(&c.attempts);
    sl_run_identity_close(&c.identity);
    return st;
}
