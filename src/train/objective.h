/* What an update minimises: a weighted sum of losses of the table, the mean over its pairs. */
#ifndef SL_TRAIN_OBJECTIVE_H
#define SL_TRAIN_OBJECTIVE_H

#include "base/json.h"
#include "train/loss.h"

enum { SL_OBJECTIVE_TERMS = 8, SL_OBJECTIVE_FORM = 1024 };

typedef struct sl_loss_term {
    const sl_loss *loss;
    double weight;
} sl_loss_term;

typedef struct sl_objective {
    sl_loss_term term[SL_OBJECTIVE_TERMS];
    size_t count;
    sl_loss_settings settings;
    int needs_reference, needs_target; /* of any term */
} sl_objective;

/* Inputs (P), nats, sums over answer tokens, end of turn included; c chosen, r rejected. ref_*:
 * read by terms with a reference only; logp_t, tok_t (P), of the answer that SFT imitates: by terms
 * with a target only, else NULL. mean_tok_c: tokens of a chosen answer, mean over the whole
 * update, of which the P pairs may be a part. */
typedef struct sl_objective_in {
    const double *logp_c, *logp_r, *ref_logp_c, *ref_logp_r;
    const uint32_t *tok_c, *tok_r;
    double mean_tok_c;
    const double *logp_t;
    const uint32_t *tok_t;
} sl_objective_in;

/* Outputs (P). margin: of the first term that sees both answers, NaN without one; coef_*:
 * dLoss/dlogp_* of one pair's loss; coef_t may be NULL without a target. */
typedef struct sl_objective_out {
    double *loss, *margin, *coef_c, *coef_r, *coef_t;
} sl_objective_out;

/* "dpo", or a sum "dpo + 0.2*sft": names of the table, each with a weight > 0 before it or 1.
 * Settings are the defaults. Errors: SL_EARG naming the term. */
sl_status sl_objective_parse(sl_objective *out, const char *text) SL_MUSTUSE;
/* One more term. Errors: SL_EARG: too many, an unknown name, a weight that is not above 0. */
sl_status sl_objective_add(sl_objective *objective, const char *name, double weight) SL_MUSTUSE;
/* Errors: SL_EARG unless every term's settings are in range. */
sl_status sl_objective_check(const sl_objective *objective) SL_MUSTUSE;
void sl_objective_pairs(const sl_objective_out *out, const sl_objective_in *in, size_t P,
                        const sl_objective *objective);
/* The exact form in one sentence, at most SL_OBJECTIVE_FORM bytes: for every term its weight,
 * name, reference or not, sum or mean, parameters. */
void sl_objective_form(char out[SL_OBJECTIVE_FORM], const sl_objective *objective);
/* The same for programs: {every parameter by name, "terms": [...]}. */
sl_status sl_objective_describe(sl_json **out, const sl_objective *objective) SL_MUSTUSE;

#endif
