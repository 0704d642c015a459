/* `import`: the log of another trainer becomes a run that the other commands read. */
#include "import/import.h"
#include "base/alloc.h"
#include "base/text.h"
#include "cli/analyze.h"
#include "cli/commands.h"
#include "cli/print.h"
#include <stdio.h>
#include <string.h>

typedef struct import_opts {
    const char *out, *allow_bad;
    int is_json;
} import_opts;

static const sl_opt opts[] = {
    { "out", SL_OPT_TEXT, offsetof(import_opts, out), "RUN", "a new folder" },
    { "allow-bad", SL_OPT_TEXT, offsetof(import_opts, allow_bad), "SHARE",
      "share of bad rows of a file that is taken (0.01)" },
    { "json", SL_OPT_FLAG, offsetof(import_opts, is_json), NULL, "one JSON document" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

enum { FORMATS_MOST = 16 };

static sl_status find_format(const sl_import_format **out, const char *name)
{
    const char *list[FORMATS_MOST + 1] = { NULL };
    const char *near;
    sl_status st;

    for (size_t i = 0; i < FORMATS_MOST && sl_import_formats[i].name; i++) {
        list[i] = sl_import_formats[i].name;
        *out = &sl_import_formats[i];
        if (!strcmp(name, list[i]))
            return SL_OK;
    }
    near = sl_text_nearest(name, list);
    st = SL_FAIL(SL_EUSAGE, "want a format of those in --help, found \"%.64s\"", name);
    return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
}

static void print_file(const sl_import_file *f, int is_events)
{
    printf("%s: %zu row%s", f->path, f->read.rows, f->read.rows == 1 ? "" : "s");
    if (f->read.bad)
        printf(", %zu bad", f->read.bad);
    puts(f->read.is_cut ? ", cut off at its end" : "");
    for (size_t i = 0; i < f->read.bad && i < SL_BAD_KEPT; i++) {
        printf("  bad %s %zu: ",
               is_events          ? "at byte"
               : f->read.is_array ? "element"
                                  : "line",
               f->read.first[i].line);
        sl_print_text(f->read.first[i].reason);
        putchar('\n');
    }
}

static void print_report(const sl_import_report *r, const sl_import_format *format, const char *out)
{
    char held[24];

    for (size_t i = 0; i < r->files; i++)
        print_file(&r->file[i], !strcmp(format->name, "tensorboard"));
    if (r->other_values)
        printf("%llu values are no numbers and were left out:",
               (unsigned long long)r->other_values);
    for (size_t i = 0; i < r->others; i++) {
        fputs(i ? ", " : " ", stdout);
        sl_print_text(r->other[i].name);
        printf(" (%llu)", (unsigned long long)r->other[i].count);
    }
    if (r->other_values)
        puts(r->others == SL_IMPORT_NAMED ? ", ..." : "");
    if (r->superseded)
        printf("%llu values of step 0 were left out: a later attempt begins there again\n",
               (unsigned long long)r->superseded);
    printf("%s: %u attempt%s", out, r->attempts, r->attempts == 1 ? "" : "s");
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        if (r->rows[t])
            printf(", %s %llu", sl_table_get((sl_table)t)->name, (unsigned long long)r->rows[t]);
    printf("; %s held in memory\n", sl_print_bytes(held, (double)r->held_bytes));
}

static sl_json *bad_json(const sl_rows *read)
{
    sl_json *list = json_array();

    for (size_t i = 0; i < read->bad && i < SL_BAD_KEPT; i++)
        if (json_array_append_new(list,
                                  json_pack("{s:I, s:s}", "at", (json_int_t)read->first[i].line,
                                            "reason", read->first[i].reason)) != 0)
            sl_json_close(&list);
    return list;
}

static sl_json *files_json(const sl_import_report *r)
{
    sl_json *list = json_array();

    for (size_t i = 0; i < r->files; i++) {
        const sl_rows *read = &r->file[i].read;

        if (json_array_append_new(
                list, json_pack("{s:s, s:s, s:I, s:I, s:o}", "path", r->file[i].path, "sha256",
                                read->sha256, "rows", (json_int_t)read->rows, "bad",
                                (json_int_t)read->bad, "first_bad", bad_json(read))) != 0)
            sl_json_close(&list);
    }
    return list;
}

static sl_status print_document(const sl_import_report *r, const sl_import_format *format,
                                const char *out)
{
    sl_json *rows = json_object(), *others = json_object(), *tree;
    sl_status st;
    int bad = 0;

    for (int t = 0; t < SL_TABLE_COUNT; t++)
        if (r->rows[t])
            bad |= json_object_set_new(rows, sl_table_get((sl_table)t)->name,
                                       json_integer((json_int_t)r->rows[t]));
    for (size_t i = 0; i < r->others; i++)
        bad |= json_object_set_new(others, r->other[i].name,
                                   json_integer((json_int_t)r->other[i].count));
    tree = json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:o, s:I, s:I, s:o, s:I}", "schema",
                     "stageline.import/1", "format", format->name, "run", out, "files",
                     files_json(r), "attempts", (json_int_t)r->attempts, "values",
                     (json_int_t)r->values, "rows", rows, "superseded", (json_int_t)r->superseded,
                     "not_numbers", (json_int_t)r->other_values, "not_numbers_by_name", others,
                     "held_bytes", (json_int_t)r->held_bytes);
    if (!tree || bad) {
        sl_json_close(&tree);
        return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    }
    st = sl_print_json(tree);
    sl_json_close(&tree);
    return st;
}

static sl_status import(const import_opts *o, const char *const *argument, size_t count)
{
    const sl_import_format *format = NULL;
    sl_import_report *report = NULL;
    sl_rows_limit limit;
    sl_status st;

    SL_TRY(find_format(&format, argument[0]));
    SL_TRY(sl_analyze_limit(&limit, o->allow_bad));
    SL_TRY(sl_take(&report, 1, sizeof *report));
    st = sl_import(report, format, argument + 1, count - 1, o->out, &limit);
    if (st == SL_OK && o->is_json)
        st = print_document(report, format, o->out);
    else if (st == SL_OK)
        print_report(report, format, o->out);
    sl_free(report);
    return st;
}

static sl_status import_run(int argc, char **argv)
{
    import_opts o = { 0 };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_import, argc, argv));
    if (is_done)
        return SL_OK;
    if (!o.out)
        return SL_FAIL(SL_EUSAGE, "want --out RUN, found none");
    return import(&o, argument, count);
}

const sl_command sl_command_import = {
    .name = "import",
    .operands = "FORMAT FILE... --out RUN",
    .summary =
        "the log of another trainer as a run\n"
        "FORMAT: trainer-state (transformers, TRL), llamafactory, wandb (CSV or JSON lines),\n"
        "tensorboard (event file), trl (examples/trl_callback.py). Files may be gzip'ed, - is\n"
        "stdin; several are one log. All rows are kept; bad ones are named and counted; a log\n"
        "that goes back in steps was resumed: attempts stay apart. docs/formats.md, \"Logs\".",
    .opts = opts,
    .least = 2,
    .most = SL_OPT_LIST_MOST,
    .example = "stageline import trainer-state tests/import/fixtures/trainer_state.json --out run",
    .run = import_run,
};
