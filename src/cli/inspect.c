/* `inspect`: what is this path? */
#include "cli/inspect.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "model/foreign.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const sl_opt opts[] = {
    { "batch", SL_OPT_I64, offsetof(sl_inspect_opts, batch), "N",
      "sequences at once, of the memory plan (default: 32)" },
    { "length", SL_OPT_I64, offsetof(sl_inspect_opts, length), "N",
      "tokens of each (default: 512, or what the model can)" },
    { "json", SL_OPT_FLAG, offsetof(sl_inspect_opts, is_json), NULL, "one JSON document" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

typedef sl_status (*inspector)(sl_json **out, const char *path, const sl_inspect_opts *o);

static int holds(const char *folder, const char *name)
{
    char path[PATH_MAX];

    if (sl_file_join(path, sizeof path, folder, name) != SL_OK) {
        sl_err_clear();
        return 0;
    }
    return sl_file_exists(path);
}

static int ends_in(const char *text, const char *end)
{
    const size_t a = strlen(text), b = strlen(end);

    return a >= b && !strcmp(text + a - b, end);
}

static sl_status inspector_of(inspector *out, const char *path)
{
    struct stat s;
    const int is_folder = stat(path, &s) == 0 && S_ISDIR(s.st_mode);

    if (strcmp(path, "-") != 0 && !sl_file_exists(path))
        return SL_FAIL(SL_EIO, "want a model, a run or a data file, found nothing at \"%s\"", path);
    *out = sl_inspect_data;
    if (is_folder && holds(path, "run.json"))
        *out = sl_inspect_run;
    else if (is_folder && holds(path, "config.json"))
        *out = sl_inspect_model;
    else if (is_folder)
        return sl_err_hint(
            SL_FAIL(SL_EARG, "want run.json or config.json in \"%s\", found neither", path), "%s",
            sl_foreign_files(path) ? sl_foreign_files(path) : "it is neither a run nor a model");
    else if (ends_in(path, "config.json"))
        *out = sl_inspect_model;
    return SL_OK;
}

static void print_line(const char *key, const sl_json *value, int indent)
{
    char bytes[24];

    printf("%*s", indent, "");
    sl_print_text(key);
    fputs(": ", stdout);
    if (json_is_string(value)) {
        sl_print_text(json_string_value(value));
        putchar('\n');
    } else if (json_is_boolean(value))
        puts(json_is_true(value) ? "yes" : "no");
    else if (json_is_null(value))
        puts("none");
    else if (ends_in(key, "bytes"))
        puts(sl_print_bytes(bytes, json_number_value(value)));
    else if (json_is_integer(value))
        printf("%lld\n", (long long)json_integer_value(value));
    else
        printf("%.15g\n", json_real_value(value));
}

/* The document as lines, one a key; what lies within an object or a list is indented. The whole
 * recipe is for scripts. */
static void print_lines(sl_json *tree, int indent)
{
    const char *key;
    json_t *value;

    json_object_foreach(tree, key, value)
    {
        size_t i;
        json_t *inner;

        if (!indent && (!strcmp(key, "schema") || !strcmp(key, "recipe")))
            continue;
        if (!json_is_object(value) && !json_is_array(value)) {
            print_line(key, value, indent);
            continue;
        }
        printf("%*s%s:\n", indent, "", key);
        if (json_is_object(value))
            print_lines(value, indent + 2);
        json_array_foreach(value, i, inner) print_lines(inner, indent + 2);
    }
}

static sl_status inspect_run(int argc, char **argv)
{
    sl_inspect_opts o = { .batch = 32 };
    const char *argument[SL_OPT_LIST_MOST];
    inspector inspect;
    sl_json *tree = NULL;
    size_t count;
    int is_done;
    sl_status st = SL_OK;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_inspect, argc, argv));
    if (is_done)
        return SL_OK;
    SL_TRY(inspector_of(&inspect, argument[0]));
    SL_TRY(inspect(&tree, argument[0], &o));
    if (o.is_json)
        st = sl_print_json(tree);
    else
        print_lines(tree, 0);
    sl_json_close(&tree);
    return st;
}

const sl_command sl_command_inspect = {
    .name = "inspect",
    .operands = "PATH [--json]",
    .summary =
        "what a model, run or data file is\n"
        "PATH is a model folder (config.json is enough for its memory plan), a run, or a file of\n"
        "rows (JSONL, may be gzip'ed).",
    .opts = opts,
    .least = 1,
    .most = 1,
    .example = "stageline inspect demo-out/run-weak",
    .run = inspect_run,
};
