#include "train/loss.h"
#include "base/text.h"
#include "train/loss_int.h"
#include <math.h>
#include <string.h>

static const sl_loss *const losses[] = {
    &sl_loss_dpo,         &sl_loss_cdpo,  &sl_loss_robust, &sl_loss_dpo_norm,  &sl_loss_ipo,
    &sl_loss_ipo_mean,    &sl_loss_hinge, &sl_loss_cpo,    &sl_loss_cpo_hinge, &sl_loss_slic,
    &sl_loss_slic_target, &sl_loss_simpo, &sl_loss_orpo,   &sl_loss_apo_zero,  &sl_loss_apo_down,
    &sl_loss_sppo_hard,   &sl_loss_sft,   &sl_loss_nll,    &sl_loss_nll_sum,
};
enum { LOSS_COUNT = sizeof losses / sizeof losses[0] };
static const char *const names[LOSS_COUNT + 1] = {
    "dpo",       "cdpo",     "robust",         "dpo-norm",
    "ipo",       "ipo-mean", "hinge",          "cpo",
    "cpo-hinge", "slic-hf",  "slic-hf-target", "simpo",
    "orpo",      "apo-zero", "apo-down",       "sppo-hard",
    "sft",       "nll",      "nll-sum",        NULL,
};

const char *const sl_loss_reduction_names[] = { "sum", "mean", "batch-mean", NULL };

const sl_loss_parameter sl_loss_parameters[] = {
    { "beta", SL_LOSS_BETA, offsetof(sl_loss_settings, beta), 0.1 },
    { "delta", SL_LOSS_DELTA, offsetof(sl_loss_settings, delta), 1.0 },
    { "lambda", SL_LOSS_LAMBDA, offsetof(sl_loss_settings, lambda), 0.1 },
    { "gamma", SL_LOSS_GAMMA, offsetof(sl_loss_settings, gamma), 0.5 },
    { "smoothing", SL_LOSS_SMOOTHING, offsetof(sl_loss_settings, smoothing), 0.0 },
};
const size_t sl_loss_parameter_count = sizeof sl_loss_parameters / sizeof sl_loss_parameters[0];

double sl_loss_sigmoid(double x)
{
    const double e = exp(-fabs(x));

    return x >= 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

double sl_loss_log_sigmoid(double x)
{
    return -(log1p(exp(-fabs(x))) + (x < 0.0 ? -x : 0.0));
}

double sl_loss_ahead(const sl_loss_pair *p)
{
    return (p->c - p->ref_c) - (p->r - p->ref_r);
}

sl_loss_settings sl_loss_settings_defaults(void)
{
    sl_loss_settings set;

    for (size_t i = 0; i < sl_loss_parameter_count; i++) {
        const sl_loss_parameter *p = &sl_loss_parameters[i];

        memcpy((char *)&set + p->offset, &p->fallback, sizeof p->fallback);
    }
    return set;
}

double sl_loss_setting(const sl_loss_settings *settings, const sl_loss_parameter *parameter)
{
    double value;

    memcpy(&value, (const char *)settings + parameter->offset, sizeof value);
    return value;
}

const char *const *sl_loss_names(void)
{
    return names;
}

sl_status sl_loss_find(const sl_loss **out, const char *name)
{
    const char *near;

    for (size_t i = 0; i < LOSS_COUNT; i++)
        if (!strcmp(losses[i]->name, name)) {
            *out = losses[i];
            return SL_OK;
        }
    near = sl_text_nearest(name, names);
    return sl_err_hint(SL_FAIL(SL_EARG, "want a loss of the table, found \"%s\"", name),
                       near ? "did you mean \"%s\"?" : "docs/math.md, \"Losses\", lists them%.0s",
                       near ? near : "");
}

/* beta divides and scales: it is never 0. The others may be. */
sl_status sl_loss_check(const sl_loss *loss, const sl_loss_settings *settings)
{
    const double smoothing = settings->smoothing;

    for (size_t i = 0; i < sl_loss_parameter_count; i++) {
        const sl_loss_parameter *p = &sl_loss_parameters[i];
        const double value = sl_loss_setting(settings, p);
        const int is_beta = p->bit == SL_LOSS_BETA;

        if (!(loss->parameters & p->bit))
            continue;
        if (!(isfinite(value) && (is_beta ? value > 0.0 : value >= 0.0)))
            return SL_FAIL(SL_EARG, "want %s finite and %s 0 with loss %s, found %g", p->name,
                           is_beta ? ">" : ">=", loss->name, value);
    }
    if ((loss->parameters & SL_LOSS_SMOOTHING) &&
        !(smoothing >= loss->least_smoothing && smoothing <= loss->most_smoothing))
        return SL_FAIL(SL_EARG, "want smoothing in [%g, %g] with loss %s, found %g",
                       loss->least_smoothing, loss->most_smoothing, loss->name, smoothing);
    return SL_OK;
}
