/* `replay`: what other rules would have decided over recorded votes, when, and at which cost. */
#include "analysis/replay_rules.h"
#include "base/alloc.h"
#include "cli/analyze.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/print.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct replay_opts {
    sl_opt_list rule;
    const char *allow_bad;
    int is_json, is_soft, is_list;
} replay_opts;

static const sl_opt opts[] = {
    { "rule", SL_OPT_LIST, offsetof(replay_opts, rule), "NAME[:KEY=V,...]",
      "a rule; may be given again (default: kelly and fixed)" },
    { "rules", SL_OPT_FLAG, offsetof(replay_opts, is_list), NULL,
      "list the rules with their parameters" },
    { "json", SL_OPT_FLAG, offsetof(replay_opts, is_json), NULL, "one JSON document" },
    { "soft", SL_OPT_FLAG, offsetof(replay_opts, is_soft), NULL,
      "scores become votes by sigmoid of their difference" },
    { "allow-bad", SL_OPT_TEXT, offsetof(replay_opts, allow_bad), "SHARE",
      "share of bad rows of a file that is taken (0.01)" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

static sl_status list_rules(void)
{
    for (size_t i = 0; i < sl_rule_count; i++) {
        sl_rule rule;

        SL_TRY(sl_rule_parse(&rule, sl_rules[i].name));
        printf("%-15s %s\n                %s\n", sl_rules[i].name, sl_rules[i].what, rule.text);
    }
    return SL_OK;
}

/* --- sentences ------------------------------------------------------------------------------- */

static void print_step(const sl_json *row)
{
    if (sl_json_has(row, "step"))
        printf("  step %-8lld ", sl_doc_whole(row, "step"));
    else
        printf("  ");
}

static void print_measurement(const sl_json *row)
{
    const sl_json *done = json_object_get(row, "done");

    print_step(row);
    printf("recorded: %lld prompts, %lld votes, score %.3f", sl_doc_whole(row, "prompts"),
           sl_doc_whole(row, "votes"), sl_doc_number(row, "bs"));
    if (json_is_object(done))
        printf("; done: %s by %lld prompts (%lld votes), data %s",
               sl_doc_text(done, "stage", "undecided"), sl_doc_whole(done, "prompts"),
               sl_doc_whole(done, "votes"), sl_doc_text(done, "action", "?"));
    putchar('\n');
}

static void print_short(const sl_json *look)
{
    printf("the votes end before it answers (%lld", sl_doc_whole(look, "prompts"));
    if (sl_json_has(look, "wants"))
        printf(" of %.0f", sl_doc_number(look, "wants"));
    printf(" prompts)");
}

static void print_look(const sl_json *look)
{
    print_step(look);
    if (json_is_true(json_object_get(look, "short")))
        print_short(look);
    else
        printf("%s by %lld prompts (%lld votes), score %.3f",
               sl_doc_text(look, "stage", "undecided"), sl_doc_whole(look, "prompts"),
               sl_doc_whole(look, "votes"), sl_doc_number(look, "score"));
    if (sl_json_has(look, "lower"))
        printf(" [%.3f, %.3f]", sl_doc_number(look, "lower"), sl_doc_number(look, "upper"));
    printf(", on-policy share %.2f%s\n", sl_doc_number(look, "weight"),
           json_is_true(json_object_get(look, "switch")) ? ", switches" : "");
}

static void print_score(const sl_json *row)
{
    const sl_json *score = json_object_get(row, "score");

    if (!json_is_object(score))
        return;
    printf("  against the true gains: right at %.0f %%, regret %.3f, ",
           100.0 * sl_doc_number(score, "accuracy"), sl_doc_number(score, "regret"));
    if (sl_json_has(score, "signed_error"))
        printf("boundary off by %+g steps, ", sl_doc_number(score, "signed_error"));
    else
        printf("by it the score %s, ", strcmp(sl_doc_text(score, "path", ""), "crosses")
                                           ? strcmp(sl_doc_text(score, "path", ""), "never")
                                                 ? "is above from the start"
                                                 : "never crosses"
                                           : "crosses");
    printf("%lld switches\n", sl_doc_whole(score, "switches"));
}

static void print_rule(const sl_json *rule, int with_looks)
{
    const sl_json *looks = json_object_get(rule, "looks"), *look;
    size_t i;

    printf(" %s", sl_doc_text(rule, "rule", "?"));
    if (looks)
        printf(": decided %lld of %zu, %lld prompts, %lld votes, %lld switch%s",
               sl_doc_whole(rule, "decided"), json_array_size(looks), sl_doc_whole(rule, "prompts"),
               sl_doc_whole(rule, "votes"), sl_doc_whole(rule, "switches"),
               sl_doc_whole(rule, "switches") == 1 ? "" : "es");
    if (sl_json_has(rule, "same_stage"))
        printf(", the stage that was recorded at %lld", sl_doc_whole(rule, "same_stage"));
    putchar('\n');
    json_array_foreach(with_looks ? looks : NULL, i, look)
    {
        print_look(look);
    }
    print_score(rule);
}

static void print_series(const sl_json *series)
{
    const sl_json *row;
    size_t i;

    sl_print_text(sl_doc_text(series, "name", "?"));
    if (sl_json_has(series, "judge")) {
        fputs(", judge ", stdout);
        sl_print_text(sl_doc_text(series, "judge", "?"));
    }
    putchar('\n');
    json_array_foreach(json_object_get(series, "measurements"), i, row)
    {
        print_measurement(row);
    }
    json_array_foreach(json_object_get(series, "rules"), i, row)
    {
        print_rule(row, 1);
    }
    json_array_foreach(json_object_get(series, "truth"), i, row)
    {
        printf("true gain from step %g: static %+.4f, on-policy %+.4f: %s\n",
               sl_doc_number(row, "step"), sl_doc_number(row, "gain_static"),
               sl_doc_number(row, "gain_on_policy"), sl_doc_text(row, "stage", "?"));
    }
    if (json_array_size(json_object_get(series, "baselines")))
        puts("baselines");
    json_array_foreach(json_object_get(series, "baselines"), i, row)
    {
        print_rule(row, 0);
    }
}

/* --- inputs ---------------------------------------------------------------------------------- */

static sl_status read_run(sl_replay_run *run, const char *path)
{
    sl_reader *reader = NULL;
    sl_status st;

    SL_TRY(sl_reader_open(&reader, path));
    st = sl_err_where(sl_replay_run_read(run, reader, path), "%s", path);
    sl_reader_close(&reader);
    return st;
}

static sl_status parse_rules(sl_rule *rule, size_t *count, const sl_opt_list *list)
{
    static const char *const usual[] = { "kelly", "fixed" };
    const size_t n = list->count ? list->count : 2;

    for (*count = 0; *count < n; ++*count)
        SL_TRY(sl_rule_parse(&rule[*count], list->count ? list->at[*count] : usual[*count]));
    return SL_OK;
}

static sl_status print_document(const sl_json *document, int is_json)
{
    const sl_json *series;
    size_t i;

    if (is_json)
        return sl_print_json(document);
    json_array_foreach(json_object_get(document, "series"), i, series)
    {
        print_series(series);
    }
    return SL_OK;
}

static sl_status replay(const replay_opts *o, const char *const *path, size_t count)
{
    sl_rule rule[SL_OPT_LIST_MOST];
    sl_rows_limit limit;
    sl_vote_set votes = { .is_soft = o->is_soft, .limit = &limit };
    sl_replay_set set = { .votes = &votes, .rule = rule };
    const sl_votes_settings settings = sl_votes_settings_defaults();
    sl_replay_run *run = NULL;
    sl_json *document = NULL;
    sl_status st = SL_OK;

    SL_TRY(parse_rules(rule, &set.rules, &o->rule));
    SL_TRY(sl_analyze_limit(&limit, o->allow_bad));
    SL_TRY(sl_take(&run, count, sizeof *run));
    for (size_t i = 0; i < count; i++) {
        SL_TRY_OUT(sl_analyze_read(&votes, path[i]));
        if (sl_analyze_is_run(path[i]))
            SL_TRY_OUT(read_run(&run[set.runs++], path[i]));
    }
    if (!votes.points)
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "want votes, found none in %s", path[0]));
    set.run = run;
    SL_TRY_OUT(sl_replay_rules(&document, &set, &settings));
    st = print_document(document, o->is_json);
out:
    for (size_t i = 0; i < set.runs; i++)
        sl_replay_run_close(&run[i]);
    sl_free(run);
    sl_json_close(&document);
    sl_votes_close(&votes);
    return st;
}

static sl_status replay_run(int argc, char **argv)
{
    replay_opts o = { 0 };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_replay, argc, argv));
    if (is_done)
        return SL_OK;
    if (o.is_list)
        return list_rules();
    if (!count)
        return SL_FAIL(SL_EUSAGE, "want a run or a file of votes, found none");
    return replay(&o, argument, count);
}

const sl_command sl_command_replay = {
    .name = "replay",
    .operands = "PATH... --rule RULE [--rule RULE]",
    .summary = "what other rules would have decided, and when\n"
               "PATH is a run or a file of votes. Every rule walks through the recorded votes and\n"
               "stops where it may: the stage it would have named, the votes it would have taken,\n"
               "when it would have switched the data, beside what was done. Where a run knows the\n"
               "true gains of both sources, how right it was, with schedules that look at no vote.",
    .opts = opts,
    .most = SL_OPT_LIST_MOST,
    .example = "stageline replay demo-out/run-weak --rule kelly:delta=.025 --rule fixed:n=2000",
    .run = replay_run,
};
