/* The section about a run: verdict, timeline, figures, votes, warnings, recipe, provenance. */
#include "analysis/run_analysis.h"
#include "base/alloc.h"
#include "cli/analyze.h"
#include "cli/report_int.h"

#include <math.h>
#include <stdio.h>

/* A stage as people say it, in the order of SL_STAGE_. */
static const char *const stages[] = { "undecided", "preference injection",
                                      "preference fine-tuning" };
static const char *const short_stages[] = { "undecided", "injection", "fine-tuning" };
static const char *const classes[] = { "undecided", "injection", "tuning" };
static const char *const sources[] = { "data as before", "static data", "on-policy data",
                                       "mixed data", "stop" };

typedef struct section {
    const sl_report_place *at;
    sl_reader *reader;
    sl_run_analysis analysis;
    sl_insight insight;
    sl_json *votes; /* document on the votes of the run, NULL: none */
} section;

/* --- verdict ---------------------------------------------------------------------------------- */

/* Where the stage changed last, between decided measurements; 0: nowhere. */
static int last_crossing(const sl_run_analysis *a, int64_t *from, int64_t *to)
{
    const sl_measurement *before = NULL;
    int is_crossed = 0;

    for (size_t i = 0; i < a->count; i++) {
        const sl_measurement *m = &a->row[i];

        if (m->derived.stage == SL_STAGE_UNDECIDED)
            continue;
        if (before && before->derived.stage != m->derived.stage) {
            *from = before->step;
            *to = m->step;
            is_crossed = 1;
        }
        before = m;
    }
    return is_crossed;
}

/* One sentence, with its uncertainty. */
static void put_verdict(sl_page *page, const sl_run_analysis *a)
{
    const sl_measurement *m = a->count ? &a->row[a->count - 1] : NULL;
    int64_t from, to;

    if (!m) {
        sl_page_html(page, "This run measured no boundary score.");
        return;
    }
    sl_page_print(page, "At step %lld the policy stands in ", (long long)m->step);
    if (m->derived.stage == SL_STAGE_UNDECIDED)
        sl_page_html(page, "a place that its votes leave <strong>undecided</strong>");
    else
        sl_page_element(page, "strong", stages[m->derived.stage]);
    sl_page_html(page, ": the share of votes that its own answers win against static ones is ");
    sl_report_interval(page, m->derived.bs, m->derived.lower, m->derived.upper);
    sl_page_print(
        page,
        " after %lu votes on %lu prompts (anytime-valid %.0f %% interval; sequential test "
        "around %.2f ± %.2f, error rate %.2g)",
        (unsigned long)m->derived.votes, (unsigned long)m->derived.prompts,
        100.0 * (1.0 - m->derived.alpha), m->derived.tau, m->derived.delta, m->derived.alpha);
    if (last_crossing(a, &from, &to))
        sl_page_print(page, "; the stage changed between step %lld and step %lld", (long long)from,
                      (long long)to);
    sl_page_html(page, ".");
}

/* --- timeline --------------------------------------------------------------------------------- */

static void put_period(sl_page *page, const sl_measurement *m, int64_t until)
{
    char style[64];

    snprintf(style, sizeof style, " style=\"flex-grow:%lld\">",
             (long long)(until > m->step ? until - m->step : 1));
    sl_page_html(page, "<li class=\"");
    sl_page_html(page, classes[m->derived.stage]);
    sl_page_html(page, "\"");
    sl_page_html(page, style);
    sl_page_element(page, "strong", short_stages[m->derived.stage]);
    sl_page_print(page, " %.3f ", m->derived.bs);
    sl_page_html(page, "<span>");
    if (m->decided.step >= 0)
        sl_page_print(page, "step %lld: %s (%.3g on-policy)", (long long)m->step,
                      sources[m->decided.action], m->decided.mix_weight);
    else
        sl_page_print(page, "step %lld", (long long)m->step);
    sl_page_html(page, "</span></li>\n");
}

static void put_timeline(sl_page *page, const section *s, int64_t last_step)
{
    const sl_run_analysis *a = &s->analysis;

    if (!a->count)
        return;
    sl_page_html(page, "<h3>Stages</h3>\n<ol class=\"timeline\" aria-label=\"stages over the "
                       "steps\">\n");
    for (size_t i = 0; i < a->count; i++)
        put_period(page, &a->row[i], i + 1 < a->count ? a->row[i + 1].step : last_step);
    sl_page_html(page,
                 "</ol>\n<p class=\"note\">From each measurement to the next: stage, boundary "
                 "score, and the data that were decided.</p>\n");
}

/* --- votes spent ------------------------------------------------------------------------------ */

static void put_cost(sl_page *page, const sl_run_analysis *a)
{
    const sl_run_cost cost = sl_run_cost_of(a);

    if (!a->count)
        return;
    sl_page_html(page, "<h3>Votes spent</h3>\n<p>");
    sl_page_print(page,
                  "The measurements took %llu votes on %llu prompts; the fixed sample of arXiv "
                  "2508.10530 would have taken %.0f votes on %.0f prompts.",
                  (unsigned long long)cost.votes, (unsigned long long)cost.prompts,
                  cost.fixed_votes, cost.fixed_prompts);
    sl_page_html(page, "</p>\n");
}

/* --- warnings --------------------------------------------------------------------------------- */

