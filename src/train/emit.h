/* Rows of the run record that training writes. With session->run NULL nothing is written. */
#ifndef SL_TRAIN_EMIT_H
#define SL_TRAIN_EMIT_H

#include "train/session.h"

/* Registers the names of layer groups. */
sl_status sl_emit_names(sl_session *session) SL_MUSTUSE;
int sl_is_split_step(const sl_session *session);
int sl_is_pairgrad_step(const sl_session *session);
/* Gradients of pairs and of the probe set's answers (pair_grad), when due. Before the optimizer. */
sl_status sl_emit_pairgrads(sl_session *session) SL_MUSTUSE;
/* Rows of the answer tokens of the current micro-batch (tokens, topk). */
sl_status sl_emit_tokens(sl_session *session) SL_MUSTUSE;
/* Rows of the update (steps, pairs, grad_groups, probe when due, clock) and the COMMIT. */
sl_status sl_emit_update(sl_session *session) SL_MUSTUSE;
/* One measured value; name at most 63 bytes. */
typedef struct sl_eval {
    const char *name;
    double value, se;
    uint32_t used, dropped;
    uint8_t origin; /* SL_ORIGIN_: the data whose effect it is; OTHER: none */
    uint16_t replicate;
} sl_eval;
sl_status sl_emit_eval(sl_session *session, const sl_eval *eval) SL_MUSTUSE;
/* What the feed draws and labels: fills the sink. */
void sl_emit_feed_sink(sl_session *session);

#endif
