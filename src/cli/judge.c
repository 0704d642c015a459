/* `judge`: votes on candidates. */
#include "base/alloc.h"
#include "cli/commands.h"
#include "cli/judge_opts.h"
#include "cli/judge_votes.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CALLS = 4 }; /* times the judge's batch between two writes */

typedef struct judge_opts {
    sl_judge_opts judge;
    const char *candidates, *out;
    int is_resume, is_json, is_quiet;
} judge_opts;

static const sl_opt opts[] = {
    SL_JUDGE_OPT_ROWS(judge_opts, judge),
    { "candidates", SL_OPT_TEXT, offsetof(judge_opts, candidates), "FILE",
      "prompts with answers (JSONL, may be gzip'ed, - is stdin)" },
    { "o", SL_OPT_TEXT, offsetof(judge_opts, out), "VOTES", "a new file (default: stdout)" },
    { "resume", SL_OPT_FLAG, offsetof(judge_opts, is_resume), NULL,
      "go on with VOTES: what stands there is not asked again" },
    { "json", SL_OPT_FLAG, offsetof(judge_opts, is_json), NULL, "summary as one JSON document" },
    { "quiet", SL_OPT_FLAG, offsetof(judge_opts, is_quiet), NULL, "no progress lines" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

static sl_status settle(judge_opts *o)
{
    if (!o->candidates)
        return SL_FAIL(SL_EUSAGE, "want --candidates FILE, found none");
    if ((o->is_json || o->is_resume) && !o->out)
        return SL_FAIL(SL_EUSAGE, "want --json and --resume with -o VOTES, found none");
    return sl_judge_opts_settle(&o->judge);
}

/* The truth judge knows the built-in world only; *data stays NULL for the others. */
static sl_status open_world(sl_data **data, const judge_opts *o)
{
    const sl_world_settings world = sl_world_defaults();

    return sl_judge_opts_want_world(&o->judge) ? sl_data_open_world(data, &world) : SL_OK;
}

/* --- votes ----------------------------------------------------------------------------------- */

typedef struct judging {
    const judge_opts *opts;
    sl_judge *judge;
    sl_candidates candidates;
    sl_vote_file file;
    sl_prompt_text *prompt;         /* (batch) */
    sl_answer *on, *off;            /* (batch) */
    sl_vote *vote;                  /* (batch) */
    const sl_candidate_pair **pair; /* (batch) */
    size_t batch;
    size_t asked, skipped, failed, ties, attempts; /* pairs */
    double sum;                                    /* of p over pairs with a vote */
} judging;

static sl_status open_batch(judging *j)
{
    j->batch = (size_t)CALLS * j->opts->judge.set.batch;
    SL_TRY(sl_take(&j->prompt, j->batch, sizeof *j->prompt));
    SL_TRY(sl_take(&j->on, j->batch, sizeof *j->on));
    SL_TRY(sl_take(&j->off, j->batch, sizeof *j->off));
    SL_TRY(sl_take(&j->vote, j->batch, sizeof *j->vote));
    return sl_take(&j->pair, j->batch, sizeof *j->pair);
}

static void close_judging(judging *j)
{
    sl_judge_close(&j->judge);
    sl_vote_file_close(&j->file);
    sl_candidates_close(&j->candidates);
    sl_free(j->prompt);
    sl_free(j->on);
    sl_free(j->off);
    sl_free(j->vote);
    sl_free(j->pair);
}

/* The next pairs without votes, from *next on. */
static size_t collect(judging *j, size_t *next)
{
    size_t n = 0;

    for (; n < j->batch && *next < j->candidates.pairs; ++*next) {
        const sl_candidate_pair *p = &j->candidates.pair[*next];

        if (sl_vote_file_has(&j->file, p, j->opts->judge.set.both_orders)) {
            j->skipped++;
            continue;
        }
        j->prompt[n] = p->prompt;
        j->on[n] = p->on;
        j->off[n] = p->off;
        j->pair[n++] = p;
    }
    return n;
}

static void count_vote(judging *j, const sl_vote *v)
{
    j->asked++;
    j->attempts += v->attempts;
    j->ties += (size_t)v->is_tie;
    if (isnan(v->p))
        j->failed++;
    else
        j->sum += v->p;
}

/* What was given is written whatever happens to the rest. */
static sl_status judge_batch(judging *j, size_t n)
{
    const sl_status asked = sl_judge_votes(j->vote, j->judge, j->prompt, j->on, j->off, n);
    size_t first_open = n;
    sl_err_record record;
    sl_status st = SL_OK;

    sl_err_save(&record);
    sl_err_clear();
    for (size_t i = n; i-- > 0;)
        if (!j->vote[i].is_given)
            first_open = i;
    for (size_t i = 0; i < n && st == SL_OK; i++) {
        if (!j->vote[i].is_given)
            continue;
        count_vote(j, &j->vote[i]);
        st = sl_vote_file_add(&j->file, j->pair[i], &j->vote[i]);
    }
    if (st == SL_OK)
        st = sl_vote_file_flush(&j->file, asked != SL_OK);
    if (st != SL_OK || asked == SL_OK)
        return st;
    st = sl_err_restore(&record);
    return first_open < n
               ? sl_err_where(st, "%s:%zu", j->opts->candidates, j->pair[first_open]->line)
               : st;
}

static sl_status judge_all(judging *j)
{
    sl_progress_line line;
    sl_status st = SL_OK;
    size_t next = 0, n;

    sl_progress_open(&line, "judge", j->opts->is_quiet);
    while (st == SL_OK && (n = collect(j, &next)) > 0) {
        st = judge_batch(j, n);
        sl_progress_count(&line, next, j->candidates.pairs, "pairs");
    }
    sl_progress_close(&line);
    if (st == SL_OK)
        return sl_vote_file_flush(&j->file, 1);
    return j->opts->out ? sl_err_hint(st, "--resume goes on; %zu votes are in %s", j->file.votes,
                                      j->opts->out)
                        : st;
}

/* --- the command ----------------------------------------------------------------------------- */

static sl_status print_summary(const judging *j)
{
    const judge_opts *o = j->opts;
    const size_t voted = j->asked - j->failed;
    const double mean = voted ? j->sum / (double)voted : NAN;
    sl_json *tree;
    sl_status st;

    if (!o->out)
        return SL_OK;
    if (!o->is_json) {
        printf("%s: %zu votes on %zu pairs by %s, %zu pairs there before, %zu ties, %zu failed",
               o->out, j->file.votes, j->asked, sl_judge_name(j->judge), j->skipped, j->ties,
               j->failed);
        if (voted)
            printf("; mean %.4f for on-policy", mean);
        printf("\n");
        return SL_OK;
    }
    tree =
        json_pack("{s:s, s:s, s:s*, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:b, s:I}",
                  "schema", "stageline.judge/1", "judge", sl_judge_name(j->judge), "judge_sha256",
                  sl_judge_identity(j->judge), "candidates", o->candidates, "out", o->out,
                  "prompts", (json_int_t)j->candidates.rows, "pairs", (json_int_t)j->asked,
                  "skipped", (json_int_t)j->skipped, "votes", (json_int_t)j->file.votes, "ties",
                  (json_int_t)j->ties, "failed", (json_int_t)j->failed, "attempts",
                  (json_int_t)j->attempts, "mean", sl_json_number(mean), "both_orders",
                  o->judge.set.both_orders, "seed", (json_int_t)o->judge.set.seed);
    if (!tree)
        return SL_FAIL(SL_ENOMEM, "want memory for the summary, found none");
    st = sl_print_json(tree);
    sl_json_close(&tree);
    return st;
}

static sl_status judge_file(const judge_opts *o)
{
    judging j = { .opts = o, .file.fd = -1 };
    sl_data *data = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_candidates_read(&j.candidates, o->candidates));
    SL_TRY_OUT(open_world(&data, o));
    SL_TRY_OUT(sl_judge_open(&j.judge, &o->judge.set, data));
    SL_TRY_OUT(open_batch(&j));
    SL_TRY_OUT(sl_vote_file_open(&j.file, o->out, sl_judge_name(j.judge), o->judge.set.seed,
                                 o->is_resume));
    SL_TRY_OUT(judge_all(&j));
    SL_TRY_OUT(print_summary(&j));
out:
    close_judging(&j);
    sl_data_close(&data);
    return st;
}

static sl_status judge_run(int argc, char **argv)
{
    judge_opts o = { .judge = sl_judge_opts_defaults() };
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_judge, argc, argv));
    if (is_done)
        return SL_OK;
    SL_TRY(settle(&o));
    sl_stop_install();
    return judge_file(&o);
}

const sl_command sl_command_judge = {
    .name = "judge",
    .operands = "--judge NAME --candidates FILE",
    .summary = "votes of a judge on candidates",
    .opts = opts,
    .least = 0,
    .most = 0,
    .example = "stageline judge --judge stored --candidates examples/candidates.jsonl",
    .run = judge_run,
};
