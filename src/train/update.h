/* What one update computes with: the pairs it was fed, packed micro-batches, log-probabilities,
 * losses and coefficients. Arrays are carved once for the largest update. */
#ifndef SL_TRAIN_UPDATE_H
#define SL_TRAIN_UPDATE_H

#include "datasets/pack.h"
#include "model/model.h"
#include "train/feed.h"
#include "train/objective.h"

enum { SL_UPDATE_TARGET = 2 }; /* sequence of a pair after chosen and rejected */

/* Mean over the pairs (SFT: answers) of an update. */
typedef struct sl_update_means {
    double loss, nll, margin, accuracy, entropy; /* entropy: nats per answer token */
    size_t tokens, targets, pairs_on;
} sl_update_means;

typedef struct sl_update {
    const sl_fed *fed;   /* (P) borrowed from the feed */
    size_t P;            /* pairs, or answers of SFT */
    size_t sides;        /* sequences of a pair: 2, with a target 3; of an SFT answer: 1 */
    size_t micro;        /* pairs of a micro-batch */
    size_t first, count; /* pairs of the current micro-batch */
    size_t top_k;        /* 0: top-k not computed */
    int is_reward;       /* rewards in place of summed log-probabilities, coef by sequence */

    sl_packer packer;
    sl_sequence *sequence;                   /* (sides * micro) */
    float *logp, *coef;                      /* (N) targets of a micro-batch; rewards (B) */
    float *split_coef;                       /* (N) */
    sl_row_stats *stats;                     /* (N) */
    int32_t *top_id;                         /* (N, top_k) */
    float *top_logp;                         /* (N, top_k) */
    double *logp_c, *logp_r, *ref_c, *ref_r; /* (P) nats, sums over answer tokens */
    double *logp_t, *coef_t;                 /* (P) of the target; unused without */
    uint32_t *tok_c, *tok_r, *tok_t;         /* (P) */
    double mean_tok_c;                       /* over the pairs of the update */
    double *loss, *margin, *coef_c, *coef_r; /* (P) coef: dLoss/dlogp of this pair's loss */
    sl_update_means means;
} sl_update;

void sl_update_carve(sl_update *u, sl_arena *arena, const sl_data_limits *limits, size_t batch);
/* Takes what the feed gave; means and sums start at zero. */
void sl_update_begin(sl_update *u, const sl_fed *fed, size_t count);
/* Packs the next micro-batch; *more 0 when there is none left. */
sl_status sl_update_pack(sl_update *u, int *more) SL_MUSTUSE;
/* The gradient of sum coef * logp, or of sum coef * reward; coef as sl_update_coef leaves it. */
sl_status sl_update_backward(sl_update *u, sl_model *model, sl_work *work,
                             const float *coef) SL_MUSTUSE;
/* After forward: log-probabilities, row statistics and top-k of the micro-batch's targets, and the
 * sums per sequence. */
sl_status sl_update_logp(sl_update *u, const sl_model *model, sl_work *work) SL_MUSTUSE;
/* Losses of the micro-batch's pairs and coef (N) = dL/dlogp of every target, L the mean over the
 * update. Preference: the objective; SFT (loss NULL): mean of -log p over all answer tokens.
 * Errors: SL_ENUMERIC naming the first pair whose log-probability or loss is not finite. */
sl_status sl_update_coef(sl_update *u, const sl_objective *loss) SL_MUSTUSE;
/* split_coef (N) = coef of the targets that belong to one side (0 chosen and, where there is one,
 * the target of SFT; 1 rejected) or, side < 0, to pairs of one source. */
void sl_update_split(sl_update *u, int side, sl_source source);
/* Closes the means. */
void sl_update_end(sl_update *u);

#endif
