/* A run's record says everything again: measurements and decisions from the votes alone. */
#include "analysis/run_analysis.h"
#include "base/alloc.h"
#include "base/file.h"
#include "cli/analyze.h"
#include <stdio.h>

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_head(const char *path, const sl_reader_state *state)
{
    printf("%s: %s, %zu attempt%s, step %lld\n", path,
           state->is_running ? "running" : sl_ended_name(state->ended), state->attempts,
           plural(state->attempts), (long long)state->last_step);
}

/* "static data next", as a person says it. */
static const char *action_sentence(int action)
{
    static const char *const sentence[] = { "keep the data as they are", "static data next",
                                            "on-policy data next", "a mixture next", "stop" };

    return sentence[action];
}

static const char *stage_sentence(sl_stage stage)
{
    static const char *const sentence[] = { "undecided", "preference injection",
                                            "preference fine-tuning" };

    return sentence[stage];
}

static void print_measurement(const sl_measurement *m)
{
    const sl_row_boundary *b = &m->derived;

    printf("measurement %u at step %lld: boundary score %.3f [%.3f, %.3f] from %u votes on %u "
           "prompts: %s; ",
           m->measurement, (long long)m->step, b->bs, b->lower, b->upper, b->votes, b->prompts,
           stage_sentence(b->stage));
    if (m->decided.step < 0)
        printf("no decision was taken");
    else
        printf("decision: %s, share %.3g on-policy", action_sentence(m->decided.action),
               m->decided.mix_weight);
    puts(m->is_same ? "" : " [recorded otherwise]");
}

static void print_agreement(const sl_run_analysis *a)
{
    if (!a->count)
        puts("no measurement in this record");
    else if (!a->differences)
        printf(
            "derived again from the votes: %zu look%s at %zu measurement%s, all as recorded, bit "
            "for bit\n",
            a->looks, plural(a->looks), a->count, plural(a->count));
    else
        printf("derived again from the votes: %zu of %zu looks and decisions differ\n",
               a->differences, a->looks);
}

static sl_status print_gains(const sl_run_analysis *a, sl_reader *reader)
{
    sl_gain *gain = NULL;
    size_t count;

    SL_TRY(sl_run_gains(&gain, &count, a, reader));
    for (size_t i = 0; i < count; i++)
        printf("iteration %lld with %s data%s: exact reward %+.4f (se %.4f)\n",
               (long long)gain[i].iteration,
               gain[i].origin == SL_ORIGIN_ON_POLICY ? "on-policy" : sl_origin_word(gain[i].origin),
               gain[i].is_chosen ? "" : ", the branch not taken", gain[i].value, gain[i].se);
    sl_free(gain);
    return SL_OK;
}

static void print_cost(const sl_run_analysis *a)
{
    const sl_run_cost c = sl_run_cost_of(a);

    if (c.votes)
        printf("cost: %llu votes on %llu prompts; fixed samples of %d prompts would have been %.0f "
               "votes on %.0f prompts (%.1f times as many)\n",
               (unsigned long long)c.votes, (unsigned long long)c.prompts, SL_FIXED_PROMPTS,
               c.fixed_votes, c.fixed_prompts, c.fixed_votes / (double)c.votes);
}

