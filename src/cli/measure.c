/* `measure`: the stage of one checkpoint. Samples, votes and the sequential test; sampling and
 * judging stop as soon as the answer is settled. */
#include "base/file.h"
#include "cli/advise.h"
#include "cli/commands.h"
#include "cli/judge_opts.h"
#include "cli/measure.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "run/run.h"
#include "train/branch.h"
#include "train/session.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    FIXED_PROMPTS = 2000, /* of the published measurement */
    EXACT_PROMPTS = 1024
}; /* of a branch test on the built-in world */

typedef struct measure_opts {
    const char *policy, *sampler, *data, *tokenizer, *judge, *command, *out, *device;
    double temperature;
    int64_t prompts, on, max_new, branch, replicates, threads;
    int both_orders, is_json, is_quiet;
    sl_opt_list set;
} measure_opts;

static const sl_opt opts[] = {
    { "policy", SL_OPT_TEXT, offsetof(measure_opts, policy), "MODEL", "the checkpoint" },
    { "data", SL_OPT_TEXT, offsetof(measure_opts, data), "FILE",
      "pairs: their answers are the static side (or \"world\")" },
    { "sampler", SL_OPT_TEXT, offsetof(measure_opts, sampler), "KIND=WHAT",
      "in place of it: candidates=FILE, command=CMD, endpoint=URL" },
    { "tokenizer", SL_OPT_TEXT, offsetof(measure_opts, tokenizer), "PATH",
      "folder or tokenizer.json (default: the policy's)" },
    { "judge", SL_OPT_TEXT, offsetof(measure_opts, judge), "NAME",
      "truth, stored, stored=FILE, reward=MODEL, command=CMD, endpoint=URL" },
    { "judge-command", SL_OPT_TEXT, offsetof(measure_opts, command), "CMD",
      "a program that reads and writes lines of JSON" },
    { "both-orders", SL_OPT_FLAG, offsetof(measure_opts, both_orders), NULL,
      "every pair in both orders" },
    { "prompts", SL_OPT_I64, offsetof(measure_opts, prompts), "N", "most prompts (2000)" },
    { "n", SL_OPT_I64, offsetof(measure_opts, on), "N", "answers drawn of each prompt (2)" },
    { "max-new", SL_OPT_I64, offsetof(measure_opts, max_new), "N", "tokens of an answer" },
    { "temperature", SL_OPT_F64, offsetof(measure_opts, temperature), "T", "of the answers (1)" },
    { "branch", SL_OPT_I64, offsetof(measure_opts, branch), "K",
      "also K updates on each source from here: which gains more?" },
    { "branch-replicates", SL_OPT_I64, offsetof(measure_opts, replicates), "R",
      "of the branches, with fresh data (2)" },
    { "set", SL_OPT_LIST, offsetof(measure_opts, set), "KEY=VALUE",
      "any key of a recipe, as judge.url=http://..." },
    { "out", SL_OPT_TEXT, offsetof(measure_opts, out), "RUN", "a record of answers and votes" },
    { "json", SL_OPT_FLAG, offsetof(measure_opts, is_json), NULL, "one JSON document" },
    { "device", SL_OPT_TEXT, offsetof(measure_opts, device), "NAME", "cpu, cpu-bf16, ref or cuda" },
    { "threads", SL_OPT_I64, offsetof(measure_opts, threads), "N", "0: all processors" },
    { "quiet", SL_OPT_FLAG, offsetof(measure_opts, is_quiet), NULL, "no progress lines" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

/* --- the recipe ------------------------------------------------------------------------------ */

/* An option that is a key of the recipe by another name. */
typedef struct alias {
    const char *key;
    size_t offset; /* of the text, NULL when not given */
} alias;

static const alias texts[] = {
    { "model.policy", offsetof(measure_opts, policy) },
    { "data.source", offsetof(measure_opts, data) },
    { "data.tokenizer", offsetof(measure_opts, tokenizer) },
    { "judge.command", offsetof(measure_opts, command) },
};

static sl_status set_text(sl_recipe *recipe, const char *key, const char *value)
{
    char text[2048];
    const int n = snprintf(text, sizeof text, "%s=%s", key, value);

    if (n < 0 || (size_t)n >= sizeof text)
        return SL_FAIL(SL_EUSAGE, "want a value below %zu bytes for %s", sizeof text, key);
    return sl_yaml_set(recipe, sl_recipe_keys, sl_recipe_key_count, text);
}

/* "KIND=WHAT": a kind and the key of what it reads; kind NULL: the end. */
typedef struct kind_key {
    const char *kind, *key;
} kind_key;

/* Sets name_key to the kind of text, and the kind's key. *is_set 0: text is of no kind. */
static sl_status set_kind(int *is_set, sl_recipe *r, const char *name_key, const kind_key *kinds,
                          const char *text)
{
    *is_set = 0;
    for (const kind_key *k = kinds; k->kind && !*is_set; k++) {
        const size_t n = strlen(k->kind);

        if (strncmp(text, k->kind, n) || text[n] != '=' || !text[n + 1])
            continue;
        SL_TRY(set_text(r, name_key, k->kind));
        SL_TRY(set_text(r, k->key, text + n + 1));
        *is_set = 1;
    }
    return SL_OK;
}

static sl_status set_sampler(sl_recipe *r, const char *text)
{
    static const kind_key kinds[] = { { "candidates", "sampler.candidates" },
                                      { "command", "sampler.command" },
                                      { "endpoint", "sampler.url" },
                                      { NULL, NULL } };
    int is_set;

    if (!text)
        return SL_OK;
    SL_TRY(set_kind(&is_set, r, "sampler.name", kinds, text));
    return is_set ? SL_OK
                  : SL_FAIL(SL_EUSAGE,
                            "want --sampler candidates=FILE, command=CMD or endpoint=URL, found "
                            "\"%.64s\"",
                            text);
}

static sl_status set_judge(sl_recipe *r, const measure_opts *o)
{
    static const kind_key kinds[] = { { "reward", "judge.reward" },
                                      { "command", "judge.command" },
                                      { "endpoint", "judge.url" },
                                      { "stored", "judge.scores" },
                                      { NULL, NULL } };
    int is_set;

    if (!o->judge)
        return o->command ? set_text(r, "measure.judge", "command") : SL_OK;
    SL_TRY(set_kind(&is_set, r, "measure.judge", kinds, o->judge));
    return is_set ? SL_OK : set_text(r, "measure.judge", o->judge);
}

static void set_numbers(sl_recipe *r, const measure_opts *o)
{
    if (o->prompts >= 0)
        r->measure.prompts = o->prompts;
    if (o->on >= 0)
        r->measure.on = o->on;
    if (o->max_new >= 0)
        r->data.max_answer = o->max_new;
    if (!isnan(o->temperature))
        r->policy.temperature = o->temperature;
    if (o->both_orders)
        r->judge.both_orders = 1;
    if (o->branch >= 0)
        r->measure.branch = o->branch;
    if (o->replicates >= 0)
        r->measure.branch_replicates = o->replicates;
}

static sl_status check_branch(const measure_opts *o)
{
    if (o->branch == 0)
        return SL_FAIL(SL_EUSAGE, "want --branch of 1 or more updates, found 0");
    if (o->replicates >= 0 && (o->replicates < 2 || o->replicates > SL_BRANCH_MOST))
        return sl_err_hint(SL_FAIL(SL_EUSAGE, "want --branch-replicates of 2 to %d, found %lld",
                                   SL_BRANCH_MOST, (long long)o->replicates),
                           "the standard error comes from the replicates");
    if (o->replicates >= 0 && o->branch < 0)
        return SL_FAIL(SL_EUSAGE, "want --branch K with --branch-replicates, found none");
    return SL_OK;
}

/* On the world gains are exact: nothing has to be judged. */
static void settle_branch(sl_recipe *r)
{
    if (r->measure.branch && !strcmp(r->data.source, "world") && !r->measure.exact_prompts)
        r->measure.exact_prompts = EXACT_PROMPTS;
}

static sl_status make_recipe(sl_recipe *r, const measure_opts *o, const char *path)
{
    if (path)
        SL_TRY(sl_yaml_load(r, sl_recipe_keys, sl_recipe_key_count, path));
    else
        SL_TRY(sl_yaml_defaults(r, sl_recipe_keys, sl_recipe_key_count));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *value = *(const char *const *)((const char *)o + texts[i].offset);

        if (value)
            SL_TRY(set_text(r, texts[i].key, value));
    }
    SL_TRY(set_sampler(r, o->sampler));
    SL_TRY(set_judge(r, o));
    set_numbers(r, o);
    for (size_t i = 0; i < o->set.count; i++)
        SL_TRY(sl_yaml_set(r, sl_recipe_keys, sl_recipe_key_count, o->set.at[i]));
    if (!r->model.policy[0] && !sl_elsewhere_is(r))
        return sl_err_hint(
            SL_FAIL(SL_EUSAGE, "want a checkpoint (--policy MODEL or model.policy), found none"),
            "--sampler candidates=FILE, command=CMD or endpoint=URL asks a model elsewhere");
    if (r->measure.prompts < 1)
        return SL_FAIL(SL_EUSAGE, "want --prompts of 1 or more, found %lld",
                       (long long)r->measure.prompts);
    settle_branch(r);
    return sl_recipe_check(r);
}

/* --- the measurement ------------------------------------------------------------------------- */

typedef struct measuring {
    const measure_opts *opts;
    sl_session session;
    sl_advise advise;
    sl_advisor counted; /* the analyzer's door, with progress */
    sl_progress_line line;
    size_t prompts, votes;
    sl_branch branch;
} measuring;

/* The analyzer's observer, and the line that people see. */
static sl_status observe(void *state, const sl_prompt_votes *votes, int *is_enough)
{
    measuring *m = state;

    SL_TRY(m->advise.door.observe(m->advise.door.state, votes, is_enough));
    m->prompts++;
    m->votes += votes->votes;
    sl_progress_count(&m->line, m->prompts, 0, "prompts judged");
    if (*sl_stop_flag())
        return SL_FAIL(SL_EINTERRUPT, "stopped after %zu prompts", m->prompts);
    return SL_OK;
}

static sl_status begin(void *state, uint32_t measurement, int64_t step, uint32_t most)
{
    measuring *m = state;

    return m->advise.door.begin(m->advise.door.state, measurement, step, most);
}

static sl_status look(void *state, sl_row_boundary *row)
{
    measuring *m = state;

    return m->advise.door.look(m->advise.door.state, row);
}

static sl_status decide(void *state, sl_row_decisions *row)
{
    measuring *m = state;

    return m->advise.door.decide(m->advise.door.state, row);
}

static sl_status create_run(measuring *m)
{
    sl_session *s = &m->session;
    sl_run_settings set = sl_run_settings_defaults();
    sl_json *run = NULL, *facts = NULL;
    sl_status st = SL_OK;

    if (!m->opts->out)
        return SL_OK;
    set.level = 0;
    set.vocab =
        (uint32_t)(s->policy ? sl_model_config(s->policy)->V : sl_data_limits_of(s->data)->vocab);
    set.groups = s->policy ? (uint32_t)sl_model_tensors(s->policy)->group_count : 1;
    set.tables[SL_TABLE_PROBE] = set.tables[SL_TABLE_TOPK] = 0;
    set.min_free_bytes = (uint64_t)(s->recipe.record.min_free_gib * 1073741824.0);
    SL_TRY_OUT(sl_session_describe(&run, s));
    facts = json_pack("{s:s, s:s, s:s, s:i}", "stageline", SL_VERSION, "device", s->backend->name,
                      "isa", s->backend->isa, "threads", s->backend->threads);
    if (!facts)
        SL_TRY_OUT(SL_FAIL(SL_ENOMEM, "want memory for the facts of the run, found none"));
    SL_TRY_OUT(sl_run_create(&s->run, m->opts->out, run, facts, &set));
    s->recorder.run = s->run;
    st = sl_recorder_name(&s->recorder, s->judge, s->door.name);
out:
    sl_json_close(&run);
    sl_json_close(&facts);
    return st;
}

static sl_status close_run(measuring *m, sl_status st)
{
    const sl_ended ended = st == SL_OK           ? SL_ENDED_COMPLETE
                           : st == SL_EINTERRUPT ? SL_ENDED_INTERRUPTED
                                                 : SL_ENDED_ERROR;
    sl_err_record record;
    sl_status closed;

    if (!m->session.run)
        return st;
    sl_err_save(&record);
    sl_err_clear();
    closed = sl_run_close(&m->session.run, ended);
    if (st == SL_OK)
        return closed;
    sl_err_clear();
    return sl_err_restore(&record);
}

static sl_status test_branches(measuring *m)
{
    sl_session *s = &m->session;
    char text[120];

    if (!s->recipe.measure.branch)
        return SL_OK;
    snprintf(text, sizeof text, "measure: branch test: 2 x %lld branches of %lld updates",
             (long long)s->recipe.measure.branch_replicates, (long long)s->recipe.measure.branch);
    sl_progress_say(&m->line, text);
    SL_TRY(sl_branch_test(&m->branch, s));
    return s->run ? sl_run_commit(s->run, SL_UNIT_EVALS, s->step) : SL_OK;
}

static sl_status measure(measuring *m)
{
    sl_session *s = &m->session;
    sl_row_boundary row = { 0 };
    sl_row_decisions decision = { 0 };
    sl_status st;

    SL_TRY(sl_advise_open(&m->advise, &s->recipe));
    m->counted = (sl_advisor){ .state = m,
                               .begin = begin,
                               .observe = observe,
                               .look = look,
                               .decide = decide,
                               .rule = m->advise.door.rule,
                               .parameters = m->advise.door.parameters };
    st = create_run(m);
    s->recorder.measurement = 0;
    sl_progress_open(&m->line, "measure", m->opts->is_quiet);
    if (st == SL_OK)
        st = sl_measure_run(&row, &decision, s->measure, &s->door, &m->counted, &s->recorder);
    if (st == SL_OK)
        st = test_branches(m);
    sl_progress_close(&m->line);
    return close_run(m, st);
}

static sl_status give(const measuring *m)
{
    const sl_session *s = &m->session;
    const char *model = s->recipe.sampler.model[0] ? s->recipe.sampler.model : s->door.name;
    const sl_measured result = { .policy = s->policy ? s->recipe.model.policy : model,
                                 .data = s->recipe.data.source,
                                 .judge = sl_judge_name(s->judge),
                                 .run = m->opts->out,
                                 .max_prompts = m->advise.max_prompts,
                                 .fixed_prompts = FIXED_PROMPTS,
                                 .votes_per_prompt =
                                     (uint32_t)(s->recipe.measure.on * s->recipe.measure.off),
                                 .settings = &m->advise.settings,
                                 .branch = s->recipe.measure.branch ? &m->branch : NULL };
    sl_verdict verdict;

    SL_TRY(sl_boundary_verdict(&verdict, &m->advise.boundary));
    return m->opts->is_json ? sl_measured_json(&result, &verdict)
                            : sl_measured_text(&result, &verdict);
}

/* Branches train: what is held out from them is what is measured on. */
static sl_status open_session(sl_session *out, const sl_recipe *recipe, const sl_backend *backend)
{
    sl_memory_plan plan;

    return recipe->measure.branch
               ? sl_session_open(out, recipe, backend, sl_stop_flag(), &plan)
               : sl_session_open_measuring(out, recipe, backend, sl_stop_flag(), &plan);
}

static sl_status measure_all(const measure_opts *o, const sl_recipe *recipe)
{
    const sl_backend *backend = NULL;
    measuring m = { .opts = o };
    sl_status st;

    if (o->out && sl_file_exists(o->out))
        return SL_FAIL(SL_EARG, "want a new folder for the record, found \"%s\"", o->out);
    SL_TRY(sl_err_where(sl_backend_open(&backend, o->device, (int)o->threads), "--device"));
    sl_stop_install();
    SL_TRY(open_session(&m.session, recipe, backend));
    st = measure(&m);
    if (st == SL_OK)
        st = give(&m);
    sl_advise_close(&m.advise);
    sl_session_close(&m.session);
    return st;
}

static sl_status measure_run(int argc, char **argv)
{
    measure_opts o = { .device = "cpu",
                       .temperature = NAN,
                       .prompts = -1,
                       .on = -1,
                       .max_new = -1,
                       .branch = -1,
                       .replicates = -1 };
    sl_recipe recipe = { 0 };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_measure, argc, argv));
    if (is_done)
        return SL_OK;
    SL_TRY(check_branch(&o));
    SL_TRY(make_recipe(&recipe, &o, count ? argument[0] : NULL));
    return measure_all(&o, &recipe);
}

const sl_command sl_command_measure = {
    .name = "measure",
    .operands = "RECIPE | --policy M --data F",
    .summary = "the stage of one checkpoint, with few votes",
    .opts = opts,
    .most = 1,
    .example = "stageline measure --policy model --data pairs.jsonl --judge-command ./judge",
    .run = measure_run,
};
