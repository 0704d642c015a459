/* Who votes and in which words, as a recipe names them: the judge of section "judge" and the words
 * of sampled answers. */
#ifndef SL_TRAIN_VOICES_H
#define SL_TRAIN_VOICES_H

#include "judge/judge.h"
#include "kernels/backend.h"
#include "measure/sampler.h"
#include "text/encoder.h"
#include "train/recipe.h"

/* Opens the judge measure.judge with the settings of section "judge". Errors: those of
 * sl_judge_open, with the key. */
sl_status sl_voices_judge(sl_judge **out, const sl_recipe *recipe, const sl_data *data,
                          const sl_backend *backend, const volatile int *stop) SL_MUSTUSE;
/* Memory of the judge's parameters; 0: it is no model of ours. */
sl_status sl_voices_bytes(size_t *bytes, const sl_recipe *recipe) SL_MUSTUSE;
/* Whether the judge reads words (the world's truth reads ids). */
int sl_voices_want_words(const sl_recipe *recipe);
/* Words of sampled answers by that tokenizer, special tokens left out; text NULL: none. */
sl_wording sl_voices_decode(sl_text_encoder *text);

#endif
