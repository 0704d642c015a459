#include "base/alloc.h"
#include "datasets/data_int.h"

void sl_data_close(sl_data **data)
{
    sl_data *d = *data;

    if (!d)
        return;
    d->ops->close(d);
    sl_free(d);
    *data = NULL;
}

const sl_data_limits *sl_data_limits_of(const sl_data *data)
{
    return &data->limits;
}

const char *sl_data_hash(const sl_data *data)
{
    return data->hash;
}

const sl_data_report *sl_data_report_of(const sl_data *data)
{
    return &data->report;
}

int sl_data_is_world(const sl_data *data)
{
    return data->is_world;
}

sl_status sl_data_prompt(sl_prompt_text *out, int32_t *token, const sl_data *data, sl_split split,
                         uint64_t iteration, uint64_t index)
{
    return data->ops->prompt(out, token, data, split, iteration, index);
}

sl_status sl_data_static_pair(sl_pair *out, int32_t *token, const sl_data *data, uint64_t iteration,
                              uint64_t index)
{
    return data->ops->static_pair(out, token, data, iteration, index);
}

sl_status sl_data_static_candidates(sl_answer *answer, size_t *count, int32_t *token,
                                    const sl_data *data, sl_split split, uint64_t iteration,
                                    uint64_t index, size_t want)
{
    return data->ops->static_candidates(answer, count, token, data, split, iteration, index, want);
}

sl_status sl_data_imitation(sl_prompt_text *prompt, sl_answer *answer, int32_t *token,
                            const sl_data *data, uint64_t iteration, uint64_t index)
{
    return data->ops->imitation(prompt, answer, token, data, iteration, index);
}
