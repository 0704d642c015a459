/* Names that trainers log and the column each one fills. What stands here means the same, or its
 * difference is said in docs/formats.md; all other names become evals under their own name. */
#include "import/import_int.h"
#include <string.h>

#define STEP(name, column)                                                                         \
    {                                                                                              \
        (name), NULL, SL_TO_STEP, offsetof(sl_row_steps, column), #column                          \
    }

static const sl_mapping mappings[] = {
    STEP("loss", loss),
    STEP("nll_loss", loss_nll),
    STEP("grad_norm", grad_norm),
    STEP("learning_rate", learning_rate),
    STEP("lr", learning_rate),
    STEP("entropy", entropy),
    STEP("rewards/margins", margin),
    STEP("rewards/accuracies", accuracy),
    { "accuracy", "llamafactory", SL_TO_STEP, offsetof(sl_row_steps, accuracy), "accuracy" },
    { "epoch", NULL, SL_TO_EPOCH, offsetof(sl_row_steps, epoch), "epoch" },
    { "num_tokens", NULL, SL_TO_TOKENS, offsetof(sl_row_steps, tokens), "tokens" },
    { "num_input_tokens_seen", NULL, SL_TO_TOKENS, offsetof(sl_row_steps, tokens), "tokens" },
    { "total_tokens", "llamafactory", SL_TO_TOKENS, offsetof(sl_row_steps, tokens), "tokens" },
    { "_timestamp", "wandb", SL_TO_CLOCK, 0, "clock.utc_s" },
    { "wall_time", "tensorboard", SL_TO_CLOCK, 0, "clock.utc_s" },
};

const sl_mapping *sl_mapping_find(const char *name, const char *format)
{
    const char *plain = strncmp(name, "train/", 6) ? name : name + 6;

    for (size_t i = 0; i < sizeof mappings / sizeof mappings[0]; i++)
        if (!strcmp(plain, mappings[i].name) &&
            (!mappings[i].format || !strcmp(format, mappings[i].format)))
            return &mappings[i];
    return NULL;
}
