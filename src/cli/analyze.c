/* `analyze`: everything that can be said from records, without any model. */
#include "analysis/sets.h"
#include "cli/analyze.h"
#include "cli/commands.h"
#include "cli/print.h"
#include <stdio.h>
#include <string.h>

typedef struct analyze_opts {
    const char *out, *golden, *pair;
    sl_analyze_votes_opts votes;
    sl_analyze_candidates_opts answers;
    sl_opt_list embeddings, chosen;
    int is_json, is_candidates, is_list;
} analyze_opts;

static const sl_opt opts[] = {
    { "out", SL_OPT_TEXT, offsetof(analyze_opts, out), "DIR",
      "write the tables behind the figures of one run" },
    { "pair", SL_OPT_TEXT, offsetof(analyze_opts, pair), "ID",
      "every visit of that pair of a run" },
    { "json", SL_OPT_FLAG, offsetof(analyze_opts, is_json), NULL, "one JSON document" },
    { "soft", SL_OPT_FLAG, offsetof(analyze_opts, votes.is_soft), NULL,
      "scores become votes by sigmoid of their difference, not by its sign" },
    { "seed", SL_OPT_TEXT, offsetof(analyze_opts, votes.seed), "S",
      "of the order of prompts in the test, and of the corpus" },
    { "allow-bad", SL_OPT_TEXT, offsetof(analyze_opts, votes.allow_bad), "SHARE",
      "share of bad rows of a file that is taken (0.01)" },
    { "candidates", SL_OPT_FLAG, offsetof(analyze_opts, is_candidates), NULL,
      "the inputs are sets of answers (found by itself in files)" },
    { "tokens", SL_OPT_TEXT, offsetof(analyze_opts, answers.tokens), "HOW",
      "of answers: space, unicode-words, characters, bytes, tokenizer=PATH" },
    { "choose", SL_OPT_LIST, offsetof(analyze_opts, chosen), "KEY=N",
      "of answers: take, cut, corpus, vocabulary, beta, residual" },
    { "embeddings", SL_OPT_LIST, offsetof(analyze_opts, embeddings), "FILE",
      ".npy, a row an answer; once a file" },
    { "list-metrics", SL_OPT_FLAG, offsetof(analyze_opts, is_list), NULL, "the table of metrics" },
    { "baselines", SL_OPT_TEXT, offsetof(analyze_opts, votes.baselines), "FILE",
      "answers of the baselines, for the score at equal length" },
    { "golden", SL_OPT_TEXT, offsetof(analyze_opts, golden), "FILE",
      "run test vectors of metrics through the analyzer" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

static sl_status no_memory(void)
{
    return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
}

/* One run is its own document, several are a list; the threshold is of all. */
static sl_status print_documents(sl_json *list, sl_analyze_branches *branches)
{
    sl_json *tree = json_array_size(list) == 1
                        ? json_incref(json_array_get(list, 0))
                        : json_pack("{s:s, s:O}", "schema", "stageline.runs/1", "runs", list);
    sl_status st = tree ? sl_analyze_threshold(tree, branches) : no_memory();

    if (st == SL_OK)
        st = sl_print_json(tree);
    sl_json_close(&tree);
    return st;
}

static sl_status analyze_into(sl_json *list, sl_analyze_branches *branches, const char *path,
                              const char *out)
{
    sl_json *document = NULL;
    const sl_status st = sl_analyze_run(list ? &document : NULL, branches, path, out);

    if (document && json_array_append_new(list, document) != 0)
        return no_memory();
    return st;
}

/* A run whose record contradicts itself is reported like the others, then it is the error. */
static sl_status analyze_runs(const analyze_opts *o, const char *const *path, size_t count)
{
    sl_json *list = o->is_json ? json_array() : NULL;
    sl_analyze_branches branches = { 0 };
    sl_status st = SL_OK, said;

    if (o->out && count > 1)
        return SL_FAIL(SL_EUSAGE, "want one run with --out, found %zu", count);
    if (o->is_json && !list)
        return no_memory();
    for (size_t i = 0; i < count; i++) {
        const sl_status here = analyze_into(list, &branches, path[i], o->out);

        st = st == SL_OK ? here : st;
    }
    if (!list)
        said = sl_analyze_threshold(NULL, &branches);
    else
        said = json_array_size(list) ? print_documents(list, &branches) : SL_OK;
    st = st == SL_OK ? said : st;
    sl_analyze_branches_close(&branches);
    sl_json_close(&list);
    return st;
}

static sl_status analyze_pair(const analyze_opts *o, const char *const *path, size_t count)
{
    sl_json *document = NULL;
    sl_status st = SL_OK;

    if (count != 1 || !sl_analyze_is_run(path[0]))
        return SL_FAIL(SL_EUSAGE, "want one run with --pair, found %zu other inputs", count);
    SL_TRY(sl_analyze_pair(&document, path[0], o->pair));
    if (o->is_json)
        st = sl_print_json(document);
    else
        sl_analyze_print_pair(document);
    sl_json_close(&document);
    return st;
}

static sl_status analyze_votes(const analyze_opts *o, const char *const *path, size_t count)
{
    sl_json *document = NULL;
    sl_status st = SL_OK;

    if (o->out)
        return SL_FAIL(SL_EUSAGE, "want a run with --out, found votes");
    SL_TRY(sl_analyze_vote_files(&document, path, count, &o->votes));
    if (o->is_json)
        st = sl_print_json(document);
    else
        sl_analyze_print_votes(document);
    sl_json_close(&document);
    return st;
}

static sl_status analyze_candidates(analyze_opts *o, const char *const *path, size_t count)
{
    sl_json *document = NULL;
    sl_status st = SL_OK;

    if (o->out)
        return SL_FAIL(SL_EUSAGE, "want a run with --out, found candidates");
    o->answers.embeddings = &o->embeddings;
    o->answers.chosen = &o->chosen;
    o->answers.seed = o->votes.seed;
    o->answers.allow_bad = o->votes.allow_bad;
    o->answers.is_soft = o->votes.is_soft;
    SL_TRY(sl_analyze_candidate_files(&document, path, count, &o->answers));
    if (o->is_json)
        st = sl_print_json(document);
    else
        sl_analyze_print_candidates(document);
    sl_analyze_say_memory(json_object_get(document, "memory"));
    sl_json_close(&document);
    return st;
}

/* Files of answers are known by their first row. */
static sl_status count_candidates(size_t *out, const analyze_opts *o, const char *const *path,
                                  size_t count)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        int is_one = o->is_candidates;

        if (!is_one && !sl_analyze_is_run(path[i]))
            SL_TRY(sl_sets_recognise(&is_one, path[i]));
        *out += (size_t)is_one;
    }
    return SL_OK;
}

