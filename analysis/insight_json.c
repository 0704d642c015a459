/* The insights of a run as members of its document, and one pair as a document of its own. */
#include "analysis/insight.h"
#include "analysis/json_out_int.h"
#include "analysis/run_analysis.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Several numbers into one object. */
typedef struct field {
    const char *key;
    double value;
} field;

static sl_status put_fields(sl_json *to, const field *f, size_t count)
{
    for (size_t i = 0; i < count; i++)
        SL_TRY(sl_out_number(to, f[i].key, f[i].value));
    return SL_OK;
}

#define PUT_FIELDS(to, fields) put_fields((to), (fields), sizeof(fields) / sizeof((fields)[0]))

/* Ids have 64 bits, numbers of JSON 53: text. */
static sl_status put_id(sl_json *to, const char *key, uint64_t id)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, id);
    return sl_out_text(to, key, text);
}

static sl_status put_whatif(sl_json *to, const sl_whatif *w)
{
    sl_json *tree, *list, *row;

    SL_TRY(sl_out_object(&tree, to, "whatif"));
    SL_TRY(sl_out_text(tree, "own", w->own_name[0] ? w->own_name : NULL));
    SL_TRY(sl_out_number(tree, "largest_difference", w->largest_difference));
    SL_TRY(sl_out_list(&list, tree, "losses"));
    for (size_t i = 0; i < w->count; i++) {
        const sl_whatif_row *r = &w->row[i];
        const field f[] = { { "beta", r->beta },           { "mean_loss", r->mean_loss },
                            { "active", r->active },       { "saturated", r->saturated },
                            { "mean_coef", r->mean_coef }, { "corr_loss", r->corr_loss },
                            { "corr_coef", r->corr_coef } };

        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_text(row, "loss", r->loss->name));
        SL_TRY(sl_out_bool(row, "own", r->is_own));
        SL_TRY(sl_out_i64(row, "pairs", (int64_t)r->pairs));
        SL_TRY(PUT_FIELDS(row, f));
    }
    return SL_OK;
}

static sl_status put_window(sl_json *list, const sl_displacement_row *r)
{
    const field f[] = { { "chosen", r->chosen },
                        { "chosen_se", r->chosen_se },
                        { "rejected", r->rejected },
                        { "per_token", r->per_tok },
                        { "fell", r->fell },
                        { "rejected_fell", r->rejected_fell },
                        { "tokens_fell", r->tokens_fell },
                        { "worst_tenth", r->worst_tenth },
                        { "ending", r->ending },
                        { "ending_part", r->ending_part },
                        { "length_corr", r->length_corr },
                        { "likeness", r->likeness },
                        { "likeness_corr", r->likeness_corr },
                        { "alike", r->like },
                        { "unlike", r->unlike },
                        { "entropy", r->entropy } };
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_i64(row, "iteration", r->iteration));
    SL_TRY(sl_out_i64(row, "first", r->first));
    SL_TRY(sl_out_i64(row, "last", r->last));
    SL_TRY(sl_out_i64(row, "pairs", (int64_t)r->pairs));
    SL_TRY(sl_out_i64(row, "tokens", (int64_t)r->tokens));
    return PUT_FIELDS(row, f);
}

static sl_status put_displacement(sl_json *to, const sl_displacement *d)
{
    sl_json *tree, *list;

    SL_TRY(sl_out_object(&tree, to, "displacement"));
    SL_TRY(sl_out_text(tree, "kind", sl_displacement_names[d->kind]));
    SL_TRY(d->kind == SL_DISPLACED_UNKNOWN ? sl_out_text(tree, "benign", NULL)
                                           : sl_out_bool(tree, "benign", d->is_benign));
    SL_TRY(sl_out_text(tree, "sentence", d->sentence));
    SL_TRY(sl_out_list(&list, tree, "most_fallen"));
    for (size_t i = 0; i < d->examples; i++)
        SL_TRY(put_id(list, NULL, d->example[i]));
    SL_TRY(sl_out_list(&list, tree, "windows"));
    for (size_t i = 0; i < d->count; i++)
        SL_TRY(put_window(list, &d->row[i]));
    return SL_OK;
}

