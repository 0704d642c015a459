/* A checkpoint under comparison with reference values: what both forms of files share. */
#ifndef SL_CLI_GOLDEN_MODEL_H
#define SL_CLI_GOLDEN_MODEL_H

#include "cli/golden_list.h"
#include "judge/scorer.h"

/* Two right programs in float32 differ by the deviation that the makers of the files measured; a
 * tolerance is some ten times that. */
typedef struct sl_golden_bounds {
    double logits;       /* of logits near 10 */
    double logp_sum;     /* relative to max(1, size) of a summed log-probability */
    double loss;         /* relative */
    double gradient;     /* |g - g'| / |g'| of a tensor, and of all */
    double least_tensor; /* tensors whose gradient is a smaller share of all are noise */
} sl_golden_bounds;

typedef struct sl_golden_model {
    sl_golden list;
    sl_golden_bounds bounds;
    const sl_backend *backend;
    const char *folder;
    sl_model *model;
    sl_scorer scorer;
    sl_sequence sequence[16]; /* of the batch at hand */
    int32_t *ids[16];         /* owned */
    size_t sequences;
    float *coef; /* (limits.N) dLoss/dlogp of every target */
} sl_golden_model;

enum { SL_GOLDEN_SEQUENCES = 16 };

/* Takes the ids of dataset `name` as sequence: prompt, then answer. prompt_tok: of these ids; the
 * dataset is input. */
sl_status sl_golden_take(sl_golden_model *g, const char *name, size_t prompt_tok) SL_MUSTUSE;
/* The same with the prompt in a dataset of its own. */
sl_status sl_golden_take_two(sl_golden_model *g, const char *prompt, const char *answer) SL_MUSTUSE;
void sl_golden_drop(sl_golden_model *g); /* the sequences */
/* Opens the scorer for the sequences taken and computes them; one scorer at a time. */
sl_status sl_golden_compute(sl_golden_model *g, uint32_t top_k, int with_backward) SL_MUSTUSE;
/* Gradient of sum coef*logp against PREFIX/grad_norm, /tensor_grad_norm, /grad/TENSOR, those of
 * them that are there. Stays in the model. */
sl_status sl_golden_gradient(sl_golden_model *g, const char *prefix) SL_MUSTUSE;
/* The whole gradient's L2 norm. */
double sl_golden_norm(const float *x, size_t count);
/* Greedy tokens after the prompt ids; want (prompt_in_tokens + n) tokens under PREFIX/tokens, gaps
 * under PREFIX/logit_gap. Compared up to the first gap below `least_gap`; error: tokens that
 * differ. */
sl_status sl_golden_greedy(sl_golden_model *g, const char *prefix, const char *prompt,
                           double least_gap, int prompt_in_tokens) SL_MUSTUSE;
sl_status sl_golden_name(char out[SL_ARRAY_NAME], const char *a, const char *b) SL_MUSTUSE;

/* The parts of a file, in order; a part that is not there is skipped. */
typedef struct sl_golden_part {
    const char *name;
    sl_status (*run)(sl_golden_model *g);
} sl_golden_part;
extern const sl_golden_part sl_golden_small[], sl_golden_large[];

#endif
