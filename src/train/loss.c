#include "train/loss.h"
#include "base/text.h"
#include "train/loss_int.h"
#include <math.h>
#include <string.h>

static const sl_loss *const losses[] = { &sl_loss_dpo, &sl_loss_slic };
enum { LOSS_COUNT = sizeof losses / sizeof losses[0] };
static const char *const names[LOSS_COUNT + 1] = { "dpo", "slic-hf", NULL };

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
                       near ? "did you mean \"%s\"?" : "losses: dpo, slic-hf%.0s",
                       near ? near : "");
}

sl_status sl_loss_check(const sl_loss *loss, const sl_loss_settings *settings)
{
    if (loss->needs_reference && !(isfinite(settings->beta) && settings->beta > 0.0))
        return SL_FAIL(SL_EARG, "want beta finite and > 0, found %g", settings->beta);
    if (!(isfinite(settings->delta) && settings->delta >= 0.0))
        return SL_FAIL(SL_EARG, "want delta finite and >= 0, found %g", settings->delta);
    if (!(isfinite(settings->lambda) && settings->lambda >= 0.0))
        return SL_FAIL(SL_EARG, "want lambda finite and >= 0, found %g", settings->lambda);
    return SL_OK;
}
