/* Pairwise losses as functions of what a record keeps. The training room has its own; a test holds
 * the two together, so that neither needs the other. */
#include "analysis/special.h"
#include "analysis/whatif.h"
#include <math.h>
#include <string.h>

sl_whatif_settings sl_whatif_defaults(void)
{
    return (sl_whatif_settings){
        .beta = 0.1, .delta = 1.0, .lambda = 0.1, .gamma = 0.5, .smoothing = 0.1
    };
}

/* (c - ref_c) - (r - ref_r), nats */
static double ahead(const sl_logps *p)
{
    return (p->c - p->ref_c) - (p->r - p->ref_r);
}

/* loss, and its slope in m, of m = scale * (... c ... - ... r ...) */
static sl_whatif_value of_margin(double m, double loss, double slope, double scale)
{
    return (sl_whatif_value){
        .loss = loss, .margin = m, .coef_c = scale * slope, .coef_r = -scale * slope
    };
}

static sl_whatif_value logistic(double m, double e, double scale)
{
    return of_margin(m, (1.0 - e) * sl_softplus(-m) + e * sl_softplus(m),
                     e * sl_sigmoid(m) - (1.0 - e) * sl_sigmoid(-m), scale);
}

static sl_whatif_value dpo(const sl_logps *p, const sl_whatif_settings *s)
{
    return logistic(s->beta * ahead(p), 0.0, s->beta);
}

static sl_whatif_value cdpo(const sl_logps *p, const sl_whatif_settings *s)
{
    return logistic(s->beta * ahead(p), s->smoothing, s->beta);
}

static sl_whatif_value robust(const sl_logps *p, const sl_whatif_settings *s)
{
    const double m = s->beta * ahead(p), e = s->smoothing, rest = 1.0 - 2.0 * e;

    return of_margin(m, ((1.0 - e) * sl_softplus(-m) - e * sl_softplus(m)) / rest,
                     (-(1.0 - e) * sl_sigmoid(-m) - e * sl_sigmoid(m)) / rest, s->beta);
}

static sl_whatif_value cpo(const sl_logps *p, const sl_whatif_settings *s)
{
    return logistic(s->beta * (p->c - p->r), 0.0, s->beta);
}

static sl_whatif_value simpo(const sl_logps *p, const sl_whatif_settings *s)
{
    const double m = s->beta * (p->c - p->r);
    sl_whatif_value v = logistic(m - s->gamma, 0.0, s->beta);

    v.margin = m;
    return v;
}

/* max(0, bound - m) */
static sl_whatif_value hinged(double m, double bound, double scale)
{
    return m < bound ? of_margin(m, bound - m, -1.0, scale) : of_margin(m, 0.0, 0.0, scale);
}

static sl_whatif_value hinge(const sl_logps *p, const sl_whatif_settings *s)
{
    return hinged(s->beta * ahead(p), 1.0, s->beta);
}

static sl_whatif_value cpo_hinge(const sl_logps *p, const sl_whatif_settings *s)
{
    return hinged(s->beta * (p->c - p->r), 1.0, s->beta);
}

static sl_whatif_value slic(const sl_logps *p, const sl_whatif_settings *s)
{
    sl_whatif_value v = hinged(p->c - p->r, s->delta, 1.0);

    v.loss -= s->lambda * p->c;
    v.coef_c -= s->lambda;
    return v;
}

static sl_whatif_value ipo(const sl_logps *p, const sl_whatif_settings *s)
{
    const double off = ahead(p) - 0.5 / s->beta;
    sl_whatif_value v = of_margin(ahead(p), off * off, 2.0 * off, 1.0);

    v.margin *= s->beta;
    return v;
}

static sl_whatif_value sppo_hard(const sl_logps *p, const sl_whatif_settings *s)
{
    const double off_c = p->c - p->ref_c - 0.5 / s->beta;
    const double off_r = p->r - p->ref_r + 0.5 / s->beta;

    return (sl_whatif_value){ .loss = off_c * off_c + off_r * off_r,
                              .margin = s->beta * ahead(p),
                              .coef_c = 2.0 * off_c,
                              .coef_r = 2.0 * off_r };
}

static double bump(double x) /* derivative of sigmoid */
{
    return sl_sigmoid(x) * sl_sigmoid(-x);
}

static sl_whatif_value apo_zero(const sl_logps *p, const sl_whatif_settings *s)
{
    const double c = s->beta * (p->c - p->ref_c), r = s->beta * (p->r - p->ref_r);

    return (sl_whatif_value){ .loss = sl_sigmoid(-c) + sl_sigmoid(r),
                              .margin = c - r,
                              .coef_c = -s->beta * bump(c),
                              .coef_r = s->beta * bump(r) };
}

static sl_whatif_value apo_down(const sl_logps *p, const sl_whatif_settings *s)
{
    const double c = s->beta * (p->c - p->ref_c), m = s->beta * ahead(p);

    return (sl_whatif_value){ .loss = sl_sigmoid(c) + sl_sigmoid(-m),
                              .margin = m,
                              .coef_c = s->beta * (bump(c) - bump(m)),
                              .coef_r = s->beta * bump(m) };
}