static int has_candidate_options(const analyze_opts *o)
{
    return o->answers.tokens || o->chosen.count || o->embeddings.count;
}

/* Runs alone are taken at their own word; one file of votes makes votes of all. */
static sl_status analyze(analyze_opts *o, const char *const *path, size_t count)
{
    size_t folders = 0, candidates;

    if (o->pair)
        return analyze_pair(o, path, count);
    SL_TRY(count_candidates(&candidates, o, path, count));
    if (candidates && candidates < count)
        return SL_FAIL(SL_EUSAGE, "want candidates alone, found %zu other inputs beside them",
                       count - candidates);
    if (candidates)
        return analyze_candidates(o, path, count);
    if (has_candidate_options(o))
        return SL_FAIL(SL_EUSAGE, "want files of candidates with --tokens, --choose and "
                                  "--embeddings, found none");
    for (size_t i = 0; i < count; i++)
        folders += (size_t)sl_analyze_is_run(path[i]);
    if (folders < count)
        return analyze_votes(o, path, count);
    if (o->votes.is_soft || o->votes.seed || o->votes.allow_bad || o->votes.baselines)
        return SL_FAIL(
            SL_EUSAGE,
            "want a file of votes with --soft, --seed, --allow-bad and --baselines, found runs "
            "alone");
    return analyze_runs(o, path, count);
}

static sl_status analyze_run(int argc, char **argv)
{
    analyze_opts o = { 0 };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_analyze, argc, argv));
    if (is_done)
        return SL_OK;
    if (o.is_list)
        return sl_analyze_list_metrics(o.is_json);
    if (o.golden && count)
        return SL_FAIL(SL_EUSAGE, "want --golden alone, found \"%s\" beside it", argument[0]);
    if (o.golden)
        return sl_analyze_golden(o.golden);
    if (!count)
        return SL_FAIL(SL_EUSAGE, "want a run or a file of votes, found none");
    return analyze(&o, argument, count);
}

const sl_command sl_command_analyze = {
    .name = "analyze",
    .operands = "PATH... [--out DIR] [--json]",
    .summary =
        "what runs, votes or answers say: stage, diversity\n"
        "PATH is a run, or a file of votes or of sets of answers (may be gzip'ed; - is stdin).\n"
        "A run: looks and decisions derived again from the votes; exit code 1 if one differs.\n"
        "Runs with branch tests: the threshold of their recipe. Votes: score with interval, the\n"
        "sequential test, effects of length and order, where the score crosses 1/2 over steps.\n"
        "Two files of answers: the first is on-policy, the second static.",
    .opts = opts,
    .most = SL_OPT_LIST_MOST,
    .example = "stageline analyze demo-out/run-weak --out tables",
    .run = analyze_run,
};