static sl_status put_probe(sl_json *to, const sl_drift *p)
{
    sl_json *list, *row;

    SL_TRY(sl_out_list(&list, to, "probe"));
    for (size_t i = 0; i < p->count; i++) {
        const sl_drift_row *r = &p->row[i];

        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_i64(row, "step", r->step));
        SL_TRY(sl_out_i64(row, "positions", (int64_t)r->positions));
        for (size_t k = 0; k < SL_DRIFT_COLUMNS; k++) {
            char se[32];

            snprintf(se, sizeof se, "%s_se", sl_drift_names[k]);
            SL_TRY(sl_out_number(row, sl_drift_names[k], r->mean[k].value));
            SL_TRY(sl_out_number(row, se, r->mean[k].se));
        }
    }
    return SL_OK;
}

static sl_status put_alignment(sl_json *to, const sl_alignment *a)
{
    sl_json *list, *row;

    SL_TRY(sl_out_list(&list, to, "alignment"));
    for (size_t i = 0; i < a->groups; i++) {
        const sl_alignment_group *g = &a->group[i];
        const field f[] = { { "early", g->early.value },
                            { "early_se", g->early.se },
                            { "late", g->late.value },
                            { "late_se", g->late.se },
                            { "chosen_rejected", g->chosen_rejected.value } };

        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_i64(row, "group", g->group));
        SL_TRY(sl_out_text(row, "name", g->name));
        SL_TRY(sl_out_i64(row, "steps", (int64_t)(g->early.used + g->late.used)));
        SL_TRY(PUT_FIELDS(row, f));
    }
    return SL_OK;
}

static sl_status put_geometry(sl_json *list, const sl_geometry_row *r)
{
    const field f[] = { { "norm", r->norm },
                        { "noise_scale", r->noise.simple },
                        { "cosine", r->geometry.mean_cosine },
                        { "resultant", r->geometry.resultant },
                        { "diversity", r->geometry.diversity },
                        { "batch_bound", r->geometry.batch_bound },
                        { "snr", r->geometry.snr },
                        { "conflict", r->conflict },
                        { "vendi", r->vendi },
                        { "cos_static_on", r->cos_static_on },
                        { "cos_previous", r->cos_previous },
                        { "cos_previous_corrected", r->cos_previous_corrected },
                        { "influence", r->influence.value },
                        { "influence_se", r->influence.se },
                        { "influence_static", r->influence_static.value },
                        { "influence_on", r->influence_on.value } };
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_i64(row, "step", r->step));
    SL_TRY(sl_out_i64(row, "pairs", (int64_t)r->pairs));
    SL_TRY(sl_out_i64(row, "pairs_on", (int64_t)r->pairs_on));
    SL_TRY(sl_out_i64(row, "dropped", (int64_t)r->dropped));
    SL_TRY(sl_out_i64(row, "probes", (int64_t)r->probes));
    return PUT_FIELDS(row, f);
}

static sl_status put_gradients(sl_json *to, const sl_gradients *g)
{
    const sl_noise_row *last = g->noises ? &g->noise[g->noises - 1] : NULL;
    const field noise[] = { { "noise", last ? last->noise : NAN },
                            { "squared", last ? last->squared : NAN },
                            { "scale", last ? last->scale : NAN } };
    const field cost[] = {
        { "share", g->cost }, { "norms", g->norms }, { "splits", g->splits }, { "pairs", g->pairs }
    };
    sl_json *tree, *part;

    SL_TRY(sl_out_object(&tree, to, "gradients"));
    SL_TRY(sl_out_object(&part, tree, "noise"));
    SL_TRY(sl_out_i64(part, "updates", (int64_t)g->noises));
    SL_TRY(PUT_FIELDS(part, noise));
    SL_TRY(sl_out_object(&part, tree, "cost"));
    SL_TRY(PUT_FIELDS(part, cost));
    SL_TRY(sl_out_list(&part, tree, "updates"));
    for (size_t i = 0; i < g->geometries; i++)
        SL_TRY(put_geometry(part, &g->geometry[i]));
    return SL_OK;
}

static sl_status put_entropy(sl_json *to, const sl_spread *spread)
{
    sl_json *list, *row;

    SL_TRY(sl_out_list(&list, to, "entropy"));
    for (size_t i = 0; i < spread->count; i++) {
        const sl_spread_row *r = &spread->row[i];
        const field f[] = { { "entropy", r->entropy.value }, { "entropy_se", r->entropy.se },
                            { "low", r->low.value },         { "low_se", r->low.se },
                            { "high", r->high.value },       { "high_se", r->high.se },
                            { "rest", r->rest.value },       { "rest_se", r->rest.se } };

        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_i64(row, "iteration", r->iteration));
        SL_TRY(sl_out_text(row, "source", sl_origin_word(r->source)));
        SL_TRY(sl_out_text(row, "side", sl_spread_sides[r->side]));
        SL_TRY(sl_out_text(row, "place", sl_bucket_names[r->place]));
        SL_TRY(sl_out_i64(row, "tokens", (int64_t)r->tokens));
        SL_TRY(sl_out_i64(row, "answers", (int64_t)r->low.used));
        SL_TRY(PUT_FIELDS(row, f));
    }
    return SL_OK;
}