/* ln(p/(1-p)) of p = e^x, and its slope 1/(1-p); p = 1 has infinite odds: x stays below 0. */
static double log_odds(double *slope, double x)
{
    const double at = fmin(x, -1e-12), miss = -expm1(at);

    *slope = 1.0 / miss;
    return at - log(miss);
}

static sl_whatif_value orpo(const sl_logps *p, const sl_whatif_settings *s)
{
    double slope_c, slope_r;
    const double odds_c = log_odds(&slope_c, p->c), odds_r = log_odds(&slope_r, p->r);
    const double m = odds_c - odds_r, push = s->lambda * sl_sigmoid(-m);

    return (sl_whatif_value){ .loss = -p->c + s->lambda * sl_softplus(-m),
                              .margin = m,
                              .coef_c = -1.0 - push * slope_c,
                              .coef_r = push * slope_r };
}

#define REF .needs_reference = 1
#define MEAN .is_mean = 1
#define BETA .has_beta = 1
const sl_whatif_loss sl_whatif_losses[] = {
    { "dpo", REF, BETA, .formula = "-ln s(b d)", .source = "arXiv 2305.18290", .of = dpo },
    { "cdpo", REF, BETA, .formula = "-(1 - e) ln s(b d) - e ln s(-b d)",
      .source = "Mitchell 2023, eq. 3", .of = cdpo },
    { "robust", REF, BETA, .formula = "(-(1 - e) ln s(b d) + e ln s(-b d))/(1 - 2e)",
      .source = "arXiv 2403.00409", .of = robust },
    { "dpo-norm", REF, MEAN, BETA, .formula = "dpo of means over tokens",
      .source = "arXiv 2411.15124", .of = dpo },
    { "ipo", REF, BETA, .formula = "(d - 1/(2b))^2", .source = "arXiv 2310.12036", .of = ipo },
    { "ipo-mean", REF, MEAN, BETA, .formula = "ipo of means over tokens",
      .source = "arXiv 2310.12036, as TRL's DPOTrainer has it", .of = ipo },
    { "hinge", REF, BETA, .formula = "max(0, 1 - b d)", .source = "arXiv 2309.06657", .of = hinge },
    { "cpo", BETA, .formula = "-ln s(b (c - r))", .source = "arXiv 2401.08417", .of = cpo },
    { "cpo-hinge", BETA, .formula = "max(0, 1 - b (c - r))", .source = "arXiv 2305.10425, scaled",
      .of = cpo_hinge },
    { "slic-hf", .formula = "max(0, delta - c + r) - lambda c", .source = "arXiv 2305.10425",
      .of = slic },
    { "simpo", MEAN, BETA, .formula = "-ln s(b (c - r) - gamma) of means over tokens",
      .source = "arXiv 2405.14734", .of = simpo },
    { "orpo", MEAN, .formula = "-c - lambda ln s(o_c - o_r), o log odds of means over tokens",
      .source = "arXiv 2403.07691", .of = orpo },
    { "apo-zero", REF, BETA, .formula = "1 - s(b d_c) + s(b d_r)", .source = "arXiv 2408.06266",
      .of = apo_zero },
    { "apo-down", REF, BETA, .formula = "s(b d_c) + 1 - s(b d)", .source = "arXiv 2408.06266",
      .of = apo_down },
    { "sppo-hard", REF, BETA, .formula = "(d_c - 1/(2b))^2 + (d_r + 1/(2b))^2",
      .source = "arXiv 2405.00675, as TRL scales it", .of = sppo_hard },
};
const size_t sl_whatif_loss_count = sizeof sl_whatif_losses / sizeof sl_whatif_losses[0];

const sl_whatif_loss *sl_whatif_find(const char *name)
{
    for (size_t i = 0; i < sl_whatif_loss_count; i++)
        if (!strcmp(sl_whatif_losses[i].name, name))
            return &sl_whatif_losses[i];
    return NULL;
}

sl_whatif_value sl_whatif_of(const sl_whatif_loss *loss, const sl_logps *p,
                             const sl_whatif_settings *set)
{
    sl_logps reduced = *p;
    sl_whatif_value v;

    if (!loss->is_mean)
        return loss->of(p, set);
    reduced.c /= p->tok_c;
    reduced.ref_c /= p->tok_c;
    reduced.r /= p->tok_r;
    reduced.ref_r /= p->tok_r;
    v = loss->of(&reduced, set);
    v.coef_c /= p->tok_c;
    v.coef_r /= p->tok_r;
    return v;
}

double sl_whatif_push(const sl_whatif_loss *loss, const sl_logps *p, const sl_whatif_settings *set)
{
    const sl_logps rest = { p->r, p->r, p->r, p->r, p->tok_r, p->tok_r };

    return fabs(sl_whatif_of(loss, p, set).coef_r / sl_whatif_of(loss, &rest, set).coef_r);
}
