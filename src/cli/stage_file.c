#include "cli/stage_file.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "run/files.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MOST = 1 << 28 };

static sl_status no_memory(void)
{
    return SL_FAIL(SL_ENOMEM, "want memory for a cell, found none");
}

/* The object of a group, made at first sight; the cell itself for group "". */
static sl_json *group_of(sl_json *tree, const char *group)
{
    if (!group[0])
        return tree;
    if (!json_object_get(tree, group))
        json_object_set_new(tree, group, json_object());
    return json_object_get(tree, group);
}

/* Branch tests are asked for apart: a cell without one has no such group. */
static int is_optional(const sl_stage_field *field)
{
    return !strcmp(field->group, "branch");
}

static int is_there(const sl_stage_cell *c, const sl_stage_field *field)
{
    return !is_optional(field) || !isnan(c->branch.replicates);
}

sl_status sl_stage_row_json(sl_json **out, const sl_stage_row *row)
{
    const sl_stage_cell *c = &row->cell;
    size_t count;
    const sl_stage_field *field = sl_stage_fields(&count);

    *out = json_pack("{s:s, s:s, s:s, s:s}", "world", c->world, "variant", c->variant, "method",
                     c->method, "settings", row->settings);
    if (!*out)
        return no_memory();
    for (size_t i = 0; i < count; i++) {
        sl_json *group;

        if (!is_there(c, &field[i]))
            continue;
        group = group_of(*out, field[i].group);
        if (!group || json_object_set_new(group, field[i].name,
                                          sl_json_number(sl_stage_number_of(c, &field[i])))) {
            sl_json_close(out);
            return no_memory();
        }
    }
    return SL_OK;
}

static sl_status read_text(char *out, size_t size, const sl_json *tree, const char *key)
{
    const char *text;

    SL_TRY(sl_json_text(&text, tree, key));
    if (strlen(text) >= size)
        return SL_FAIL(SL_EFORMAT, "want %s below %zu bytes, found \"%.64s\"", key, size, text);
    strcpy(out, text);
    return SL_OK;
}

sl_status sl_stage_row_read(sl_stage_row *out, const sl_json *tree)
{
    sl_stage_cell *c = &out->cell;
    size_t count;
    const sl_stage_field *field = sl_stage_fields(&count);

    sl_stage_cell_init(c);
    SL_TRY(read_text(c->world, sizeof c->world, tree, "world"));
    SL_TRY(read_text(c->variant, sizeof c->variant, tree, "variant"));
    SL_TRY(read_text(c->method, sizeof c->method, tree, "method"));
    SL_TRY(read_text(out->settings, sizeof out->settings, tree, "settings"));
    for (size_t i = 0; i < count; i++) {
        const sl_json *group = field[i].group[0] ? json_object_get(tree, field[i].group) : tree;

        if (!group && is_optional(&field[i]))
            continue;
        if (!json_is_object(group))
            return SL_FAIL(SL_EFORMAT, "want %s (object), found none", field[i].group);
        SL_TRY(sl_json_f64_or(sl_stage_number(c, &field[i]), group, field[i].name, NAN));
    }
    return SL_OK;
}

sl_status sl_stage_rows_text(char **out, const sl_stage_row *row, size_t count)
{
    size_t used = 0, capacity = 0;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY(sl_grow(out, &capacity, 1, 1));
    for (size_t i = 0; i < count; i++) {
        sl_json *tree = NULL;
        char *line = NULL;
        size_t bytes;

        st = sl_stage_row_json(&tree, &row[i]);
        if (st == SL_OK)
            st = sl_json_dump(&line, tree, 0);
        sl_json_close(&tree);
        bytes = st == SL_OK ? strlen(line) : 0;
        if (st == SL_OK)
            st = sl_grow(out, &capacity, used + bytes + 2, 1);
        if (st == SL_OK) {
            memcpy(*out + used, line, bytes);
            used += bytes;
            (*out)[used++] = '\n';
        }
        sl_free(line);
        SL_TRY_OUT(st);
    }
    (*out)[used] = 0;
    return SL_OK;
out:
    sl_free(*out);
    *out = NULL;
    return st;
}

