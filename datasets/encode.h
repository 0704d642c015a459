/* Texts of a row to token ids. */
#ifndef SL_DATASETS_ENCODE_H
#define SL_DATASETS_ENCODE_H

#include "datasets/data.h"

/* Ids of an answer behind its prompt: what encoding both together adds to the prompt's ids. Where a
 * token spans the border, *is_mismatch is set and the answer is encoded by itself. *ids: owned by
 * the caller. */
sl_status sl_encode_answer(int32_t **ids, size_t *count, int *is_mismatch,
                           const sl_encoder *encoder, const char *prompt, const int32_t *prompt_ids,
                           size_t prompt_count, const char *answer) SL_MUSTUSE;
/* Appends an id to a list that the caller owns. */
sl_status sl_encode_append(int32_t **ids, size_t *count, int32_t id) SL_MUSTUSE;

#endif
