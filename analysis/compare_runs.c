/* Runs side by side in units that know no vocabulary: nats a byte of text, margins a byte and a
 * character (Unicode code point), progress in pairs. Paired tests are by bytes, which every record
 * has; in ASCII they are the same. */
#include "analysis/compare_int.h"
#include "analysis/run_analysis.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

enum { WINDOWS = 20 };

/* --- sums over pairs ------------------------------------------------------------------------- */

typedef struct pair_sums {
    double nats_c, nats_r, margin, bytes_c, bytes_r, chars;
    size_t pairs, on;
} pair_sums;

/* Log-ratios to the reference, chosen minus rejected, nats; without a reference log-probabilities.
 */
static double margin_of(const sl_row_pairs *p)
{
    const double plain = p->logp_c - p->logp_r, ref = p->ref_logp_c - p->ref_logp_r;

    return isfinite(ref) ? plain - ref : plain;
}

static void add_pair(pair_sums *s, const sl_row_pairs *p)
{
    s->nats_c -= p->logp_c;
    s->nats_r -= p->logp_r;
    s->margin += margin_of(p);
    s->bytes_c += p->bytes_c;
    s->bytes_r += p->bytes_r;
    s->chars += p->chars_c && p->chars_r ? 0.5 * ((double)p->chars_c + (double)p->chars_r) : NAN;
    s->pairs++;
    s->on += p->source == SL_ORIGIN_ON_POLICY;
}

static double share(double sum, double of)
{
    return of > 0.0 ? sum / of : NAN;
}

static sl_status put_units(sl_json *row, const pair_sums *s)
{
    SL_TRY(sl_out_number(row, "nats_per_byte_chosen", share(s->nats_c, s->bytes_c)));
    SL_TRY(sl_out_number(row, "nats_per_byte_rejected", share(s->nats_r, s->bytes_r)));
    SL_TRY(
        sl_out_number(row, "margin_per_byte", share(s->margin, 0.5 * (s->bytes_c + s->bytes_r))));
    return sl_out_number(row, "margin_per_char", share(s->margin, s->chars));
}

/* Windows of equally many pairs: a row each. *last: the sums of the last one. */
static sl_status put_progress(sl_json *list, pair_sums *last, const char *path,
                              const sl_row_pairs *p, size_t count)
{
    size_t begin = 0;

    for (size_t w = 1; w <= WINDOWS; w++) {
        const size_t end = count * w / WINDOWS;
        pair_sums s = { 0 };
        sl_json *row;

        if (end == begin)
            continue;
        for (size_t i = begin; i < end; i++)
            add_pair(&s, &p[i]);
        begin = end;
        *last = s;
        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_text(row, "run", path));
        SL_TRY(sl_out_i64(row, "pairs", (int64_t)end));
        SL_TRY(sl_out_i64(row, "step", p[end - 1].step));
        SL_TRY(put_units(row, &s));
        SL_TRY(sl_out_number(row, "on_policy", share((double)s.on, (double)s.pairs)));
    }
    return SL_OK;
}

/* --- a run ----------------------------------------------------------------------------------- */

static const sl_json *at_path(const sl_json *tree, const char *a, const char *b)
{
    return json_object_get(json_object_get(tree, a), b);
}

static const char *text_at(const sl_json *tree, const char *a, const char *b)
{
    return json_string_value(at_path(tree, a, b));
}

/* What is compared: family, method, data and their order. */
static sl_status put_settings(sl_json *row, const sl_json *run, const char *path)
{
    const sl_json *recipe = json_object_get(run, "recipe");
    const sl_json *parameters = at_path(run, "policy", "parameters");
    const sl_json *seed = json_object_get(recipe, "seed");

    SL_TRY(sl_out_text(row, "run", path));
    SL_TRY(sl_out_text(row, "family", text_at(run, "policy", "family")));
    SL_TRY(json_is_integer(parameters)
               ? sl_out_i64(row, "parameters", json_integer_value(parameters))
               : sl_out_text(row, "parameters", NULL));
    SL_TRY(sl_out_text(row, "method", text_at(recipe, "method", "loss")));
    SL_TRY(sl_out_text(row, "source", text_at(recipe, "policy", "source")));
    SL_TRY(sl_out_text(row, "data", text_at(run, "data", "sha256")));
    return json_is_integer(seed) ? sl_out_i64(row, "order", json_integer_value(seed))
                                 : sl_out_text(row, "order", NULL);
}

