#include "cli/run_recipe.h"
#include "base/file.h"
#include "cli/advise.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "run/files.h"
#include "run/reader.h"
#include "run/run.h"
#include "train/checkpoint.h"
#include "train/train.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUN_JSON_MAX_BYTES = 64 << 20 };

static sl_run_settings record_settings(const sl_session *s)
{
    const sl_recipe *r = &s->recipe;
    sl_run_settings set = sl_run_settings_defaults();

    set.level = (int)r->record.level;
    set.k = (uint32_t)s->update.top_k;
    set.vocab = (uint32_t)sl_model_config(s->policy)->V;
    set.groups = (uint32_t)sl_model_tensors(s->policy)->group_count;
    set.seal_every_s = (double)r->record.seal_every;
    set.min_free_bytes = (uint64_t)(r->record.min_free_gib * 1073741824.0);
    set.sketch = (uint32_t)s->pairgrad.m;
    set.tables[SL_TABLE_PAIR_GRAD] = s->pairgrad.m > 0 ? SL_TABLE_AUTO : 0;
    set.tables[SL_TABLE_PROBE] = s->probe.count > 0 ? SL_TABLE_AUTO : 0;
    set.tables[SL_TABLE_TOPK] = s->update.top_k > 0 ? SL_TABLE_AUTO : 0;
    return set;
}

/* Facts of an attempt: what the numbers depend on beside the recipe. */
static sl_status start_facts(sl_json **out, const sl_backend *backend)
{
    *out = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "stageline", SL_VERSION, "device",
                     backend->name, "isa", backend->isa, "blas", backend->blas, "threads",
                     backend->threads, "compiler", __VERSION__);
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for the facts of the attempt, found none");
    return SL_OK;
}

static void say_plan(sl_progress_line *line, const sl_memory_plan *plan, const sl_session *s)
{
    const double mib = 1.0 / 1048576.0;
    char text[320];

    snprintf(text, sizeof text,
             "%s: %s with %zu parameters; memory: parameters %.1f MiB, activations %.1f MiB, "
             "KV cache %.1f MiB, batches and optimizer %.1f MiB, gradient statistics %.1f MiB",
             line->label, sl_config_family_name(sl_model_config(s->policy)),
             sl_config_parameters(sl_model_config(s->policy)), (double)plan->parameters * mib,
             (double)plan->activations * mib, (double)plan->cache * mib,
             (double)(plan->other - plan->statistics) * mib, (double)plan->statistics * mib);
    sl_progress_say(line, text);
}

/* What reading and the length rules did to a file: nothing is cut or dropped unseen. */
static void say_data(sl_progress_line *line, const sl_session *s)
{
    const sl_data_report *r = sl_data_report_of(s->data);
    char text[480];

    if (sl_data_is_world(s->data))
        return;
    snprintf(text, sizeof text,
             "%s: data: %zu rows, %zu kept, %zu prompts held out; dropped: %zu empty, %zu ties, "
             "%zu too long; cut: %zu prompts, %zu chosen, %zu rejected; %zu ends missing, %zu "
             "across the border, %zu duplicates, %zu contradictions; %.1f MiB",
             line->label, r->rows, r->pairs, r->probe_prompts, r->empty, r->ties, r->dropped_long,
             r->cut_prompt, r->cut_chosen, r->cut_rejected, r->eos_missing, r->prefix_mismatch,
             r->duplicates, r->contradictions, (double)r->held_bytes / 1048576.0);
    sl_progress_say(line, text);
}

/* Decisions from outside: those of earlier attempts take effect again at their steps. */
static sl_status open_outside(sl_session *s, const char *folder, int is_resumed)
{
    const sl_decisions_settings set = sl_decisions_settings_defaults();
    const sl_row_decisions *rows = NULL;
    sl_reader *reader = NULL;
    size_t count = 0;
    sl_status st = SL_OK;

    if (s->recipe.policy.kind != SL_POLICY_ADVISED)
        return SL_OK;
    if (is_resumed) {
        SL_TRY(sl_reader_open(&reader, folder));
        sl_reader_set_all_attempts(reader, 1);
        SL_TRY_OUT(sl_reader_rows(reader, SL_TABLE_DECISIONS, &rows, &count));
    }
    SL_TRY_OUT(sl_decisions_open(&s->outside, folder, rows, count, s->outside_done, &set));
out:
    sl_reader_close(&reader);
    return st;
}

static sl_status create(sl_session *s, const sl_run_request *request, const sl_json *facts)
{
    const sl_run_settings set = record_settings(s);
    sl_json *run = NULL;
    sl_status st;

    SL_TRY(sl_session_describe(&run, s));
    st = sl_run_create(&s->run, request->folder, run, facts, &set);
    sl_json_close(&run);
    SL_TRY(st);
    return open_outside(s, request->folder, 0);
}

