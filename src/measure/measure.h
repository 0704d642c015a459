/* One measurement of one policy: candidates from a sampler and from the static data, votes from a
 * judge, prompt by prompt, until the advisor has enough. Source: arXiv 2508.10530 (boundary
 * measurement), with a sequential test in place of the fixed sample. */
#ifndef SL_MEASURE_MEASURE_H
#define SL_MEASURE_MEASURE_H

#include "measure/advisor.h"
#include "measure/record.h"

typedef struct sl_measure_settings {
    uint64_t seed;
    uint32_t prompts;      /* most prompts of a measurement */
    uint32_t batch;        /* prompts sampled and judged between looks */
    uint32_t on, off;      /* candidates a prompt */
    uint64_t first_prompt; /* of the probe split */
} sl_measure_settings;

typedef struct sl_measure sl_measure;

/* Opens the buffers of measurements over these data; everything named is borrowed. */
sl_status sl_measure_open(sl_measure **out, const sl_measure_settings *settings,
                          const sl_data *data, sl_judge *judge) SL_MUSTUSE;
void sl_measure_close(sl_measure **measure);

/* Runs one measurement and records candidates, votes, looks. The answers are the sampler's; the
 * decision row is filled but neither recorded nor acted on: that is the trainer's. */
sl_status sl_measure_run(sl_row_boundary *result, sl_row_decisions *decision, sl_measure *measure,
                         const sl_sampler *sampler, const sl_advisor *advisor,
                         const sl_recorder *recorder) SL_MUSTUSE;

/* A fixed-size score: mean vote over `prompts` prompts from first on, with the standard error of
 * prompt means. Nothing of it is recorded but by the caller. */
typedef struct sl_fixed_score {
    double bs, se;
    uint32_t prompts, votes;
} sl_fixed_score;
sl_status sl_measure_fixed(sl_fixed_score *out, sl_measure *measure, const sl_sampler *sampler,
                           uint64_t first, uint32_t prompts) SL_MUSTUSE;

#endif
