#ifndef SL_TRAIN_LOSS_INT_H
#define SL_TRAIN_LOSS_INT_H

#include "train/loss.h"

extern const sl_loss sl_loss_dpo, sl_loss_slic;

#endif
