/* A model that reads answers: packs sequences, runs the forward pass, gives log-probabilities of
 * every answer token; a reward model one score of each answer. Memory is taken once, for the
 * largest batch. */
#ifndef SL_JUDGE_SCORER_H
#define SL_JUDGE_SCORER_H

#include "datasets/pack.h"
#include "model/model.h"

typedef struct sl_scorer {
    sl_packer packer;
    sl_work *work;
    sl_arena arena;
    float *logp;         /* (limits.N) of the last batch; of a reward model (limits.B) rewards */
    sl_row_stats *stats; /* (limits.N) */
    sl_topk top;         /* (limits.N, k); k 0: none */
    int gives_rewards;
} sl_scorer;

/* top_k: best tokens of every target's row, 0 for none. */
sl_status sl_scorer_open(sl_scorer *out, const sl_config *config, const sl_backend *backend,
                         const sl_packed_limits *limits, uint32_t top_k,
                         int with_backward) SL_MUSTUSE;
void sl_scorer_close(sl_scorer *scorer);
/* Fills logp, stats and top of all answer tokens of the sequences; packer.packed.seq_first says
 * where each begins. */
sl_status sl_scorer_run(sl_scorer *scorer, const sl_model *model, const sl_sequence *sequence,
                        size_t count) SL_MUSTUSE;
/* What the model gives to sequence s of the last batch: the sum of logp over its answer in nats, or
 * its reward. */
double sl_scorer_value(const sl_scorer *scorer, size_t s);

#endif
