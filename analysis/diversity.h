/* Diversity and quality of the candidates of one measurement, from the record alone: the text
 * metrics of metric.h within a prompt, words split at white space, and the mean score. Means over
 * prompts with standard errors. */
#ifndef SL_ANALYSIS_DIVERSITY_H
#define SL_ANALYSIS_DIVERSITY_H

#include "analysis/interval.h"
#include "run/reader.h"

enum {
    SL_DIVERSITY_DISTINCT_1,
    SL_DIVERSITY_DISTINCT_2,
    SL_DIVERSITY_SELF_BLEU_2,
    SL_DIVERSITY_ENTROPY_1,
    SL_DIVERSITY_LENGTH,
    SL_DIVERSITY_TEXTS
};

typedef struct sl_diversity {
    sl_mean text[SL_DIVERSITY_TEXTS];
    sl_mean quality;
    size_t candidates;
} sl_diversity;

/* origin: SL_ORIGIN_STATIC or SL_ORIGIN_ON_POLICY. Texts that the record does not hold leave the
 * diversity undefined. */
sl_status sl_diversity_of(sl_diversity *out, sl_reader *reader, uint32_t measurement,
                          int origin) SL_MUSTUSE;

#endif