static sl_status read_line(sl_stage_row *row, sl_span line, const char *where)
{
    sl_json *tree = NULL;
    sl_status st;

    SL_TRY(sl_json_parse(&tree, line.at, line.bytes, where));
    st = sl_err_where(sl_stage_row_read(row, tree), "%s", where);
    sl_json_close(&tree);
    return st;
}

sl_status sl_stage_rows_read(sl_stage_row *row, size_t *count, size_t most, const char *text,
                             size_t bytes, const char *where)
{
    sl_span line, rest = { text, bytes };
    char place[4200];

    *count = 0;
    while (sl_text_line(&line, &rest)) {
        snprintf(place, sizeof place, "%s:%zu", where, *count + 1);
        if (*count == most)
            return SL_FAIL(SL_EFORMAT, "want at most %zu cells, found more in %s", most, where);
        SL_TRY(read_line(&row[*count], line, place));
        (*count)++;
    }
    return SL_OK;
}

/* At most: the last line may lack its break. */
static size_t count_lines(const char *text)
{
    size_t n = 1;

    for (; (text = strchr(text, '\n')); text++)
        n++;
    return n;
}

static sl_status read_file(sl_stage_file *file)
{
    char *text = NULL;
    size_t bytes, lines;
    sl_status st;

    SL_TRY(sl_file_read(&text, &bytes, file->path, FILE_BYTES_MOST));
    lines = count_lines(text);
    st = sl_grow(&file->row, &file->capacity, lines, sizeof *file->row);
    if (st == SL_OK)
        st = sl_stage_rows_read(file->row, &file->count, lines, text, bytes, file->path);
    sl_free(text);
    return st;
}

static sl_status lock(sl_stage_file *file, const char *out)
{
    SL_TRY(sl_run_lock(&file->lock_fd, out));
    if (file->lock_fd >= 0)
        return SL_OK;
    return SL_FAIL(SL_EARG, "want nobody else at work in \"%s\", found a process at it", out);
}

static sl_status open_file(sl_stage_file *file, const char *out)
{
    SL_TRY(sl_file_join(file->path, sizeof file->path, out, "cells.jsonl"));
    if (sl_file_exists(file->path)) {
        SL_TRY(lock(file, out));
        return read_file(file);
    }
    if (sl_file_exists(out))
        return sl_err_hint(SL_FAIL(SL_EARG,
                                   "want a new folder, or one with cells.jsonl, found "
                                   "\"%s\"",
                                   out),
                           "give another --out");
    SL_TRY(sl_file_new_folder(out));
    SL_TRY(lock(file, out));
    return sl_file_write_atomic(file->path, "", 0);
}

sl_status sl_stage_file_open(sl_stage_file *file, const char *out)
{
    sl_status st;

    *file = (sl_stage_file){ .lock_fd = -1 };
    st = open_file(file, out);
    if (st != SL_OK)
        sl_stage_file_close(file);
    return st;
}

void sl_stage_file_close(sl_stage_file *file)
{
    if (file->lock_fd >= 0)
        close(file->lock_fd);
    sl_free(file->row);
    *file = (sl_stage_file){ .lock_fd = -1 };
}

static int is_same(const sl_stage_cell *a, const sl_stage_cell *b)
{
    return !strcmp(a->world, b->world) && !strcmp(a->variant, b->variant) &&
           !strcmp(a->method, b->method) && a->seed == b->seed && a->strength == b->strength;
}

const sl_stage_row *sl_stage_file_find(const sl_stage_file *file, const sl_stage_cell *cell)
{
    for (size_t i = 0; i < file->count; i++)
        if (is_same(&file->row[i].cell, cell))
            return &file->row[i];
    return NULL;
}

/* In the place of the same cell, else at the end. */
static void put(sl_stage_file *file, const sl_stage_row *row)
{
    const sl_stage_row *known = sl_stage_file_find(file, &row->cell);

    file->row[known ? (size_t)(known - file->row) : file->count++] = *row;
}

sl_status sl_stage_file_put(sl_stage_file *file, const sl_stage_row *row, size_t count)
{
    char *text = NULL;
    sl_status st;

    SL_TRY(sl_grow(&file->row, &file->capacity, file->count + count, sizeof *row));
    for (size_t i = 0; i < count; i++)
        put(file, &row[i]);
    SL_TRY(sl_stage_rows_text(&text, file->row, file->count));
    st = sl_file_write_atomic(file->path, text, strlen(text));
    sl_free(text);
    return st;
}