/* The text at OBJECT.KEY, or at OBJECT itself when key is NULL; "" when there is none. */
static const char *text_at(const sl_json *tree, const char *object, const char *key)
{
    const sl_json *at = json_object_get(tree, object);
    const char *text = json_string_value(key ? json_object_get(at, key) : at);

    return text ? text : "";
}

static sl_status compare_inputs(const sl_json *then, const sl_json *now)
{
    static const struct {
        const char *what, *object, *key;
    } inputs[] = {
        { "data", "data", "sha256" },
        { "a start policy", "policy", "sha256" },
        { "a reference", "reference_sha256", NULL },
        { "a tokenizer", "tokenizer_sha256", NULL },
        { "a reward model as judge", "judge_sha256", NULL },
    };

    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        const char *a = text_at(then, inputs[i].object, inputs[i].key);
        const char *b = text_at(now, inputs[i].object, inputs[i].key);

        if (strcmp(a, b) != 0)
            return sl_err_hint(SL_FAIL(SL_EFORMAT, "want %s with SHA-256 %.16s..., found %.16s...",
                                       inputs[i].what, a, b),
                               "the run began with another: put it back, or start anew");
    }
    return SL_OK;
}

/* A run that goes on with other data or models would pass as one experiment and be two. */
static sl_status check_inputs(const sl_session *s, const char *folder)
{
    sl_json *then = NULL, *now = NULL;
    char path[SL_RUN_PATH];
    sl_status st = SL_OK;

    SL_TRY(sl_file_join(path, sizeof path, folder, "run.json"));
    SL_TRY_OUT(sl_json_load_regular(&then, path, RUN_JSON_MAX_BYTES));
    SL_TRY_OUT(sl_session_describe(&now, s));
    SL_TRY_OUT(sl_err_where(compare_inputs(then, now), "%s", path));
out:
    sl_json_close(&then);
    sl_json_close(&now);
    return st;
}

/* Opens the newest attempt and goes to its newest checkpoint; without one, to the very start. */
static sl_status resume(sl_session *s, const sl_run_request *request, const sl_json *facts,
                        int *has_checkpoint)
{
    const sl_run_settings set = record_settings(s);
    sl_run_scan_result scan;

    SL_TRY(check_inputs(s, request->folder));
    SL_TRY(sl_run_scan(&scan, request->folder));
    *has_checkpoint = scan.newest_checkpoint >= 0;
    SL_TRY(sl_run_resume(&s->run, request->folder, facts,
                         *has_checkpoint ? scan.newest_checkpoint : 0, &set));
    if (*has_checkpoint) {
        SL_TRY(sl_checkpoint_load(s, request->folder, scan.newest_checkpoint));
    } else {
        const uint64_t none[SL_TABLE_COUNT] = { 0 };

        sl_run_expect(s->run, none);
    }
    return open_outside(s, request->folder, 1);
}

static sl_ended ended_of(sl_status st)
{
    return st == SL_OK           ? SL_ENDED_COMPLETE
           : st == SL_EINTERRUPT ? SL_ENDED_INTERRUPTED
                                 : SL_ENDED_ERROR;
}

/* What the record cost the steps: waits of the step thread for a full queue. */
static void say_record(sl_progress_line *line, sl_run *run)
{
    sl_run_stats stats;
    char text[200];

    sl_run_stats_get(&stats, run);
    snprintf(text, sizeof text,
             "%s: record: %.1f MiB written, %u waits for a full queue (%.2f s), %u rows dropped",
             line->label, (double)stats.written_bytes / 1048576.0, stats.stalls, stats.stall_s,
             stats.dropped);
    sl_progress_say(line, text);
}

/* What statistics of gradients cost, measured: percent of the time of the updates. */
static void say_statistics(sl_progress_line *line, const sl_phase_times *spent)
{
    const double percent = spent->step > 0.0 ? 100.0 / spent->step : 0.0;
    char text[240];

    snprintf(text, sizeof text,
             "%s: gradient statistics: %.1f %% of the time of the updates (norms %.1f %%, splits "
             "and shards %.1f %%, gradients of pairs %.1f %%)",
             line->label, percent * (spent->norms + spent->split + spent->pairgrad),
             percent * spent->norms, percent * spent->split, percent * spent->pairgrad);
    sl_progress_say(line, text);
}

