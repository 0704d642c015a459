#include "datasets/encode.h"
#include "base/alloc.h"
#include <string.h>

sl_status sl_encode_answer(int32_t **ids, size_t *count, int *is_mismatch,
                           const sl_encoder *encoder, const char *prompt, const int32_t *prompt_ids,
                           size_t prompt_count, const char *answer)
{
    int32_t *all = NULL;
    size_t all_count;
    char *whole = NULL;
    sl_status st = SL_OK;

    *ids = NULL;
    *is_mismatch = 0;
    SL_TRY(sl_take(&whole, strlen(prompt) + strlen(answer) + 1, 1));
    strcat(strcpy(whole, prompt), answer);
    SL_TRY_OUT(encoder->encode(encoder->state, &all, &all_count, whole, 1));
    if (all_count < prompt_count || memcmp(all, prompt_ids, prompt_count * sizeof *all) != 0) {
        *is_mismatch = 1;
        st = encoder->encode(encoder->state, ids, count, answer, 0);
        goto out;
    }
    *count = all_count - prompt_count;
    SL_TRY_OUT(sl_take(ids, *count + 1, sizeof **ids));
    memcpy(*ids, all + prompt_count, *count * sizeof **ids);
out:
    sl_free(whole);
    sl_free(all);
    return st;
}

sl_status sl_encode_append(int32_t **ids, size_t *count, int32_t id)
{
    int32_t *longer = NULL;

    SL_TRY(sl_take(&longer, *count + 1, sizeof *longer));
    memcpy(longer, *ids, *count * sizeof *longer);
    longer[(*count)++] = id;
    sl_free(*ids);
    *ids = longer;
    return SL_OK;
}
