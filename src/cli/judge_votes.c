/* Invariant: every vote in the file or in `text` is in `known`, so nothing is written twice; lines
 * leave `text` whole, and a line that a crash cut off is removed before anything is appended. */
#include "cli/judge_votes.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define VOTES_MOST ((size_t)1 << 30) /* bytes of a file to go on with */

enum { ON_FIRST, OFF_FIRST, NO_ORDER, ORDERS };
static const char *const order_names[ORDERS] = { "on-first", "off-first", NULL };
enum { CARRIED_MOST = 4 }; /* sl_candidate_keys */

/* --- the set of known votes ------------------------------------------------------------------ */

static int is_known(const sl_vote_file *f, uint64_t key)
{
    if (!f->capacity)
        return 0;
    for (size_t i = key & (f->capacity - 1); f->known[i]; i = (i + 1) & (f->capacity - 1))
        if (f->known[i] == key)
            return 1;
    return 0;
}

static void put(uint64_t *set, size_t capacity, uint64_t key)
{
    size_t i = key & (capacity - 1);

    while (set[i])
        i = (i + 1) & (capacity - 1);
    set[i] = key;
}

static sl_status learn(sl_vote_file *f, uint64_t key)
{
    if (2 * (f->known_count + 1) > f->capacity) {
        const size_t capacity = f->capacity ? 2 * f->capacity : 1024;
        uint64_t *set = NULL;

        SL_TRY(sl_take(&set, capacity, sizeof *set));
        for (size_t i = 0; i < f->capacity; i++)
            if (f->known[i])
                put(set, capacity, f->known[i]);
        sl_free(f->known);
        f->known = set;
        f->capacity = capacity;
    }
    put(f->known, f->capacity, key);
    f->known_count++;
    return SL_OK;
}

/* row: of a vote or of candidates. */
static sl_status key_of(uint64_t *out, const sl_json *row, const char *judge, const char *on_id,
                        const char *off_id, int order)
{
    uint64_t part[4 + CARRIED_MOST] = { 0 };

    SL_TRY(sl_json_id(&part[0], row, "prompt_id"));
    part[1] = sl_hash_id(judge, strlen(judge));
    part[2] = sl_hash_id(on_id, strlen(on_id));
    part[3] = sl_hash_id(off_id, strlen(off_id)) + (uint64_t)order;
    for (size_t i = 0; sl_candidate_keys[i]; i++)
        SL_TRY(sl_json_id(&part[4 + i], row, sl_candidate_keys[i]));
    *out = sl_hash_id(part, sizeof part);
    return SL_OK;
}

/* --- going on with a file -------------------------------------------------------------------- */

static sl_status learn_row(sl_vote_file *f, const sl_json *row)
{
    const char *judge, *order, *on_id, *off_id;
    uint64_t key;
    int number = NO_ORDER;

    SL_TRY(sl_json_text(&judge, row, "judge"));
    SL_TRY(sl_json_text(&on_id, row, "on_id"));
    SL_TRY(sl_json_text(&off_id, row, "off_id"));
    SL_TRY(sl_json_text_or(&order, row, "order", NULL));
    for (int i = 0; order && i < NO_ORDER; i++)
        if (!strcmp(order, order_names[i]))
            number = i;
    SL_TRY(key_of(&key, row, judge, on_id, off_id, number));
    return is_known(f, key) ? SL_OK : learn(f, key);
}

static sl_status learn_lines(sl_vote_file *f, sl_span rest)
{
    sl_span line;

    for (size_t number = 1; sl_text_line(&line, &rest); number++) {
        char place[4200];
        sl_json *row = NULL;
        sl_status st;

        if (strspn(line.at, " \t\r") >= line.bytes)
            continue;
        snprintf(place, sizeof place, "%s:%zu", f->path, number);
        SL_TRY(sl_json_parse(&row, line.at, line.bytes, place));
        st = sl_err_where(learn_row(f, row), "%s", place);
        sl_json_close(&row);
        SL_TRY(st);
    }
    return SL_OK;
}

static sl_status learn_file(sl_vote_file *f)
{
    char *text = NULL;
    size_t bytes = 0;
    sl_status st;

    SL_TRY(sl_file_read(&text, &bytes, f->path, VOTES_MOST));
    while (bytes && text[bytes - 1] != '\n') /* a line that a crash cut off */
        bytes--;
    st = learn_lines(f, (sl_span){ text, bytes });
    sl_free(text);
    if (st == SL_OK && ftruncate(f->fd, (off_t)bytes))
        st = sl_err_where(SL_FAIL(SL_EIO, "want to cut it, found: %s", strerror(errno)), "%s",
                          f->path);
    return st;
}