/* Trains in an open session; whatever happens the record is closed, and the first error wins. */
static sl_status train_and_close(sl_session *s, const sl_run_request *request,
                                 sl_progress_line *line, const sl_json *facts)
{
    const sl_train_hooks hooks = sl_progress_hooks(line);
    int has_checkpoint = 0;
    sl_err_record record;
    sl_status st;

    st = request->is_resumed ? resume(s, request, facts, &has_checkpoint)
                             : create(s, request, facts);
    if (st == SL_OK)
        st = sl_train(s, has_checkpoint, &hooks);
    sl_err_save(&record);
    sl_err_clear();
    if (s->run) {
        sl_status closed;

        say_record(line, s->run);
        say_statistics(line, &s->spent);
        closed = sl_run_close(&s->run, ended_of(st));

        if (st == SL_OK && closed != SL_OK)
            return closed;
        sl_err_clear();
    }
    if (st == SL_OK)
        return SL_OK;
    return sl_err_restore(&record);
}

/* Both come from the command line. */
static sl_status open_backend(const sl_backend **out, const sl_run_request *request)
{
    const sl_status st =
        sl_err_where(sl_backend_open(out, request->device, request->threads),
                     "--device %s --threads %d", request->device, request->threads);

    return st == SL_EARG ? SL_EUSAGE : st;
}

static sl_status run_session(const sl_recipe *recipe, const sl_run_request *request,
                             sl_progress_line *line)
{
    const sl_backend *backend = NULL;
    sl_memory_plan plan;
    sl_advise advise = { 0 };
    sl_session s;
    sl_json *facts = NULL;
    sl_status st = SL_OK;

    SL_TRY(open_backend(&backend, request));
    SL_TRY(sl_session_open(&s, recipe, backend, sl_stop_flag(), &plan));
    say_plan(line, &plan, &s);
    say_data(line, &s);
    SL_TRY_OUT(sl_advise_open(&advise, recipe));
    s.advisor = &advise.door;
    SL_TRY_OUT(start_facts(&facts, backend));
    SL_TRY_OUT(train_and_close(&s, request, line, facts));
out:
    sl_json_close(&facts);
    sl_advise_close(&advise);
    sl_session_close(&s);
    return st;
}

/* A run of somebody else that starts a command is not gone on with: the user named the run, not the
 * command. */
static sl_status check_commands(const sl_recipe *r, const char *path)
{
    const char *command = r->judge.command[0] ? r->judge.command : r->sampler.command;
    struct stat s;

    if (!command[0] || (stat(path, &s) == 0 && s.st_uid == geteuid()))
        return SL_OK;
    return sl_err_hint(SL_FAIL(SL_EARG,
                               "want a run of your own, found another's that would start \"%.80s\"",
                               command),
                       "a copy of the folder is yours: cp -r");
}

/* The recipe that a run holds. */
static sl_status stored_recipe(sl_recipe *out, const char *folder)
{
    char path[4096];
    sl_json *tree = NULL;
    sl_status st;

    SL_TRY(sl_file_join(path, sizeof path, folder, "run.json"));
    if (!sl_file_exists(folder))
        return SL_FAIL(SL_EIO, "want a run to go on with, found nothing at \"%s\"", folder);
    if (!sl_file_exists(path)) /* killed before anything was written */
        return sl_err_hint(
            SL_FAIL(SL_EIO, "want a run with run.json, found none in \"%s\"", folder),
            "nothing is recorded in it: start anew with another --out");
    SL_TRY(sl_json_load_regular(&tree, path, RUN_JSON_MAX_BYTES));
    st = sl_yaml_undump(out, sl_recipe_keys, sl_recipe_key_count, json_object_get(tree, "recipe"),
                        path);
    sl_json_close(&tree);
    SL_TRY(st);
    return sl_err_where(check_commands(out, path), "%s", path);
}

sl_status sl_run_recipe(const sl_recipe *recipe, const sl_run_request *request)
{
    sl_progress_line line;
    sl_recipe stored;
    sl_status st;

    if (request->is_resumed) {
        SL_TRY(stored_recipe(&stored, request->folder));
        recipe = &stored;
    } else if (sl_file_exists(request->folder)) {
        return sl_err_hint(
            SL_FAIL(SL_EARG, "want a new folder for the run, found \"%s\"", request->folder),
            "--resume goes on with it, another --out leaves it alone");
    }
    sl_progress_open(&line, request->label, request->is_quiet);
    sl_stop_install();
    st = run_session(recipe, request, &line);
    sl_progress_close(&line);
    if (st == SL_EINTERRUPT)
        return sl_err_hint(st, "stageline train --resume --out %s goes on", request->folder);
    return st;
}

sl_status sl_run_last_checkpoint(char *out, const char *folder)
{
    sl_run_scan_result scan;

    SL_TRY(sl_run_scan(&scan, folder));
    if (scan.newest_checkpoint < 0)
        return SL_FAIL(SL_EFORMAT, "want a checkpoint in \"%s\", found none", folder);
    return sl_checkpoint_path(out, folder, scan.newest_checkpoint);
}
