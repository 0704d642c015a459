/* Checkpoints: a Hugging Face folder (float32) with the trainer's state beside it: trainer.json
 * and, inside an iteration, optimizer.safetensors and the policy at the starts of iteration and
 * refill; the reference where it moves. A resumed run goes on as if it had never stopped. */
#ifndef SL_TRAIN_CHECKPOINT_H
#define SL_TRAIN_CHECKPOINT_H

#include "train/session.h"

/* Publishes the checkpoint of the session's step (after the record is durable up to it). */
sl_status sl_checkpoint_save(sl_session *session) SL_MUSTUSE;
/* Fills an open session (with its run) from RUN/checkpoints/step-N. Errors: SL_EFORMAT, SL_ESHAPE.
 */
sl_status sl_checkpoint_load(sl_session *session, const char *run_path, int64_t step) SL_MUSTUSE;
#endif
