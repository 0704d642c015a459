/* `export`: exact rows of a run, or of the tables that the analyzer makes of it, for other tools.
 */
#include "run/export.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/analyze.h"
#include "cli/commands.h"
#include "cli/export.h"
#include "cli/figures.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct export_opts {
    const char *format, *table, *out, *attempts;
    int is_analysis;
} export_opts;

static const sl_opt opts[] = {
    { "format", SL_OPT_TEXT, offsetof(export_opts, format), "F", "csv (default), jsonl or h5" },
    { "table", SL_OPT_TEXT, offsetof(export_opts, table), "T",
      "one table (steps, pairs, votes, ...); default: all" },
    { "o", SL_OPT_TEXT, offsetof(export_opts, out), "PATH",
      "new file; csv and jsonl of all tables: new folder. Default: stdout" },
    { "analysis", SL_OPT_FLAG, offsetof(export_opts, is_analysis), NULL,
      "the tables of analyze (docs/tables.md) instead of the record's" },
    { "attempts", SL_OPT_TEXT, offsetof(export_opts, attempts), "WHICH",
      "live (default), or all: also rows that a resume left behind" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

enum { CSV, JSONL, H5 };
static const char *const formats[] = { "csv", "jsonl", "h5", NULL };
static const char *const attempts[] = { "live", "all", NULL };
enum { NAME_BYTES = 64, TABLES_MOST = 64 };

/* What there is to export: tables of an open run, or files of a folder. */
typedef struct source {
    sl_reader *reader;     /* NULL: the analyzer's */
    char folder[PATH_MAX]; /* of the analyzer's tables; empty: none */
    char name[TABLES_MOST][NAME_BYTES];
    size_t count;
    int format;
} source;

static sl_status choose(int *out, const char *what, const char *word, const char *const *list)
{
    const char *near = sl_text_nearest(word, list);
    sl_status st;

    for (*out = 0; list[*out]; ++*out)
        if (!strcmp(word, list[*out]))
            return SL_OK;
    st = SL_FAIL(SL_EUSAGE, "want %s to be one of those in --help, found \"%s\"", what, word);
    return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
}

/* --- what there is ---------------------------------------------------------------------------- */

static void add_name(source *s, const char *name, size_t bytes)
{
    if (s->count < TABLES_MOST)
        snprintf(s->name[s->count++], NAME_BYTES, "%.*s", (int)bytes, name);
}

static void names_of_run(source *s)
{
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        if (sl_reader_has(s->reader, (sl_table)t)) {
            const char *name = sl_table_get((sl_table)t)->name;

            add_name(s, name, strlen(name));
        }
}

static sl_status names_of_folder(source *s)
{
    struct dirent **entry = NULL;
    const int n = scandir(s->folder, &entry, NULL, alphasort);

    if (n < 0)
        return SL_FAIL(SL_EIO, "want the tables, found: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *end = strstr(entry[i]->d_name, ".tsv");

        if (end)
            add_name(s, entry[i]->d_name, (size_t)(end - entry[i]->d_name));
        free(entry[i]);
    }
    free(entry);
    return SL_OK;
}

static sl_status keep_one(source *s, const char *table)
{
    const char *list[TABLES_MOST + 1] = { NULL };
    int at;

    for (size_t i = 0; i < s->count; i++)
        list[i] = s->name[i];
    SL_TRY(choose(&at, "--table", table, list));
    memmove(s->name[0], s->name[at], NAME_BYTES);
    s->count = 1;
    return SL_OK;
}

static sl_status open_analysis(source *s, const char *run)
{
    const char *base = getenv("TMPDIR");

    if (snprintf(s->folder, sizeof s->folder, "%s/stageline-export-XXXXXX",
                 base && *base ? base : "/tmp") >= PATH_MAX ||
        !mkdtemp(s->folder)) {
        s->folder[0] = 0;
        return SL_FAIL(SL_EIO, "want a temporary folder, found: %s", strerror(errno));
    }
    SL_TRY(sl_analyze_tables(run, s->folder));
    return names_of_folder(s);
}

static sl_status open_run(source *s, const char *run, int is_all)
{
    SL_TRY(sl_reader_open(&s->reader, run));
    sl_reader_set_all_attempts(s->reader, is_all);
    names_of_run(s);
    return SL_OK;
}

/* --- one table as text ------------------------------------------------------------------------ */

static sl_status put_table(FILE *to, source *s, const char *name)
{
    char path[PATH_MAX], file[NAME_BYTES + 8];

    if (s->reader)
        return sl_export_rows(to, s->reader, sl_table_find(name),
                              s->format == CSV ? SL_EXPORT_CSV : SL_EXPORT_JSONL);
    snprintf(file, sizeof file, "%s.tsv", name);
    SL_TRY(sl_file_join(path, sizeof path, s->folder, file));
    return s->format == CSV ? sl_export_table_csv(to, path) : sl_export_table_jsonl(to, path);
}

static sl_status new_path(const char *path)
{
    if (!sl_file_exists(path))
        return SL_OK;
    return sl_err_hint(SL_FAIL(SL_EARG, "want a new file or folder, found \"%s\"", path),
                       "give another -o");
}

/* Writes under another name; whole or not there. */
static sl_status put_file(source *s, const char *name, const char *path)
{
    char part[PATH_MAX];
    FILE *to;
    sl_status st;

    if (snprintf(part, sizeof part, "%s.part-%ld", path, (long)getpid()) >= PATH_MAX)
        return SL_FAIL(SL_EARG, "want a path below %d bytes, found more", PATH_MAX);
    to = fopen(part, "wx");
    if (!to)
        return sl_err_where(SL_FAIL(SL_EIO, "want to write it, found: %s", strerror(errno)), "%s",
                            path);
    st = put_table(to, s, name);
    if (fclose(to) && st == SL_OK)
        st = SL_FAIL(SL_EIO, "want to write it, found: %s", strerror(errno));
    if (st == SL_OK)
        st = sl_file_publish(part, path);
    if (st != SL_OK)
        (void)unlink(part);
    return sl_err_where(st, "%s", path);
}

static sl_status fill_folder(source *s, const char *folder)
{
    for (size_t i = 0; i < s->count; i++) {
        char path[PATH_MAX], file[NAME_BYTES + 8];

        snprintf(file, sizeof file, "%s.%s", s->name[i], formats[s->format]);
        SL_TRY(sl_file_join(path, sizeof path, folder, file));
        SL_TRY(put_file(s, s->name[i], path));
    }
    return SL_OK;
}

static sl_status put_folder(source *s, const char *out)
{
    char folder[PATH_MAX];
    sl_status st;

    if (snprintf(folder, sizeof folder, "%s.part-%ld", out, (long)getpid()) >= PATH_MAX)
        return SL_FAIL(SL_EARG, "want -o below %d bytes, found more", PATH_MAX);
    SL_TRY(sl_file_new_folder(folder));
    st = fill_folder(s, folder);
    if (st == SL_OK && rename(folder, out))
        st = sl_err_where(SL_FAIL(SL_EIO, "want this folder, found: %s", strerror(errno)), "%s",
                          out);
    return st == SL_OK ? SL_OK : sl_figures_drop(st, folder);
}

static sl_status put_h5(source *s, const export_opts *o)
{
    sl_arrays *to = NULL;
    sl_status st = SL_OK;

    if (!o->out)
        return SL_FAIL(SL_EUSAGE, "want -o FILE with --format h5, found none");
    if (s->reader)
        return sl_export_h5(o->out, s->reader, o->table ? sl_table_find(o->table) : SL_TABLE_COUNT);
    SL_TRY(sl_arrays_create(&to, o->out));
    for (size_t i = 0; i < s->count && st == SL_OK; i++) {
        char path[PATH_MAX], file[NAME_BYTES + 8];

        snprintf(file, sizeof file, "%s.tsv", s->name[i]);
        st = sl_file_join(path, sizeof path, s->folder, file);
        if (st == SL_OK)
            st = sl_export_table_h5(to, path, s->name[i]);
    }
    if (st == SL_OK)
        return sl_arrays_finish(&to);
    sl_arrays_close(&to);
    return st;
}

static sl_status put(source *s, const export_opts *o)
{
    if (o->out)
        SL_TRY(new_path(o->out));
    if (s->format == H5)
        return put_h5(s, o);
    if (!o->table && !o->out)
        return sl_err_hint(SL_FAIL(SL_EUSAGE, "want --table T on stdout, found none"),
                           "-o DIR takes all tables");
    if (!o->table)
        return put_folder(s, o->out);
    return o->out ? put_file(s, s->name[0], o->out) : put_table(stdout, s, s->name[0]);
}

static sl_status export(const char *run, const export_opts *o)
{
    source *s = NULL;
    int is_all;
    sl_status st = SL_OK;

    SL_TRY(choose(&is_all, "--attempts", o->attempts, attempts));
    if (is_all && o->is_analysis)
        return SL_FAIL(SL_EUSAGE,
                       "want --attempts all with tables of the record, found --analysis");
    SL_TRY(sl_take(&s, 1, sizeof *s));
    SL_TRY_OUT(choose(&s->format, "--format", o->format, formats));
    SL_TRY_OUT(o->is_analysis ? open_analysis(s, run) : open_run(s, run, is_all));
    if (o->table)
        SL_TRY_OUT(keep_one(s, o->table));
    st = put(s, o);
out:
    sl_reader_close(&s->reader);
    if (s->folder[0])
        st = sl_figures_drop(st, s->folder);
    sl_free(s);
    return st;
}

static sl_status export_run(int argc, char **argv)
{
    export_opts o = { .format = "csv", .attempts = "live" };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_export, argc, argv));
    return is_done ? SL_OK : export(argument[0], &o);
}

const sl_command sl_command_export = {
    .name = "export",
    .operands = "RUN [--format F] [--table T] [-o PATH]",
    .summary = "exact rows of a run as csv, jsonl or h5\n"
               "Every row and column, wide ones as well; numbers read back bit by bit, undefined "
               "ones are\n"
               "empty (csv) or null (jsonl). Same run, same bytes. docs/formats.md: the forms.",
    .opts = opts,
    .least = 1,
    .most = 1,
    .example = "stageline export demo-out/run-weak --table pairs -o pairs.csv",
    .run = export_run,
};