static sl_status put_measured(sl_json *row, sl_reader *reader)
{
    sl_run_analysis a = { 0 };
    sl_gain *gain = NULL;
    size_t gains = 0;
    double sum = 0.0, chosen = 0.0;
    sl_status st = SL_OK;

    SL_TRY(sl_run_analyze(&a, reader));
    SL_TRY_OUT(sl_run_gains(&gain, &gains, &a, reader));
    for (size_t i = 0; i < gains; i++) {
        sum += gain[i].is_chosen ? gain[i].value : 0.0;
        chosen += gain[i].is_chosen;
    }
    SL_TRY_OUT(sl_out_number(row, "gain", chosen > 0.0 ? sum : NAN));
    st = sl_out_i64(row, "votes", (int64_t)sl_run_cost_of(&a).votes);
out:
    sl_free(gain);
    sl_run_analysis_close(&a);
    return st;
}

/* The margins of static pairs by prompt: the same texts in every run on these data. */
static sl_status add_subject(sl_subjects *all, const char *path, const sl_row_pairs *p,
                             size_t count)
{
    uint64_t *prompt = NULL;
    double *value = NULL;
    sl_subject *s;
    size_t n = 0;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&prompt, count + 1, sizeof *prompt));
    SL_TRY_OUT(sl_take(&value, count + 1, sizeof *value));
    for (size_t i = 0; i < count; i++) {
        const double bytes = 0.5 * ((double)p[i].bytes_c + (double)p[i].bytes_r);

        if (p[i].source != SL_ORIGIN_STATIC || !p[i].prompt_id || !(bytes > 0.0) ||
            !isfinite(margin_of(&p[i])))
            continue;
        prompt[n] = p[i].prompt_id;
        value[n++] = margin_of(&p[i]) / bytes;
    }
    SL_TRY_OUT(sl_subject_add(&s, all, prompt, value, n));
    s->unit = "margin_per_byte";
    strncat(s->label, path, sizeof s->label - 1);
out:
    sl_free(prompt);
    sl_free(value);
    return st;
}

static sl_status put_run(sl_json *runs, sl_json *progress, sl_subjects *all, sl_reader *reader,
                         const char *path)
{
    const sl_row_pairs *p;
    pair_sums last = { 0 };
    size_t count, on = 0;
    sl_json *row;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_PAIRS, &p, &count));
    for (size_t i = 0; i < count; i++)
        on += p[i].source == SL_ORIGIN_ON_POLICY;
    SL_TRY(sl_out_object(&row, runs, NULL));
    SL_TRY(put_settings(row, sl_reader_json(reader), path));
    SL_TRY(sl_out_i64(row, "pairs", (int64_t)count));
    SL_TRY(sl_out_number(row, "on_policy", share((double)on, (double)count)));
    SL_TRY(put_progress(progress, &last, path, p, count));
    SL_TRY(put_units(row, &last));
    SL_TRY(add_subject(all, path, p, count));
    sl_reader_release(reader, SL_TABLE_PAIRS);
    return put_measured(row, reader);
}

sl_status sl_compare_runs(sl_json *out, sl_subjects *all, const sl_compare_set *set)
{
    sl_json *runs, *progress;

    SL_TRY(sl_out_list(&runs, out, "runs"));
    SL_TRY(sl_out_list(&progress, out, "progress"));
    for (size_t i = 0; i < set->runs; i++)
        SL_TRY(sl_err_where(put_run(runs, progress, all, set->reader[i], set->run[i]), "%s",
                            set->run[i]));
    return SL_OK;
}
