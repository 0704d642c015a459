/* What other losses say of the pairs that a run saw, from the four log-probabilities and two
 * lengths that its record keeps of every visit. It answers "which pairs would that loss have
 * pushed, and how hard, at this policy", not "what would training with it have given": another loss
 * would have made another policy. */
#ifndef SL_ANALYSIS_WHATIF_H
#define SL_ANALYSIS_WHATIF_H

#include "base/json.h"
#include "run/reader.h"
#include <stddef.h>

/* One visit: log-probabilities of the chosen (c) and the rejected (r) answer, nats, summed over
 * tokens, end of turn included; ref_*: under the reference, NaN without one. */
typedef struct sl_logps {
    double c, r, ref_c, ref_r;
    double tok_c, tok_r; /* > 0 */
} sl_logps;

typedef struct sl_whatif_settings {
    double beta, delta, lambda, gamma, smoothing;
} sl_whatif_settings;
sl_whatif_settings sl_whatif_defaults(void); /* .1, 1, .1, .5, .1 */

/* coef_c = dloss/dc, coef_r = dloss/dr, of the sums; margin: how far the chosen is ahead. */
typedef struct sl_whatif_value {
    double loss, margin, coef_c, coef_r;
} sl_whatif_value;

typedef struct sl_whatif_loss {
    const char *name; /* as in method.loss of a recipe */
    int needs_reference;
    int is_mean;  /* of means over tokens */
    int has_beta; /* 0: beta is not read */
    const char *formula, *source;
    /* p reduced: c, r, ref_c, ref_r as the loss takes them. Finite for finite p. */
    sl_whatif_value (*of)(const sl_logps *p, const sl_whatif_settings *set);
} sl_whatif_loss;
extern const sl_whatif_loss sl_whatif_losses[];
extern const size_t sl_whatif_loss_count;
const sl_whatif_loss *sl_whatif_find(const char *name); /* NULL: none */

sl_whatif_value sl_whatif_of(const sl_whatif_loss *loss, const sl_logps *p,
                             const sl_whatif_settings *set);
/* abs(coef_r) in units of what it is for a pair whose two answers are the rejected one, at the
 * reference: 1 where training begins. Below SL_WHATIF_SATURATED the pair is not pushed any more. */
#define SL_WHATIF_SATURATED 0.01
double sl_whatif_push(const sl_whatif_loss *loss, const sl_logps *p, const sl_whatif_settings *set);

/* One loss with one beta over all visits. */
typedef struct sl_whatif_row {
    const sl_whatif_loss *loss;
    double beta; /* NaN: not read */
    int is_own;  /* the loss and beta of the run */
    size_t pairs;
    double mean_loss;            /* as the loss defines it */
    double active, saturated;    /* shares of pairs, by sl_whatif_push */
    double mean_coef;            /* mean of abs(coef_r), 1/nat */
    double corr_loss, corr_coef; /* Pearson's, with the recorded loss and abs(coef_r) of the run */
} sl_whatif_row;

typedef struct sl_whatif {
    sl_whatif_row *row; /* (count) */
    size_t count, pairs;
    double own_beta;   /* NaN: the record names none */
    char own_name[64]; /* "" when it names none or a sum of several */
    /* Largest abs(recomputed - recorded) loss over the visits, by the run's own loss; NaN: none. */
    double largest_difference;
} sl_whatif;
/* Every loss of the table over betas of a grid and the run's own. A loss with a reference has no
 * row where the record holds none. Runs without pairs: count 0. */
sl_status sl_whatif_run(sl_whatif *out, sl_reader *reader) SL_MUSTUSE;
void sl_whatif_close(sl_whatif *whatif);

#endif
