/* Sets of answers as a document. */
#include "analysis/report.h"
#include "analysis/report_int.h"
#include "analysis/sets_int.h"
#include "run/schema.h"
#include <math.h>
#include <string.h>

static sl_status put_inputs(sl_json *to, const sl_answer_sets *sets)
{
    sl_json *list, *row;

    SL_TRY(sl_out_list(&list, to, "inputs"));
    for (size_t i = 0; i < sets->inputs; i++) {
        const sl_sets_input *in = &sets->input[i];

        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_text(row, "path", in->path));
        SL_TRY(sl_out_text(row, "sha256", in->read.sha256[0] ? in->read.sha256 : NULL));
        SL_TRY(sl_out_i64(row, "rows", (int64_t)in->read.rows));
        SL_TRY(sl_report_bad(row, &in->read));
    }
    return SL_OK;
}

static sl_status put_choices(sl_json *to, const sl_answer_sets *sets)
{
    const sl_sets_settings *s = &sets->settings;
    sl_json *row, *cut, *corpus;

    SL_TRY(sl_out_object(&row, to, "choices"));
    SL_TRY(sl_out_text(row, "tokens", sl_splitter_name(sets->splitter)));
    SL_TRY(sl_out_text(row, "tokenizer_sha256", sl_splitter_hash(sets->splitter)));
    SL_TRY(sl_out_number(row, "vocabulary", s->vocabulary));
    SL_TRY(sl_out_text(row, "vectors", sets->has_vectors ? "embeddings" : "token counts"));
    SL_TRY(s->take ? sl_out_i64(row, "take", (int64_t)s->take) : sl_out_text(row, "take", NULL));
    if (sets->cut_tokens) {
        SL_TRY(sl_out_object(&cut, row, "cut"));
        SL_TRY(sl_out_number(cut, "percentile", s->cut));
        SL_TRY(sl_out_i64(cut, "tokens", (int64_t)sets->cut_tokens));
    } else
        SL_TRY(sl_out_text(row, "cut", NULL));
    SL_TRY(sl_out_object(&corpus, row, "corpus"));
    SL_TRY(sl_out_i64(corpus, "prompts", (int64_t)s->corpus));
    SL_TRY(sl_out_i64(corpus, "seed", (int64_t)s->seed));
    SL_TRY(sl_out_number(row, "beta", s->beta));
    SL_TRY(sl_out_bool(row, "residual", s->residual == 1));
    return sl_out_bool(row, "soft", s->is_soft);
}

sl_status sl_report_value(sl_json *list, const sl_metric *m, const char *level, const sl_value *v)
{
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_text(row, "name", m->name));
    SL_TRY(sl_out_text(row, "label", m->label));
    SL_TRY(sl_out_text(row, "level", level));
    SL_TRY(sl_out_text(row, "unit", m->unit));
    SL_TRY(sl_out_number(row, "value", v->value));
    SL_TRY(sl_out_number(row, "se", v->se));
    SL_TRY(sl_out_i64(row, "used", (int64_t)v->used));
    SL_TRY(sl_out_i64(row, "dropped", (int64_t)v->dropped));
    return sl_out_text(row, "status", sl_value_status_name(v->status));
}

static sl_value corpus_value(const sl_answer_set *s, size_t k)
{
    sl_value v = { s->corpus_value[k], NAN, s->corpus_used, 0, SL_VALUE_OK };

    if ((s->corpus_known & sl_metrics[k].needs) != sl_metrics[k].needs)
        v = (sl_value){ NAN, NAN, 0, s->corpus_used, SL_VALUE_INVALID };
    else if (isnan(v.value))
        v = (sl_value){ NAN, NAN, 0, s->corpus_used, SL_VALUE_UNDEFINED };
    return v;
}

sl_value sl_sets_prompt_value(const sl_answer_set *s, sl_metric_id k)
{
    return sl_sums_value(&s->sums[k], (s->known & sl_metrics[k].needs) == sl_metrics[k].needs);
}

static sl_status put_metrics(sl_json *to, const sl_answer_set *s)
{
    sl_json *list;

    SL_TRY(sl_out_list(&list, to, "metrics"));
    for (size_t k = 0; k < SL_METRIC_COUNT; k++) {
        const sl_value prompt = sl_sets_prompt_value(s, (sl_metric_id)k);
        const sl_value corpus = corpus_value(s, k);

        if (sl_metrics[k].levels & SL_LEVEL_PROMPT)
            SL_TRY(sl_report_value(list, &sl_metrics[k], "prompt", &prompt));
        if (sl_metrics[k].levels & SL_LEVEL_CORPUS)
            SL_TRY(sl_report_value(list, &sl_metrics[k], "corpus", &corpus));
    }
    return SL_OK;
}

