#include "analysis/branch_run.h"
#include "base/alloc.h"
#include <stdio.h>
#include <string.h>

/* --- tests ----------------------------------------------------------------------------------- */

sl_status sl_run_branch_gains(double gain[2][SL_RUN_BRANCH_MOST], size_t *count, sl_reader *reader,
                              uint32_t measurement)
{
    static const char *const names[] = { "branch_gain_static", "branch_gain_on_policy" };
    const sl_row_evals *e;
    size_t evals, found[2] = { 0, 0 };

    SL_TRY(sl_reader_rows(reader, SL_TABLE_EVALS, &e, &evals));
    for (size_t i = 0; i < evals; i++) {
        const char *name = NULL;

        if (e[i].measurement != measurement)
            continue;
        SL_TRY(sl_reader_name(reader, SL_NAME_EVAL, e[i].eval, &name));
        for (size_t k = 0; k < 2; k++)
            if (name && !strcmp(name, names[k]) && found[k] < SL_RUN_BRANCH_MOST)
                gain[k][found[k]++] = e[i].value;
    }
    *count = found[0] == found[1] ? found[0] : 0;
    return SL_OK;
}

sl_status sl_run_fixed_score(double *bs, double *se, int *has, sl_reader *reader, int64_t step)
{
    const sl_row_evals *e;
    size_t evals;

    *has = 0;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_EVALS, &e, &evals));
    for (size_t i = 0; i < evals; i++) {
        const char *name = NULL;

        if (e[i].step != step)
            continue;
        SL_TRY(sl_reader_name(reader, SL_NAME_EVAL, e[i].eval, &name));
        if (!name || strcmp(name, "bs_fixed") != 0)
            continue;
        *bs = e[i].value;
        *se = e[i].se;
        *has = 1;
    }
    return SL_OK;
}

static sl_status test_of(sl_run_branch *b, const sl_measurement *m, sl_reader *reader)
{
    double gain[2][SL_RUN_BRANCH_MOST], paired[SL_RUN_BRANCH_MOST], se;

    *b = (sl_run_branch){ .measurement = m->measurement, .step = m->step, .score = m->derived.bs };
    SL_TRY(sl_run_branch_gains(gain, &b->replicates, reader, m->measurement));
    if (b->replicates < 2)
        return SL_OK;
    sl_branch_verdict_of(&b->verdict, paired, gain[0], gain[1], b->replicates, 0.05);
    b->accord = sl_branch_accord_of(m->derived_stage, b->verdict.winner);
    return sl_run_fixed_score(&b->score, &se, &b->is_fixed, reader, m->step);
}

sl_status sl_run_branches(sl_run_branch **out, size_t *count, const sl_run_analysis *analysis,
                          sl_reader *reader)
{
    sl_status st = SL_OK;

    *count = 0;
    SL_TRY(sl_take(out, analysis->count + 1, sizeof **out));
    for (size_t i = 0; i < analysis->count && st == SL_OK; i++) {
        st = test_of(&(*out)[*count], &analysis->row[i], reader);
        *count += (*out)[*count].replicates >= 2;
    }
    if (st != SL_OK) {
        sl_free(*out);
        *out = NULL;
    }
    return st;
}

/* --- recipes --------------------------------------------------------------------------------- */

/* NULL: the whole section. */
static const struct {
    const char *section, *key;
} same[] = {
    { "data", NULL },          { "method", NULL },
    { "optim", NULL },         { "reference", NULL },
    { "judge", NULL },         { "sampler", NULL },
    { "world", "generators" }, { "world", "label_temperature" },
    { "train", "prompts" },    { "train", "batch" },
    { "train", "epochs" },     { "policy", "candidates" },
    { "policy", "pair" },      { "policy", "labels" },
    { "policy", "margin" },    { "policy", "temperature" },
    { "policy", "top_p" },     { "policy", "top_k" },
    { "policy", "refill" },    { "measure", "judge" },
    { "measure", "branch" },
};

static int is_same_value(const sl_json *a, const sl_json *b)
{
    return a == b || json_equal(a, b);
}

void sl_recipe_difference(char *key, size_t size, const sl_json *a, const sl_json *b)
{
    key[0] = 0;
    for (size_t i = 0; i < sizeof same / sizeof same[0] && !key[0]; i++) {
        sl_json *in_a = json_object_get(a, same[i].section);
        const sl_json *in_b = json_object_get(b, same[i].section);
        sl_json *value;
        const char *name;

        if (same[i].key &&
            !is_same_value(json_object_get(in_a, same[i].key), json_object_get(in_b, same[i].key)))
            snprintf(key, size, "%s.%s", same[i].section, same[i].key);
        if (same[i].key)
            continue;
        json_object_foreach(in_a, name, value)
        {
            if (!key[0] && !is_same_value(value, json_object_get(in_b, name)))
                snprintf(key, size, "%s.%s", same[i].section, name);
        }
    }
}