static sl_status open_file(sl_vote_file *f, int is_resume)
{
    const int flags =
        O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | (is_resume ? 0 : O_EXCL);

    f->fd = open(f->path, flags, 0666);
    if (f->fd < 0 && errno == EEXIST)
        return sl_err_hint(SL_FAIL(SL_EARG, "want a new file for the votes, found one that exists"),
                           "--resume goes on with it");
    if (f->fd < 0)
        return SL_FAIL(SL_EIO, "want to write it, found: %s", strerror(errno));
    if (flock(f->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return SL_FAIL(SL_EARG, "want votes that nobody else writes, found another process at it");
    return SL_OK;
}

sl_status sl_vote_file_open(sl_vote_file *out, const char *path, const char *judge, uint64_t seed,
                            int is_resume)
{
    *out = (sl_vote_file){ .path = path, .judge = judge, .seed = seed, .fd = STDOUT_FILENO };
    if (!path)
        return SL_OK;
    SL_TRY(sl_err_where(open_file(out, is_resume), "%s", path));
    return is_resume ? learn_file(out) : SL_OK;
}

/* --- lines ----------------------------------------------------------------------------------- */

static int has_order(const sl_vote_file *f, const sl_candidate_pair *p, int order)
{
    uint64_t key;

    /* the row's ids were read before: this cannot fail */
    return key_of(&key, p->row, f->judge, p->on_id, p->off_id, order) == SL_OK && is_known(f, key);
}

int sl_vote_file_has(const sl_vote_file *file, const sl_candidate_pair *pair, int both_orders)
{
    const int on_first = has_order(file, pair, ON_FIRST);
    const int off_first = has_order(file, pair, OFF_FIRST);

    if (has_order(file, pair, NO_ORDER))
        return 1;
    return both_orders ? on_first && off_first : on_first || off_first;
}

static void add_number(sl_json *row, const char *key, double value)
{
    if (isfinite(value))
        json_object_set_new(row, key, json_real(value));
}

static void add_cut(sl_json *row, uint8_t cut)
{
    if (!cut)
        return;
    json_object_set_new(row, "truncated", json_true());
    json_object_set_new(row, "truncated_on", json_boolean(cut & SL_VOTE_CUT_A));
    json_object_set_new(row, "truncated_off", json_boolean(cut & SL_VOTE_CUT_B));
}

static sl_json *line_of(const sl_vote_file *f, const sl_candidate_pair *p, const sl_vote *v,
                        double vote, int order)
{
    static const char *const status[] = { NULL, "timeout", "invalid", "refused" };
    sl_json *row = json_pack("{s:O, s:s, s:s, s:o, s:s, s:I, s:I, s:I}", "prompt_id",
                             json_object_get(p->row, "prompt_id"), "on_id", p->on_id, "off_id",
                             p->off_id, "vote", sl_json_number(vote), "judge", f->judge, "len_on",
                             (json_int_t)p->on.chars, "len_off", (json_int_t)p->off.chars,
                             "attempts", (json_int_t)v->attempts);

    if (order != NO_ORDER) {
        json_object_set_new(row, "order", json_string(order_names[order]));
        json_object_set_new(row, "seed", json_integer((json_int_t)f->seed));
    }
    add_number(row, "score_on", v->score_a);
    add_number(row, "score_off", v->score_b);
    add_number(row, "agreement", v->agreement);
    add_cut(row, v->cut);
    if (status[v->status])
        json_object_set_new(row, "status", json_string(status[v->status]));
    for (const char *const *key = sl_candidate_keys; *key; key++)
        if (sl_json_has(p->row, *key))
            json_object_set(row, *key, json_object_get(p->row, *key));
    return row;
}

static sl_status add_line(sl_vote_file *f, const sl_candidate_pair *p, const sl_vote *v,
                          double vote, int order)
{
    sl_json *row;
    char *text = NULL;
    uint64_t key;
    size_t n;
    sl_status st;

    SL_TRY(key_of(&key, p->row, f->judge, p->on_id, p->off_id, order));
    if (is_known(f, key))
        return SL_OK;
    row = line_of(f, p, v, vote, order);
    if (!row)
        return SL_FAIL(SL_ENOMEM, "want memory for a vote, found none");
    st = sl_json_dump(&text, row, 0);
    sl_json_close(&row);
    SL_TRY(st);
    n = strlen(text);
    st = sl_grow(&f->text, &f->text_capacity, f->bytes + n + 1, 1);
    if (st == SL_OK) {
        memcpy(f->text + f->bytes, text, n);
        f->text[f->bytes + n] = '\n';
        f->bytes += n + 1;
        f->votes++;
    }
    sl_free(text);
    SL_TRY(st);
    return learn(f, key);
}

sl_status sl_vote_file_add(sl_vote_file *file, const sl_candidate_pair *pair, const sl_vote *vote)
{
    const int is_ordered = !isnan(vote->p_ab) || !isnan(vote->p_ba);
    sl_vote_order order[2];
    const size_t orders = sl_vote_orders(order, vote);

    for (size_t i = 0; i < orders; i++)
        SL_TRY(add_line(file, pair, vote, order[i].p,
                        is_ordered && isfinite(order[i].p)
                            ? (order[i].is_b_first ? OFF_FIRST : ON_FIRST)
                            : NO_ORDER));
    return SL_OK;
}

sl_status sl_vote_file_flush(sl_vote_file *file, int is_last)
{
    sl_status st = sl_file_write_all(file->fd, file->text, file->bytes);

    file->bytes = 0;
    if (st == SL_OK && is_last && file->path)
        st = sl_file_sync(file->fd);
    return sl_err_where(st, "%s", file->path ? file->path : "stdout");
}

void sl_vote_file_close(sl_vote_file *file)
{
    if (file->path && file->fd >= 0)
        close(file->fd);
    sl_free(file->known);
    sl_free(file->text);
    *file = (sl_vote_file){ .fd = -1 };
}
