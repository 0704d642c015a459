/* Pairwise losses as rows of one table. A loss turns summed log-probabilities of pairs into values
 * and coefficients (dLoss/dlogp of each sequence); everything else of a step is common. */
#ifndef SL_TRAIN_LOSS_H
#define SL_TRAIN_LOSS_H

#include "base/status.h"
#include <stddef.h>

typedef struct sl_loss_settings {
    double beta;   /* dpo: inverse temperature of the implicit reward */
    double delta;  /* slic-hf: margin of the hinge, nats */
    double lambda; /* slic-hf: weight of the regulariser */
} sl_loss_settings;

/* Inputs (P), nats, sums over answer tokens, end-of-turn token included; c chosen, r rejected. */
typedef struct sl_loss_in {
    const double *logp_c, *logp_r, *ref_logp_c, *ref_logp_r;
} sl_loss_in;

/* Outputs (P). margin is the argument of the loss; coef is dLoss/dlogp of one pair's loss. */
typedef struct sl_loss_out {
    double *loss, *margin, *coef_c, *coef_r;
} sl_loss_out;

typedef struct sl_loss {
    const char *name;
    int needs_reference;
    double identity_loss;  /* loss of a pair when policy = reference; NaN: depends on the pair */
    const char *reduction; /* of log-probabilities over answer tokens: "sum" or "mean" */
    const char *formula, *source;
    /* Finite for any finite margin. */
    void (*pairs)(const sl_loss_out *out, const sl_loss_in *in, size_t P,
                  const sl_loss_settings *settings);
} sl_loss;

/* The row of that name. Errors: SL_EARG with the nearest name. */
sl_status sl_loss_find(const sl_loss **out, const char *name) SL_MUSTUSE;
/* Errors: SL_EARG unless the settings that the loss uses are finite and in range. */
sl_status sl_loss_check(const sl_loss *loss, const sl_loss_settings *settings) SL_MUSTUSE;
const char *const *sl_loss_names(void); /* NULL-terminated */

#endif
