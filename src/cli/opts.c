#include "cli/opts.h"
#include "base/text.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { OPTS_MOST = 32 };

static const char *dashes(const char *name)
{
    return name[0] && name[1] ? "--" : "-";
}

void sl_opts_help(const sl_command *command)
{
    printf("usage: stageline %s%s%s\n%s\n\n", command->name, *command->operands ? " " : "",
           command->operands, command->summary);
    for (const sl_opt *o = command->opts; o->name; o++) {
        char left[64];

        snprintf(left, sizeof left, "%s%s%s%s", dashes(o->name), o->name, o->operand ? " " : "",
                 o->operand ? o->operand : "");
        printf("  %-24s %s\n", left, o->help);
    }
    printf("\nexample: %s\n", command->example);
}

static sl_status unknown(const sl_command *command, const char *name)
{
    const char *names[OPTS_MOST + 1];
    size_t n = 0;
    const char *near;
    sl_status st;

    for (const sl_opt *o = command->opts; o->name && n < OPTS_MOST; o++)
        names[n++] = o->name;
    names[n] = NULL;
    near = sl_text_nearest(name, names);
    st = SL_FAIL(SL_EUSAGE, "want an option of \"%s\", found \"%s%s\"", command->name, dashes(name),
                 name);
    if (near)
        return sl_err_hint(st, "did you mean %s%s?", dashes(near), near);
    return sl_err_hint(st, "stageline %s --help lists the options", command->name);
}

static sl_status set_value(void *out, const sl_opt *o, const char *value)
{
    void *field = (char *)out + o->offset;
    sl_opt_list *list = field;

    switch (o->type) {
    case SL_OPT_FLAG:
        *(int *)field = 1;
        return SL_OK;
    case SL_OPT_TEXT:
        *(const char **)field = value;
        return SL_OK;
    case SL_OPT_I64:
        return sl_text_i64(field, value);
    case SL_OPT_F64:
        return sl_text_f64(field, value);
    case SL_OPT_LIST:
        if (list->count == SL_OPT_LIST_MOST)
            return SL_FAIL(SL_EUSAGE, "want at most %d, found more", SL_OPT_LIST_MOST);
        list->at[list->count++] = value;
        return SL_OK;
    }
    return SL_FAIL(SL_EINTERNAL, "bug: option type %d", (int)o->type);
}

/* One option at argv[*i]; moves *i over its value. */
static sl_status read_option(void *out, const sl_command *command, int argc, char **argv, int *i)
{
    const char *text = argv[*i] + 1 + (argv[*i][1] == '-'), *equals = strchr(text, '=');
    const size_t bytes = equals ? (size_t)(equals - text) : strlen(text);
    const sl_opt *o = command->opts;
    const char *value = equals ? equals + 1 : NULL;
    sl_status st;

    while (o->name && (strlen(o->name) != bytes || strncmp(o->name, text, bytes) != 0))
        o++;
    if (!o->name) {
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)bytes, text);
        return unknown(command, name);
    }
    if (o->type == SL_OPT_FLAG && value)
        return SL_FAIL(SL_EUSAGE, "want %s%s without a value, found \"%s\"", dashes(o->name),
                       o->name, value);
    if (o->type != SL_OPT_FLAG && !value) {
        if (*i + 1 >= argc)
            return SL_FAIL(SL_EUSAGE, "want %s%s %s, found no value", dashes(o->name), o->name,
                           o->operand);
        value = argv[++*i];
    }
    st = sl_err_where(set_value(out, o, value), "%s%s", dashes(o->name), o->name);
    return st == SL_EARG ? SL_EUSAGE : st;
}

/* "--name" or "-n"; a lone "-" is a path, "-5" a number. */
static int is_option(const char *word)
{
    return word[0] == '-' && (word[1] == '-' || isalpha((unsigned char)word[1]));
}

sl_status sl_opts_parse(void *out, const char **argument, size_t *count, int *is_done,
                        const sl_command *command, int argc, char **argv)
{
    int only_arguments = 0;

    *count = 0;
    *is_done = 0;
    for (int i = 1; i < argc; i++) {
        if (!only_arguments && !strcmp(argv[i], "--help")) {
            sl_opts_help(command);
            *is_done = 1;
            return SL_OK;
        }
        if (!only_arguments && !strcmp(argv[i], "--")) {
            only_arguments = 1;
            continue;
        }
        if (!only_arguments && is_option(argv[i])) {
            SL_TRY(read_option(out, command, argc, argv, &i));
            continue;
        }
        argument[(*count)++] = argv[i];
    }
    if (*count < command->least || *count > command->most)
        return sl_err_hint(SL_FAIL(SL_EUSAGE, "want stageline %s %s, found %zu arguments",
                                   command->name, command->operands, *count),
                           "stageline %s --help", command->name);
    return SL_OK;
}
