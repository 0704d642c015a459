/* What a source of data provides; a source is a row of functions over its own state. */
#ifndef SL_DATASETS_DATA_INT_H
#define SL_DATASETS_DATA_INT_H

#include "datasets/data.h"

typedef struct sl_data_ops {
    sl_status (*prompt)(sl_prompt_text *out, int32_t *token, const sl_data *data, sl_split split,
                        uint64_t iteration, uint64_t index);
    sl_status (*static_pair)(sl_pair *out, int32_t *token, const sl_data *data, uint64_t iteration,
                             uint64_t index);
    sl_status (*static_candidates)(sl_answer *answer, size_t *count, int32_t *token,
                                   const sl_data *data, sl_split split, uint64_t iteration,
                                   uint64_t index, size_t want);
    sl_status (*imitation)(sl_prompt_text *prompt, sl_answer *answer, int32_t *token,
                           const sl_data *data, uint64_t iteration, uint64_t index);
    void (*close)(sl_data *data); /* the source's own memory, not the struct */
} sl_data_ops;

struct sl_data {
    const sl_data_ops *ops;
    sl_data_limits limits;
    sl_data_report report;
    char hash[65];
    int is_world; /* the truth judge knows its reward */
    void *state;
};

#endif
