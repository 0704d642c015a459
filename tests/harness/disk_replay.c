/* What a power cut leaves of the calls that disk.c logged. Each file has two contents: the one on
 * the medium and the one that programs see; a sync makes them equal. Changes of names wait in one
 * list until their folder is synced. */
#include "harness/disk_int.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 4096, PENDING = 4096 };

typedef struct content {
    unsigned char *data;
    size_t size, room;
} content;

typedef struct file {
    int is_folder, is_dirty;
    content seen, kept;
} file;

struct t_disk_replay {
    size_t at;
    int64_t mark;
    file file[FILES];
    t_disk_entry *entry; /* on the medium */
    size_t entries, entry_room;
    const t_disk_event *pending[PENDING]; /* changes of names, oldest first */
    size_t pendings;
};

static void *get(void *p, size_t bytes)
{
    p = realloc(p, bytes ? bytes : 1);
    if (!p)
        abort();
    return p;
}

static void resize(content *c, size_t size)
{
    if (size > c->room) {
        c->room = 2 * size;
        c->data = get(c->data, c->room);
    }
    if (size > c->size)
        memset(c->data + c->size, 0, size - c->size);
    c->size = size;
}

static void put_entry(t_disk_replay *r, const t_disk_entry *e)
{
    size_t i = 0;

    while (i < r->entries &&
           (r->entry[i].folder != e->folder || strcmp(r->entry[i].name, e->name) != 0))
        i++;
    if (i < r->entries && !e->file)
        r->entry[i] = r->entry[--r->entries];
    else if (i < r->entries)
        r->entry[i].file = e->file;
    else if (e->file) {
        if (r->entries == r->entry_room) {
            r->entry_room = 2 * r->entries + 16;
            r->entry = get(r->entry, r->entry_room * sizeof *r->entry);
        }
        r->entry[r->entries++] = *e;
    }
}

static void put_change(t_disk_replay *r, const t_disk_event *e)
{
    for (uint64_t i = 0; i < e->at; i++)
        put_entry(r, &e->entry[i]);
}

static int touches(const t_disk_event *e, int folder)
{
    return e->entry[0].folder == folder || (e->at > 1 && e->entry[1].folder == folder);
}

static void sync_names(t_disk_replay *r, int folder)
{
    size_t left = 0;

    for (size_t i = 0; i < r->pendings; i++)
        if (touches(r->pending[i], folder))
            put_change(r, r->pending[i]);
        else
            r->pending[left++] = r->pending[i];
    r->pendings = left;
}

static void play(t_disk_replay *r, const t_disk_event *e)
{
    file *f = &r->file[e->file];

    if (e->file >= FILES || r->pendings == PENDING)
        abort();
    if (e->kind == T_EVENT_MARK)
        r->mark = (int64_t)e->at;
    else if (e->kind == T_EVENT_ENTRY) {
        f->is_folder |= e->is_folder;
        r->pending[r->pendings++] = e;
    } else if (e->kind == T_EVENT_SYNC && f->is_folder)
        sync_names(r, e->file);
    else if (e->kind == T_EVENT_SYNC) {
        resize(&f->kept, f->seen.size);
        if (f->seen.size)
            memcpy(f->kept.data, f->seen.data, f->seen.size);
        f->is_dirty = 0;
    } else {
        const size_t end = (size_t)e->at + e->bytes;

        resize(&f->seen, e->kind == T_EVENT_SIZE || end > f->seen.size ? end : f->seen.size);
        if (e->bytes)
            memcpy(f->seen.data + e->at, e->data, e->bytes);
        f->is_dirty = 1;
    }
}

t_disk_replay *t_disk_replay_open(void)
{
    t_disk_replay *r = get(NULL, sizeof *r);

    memset(r, 0, sizeof *r);
    r->mark = -1;
    r->file[1].is_folder = 1;
    return r;
}

void t_disk_replay_to(t_disk_replay *r, size_t at)
{
    for (; r->at < at; r->at++)
        play(r, &t_disk_log[r->at]);
}

int64_t t_disk_replay_mark(const t_disk_replay *r)
{
    return r->mark;
}

/* Any blocks of what is seen over what is kept, with any size between the two. */
static void mix(content *out, const file *f, size_t block, sl_rng *rng)
{
    const size_t kept = f->kept.size, seen = f->seen.size;
    const size_t least = kept < seen ? kept : seen, most = kept < seen ? seen : kept;
    size_t size = seen;

    if (f->is_dirty && most > least && sl_rng_below(rng, 2))
        size = least + sl_rng_below(rng, (uint32_t)(most - least) + 1);
    resize(out, size);
    for (size_t from = 0; from < size; from += block) {
        const content *c = !f->is_dirty || sl_rng_below(rng, 3) ? &f->seen : &f->kept;
        const size_t n = size - from < block ? size - from : block;

        if (from < c->size)
            memcpy(out->data + from, c->data + from, c->size - from < n ? c->size - from : n);
    }
}

static void write_content(const char *path, const content *c)
{
    FILE *to = fopen(path, "w");

    if (!to || (c->size && fwrite(c->data, 1, c->size, to) != c->size) || fclose(to))
        abort();
}

static void write_folder(const t_disk_replay *r, int folder, const char *to, size_t block,
                         sl_rng *rng)
{
    if (mkdir(to, 0700))
        abort();
    for (size_t i = 0; i < r->entries; i++) {
        const t_disk_entry *e = &r->entry[i];
        char path[PATH_MAX];
        content c = { 0 };

        if (e->folder != folder)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", to, e->name) >= PATH_MAX)
            abort();
        if (r->file[e->file].is_folder) {
            write_folder(r, e->file, path, block, rng);
            continue;
        }
        mix(&c, &r->file[e->file], block, rng);
        write_content(path, &c);
        free(c.data);
    }
}

void t_disk_replay_cut(const t_disk_replay *replay, const char *to, size_t block, int is_ordered,
                       sl_rng *rng)
{
    const size_t first = replay->pendings ? sl_rng_below(rng, (uint32_t)replay->pendings + 1) : 0;
    t_disk_replay r = *replay;

    r.entry = get(NULL, (r.entry_room + 1) * sizeof *r.entry);
    if (r.entries)
        memcpy(r.entry, replay->entry, r.entries * sizeof *r.entry);
    for (size_t i = 0; i < r.pendings; i++)
        if (is_ordered ? i < first : sl_rng_below(rng, 2))
            put_change(&r, r.pending[i]);
    write_folder(&r, 1, to, block, rng);
    free(r.entry);
}

void t_disk_replay_close(t_disk_replay **replay)
{
    t_disk_replay *r = *replay;

    for (int i = 0; i < FILES; i++) {
        free(r->file[i].seen.data);
        free(r->file[i].kept.data);
    }
    free(r->entry);
    free(r);
    *replay = NULL;
}