static const char *origin_word(int origin)
{
    return origin == SL_ORIGIN_STATIC      ? "static"
           : origin == SL_ORIGIN_ON_POLICY ? "on-policy"
                                           : NULL;
}

static sl_status put_set(sl_json *list, const sl_answer_sets *sets, const sl_answer_set *s)
{
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_text(row, "name", s->name));
    SL_TRY(s->has_step ? sl_out_i64(row, "step", s->step) : sl_out_text(row, "step", NULL));
    SL_TRY(sl_out_text(row, "source", origin_word(s->origin)));
    SL_TRY(sl_out_text(row, "path", sets->input[s->input].path));
    SL_TRY(sl_out_i64(row, "prompts", (int64_t)s->prompts));
    SL_TRY(sl_out_i64(row, "answers", (int64_t)s->answers));
    SL_TRY(sl_out_i64(row, "fewest", (int64_t)s->least));
    SL_TRY(sl_out_i64(row, "most", (int64_t)s->most));
    SL_TRY(sl_out_i64(row, "short_prompts", (int64_t)s->short_prompts));
    SL_TRY(sl_out_i64(row, "unscored", (int64_t)s->unscored));
    return put_metrics(row, s);
}

/* --- pairs of sets -----------------------------------------------------------------------------
 */

/* Keys of the document on votes that say the same of a pair of sets. */
static sl_status put_votes(sl_json *to, const sl_vote_set *votes, const sl_sets_settings *settings)
{
    static const char *const keys[] = { "points", "warnings" };
    sl_votes_settings test = sl_votes_settings_defaults();
    sl_json *document;
    sl_status st = SL_OK;

    if (!votes->points) { /* no prompt has scores on both sides */
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            SL_TRY(sl_out_list(&document, to, keys[k]));
        return SL_OK;
    }
    test.is_shuffled = settings->is_shuffled;
    test.seed = settings->seed;
    SL_TRY(sl_analyze_votes(&document, votes, &test));
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
        if (json_object_set(to, keys[k], json_object_get(document, keys[k])) != 0)
            st = SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    sl_json_close(&document);
    return st;
}

static sl_status put_contrast(sl_json *list, const sl_answer_sets *sets, size_t on, size_t off)
{
    sl_sets_contrast c;
    sl_json *row, *values;
    sl_status st;

    SL_TRY_OUT(sl_sets_contrast_of(&c, sets, on, off));
    SL_TRY_OUT(sl_out_object(&row, list, NULL));
    SL_TRY_OUT(sl_out_i64(row, "on", (int64_t)on));
    SL_TRY_OUT(sl_out_i64(row, "off", (int64_t)off));
    SL_TRY_OUT(sl_out_i64(row, "common", (int64_t)c.common));
    SL_TRY_OUT(sl_out_i64(row, "only_on", (int64_t)c.only_on));
    SL_TRY_OUT(sl_out_i64(row, "only_off", (int64_t)c.only_off));
    SL_TRY_OUT(sl_out_list(&values, row, "metrics"));
    for (size_t k = 0; k < SL_CONTRAST_COUNT; k++)
        SL_TRY_OUT(sl_report_value(values, &sl_contrasts[k], "prompt", &c.value[k]));
    st = put_votes(row, &c.votes, &sets->settings);
out:
    sl_sets_contrast_close(&c);
    return st;
}

static int is_pair(const sl_answer_set *on, const sl_answer_set *off)
{
    return on->origin == SL_ORIGIN_ON_POLICY && off->origin == SL_ORIGIN_STATIC &&
           on->input == off->input && on->has_step == off->has_step && on->step == off->step &&
           !strcmp(on->name, off->name);
}

