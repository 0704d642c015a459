#include "train/objective.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 32 };

sl_status sl_objective_add(sl_objective *o, const char *name, double weight)
{
    const sl_loss *loss = NULL;

    if (o->count == SL_OBJECTIVE_TERMS)
        return SL_FAIL(SL_EARG, "want at most %d terms, found more", SL_OBJECTIVE_TERMS);
    if (!(isfinite(weight) && weight > 0.0))
        return SL_FAIL(SL_EARG, "want a weight > 0 of \"%s\", found %g", name, weight);
    SL_TRY(sl_loss_find(&loss, name));
    o->term[o->count++] = (sl_loss_term){ loss, weight };
    o->needs_reference |= loss->needs_reference;
    o->needs_target |= loss->needs_target;
    return SL_OK;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* "[WEIGHT*]NAME"; *at goes behind it. */
static sl_status parse_term(sl_objective *o, const char **at)
{
    const char *p = skip_blanks(*at);
    char name[WORD] = "";
    double weight = 1.0;
    char *end;
    size_t n;

    if (strchr("0123456789.", *p) && *p) {
        weight = strtod(p, &end);
        p = skip_blanks(end);
        if (*p != '*')
            return SL_FAIL(SL_EARG, "want \"*\" between weight and loss, found \"%.20s\"", *at);
        p = skip_blanks(p + 1);
    }
    n = strcspn(p, " \t+");
    if (n == 0 || n >= sizeof name)
        return SL_FAIL(SL_EARG, "want the name of a loss, found \"%.20s\"", p);
    memcpy(name, p, n);
    *at = skip_blanks(p + n);
    return sl_objective_add(o, name, weight);
}

sl_status sl_objective_parse(sl_objective *out, const char *text)
{
    const char *at = text;

    *out = (sl_objective){ .settings = sl_loss_settings_defaults() };
    SL_TRY(parse_term(out, &at));
    while (*at == '+') {
        at++;
        SL_TRY(parse_term(out, &at));
    }
    if (*at)
        return SL_FAIL(SL_EARG, "want \"+\" between losses, found \"%.20s\"", at);
    return SL_OK;
}

sl_status sl_objective_check(const sl_objective *o)
{
    for (size_t i = 0; i < o->count; i++)
        SL_TRY(sl_loss_check(o->term[i].loss, &o->settings));
    return SL_OK;
}

/* Factor from the summed log-probability of an answer of tok tokens to what the row takes. */
static double factor(sl_loss_reduction reduction, uint32_t tok, double mean_tok_c)
{
    return reduction == SL_LOSS_SUM    ? 1.0
           : reduction == SL_LOSS_MEAN ? 1.0 / (double)tok
                                       : 1.0 / mean_tok_c;
}

static void add_term(sl_loss_value *sum, const sl_loss_term *term, const sl_objective_in *in,
                     size_t i, const sl_loss_settings *settings)
{
    const sl_loss *loss = term->loss;
    const double c = factor(loss->reduction, in->tok_c[i], in->mean_tok_c);
    const double r = factor(loss->reduction, in->tok_r[i], in->mean_tok_c);
    const double t =
        loss->needs_target ? factor(loss->reduction, in->tok_t[i], in->mean_tok_c) : 0.0;
    const sl_loss_pair pair = { .c = c * in->logp_c[i],
                                .r = r * in->logp_r[i],
                                .ref_c = loss->needs_reference ? c * in->ref_logp_c[i] : NAN,
                                .ref_r = loss->needs_reference ? r * in->ref_logp_r[i] : NAN,
                                .t = loss->needs_target ? t * in->logp_t[i] : NAN };
    const sl_loss_value v = loss->pair(&pair, settings);

    sum->loss += term->weight * v.loss;
    sum->coef_c += term->weight * v.coef_c * c;
    sum->coef_r += term->weight * v.coef_r * r;
    sum->coef_t += term->weight * v.coef_t * t;
    if (isnan(sum->margin))
        sum->margin = v.margin;
}

void sl_objective_pairs(const sl_objective_out *out, const sl_objective_in *in, size_t P,
                        const sl_objective *objective)
{
    for (size_t i = 0; i < P; i++) {
        sl_loss_value sum = { .margin = NAN };

        for (size_t t = 0; t < objective->count; t++)
            add_term(&sum, &objective->term[t], in, i, &objective->settings);
        out->loss[i] = sum.loss;
        out->margin[i] = sum.margin;
        out->coef_c[i] = sum.coef_c;
        out->coef_r[i] = sum.coef_r;
        if (out->coef_t)
            out->coef_t[i] = sum.coef_t;
    }
}

/* Parameters that any term reads. */
static unsigned parameters_of(const sl_objective *o)
{
    unsigned bits = 0;

    for (size_t i = 0; i < o->count; i++)
        bits |= o->term[i].loss->parameters;
    return bits;
}

static const char *const tokens_of[] = {
    "log-probabilities summed over answer tokens",
    "log-probabilities averaged over answer tokens",
    "log-probabilities averaged over all chosen tokens of the update",
};

void sl_objective_form(char out[SL_OBJECTIVE_FORM], const sl_objective *o)
{
    const unsigned bits = parameters_of(o);
    size_t n = 0;

    for (size_t i = 0; i < o->count && n < SL_OBJECTIVE_FORM; i++) {
        const sl_loss *loss = o->term[i].loss;

        n += (size_t)snprintf(out + n, SL_OBJECTIVE_FORM - n, "%s%g*%s (%s, %s)", i ? " + " : "",
                              o->term[i].weight, loss->name,
                              loss->needs_reference ? "with reference" : "no reference",
                              tokens_of[loss->reduction]);
    }
    for (size_t i = 0; i < sl_loss_parameter_count && n < SL_OBJECTIVE_FORM; i++)
        if (bits & sl_loss_parameters[i].bit)
            n += (size_t)snprintf(out + n, SL_OBJECTIVE_FORM - n, ", %s %g",
                                  sl_loss_parameters[i].name,
                                  sl_loss_setting(&o->settings, &sl_loss_parameters[i]));
}

static sl_json *describe_term(const sl_loss_term *term)
{
    const sl_loss *loss = term->loss;

    return json_pack("{s:s, s:f, s:s, s:s, s:b, s:s}", "name", loss->name, "weight", term->weight,
                     "formula", loss->formula, "source", loss->source, "reference",
                     loss->needs_reference, "logp", sl_loss_reduction_names[loss->reduction]);
}

sl_status sl_objective_describe(sl_json **out, const sl_objective *o)
{
    sl_json *terms = json_array(), *tree = json_object();
    int failed = !terms || !tree;

    for (size_t i = 0; i < o->count && !failed; i++)
        failed = json_array_append_new(terms, describe_term(&o->term[i])) != 0;
    for (size_t i = 0; i < sl_loss_parameter_count && !failed; i++) {
        const sl_loss_parameter *p = &sl_loss_parameters[i];

        failed = json_object_set_new(tree, p->name,
                                     sl_json_number(sl_loss_setting(&o->settings, p))) != 0;
    }
    if (failed || json_object_set(tree, "terms", terms) != 0) {
        sl_json_close(&terms);
        sl_json_close(&tree);
        return SL_FAIL(SL_ENOMEM, "want memory for the description of a loss, found none");
    }
    sl_json_close(&terms);
    *out = tree;
    return SL_OK;
}
