#include "train/reference.h"
#include <string.h>

const sl_model *sl_reference_of(const sl_session *s)
{
    if (!s->loss || !(s->loss->needs_reference || s->recipe.reference.always) ||
        s->recipe.reference.stored)
        return NULL;
    return s->reference ? s->reference : s->start;
}

int sl_reference_is_policy(const sl_session *s)
{
    return sl_reference_of(s) &&
           (!s->reference || s->iteration == 0 || s->recipe.model.reference[0]);
}

/* n floats at offset; the optimizer's scratch is free between updates. */
static void move_chunk(sl_session *s, size_t offset, size_t n)
{
    const sl_ops *ops = s->backend->ops;
    const double alpha = s->recipe.reference.alpha;
    float *reference = sl_model_parameters(s->reference) + offset;

    memcpy(s->optim.scratch, sl_model_parameters(s->policy) + offset, n * sizeof *reference);
    ops->scale(s->optim.scratch, n, (float)alpha);
    ops->scale(reference, n, (float)(1.0 - alpha));
    ops->add(reference, s->optim.scratch, n);
}

void sl_reference_move(sl_session *s)
{
    const size_t floats = sl_model_tensors(s->policy)->floats;

    if (!s->reference || s->recipe.reference.kind != SL_REFERENCE_MIXED ||
        s->step % s->recipe.reference.every != 0)
        return;
    for (size_t at = 0; at < floats; at += SL_OPTIM_CHUNK)
        move_chunk(s, at, floats - at < SL_OPTIM_CHUNK ? floats - at : SL_OPTIM_CHUNK);
}
