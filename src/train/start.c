#include "train/start.h"
#include "train/reference.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* First tensor in which two models of one config differ; NULL: none. */
static const char *different_tensor(const sl_model *a, const sl_model *b)
{
    const sl_tensors *table = sl_model_tensors(a);
    const float *x = sl_model_parameters_const(a), *y = sl_model_parameters_const(b);

    if (sl_model_tensors(b)->floats != table->floats)
        return "(another shape)";
    for (size_t i = 0; i < table->count; i++) {
        const sl_tensor *t = &table->row[i];

        if (memcmp(x + t->offset, y + t->offset, t->rows * t->cols * sizeof *x) != 0)
            return t->name;
    }
    return NULL;
}

static sl_status explain(const sl_session *s, size_t i, double off, double bound)
{
    const sl_update *u = &s->update;
    const sl_model *reference = s->reference ? s->reference : s->start;
    const char *tensor = different_tensor(s->policy, reference);
    sl_status st;

    if (tensor)
        st = SL_FAIL(SL_ENUMERIC,
                     "want policy = reference at the start, found tensor \"%s\" different "
                     "(pair %016" PRIx64 ": log-probabilities off by %.3g)",
                     tensor, u->fed[i].pair.id, off);
    else
        st = SL_FAIL(SL_ENUMERIC,
                     "want margin 0 at the start, found pair %016" PRIx64
                     " off by %.3g nats (bound %.3g) with equal parameters",
                     u->fed[i].pair.id, off, bound);
    if (tensor)
        return sl_err_hint(st, "method.check_start=false allows another reference");
    return sl_err_hint(st, "backend %s with %d threads is not stable between packings",
                       s->backend->name, s->backend->threads);
}

/* Of the pairs of the first update, as nats a token. */
static sl_status check_stored(const sl_session *s)
{
    const sl_update *u = &s->update;
    const double bound = s->recipe.reference.fit;
    double most = 0.0;
    size_t worst = 0;

    for (size_t i = 0; i < u->P; i++) {
        const sl_pair *p = &u->fed[i].pair;
        const double c = fabs(u->logp_c[i] - u->ref_c[i]) / p->chosen.count;
        const double r = fabs(u->logp_r[i] - u->ref_r[i]) / p->rejected.count;

        if (fmax(c, r) > most) {
            most = fmax(c, r);
            worst = i;
        }
    }
    if (most <= bound)
        return SL_OK;
    return sl_err_hint(SL_FAIL(SL_ENUMERIC,
                               "want stored log-probabilities of the policy at the start, found "
                               "those of line %" PRIu64 " off by %.3g nats a token (reference.fit "
                               "%g): stored %.6g and %.6g, computed %.6g and %.6g",
                               u->fed[worst].pair.line, most, bound, u->ref_c[worst],
                               u->ref_r[worst], u->logp_c[worst], u->logp_r[worst]),
                       "of another reference, template or end of turn; method.check_start=false "
                       "takes them as they are");
}

sl_status sl_start_check(const sl_session *session)
{
    const sl_update *u = &session->update;

    if (session->update_at != 0 || !session->recipe.method.check_start)
        return SL_OK;
    if (session->recipe.reference.stored)
        return session->iteration ? SL_OK : check_stored(session);
    if (!sl_reference_is_policy(session))
        return SL_OK;
    for (size_t i = 0; i < u->P; i++) {
        const sl_pair *p = &u->fed[i].pair;
        const double c = fabs(u->logp_c[i] - u->ref_c[i]), r = fabs(u->logp_r[i] - u->ref_r[i]);
        const double tok =
            p->chosen.count > p->rejected.count ? p->chosen.count : p->rejected.count;
        const double bound = SL_START_BOUND_PER_TOK * tok;

        if (!(c <= bound && r <= bound))
            return explain(session, i, c > r ? c : r, bound);
    }
    return SL_OK;
}
