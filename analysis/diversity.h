/* Diversity and quality of the candidates of one measurement, from the record alone: distinct-n
 * within a prompt (metrics.md A1; arXiv 1510.03055), mean score. Means over prompts with standard
 * errors. */
#ifndef SL_ANALYSIS_DIVERSITY_H
#define SL_ANALYSIS_DIVERSITY_H

#include "analysis/interval.h"
#include "run/reader.h"

typedef struct sl_diversity {
    sl_mean distinct_1, distinct_2, quality;
    size_t candidates;
} sl_diversity;

/* origin: SL_ORIGIN_STATIC or SL_ORIGIN_ON_POLICY. Texts that the record does not hold leave the
 * diversity undefined. */
sl_status sl_diversity_of(sl_diversity *out, sl_reader *reader, uint32_t measurement,
                          int origin) SL_MUSTUSE;

/* Distinct n-grams over n-grams of texts (count), words split at white space, pooled over the
 * texts; NaN without an n-gram. n <= 8. */
sl_status sl_distinct_n(double *out, size_t *distinct, size_t *total, const char *const *text,
                        size_t count, size_t n) SL_MUSTUSE;

#endif