/* Shares of visits whose prompt or answers the length rules cut. */
static sl_status warn_cut(sl_page *page, size_t *count, sl_reader *reader)
{
    static const struct {
        uint32_t flag;
        const char *what;
    } kinds[] = { { SL_FLAG_CUT_PROMPT, "prompts" },
                  { SL_FLAG_CUT_CHOSEN, "chosen answers" },
                  { SL_FLAG_CUT_REJECTED, "rejected answers" } };
    const double least = 0.05;
    const sl_row_pairs *rows;
    size_t n;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_PAIRS, &rows, &n));
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        size_t cut = 0;
        char text[160];

        for (size_t i = 0; i < n; i++)
            cut += (rows[i].flags & kinds[k].flag) != 0;
        if (!n || (double)cut < least * (double)n)
            continue;
        snprintf(text, sizeof text, "%.1f %% of the trained %s were cut to the longest length",
                 100.0 * (double)cut / (double)n, kinds[k].what);
        sl_report_warning(page, count, text);
    }
    return SL_OK;
}

/* What the trainer itself wrote down. */
static sl_status warn_events(sl_page *page, size_t *count, sl_reader *reader)
{
    const sl_row_events *rows;
    size_t n;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_EVENTS, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        const char *text = NULL;
        char line[512];

        if (rows[i].kind != SL_EVENT_WARNING || !rows[i].text_hash)
            continue;
        SL_TRY(sl_reader_text(reader, rows[i].text_hash, &text));
        snprintf(line, sizeof line, "step %lld: %s", (long long)rows[i].step,
                 text ? text : "a warning whose text is not in the record");
        sl_report_warning(page, count, line);
    }
    return SL_OK;
}

static sl_status put_warnings(sl_page *page, const section *s)
{
    const sl_displacement *d = &s->insight.displacement;
    char text[640];
    size_t count = 0;

    sl_report_warnings_begin(page);
    sl_report_warn_votes(page, &count, s->votes);
    if (d->count && !d->is_benign) {
        snprintf(text, sizeof text, "chosen answers: %s", d->sentence);
        sl_report_warning(page, &count, text);
    }
    SL_TRY(warn_cut(page, &count, s->reader));
    SL_TRY(warn_events(page, &count, s->reader));
    if (s->analysis.differences) {
        snprintf(
            text, sizeof text,
            "%zu of %zu looks that the run recorded differ from what its votes say; the first: "
            "%s",
            s->analysis.differences, s->analysis.looks, s->analysis.first_difference);
        sl_report_warning(page, &count, text);
    }
    sl_report_warnings_end(page, count, s->votes || d->count);
    return SL_OK;
}

/* --- the section ------------------------------------------------------------------------------ */

static sl_status put_origin(sl_page *page, const sl_reader *reader)
{
    const sl_json *tree = sl_reader_json(reader), *recipe = json_object_get(tree, "recipe");
    sl_json *rest = json_copy((sl_json *)tree);
    sl_status st = SL_OK;

    if (!rest)
        return SL_FAIL(SL_ENOMEM, "want memory for the provenance, found none");
    sl_page_html(page, "<h3>Recipe and provenance</h3>\n");
    if (json_is_object(recipe)) {
        json_object_del(rest, "recipe");
        st = sl_report_tree(page, "Effective recipe", recipe);
    }
    if (st == SL_OK)
        st = sl_report_tree(page, "Provenance", rest);
    sl_json_close(&rest);
    return st;
}

static sl_status put_figures(sl_page *page, const section *s)
{
    size_t drawn = 0;

    for (size_t i = 0; i < sl_figure_count; i++)
        SL_TRY(sl_report_figure(page, &drawn, s->at, &sl_figures[i]));
    return SL_OK;
}

static sl_status put_section(sl_page *page, const section *s)
{
    sl_reader_state state;

    SL_TRY(sl_reader_state_get(s->reader, &state));
    sl_page_html(page, "<p class=\"note\">");
    sl_page_print(page, "Steps %lld to %lld, attempts: %zu, state: %s.",
                  (long long)state.first_step, (long long)state.last_step, state.attempts,
                  state.is_running ? "running" : sl_ended_name(state.ended));
    sl_page_html(page, "</p>\n<p>");
    put_verdict(page, &s->analysis);
    sl_page_html(page, "</p>\n");
    put_timeline(page, s, state.last_step);
    SL_TRY(put_warnings(page, s));
    SL_TRY(put_figures(page, s));
    put_cost(page, &s->analysis);
    SL_TRY(sl_report_table(page, s->at, "Measurements", "boundary.tsv"));
    SL_TRY(sl_report_table(page, s->at, "Diversity and quality", "diversity.tsv"));
    SL_TRY(sl_report_table(page, s->at, "True gains", "gains.tsv"));
    SL_TRY(sl_report_table(page, s->at, "Why chosen answers fall", "displacement.tsv"));
    return put_origin(page, s->reader);
}

static sl_status open_section(section *s)
{
    const sl_analyze_votes_opts as_is = { 0 };

    SL_TRY(sl_reader_open(&s->reader, s->at->path));
    SL_TRY(sl_run_analyze(&s->analysis, s->reader));
    SL_TRY(sl_insight_run(&s->insight, s->reader));
    SL_TRY(sl_run_tables(s->at->folder, &s->analysis, s->reader));
    SL_TRY(sl_insight_tables(s->at->folder, &s->insight));
    if (!s->analysis.count)
        return SL_OK;
    return sl_analyze_vote_files(&s->votes, &s->at->path, 1, &as_is);
}

sl_status sl_report_run(sl_page *head, sl_page *page, const sl_report_place *at)
{
    section s = { .at = at };
    sl_status st;

    st = open_section(&s);
    if (st == SL_OK) {
        put_verdict(head, &s.analysis);
        st = put_section(page, &s);
    }
    sl_json_close(&s.votes);
    sl_insight_close(&s.insight);
    sl_run_analysis_close(&s.analysis);
    sl_reader_close(&s.reader);
    return st;
}
