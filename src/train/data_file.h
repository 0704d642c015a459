/* The data file of a recipe: how `train` reads it and `audit` looks at it. */
#ifndef SL_TRAIN_DATA_FILE_H
#define SL_TRAIN_DATA_FILE_H

#include "datasets/data.h"
#include "text/encoder.h"
#include "train/recipe.h"

/* file points into the struct: it stays where it is until it is closed. */
typedef struct sl_data_file {
    sl_file_settings file;
    sl_text_encoder *text; /* NULL: rows must be token ids */
    sl_encoder encoder;
    int32_t bos;
} sl_data_file;

/* Limits, ends of turn and vocabulary as the recipe and its policy say; rows of text go through the
 * tokenizer of the recipe, or of the policy. Errors: those of config.json and tokenizer. */
sl_status sl_data_file_open(sl_data_file *out, const sl_recipe *recipe) SL_MUSTUSE;
void sl_data_file_close(sl_data_file *data);

#endif
