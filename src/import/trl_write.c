/* Units of a run from what the lines of a step said. */
#include "analysis/run_analysis.h"
#include "base/alloc.h"
#include "import/trl.h"
#include <math.h>
#include <string.h>

/* Losses of TRL under the names that the analyzer knows; of the others it says nothing. */
static const struct {
    const char *trl, *name, *form;
} losses[] = {
    { "sigmoid", "dpo", "-log sigmoid(beta d), d of summed log-ratios (TRL: sigmoid)" },
    { "hinge", "hinge", "max(0, 1 - beta d), d of summed log-ratios (TRL: hinge)" },
    { "ipo", "ipo-mean", "(d - 1/(2 beta))^2, d of log-ratios per token (TRL: ipo)" },
    { "robust", "robust", "robust DPO of summed log-ratios (TRL: robust)" },
    { "sigmoid_norm", "dpo-norm",
      "-log sigmoid(beta d), d of log-ratios per token (TRL: "
      "sigmoid_norm)" },
    { "apo_zero", "apo-zero", "APO-zero of summed log-ratios (TRL: apo_zero)" },
    { "apo_down", "apo-down", "APO-down of summed log-ratios (TRL: apo_down)" },
    { "sppo_hard", "sppo-hard", "SPPO, hard labels (TRL: sppo_hard)" },
};

/* "loss" of run.json where TRL's is one that the analyzer has: one term, reverse KL, whole sums. */
static sl_json *describe_loss(const sl_json *settings)
{
    const sl_json *types = json_object_get(settings, "loss_type");
    const char *only = json_string_value(json_array_get(types, 0));
    const char *divergence = json_string_value(json_object_get(settings, "f_divergence_type"));
    const double beta = json_number_value(json_object_get(settings, "beta"));
    const double smoothing = json_number_value(json_object_get(settings, "label_smoothing"));
    const int is_plain = json_array_size(types) == 1 &&
                         (!divergence || !strcmp(divergence, "reverse_kl")) &&
                         !json_is_number(json_object_get(settings, "ld_alpha"));

    for (size_t i = 0; is_plain && only && i < sizeof losses / sizeof losses[0]; i++)
        if (!strcmp(only, losses[i].trl))
            return json_pack("{s:s, s:f, s:f, s:b, s:s}", "name", losses[i].name, "beta", beta,
                             "smoothing", strcmp(only, "robust") ? 0.0 : smoothing, "reference", 1,
                             "loss_form", losses[i].form);
    return json_pack("{s:s, s:f, s:s}", "name", "other", "beta", beta, "loss_form",
                     "a loss of TRL that has no row in the analyzer; see imported.settings");
}

sl_status sl_trl_create(sl_trl *t, const sl_json *settings)
{
    const sl_run_settings set = sl_import_settings();
    sl_json *run = NULL, *start = json_pack("{s:s}", "by", "stageline import");
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_import_json(&run, t->format, t->report));
    if (!start || json_object_set_new(run, "loss", describe_loss(settings)) ||
        json_object_set(json_object_get(run, "imported"), "settings", (json_t *)settings))
        SL_TRY_OUT(SL_FAIL(SL_ENOMEM, "want memory for a description, found none"));
    st = sl_run_create(&t->run, t->path, run, start, &set);
out:
    sl_json_close(&run);
    sl_json_close(&start);
    return st;
}

/* --- a unit ----------------------------------------------------------------------------------- */

static sl_status put(sl_trl *t, sl_table table, const void *row)
{
    t->report->rows[table]++;
    return t->run ? sl_run_row(t->run, table, row, NULL) : SL_OK;
}

/* What only the log knows of an update. The log's own loss is a mean over its window and stays an
 * eval, also where both are of one step. */
static void fill_step(sl_trl *t)
{
    for (size_t i = 0; i < t->logs; i++) {
        const double value = t->log[i].value;

        if (!strcmp(t->log[i].name, "grad_norm"))
            t->row.grad_norm = value;
        else if (!strcmp(t->log[i].name, "entropy"))
            t->row.entropy = value;
        else if (!strcmp(t->log[i].name, "num_tokens") && value >= 0.0 && value < 0x1p53)
            t->row.tokens = (int64_t)value;
    }
}

static sl_status put_logs(sl_trl *t)
{
    for (size_t i = 0; i < t->logs; i++) {
        sl_row_evals e = { .step = t->step,
                           .value = t->log[i].value,
                           .se = NAN,
                           .origin = SL_ORIGIN_OTHER,
                           .status = (uint8_t)(isfinite(t->log[i].value) ? SL_EVAL_OK
                                                                         : SL_EVAL_UNDEFINED) };

        if (t->run)
            SL_TRY(sl_import_name(t->run, &e.eval, t->log[i].name));
        for (size_t k = 0; k < i; k++)
            e.replicate = (uint16_t)(e.replicate + !strcmp(t->log[k].name, t->log[i].name));
        SL_TRY(put(t, SL_TABLE_EVALS, &e));
    }
    return SL_OK;
}