static sl_status put_contrasts(sl_json *to, const sl_answer_sets *sets)
{
    size_t found = 0;
    sl_json *list;

    SL_TRY(sl_out_list(&list, to, "contrasts"));
    for (size_t i = 0; i < sets->sets; i++)
        for (size_t j = 0; j < sets->sets; j++)
            if (is_pair(&sets->set[i], &sets->set[j])) {
                found++;
                SL_TRY(put_contrast(list, sets, i, j));
            }
    if (!found && sets->sets == 2 && sets->set[0].input != sets->set[1].input)
        SL_TRY(put_contrast(list, sets, 0, 1));
    return SL_OK;
}

/* A metric of all sets at the mean length of all their prompts. */
static sl_status put_residual(sl_json *list, const sl_answer_sets *sets, size_t k,
                              const sl_length_line *fit)
{
    sl_json *row, *parts, *part;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_text(row, "name", sl_metrics[k].name));
    SL_TRY(sl_out_text(row, "label", sl_metrics[k].label));
    SL_TRY(sl_out_text(row, "unit", sl_metrics[k].unit));
    SL_TRY(sl_out_i64(row, "prompts", (int64_t)fit->prompts));
    SL_TRY(sl_out_number(row, "length", fit->length));
    SL_TRY(sl_out_number(row, "slope", fit->slope));
    SL_TRY(sl_out_number(row, "slope_se", fit->slope_se));
    SL_TRY(sl_out_number(row, "r2", fit->r2));
    SL_TRY(sl_out_list(&parts, row, "sets"));
    for (size_t i = 0; i < sets->sets; i++) {
        const sl_length_sums *s = &sets->set[i].by_length[k];
        const sl_length_adjusted a = sl_length_adjust(fit, s);

        SL_TRY(sl_out_object(&part, parts, NULL));
        SL_TRY(sl_out_i64(part, "set", (int64_t)i));
        SL_TRY(sl_out_i64(part, "prompts", (int64_t)s->n));
        SL_TRY(sl_out_number(part, "length", s->n ? s->length : NAN));
        SL_TRY(sl_out_number(part, "value", a.value));
        SL_TRY(sl_out_number(part, "se", a.se));
        SL_TRY(sl_out_number(part, "residual", a.residual));
    }
    return SL_OK;
}

/* Diversity (labels A) on length; null: not asked for. */
static sl_status put_residuals(sl_json *to, const sl_answer_sets *sets)
{
    sl_json *list;

    if (!sets->settings.residual)
        return sl_out_text(to, "residuals", NULL);
    SL_TRY(sl_out_list(&list, to, "residuals"));
    for (size_t k = 0; sets->sets && k < SL_METRIC_COUNT; k++) {
        const sl_length_line fit =
            sl_length_line_of(&sets->set[0].by_length[k], sets->sets, sizeof sets->set[0]);

        if (k != SL_METRIC_TOKENS && sl_metrics[k].label[0] == 'A' && fit.prompts)
            SL_TRY(put_residual(list, sets, k, &fit));
    }
    return SL_OK;
}

static sl_status put_memory(sl_json *to, const sl_answer_sets *sets)
{
    size_t prompts = 0;
    sl_json *row;

    for (size_t i = 0; i < sets->sets; i++)
        prompts += sets->set[i].prompts + sets->set[i].short_prompts;
    SL_TRY(sl_out_object(&row, to, "memory"));
    SL_TRY(sl_out_i64(row, "kept_bytes", (int64_t)sl_sets_bytes(sets)));
    return sl_out_number(row, "bytes_per_prompt",
                         prompts ? (double)sl_sets_bytes(sets) / (double)prompts : NAN);
}

sl_status sl_sets_put(sl_json *to, const sl_answer_sets *sets)
{
    sl_json *list;

    SL_TRY(sl_out_list(&list, to, "sets"));
    for (size_t i = 0; i < sets->sets; i++)
        SL_TRY(put_set(list, sets, &sets->set[i]));
    return put_contrasts(to, sets);
}

static sl_status fill(sl_json *to, const sl_answer_sets *sets)
{
    SL_TRY(sl_out_text(to, "schema", "stageline.candidates/1"));
    SL_TRY(put_inputs(to, sets));
    SL_TRY(put_choices(to, sets));
    SL_TRY(sl_sets_put(to, sets));
    SL_TRY(put_residuals(to, sets));
    return put_memory(to, sets);
}

sl_status sl_sets_json(sl_json **document, const sl_answer_sets *sets)
{
    sl_status st;

    *document = json_object();
    if (!*document)
        return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    st = fill(*document, sets);
    if (st != SL_OK)
        sl_json_close(document);
    return st;
}
