/* Pairwise losses as rows of one table. A row turns the log-probabilities of one pair into a value
 * and its derivatives; sums of rows over a batch are in objective.h, everything else of a step is
 * common. docs/math.md, "Losses", has the list with equations. */
#ifndef SL_TRAIN_LOSS_H
#define SL_TRAIN_LOSS_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* What the rows read; which of them a row reads stands in its `parameters`. */
typedef struct sl_loss_settings {
    double beta;      /* inverse temperature of the implicit reward, > 0 */
    double delta;     /* margin of SLiC's hinge, nats */
    double lambda;    /* slic-hf: weight of the regulariser; orpo: weight of the odds ratio */
    double gamma;     /* simpo: target margin, in units of beta * nats per token */
    double smoothing; /* probability that a label is swapped */
} sl_loss_settings;

enum {
    SL_LOSS_BETA = 1,
    SL_LOSS_DELTA = 2,
    SL_LOSS_LAMBDA = 4,
    SL_LOSS_GAMMA = 8,
    SL_LOSS_SMOOTHING = 16
};

/* How the log-probability of an answer is made of those of its tokens, end of turn included. */
typedef enum sl_loss_reduction {
    SL_LOSS_SUM,       /* over the answer's tokens */
    SL_LOSS_MEAN,      /* the sum over the number of the answer's tokens */
    SL_LOSS_BATCH_MEAN /* the sum over the mean number of tokens of the update's chosen answers:
                        * the mean over pairs is then the mean over all their tokens */
} sl_loss_reduction;
extern const char *const sl_loss_reduction_names[];

/* One pair: log-probabilities of the chosen (c) and the rejected (r) answer and of the answer that
 * SFT imitated (t), nats, reduced as the row says; ref_c, ref_r: under the reference. NaN: not
 * there. */
typedef struct sl_loss_pair {
    double c, r, ref_c, ref_r, t;
} sl_loss_pair;

/* margin: how far the loss sees the chosen answer ahead, negated by a swap of the answers; NaN of
 * losses that see one answer. coef_x = dloss/dx. */
typedef struct sl_loss_value {
    double loss, margin, coef_c, coef_r, coef_t;
} sl_loss_value;

typedef struct sl_loss {
    const char *name;
    int needs_reference;
    int needs_target; /* reads t */
    int is_pairwise;  /* sees the rejected answer; 0: the margin is NaN */
    sl_loss_reduction reduction;
    unsigned parameters; /* SL_LOSS_BETA | ... */
    double least_smoothing, most_smoothing;
    const char *formula, *source;
    /* Finite for any finite log-probabilities. */
    sl_loss_value (*pair)(const sl_loss_pair *p, const sl_loss_settings *settings);
} sl_loss;

/* A parameter by name: for messages, for the record and for the table in docs/math.md. */
typedef struct sl_loss_parameter {
    const char *name;
    unsigned bit;
    size_t offset; /* of the double in sl_loss_settings */
    double fallback;
} sl_loss_parameter;
extern const sl_loss_parameter sl_loss_parameters[];
extern const size_t sl_loss_parameter_count;

sl_loss_settings sl_loss_settings_defaults(void);
double sl_loss_setting(const sl_loss_settings *settings, const sl_loss_parameter *parameter);
/* The row of that name. Errors: SL_EARG with the nearest name. */
sl_status sl_loss_find(const sl_loss **out, const char *name) SL_MUSTUSE;
/* Errors: SL_EARG unless the settings that the loss reads are finite and in range. */
sl_status sl_loss_check(const sl_loss *loss, const sl_loss_settings *settings) SL_MUSTUSE;
const char *const *sl_loss_names(void); /* NULL-terminated */

#endif