sl_status sl_insight_json(sl_json *to, const sl_insight *insight)
{
    SL_TRY(put_whatif(to, &insight->whatif));
    SL_TRY(put_displacement(to, &insight->displacement));
    SL_TRY(put_probe(to, &insight->probe));
    SL_TRY(put_alignment(to, &insight->alignment));
    SL_TRY(put_gradients(to, &insight->gradients));
    return put_entropy(to, &insight->spread);
}

/* --- one pair --------------------------------------------------------------------------------- */

static sl_status put_flags(sl_json *to, uint32_t flags)
{
    static const char *const names[] = { "prompt-cut", "chosen-cut", "rejected-cut",
                                         "no-eos",     "duplicate",  "label-tie" };
    sl_json *list;

    SL_TRY(sl_out_list(&list, to, "flags"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (flags & 1u << i)
            SL_TRY(sl_out_text(list, NULL, names[i]));
    return SL_OK;
}

static sl_status put_visit(sl_json *list, const sl_row_pairs *p, sl_reader *reader)
{
    const field f[] = { { "logp_chosen", p->logp_c },
                        { "logp_rejected", p->logp_r },
                        { "ref_logp_chosen", p->ref_logp_c },
                        { "ref_logp_rejected", p->ref_logp_r },
                        { "margin", p->margin },
                        { "loss", p->loss },
                        { "coef_chosen", p->coef_c },
                        { "coef_rejected", p->coef_r },
                        { "score_chosen", (double)p->score_c },
                        { "score_rejected", (double)p->score_r },
                        { "label_p", (double)p->label_p },
                        { "weight", (double)p->weight } };
    const char *judge = NULL;
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_i64(row, "step", p->step));
    SL_TRY(sl_out_i64(row, "visit", p->visit));
    SL_TRY(sl_out_i64(row, "iteration", p->iteration));
    SL_TRY(sl_out_text(row, "source", sl_origin_word(p->source)));
    if (p->judge)
        SL_TRY(sl_reader_name(reader, SL_NAME_JUDGE, p->judge, &judge));
    SL_TRY(sl_out_text(row, "judge", judge));
    SL_TRY(sl_out_i64(row, "prompt_tokens", p->tok_prompt));
    SL_TRY(sl_out_i64(row, "chosen_tokens", p->tok_c));
    SL_TRY(sl_out_i64(row, "rejected_tokens", p->tok_r));
    SL_TRY(PUT_FIELDS(row, f));
    return put_flags(row, p->flags);
}

static sl_status put_pair(sl_json *tree, sl_reader *reader, uint64_t id)
{
    const sl_row_pairs *p;
    size_t count, visits = 0;
    sl_json *list = NULL;

    SL_TRY(sl_out_text(tree, "schema", "stageline.pair/1"));
    SL_TRY(sl_reader_rows(reader, SL_TABLE_PAIRS, &p, &count));
    for (size_t i = 0; i < count; i++) {
        if (p[i].pair_id != id)
            continue;
        if (!visits++) {
            SL_TRY(put_id(tree, "pair", id));
            SL_TRY(put_id(tree, "prompt", p[i].prompt_id));
            SL_TRY(put_id(tree, "chosen", p[i].chosen_id));
            SL_TRY(put_id(tree, "rejected", p[i].rejected_id));
            SL_TRY(sl_out_list(&list, tree, "visits"));
        }
        SL_TRY(put_visit(list, &p[i], reader));
    }
    if (!visits)
        return sl_err_hint(SL_FAIL(SL_EARG,
                                   "want a pair of this record, found none with id %" PRIu64
                                   " among %zu visits",
                                   id, count),
                           "displacement.most_fallen of analyze --json names some");
    return SL_OK;
}

sl_status sl_pair_json(sl_json **out, sl_reader *reader, uint64_t pair_id)
{
    sl_status st;

    *out = json_object();
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    st = put_pair(*out, reader, pair_id);
    sl_reader_release(reader, SL_TABLE_PAIRS);
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}
