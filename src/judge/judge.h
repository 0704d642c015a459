/* Judges: who says which answer is better. One row a judge; the world's truth is the first. */
#ifndef SL_JUDGE_JUDGE_H
#define SL_JUDGE_JUDGE_H

#include "base/rng.h"
#include "datasets/data.h"

typedef struct sl_judge sl_judge;

typedef struct sl_vote {
    double p;                /* probability that a is better, in [0,1] */
    double score_a, score_b; /* NaN: the judge compares without scores */
} sl_vote;

/* name: a row of the table ("truth"). Errors: SL_EARG with the nearest name. truth wants world
 * data: SL_EARG otherwise. */
sl_status sl_judge_open(sl_judge **out, const char *name, const sl_data *data) SL_MUSTUSE;
void sl_judge_close(sl_judge **judge);
const char *sl_judge_name(const sl_judge *judge);
/* vote (count): a[i] against b[i] on prompt[i]. Errors: SL_ESHAPE for what the judge cannot read.
 */
sl_status sl_judge_votes(sl_vote *vote, sl_judge *judge, const sl_prompt_text *prompt,
                         const sl_answer *a, const sl_answer *b, size_t count) SL_MUSTUSE;
/* Draws a label: 1 when a is preferred, by vote p sharpened by 1/temperature in log-odds; *label_p
 * is the probability of the label drawn. vote->p in [0,1], temperature > 0. */
int sl_judge_label(double *label_p, const sl_vote *vote, double temperature, sl_rng *rng);

#endif