/* One measurement: votes of a step, and the one look that the analyzer derives again. */
static sl_status put_votes(sl_trl *t)
{
    sl_row_boundary look;
    uint16_t judge = 0, rule = 0;

    if (!t->votes)
        return SL_OK;
    if (t->run) {
        SL_TRY(sl_run_name(t->run, &judge, SL_NAME_JUDGE, "trl-callback"));
        SL_TRY(sl_run_name(t->run, &rule, SL_NAME_RULE, SL_BOUNDARY_RULE));
    }
    for (size_t i = 0; i < t->votes; i++) {
        t->vote[i].measurement = t->measurement;
        t->vote[i].judge = judge;
        SL_TRY(put(t, SL_TABLE_VOTES, &t->vote[i]));
    }
    SL_TRY(sl_boundary_look(&look, t->vote, t->votes));
    look.step = t->step;
    look.measurement = t->measurement++;
    look.rule = rule;
    look.judge = judge;
    look.final = 1;
    return put(t, SL_TABLE_BOUNDARY, &look);
}

static sl_status put_clock(sl_trl *t)
{
    sl_row_clock row;

    if (isnan(t->utc_s))
        return SL_OK;
    sl_row_blank(&row, SL_TABLE_CLOCK);
    row.step = t->step;
    row.utc_s = t->utc_s;
    return put(t, SL_TABLE_CLOCK, &row);
}

static sl_status put_unit(sl_trl *t)
{
    if (t->has_step) {
        fill_step(t);
        SL_TRY(put(t, SL_TABLE_STEPS, &t->row));
        SL_TRY(put_clock(t));
    }
    for (size_t i = 0; i < t->pairs; i++)
        SL_TRY(put(t, SL_TABLE_PAIRS, &t->pair[i]));
    for (size_t i = 0; i < t->tokens; i++)
        SL_TRY(put(t, SL_TABLE_TOKENS, &t->token[i]));
    SL_TRY(put_logs(t));
    SL_TRY(put_votes(t));
    return t->run ? sl_run_commit(t->run, t->has_step ? SL_UNIT_UPDATE : SL_UNIT_EVALS, t->step)
                  : SL_OK;
}

static void empty(sl_trl *t)
{
    for (size_t i = 0; i < t->logs; i++)
        sl_free(t->log[i].name);
    t->pairs = t->tokens = t->votes = t->logs = 0;
    t->has_step = t->is_open = 0;
    t->utc_s = NAN;
}

sl_status sl_trl_flush(sl_trl *t)
{
    const sl_status st = t->is_open ? put_unit(t) : SL_OK;

    empty(t);
    return st;
}

void sl_trl_close(sl_trl *t)
{
    empty(t);
    sl_free(t->pair);
    sl_free(t->token);
    sl_free(t->vote);
    sl_free(t->log);
}

/* --- the file --------------------------------------------------------------------------------- */

/* One pass. path NULL: checks and counts. */
static sl_status pass(sl_import_report *report, const sl_import_format *format,
                      sl_import_bytes *file, const char *path, const sl_rows_limit *limit)
{
    sl_trl t = { .report = report, .format = format, .path = path, .step = -1, .utc_s = NAN };
    sl_rows *read = &report->file[0].read;
    char sha256[sizeof read->sha256];
    sl_err_record record;
    sl_status st;

    memcpy(sha256, read->sha256, sizeof sha256);
    memset(report->rows, 0, sizeof report->rows);
    report->attempts = 0;
    report->values = 0;
    if (path) { /* counted in the first pass; run.json has it */
        sl_rows again;

        st = sl_rows_read_bytes(&again, file->text, file->bytes, file->shown, limit, sl_trl_line,
                                &t);
    } else {
        st = sl_rows_read_bytes(read, file->text, file->bytes, file->shown, limit, sl_trl_line, &t);
        memcpy(read->sha256, sha256, sizeof sha256);
    }
    if (st == SL_OK)
        st = sl_trl_flush(&t);
    if (st == SL_OK && !t.has_run)
        st = sl_err_where(SL_FAIL(SL_EFORMAT, "want a line of kind \"run\", found none"), "%s",
                          file->shown);
    if (st == SL_OK)
        st = sl_run_close(&t.run, SL_ENDED_COMPLETE);
    sl_trl_close(&t);
    if (!t.run)
        return st;
    sl_err_save(&record);
    sl_err_clear();
    if (sl_run_close(&t.run, SL_ENDED_ERROR) != SL_OK)
        sl_err_clear();
    return sl_err_restore(&record);
}

static sl_status read_trl(sl_import_report *report, const sl_import_format *format,
                          const char *const *path, size_t count, const char *out,
                          const sl_rows_limit *limit)
{
    sl_rows_limit l = *limit;
    sl_import_bytes file;
    sl_status st;

    if (count != 1)
        return SL_FAIL(SL_EUSAGE, "want one file of format trl, found %zu", count);
    report->files = 1;
    report->file[0].path = path[0];
    l.is_python = 1;
    SL_TRY(sl_import_bytes_read(&file, &report->file[0].read, path[0]));
    report->held_bytes = file.bytes;
    st = pass(report, format, &file, NULL, &l);
    if (st == SL_OK)
        st = pass(report, format, &file, out, &l);
    sl_free(file.text);
    return st;
}

const sl_import_reader sl_import_trl = { .run = read_trl };
