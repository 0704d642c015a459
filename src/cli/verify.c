/* `verify`: is everything that a run recorded still there? */
#include "run/verify.h"
#include "cli/commands.h"
#include "cli/print.h"
#include <stdio.h>
#include <string.h>

typedef struct verify_opts {
    int is_repair, is_dry, is_json;
} verify_opts;

static const sl_opt opts[] = {
    { "repair", SL_OPT_FLAG, offsetof(verify_opts, is_repair), NULL,
      "seal what a crash left, rebuild run.h5; nothing durable is changed" },
    { "dry-run", SL_OPT_FLAG, offsetof(verify_opts, is_dry), NULL, "say what --repair would do" },
    { "json", SL_OPT_FLAG, offsetof(verify_opts, is_json), NULL, "one JSON document on stdout" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

/* Findings as they come: lines, or entries of the document. */
typedef struct findings {
    sl_json *list; /* NULL: print */
    int is_lost;   /* the list could not be kept */
} findings;

static void on_finding(void *with, const char *path, const char *sentence)
{
    findings *f = with;

    if (!f->list && !strncmp(sentence, path, strlen(path))) /* it says where by itself */
        printf("%s\n", sentence);
    else if (!f->list)
        printf("%s: %s\n", path, sentence);
    else if (json_array_append_new(f->list,
                                   json_pack("{s:s, s:s}", "path", path, "finding", sentence)) != 0)
        f->is_lost = 1;
}

static const char *state_of(const sl_verify_result *r)
{
    return r->is_running ? "running" : sl_ended_name(r->ended);
}

static void print_text(const sl_verify_result *r, const char *path)
{
    printf("%s: %s, %u attempt%s up to step %lld; %u sealed segments, %u open journals, "
           "%llu texts, %llu decisions from outside\n",
           path, state_of(r), r->attempts, r->attempts == 1 ? "" : "s", (long long)r->last_step,
           r->segments, r->journals, (unsigned long long)r->texts,
           (unsigned long long)r->decisions);
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        if (r->rows[t])
            printf("  %-12s %llu rows\n", sl_table_get((sl_table)t)->name,
                   (unsigned long long)r->rows[t]);
    if (r->digest[0])
        printf("digest %s\n", r->digest);
}

static sl_status print_json(const sl_verify_result *r, const char *path, const findings *f)
{
    sl_json *rows = json_object(), *tree;
    sl_status st;

    for (int t = 0; t < SL_TABLE_COUNT; t++)
        json_object_set_new(rows, sl_table_get((sl_table)t)->name,
                            json_integer((json_int_t)r->rows[t]));
    tree = json_pack("{s:s, s:s, s:s, s:i, s:I, s:i, s:i, s:I, s:I, s:i, s:o, s:O, s:s?}", "schema",
                     "stageline.verify/1", "path", path, "state", state_of(r), "attempts",
                     (int)r->attempts, "last_step", (json_int_t)r->last_step, "segments",
                     (int)r->segments, "journals", (int)r->journals, "texts", (json_int_t)r->texts,
                     "decisions", (json_int_t)r->decisions, "damaged", (int)r->damaged, "rows",
                     rows, "findings", f->list, "digest", r->digest[0] ? r->digest : NULL);
    if (!tree || f->is_lost) {
        sl_json_close(&tree);
        return SL_FAIL(SL_ENOMEM, "want memory for the findings, found none");
    }
    st = sl_print_json(tree);
    sl_json_close(&tree);
    return st;
}

static sl_verify_mode mode_of(const verify_opts *o)
{
    return o->is_dry ? SL_VERIFY_DRY_RUN : o->is_repair ? SL_VERIFY_REPAIR : SL_VERIFY_LOOK;
}

/* A damaged record is reported whole before it is an error. */
static sl_status report(const verify_opts *o, const char *path, findings *f)
{
    sl_verify_result result;
    sl_err_record record;
    sl_status st = sl_verify(&result, path, mode_of(o), on_finding, f), printed = SL_OK;

    if (st != SL_OK && !result.damaged)
        return st;
    sl_err_save(&record);
    sl_err_clear();
    if (o->is_json)
        printed = print_json(&result, path, f);
    else
        print_text(&result, path);
    SL_TRY(printed);
    return st == SL_OK ? SL_OK : sl_err_restore(&record);
}

static sl_status verify_run(int argc, char **argv)
{
    verify_opts o = { 0 };
    const char *argument[SL_OPT_LIST_MOST];
    findings f = { 0 };
    size_t count;
    int is_done;
    sl_status st;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_verify, argc, argv));
    if (is_done)
        return SL_OK;
    if (o.is_json) {
        f.list = json_array();
        if (!f.list)
            return SL_FAIL(SL_ENOMEM, "want memory for the findings, found none");
    }
    st = report(&o, argument[0], &f);
    sl_json_close(&f.list);
    return st;
}

const sl_command sl_command_verify = {
    .name = "verify",
    .operands = "RUN [--repair] [--dry-run]",
    .summary =
        "checks all checksums and counts of a run\n"
        "Says what is lost and prints the digest: equal runs have equal digests. Exit code 1 if\n"
        "a file is damaged.",
    .opts = opts,
    .least = 1,
    .most = 1,
    .example = "stageline verify demo-out/run-weak",
    .run = verify_run,
};
