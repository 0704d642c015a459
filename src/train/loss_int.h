#ifndef SL_TRAIN_LOSS_INT_H
#define SL_TRAIN_LOSS_INT_H

#include "train/loss.h"

extern const sl_loss sl_loss_dpo, sl_loss_cdpo, sl_loss_robust, sl_loss_dpo_norm, sl_loss_simpo,
    sl_loss_cpo;
extern const sl_loss sl_loss_hinge, sl_loss_cpo_hinge, sl_loss_slic, sl_loss_slic_target;
extern const sl_loss sl_loss_ipo, sl_loss_ipo_mean, sl_loss_sppo_hard;
extern const sl_loss sl_loss_apo_zero, sl_loss_apo_down;
extern const sl_loss sl_loss_orpo;
extern const sl_loss sl_loss_sft, sl_loss_nll, sl_loss_nll_sum;

/* (c - ref_c) - (r - ref_r), nats. */
double sl_loss_ahead(const sl_loss_pair *p);
double sl_loss_sigmoid(double x);
double sl_loss_log_sigmoid(double x); /* finite for any finite x */

#endif