/* The candidates of the last measurement, static and on-policy side by side. */
static void print_candidates(const sl_run_analysis *a)
{
    static const sl_metric_id shown[] = {
        SL_METRIC_TOKENS,      SL_METRIC_DISTINCT_2, SL_METRIC_EAD_1,   SL_METRIC_SELF_BLEU_4,
        SL_METRIC_VENDI_1,     SL_METRIC_RANK,       SL_METRIC_ZLIB,    SL_METRIC_MC_ENTROPY_TOKEN,
        SL_METRIC_VOTE_MARGIN, SL_METRIC_REWARD,     SL_METRIC_HEADROOM
    };
    const uint32_t last = a->count ? a->row[a->count - 1].measurement : 0;
    const sl_answer_set *off = sl_sets_of_run(&a->candidates, last, SL_ORIGIN_STATIC);
    const sl_answer_set *on = sl_sets_of_run(&a->candidates, last, SL_ORIGIN_ON_POLICY);

    if (!on || !off)
        return;
    printf("candidates of measurement %u, means over prompts (standard error): %-17s %s\n", last,
           "static", "on-policy");
    for (size_t k = 0; k < sizeof shown / sizeof shown[0]; k++) {
        const sl_value v[2] = { sl_sets_prompt_value(off, shown[k]),
                                sl_sets_prompt_value(on, shown[k]) };

        if (!v[0].used && !v[1].used)
            continue;
        printf("  %-18s %-4s %-8s", sl_metrics[shown[k]].name, sl_metrics[shown[k]].label,
               sl_metrics[shown[k]].unit);
        for (size_t side = 0; side < 2; side++)
            if (v[side].used)
                printf("  %8.4g (%.2g)", v[side].value, v[side].se);
            else
                printf("  %8s      ", "-");
        putchar('\n');
    }
}

static sl_status print_text(const sl_run_analysis *a, const sl_insight *insight,
                            sl_analyze_branches *branches, sl_reader *reader, const char *path)
{
    sl_reader_state state;

    SL_TRY(sl_reader_state_get(reader, &state));
    print_head(path, &state);
    for (size_t i = 0; i < a->count; i++)
        print_measurement(&a->row[i]);
    print_agreement(a);
    SL_TRY(print_gains(a, reader));
    SL_TRY(sl_analyze_branches_add(branches, NULL, a, reader, path));
    print_cost(a);
    print_candidates(a);
    sl_analyze_print_insight(insight);
    return SL_OK;
}

/* Tables are derived data: a folder that is there is filled anew. */
static sl_status write_tables(const char *out, const sl_run_analysis *a, const sl_insight *insight,
                              sl_reader *reader)
{
    if (!sl_file_exists(out))
        SL_TRY(sl_file_new_folder(out));
    SL_TRY(sl_run_tables(out, a, reader));
    return sl_insight_tables(out, insight);
}

sl_status sl_analyze_tables(const char *path, const char *out)
{
    sl_run_analysis a = { 0 };
    sl_insight insight = { 0 };
    sl_reader *reader = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_reader_open(&reader, path));
    SL_TRY_OUT(sl_run_analyze(&a, reader));
    SL_TRY_OUT(sl_insight_run(&insight, reader));
    st = write_tables(out, &a, &insight, reader);
out:
    sl_insight_close(&insight);
    sl_run_analysis_close(&a);
    sl_reader_close(&reader);
    return st;
}

static sl_status make_document(sl_json **out, const sl_run_analysis *a, const sl_insight *insight,
                               sl_analyze_branches *branches, sl_reader *reader, const char *path)
{
    sl_status st;

    SL_TRY(sl_run_analysis_json(out, a, insight, reader, path));
    st = sl_analyze_branches_add(branches, *out, a, reader, path);
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}

sl_status sl_analyze_run(sl_json **document, sl_analyze_branches *branches, const char *path,
                         const char *out)
{
    sl_run_analysis a = { 0 };
    sl_insight insight = { 0 };
    sl_reader *reader = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_reader_open(&reader, path));
    SL_TRY_OUT(sl_run_analyze(&a, reader));
    SL_TRY_OUT(sl_insight_run(&insight, reader));
    if (out)
        SL_TRY_OUT(write_tables(out, &a, &insight, reader));
    SL_TRY_OUT(document ? make_document(document, &a, &insight, branches, reader, path)
                        : print_text(&a, &insight, branches, reader, path));
    if (a.differences)
        st = sl_err_where(SL_FAIL(SL_EFORMAT, "want what was recorded, found another result at %s",
                                  a.first_difference),
                          "%s", path);
out:
    sl_insight_close(&insight);
    sl_run_analysis_close(&a);
    sl_reader_close(&reader);
    return st;
}
