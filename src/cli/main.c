/* The program: finds the command, prints the error record, gives the exit code. */
#include "base/text.h"
#include "cli/commands.h"
#include <locale.h>
#include <stdio.h>
#include <string.h>

/* In the order of the work. */
static const sl_command *const commands[] = {
    &sl_command_demo,    &sl_command_audit,   &sl_command_train,   &sl_command_sample,
    &sl_command_score,   &sl_command_judge,   &sl_command_measure, &sl_command_analyze,
    &sl_command_replay,  &sl_command_compare, &sl_command_plot,    &sl_command_report,
    &sl_command_inspect, &sl_command_verify,  &sl_command_export,  &sl_command_watch,
    &sl_command_import,  &sl_command_text,    &sl_command_bench,
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void list_commands(FILE *to)
{
    fputs("stageline: where does a language model stand in preference alignment?\n\n", to);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-9s %-34s %.*s\n", commands[i]->name, commands[i]->operands,
                (int)strcspn(commands[i]->summary, "\n"), commands[i]->summary);
    fputs("\nstageline COMMAND --help tells more. Begin with: stageline demo\n", to);
}

static int print_error(sl_status st)
{
    const char *place = sl_err_place();

    fprintf(stderr, "stageline: %s%s%s\n", place, *place ? ": " : "", sl_err_message());
    if (*sl_err_hint_text())
        fprintf(stderr, "hint: %s\n", sl_err_hint_text());
    if (st == SL_EINTERNAL)
        fprintf(stderr, "hint: this is a bug of stageline, at %s\n", sl_err_source());
    return sl_status_exit(st);
}

static sl_status unknown(const char *name)
{
    const char *names[COMMAND_COUNT + 1] = { NULL };
    const char *near;
    sl_status st = SL_FAIL(SL_EUSAGE, "want a command, found \"%s\"", name);

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    near = sl_text_nearest(name, names);
    if (near)
        return sl_err_hint(st, "did you mean \"%s\"?", near);
    return sl_err_hint(st, "stageline alone lists the commands");
}

/* Results go to stdout: a full disk or a closed pipe is an error, not silence. */
static sl_status flush_results(sl_status st)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return st;
    if (st != SL_OK)
        return st;
    return SL_FAIL(SL_EIO, "want the result on stdout, found a write error");
}

int main(int argc, char **argv)
{
    sl_status st;

    setlocale(LC_ALL, "C");
    if (argc < 2) {
        list_commands(stdout);
        return 0;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
        list_commands(stdout);
        return 0;
    }
    if (!strcmp(argv[1], "--version")) {
        puts("stageline " SL_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(argv[1], commands[i]->name)) {
            st = flush_results(commands[i]->run(argc - 1, argv + 1));
            return st == SL_OK ? 0 : print_error(st);
        }
    st = unknown(argv[1]);
    return print_error(st);
}
