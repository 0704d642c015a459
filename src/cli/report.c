/* `report`: one HTML page about runs and vote files. */
#include "base/file.h"
#include "cli/commands.h"
#include "cli/figures.h"
#include <stdio.h>

typedef struct report_opts {
    const char *out;
} report_opts;

static const sl_opt opts[] = {
    { "out", SL_OPT_TEXT, offsetof(report_opts, out), "FILE.html",
      "a new file (default: report.html)" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

static sl_status report_run(int argc, char **argv)
{
    report_opts o = { .out = "report.html" };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_report, argc, argv));
    if (is_done)
        return SL_OK;
    if (sl_file_exists(o.out))
        return sl_err_hint(SL_FAIL(SL_EARG, "want a new file, found \"%s\"", o.out),
                           "give another --out");
    SL_TRY(sl_report_write(o.out, argument, count));
    printf("%s\n", o.out);
    return SL_OK;
}

const sl_command sl_command_report = {
    .name = "report",
    .operands = "PATH... [--out FILE.html]",
    .summary =
        "one self-contained HTML page on runs and vote files\n"
        "Verdict in one sentence, stages, warnings, figures with their data, votes spent, recipe,\n"
        "provenance. The page needs nothing from outside; it is made for screens, phones and\n"
        "paper, light and dark. Plot scripts are found as by stageline plot.",
    .opts = opts,
    .least = 1,
    .most = SL_OPT_LIST_MOST,
    .example = "stageline report demo-out/run-weak demo-out/run-strong --out report.html",
    .run = report_run,
};
