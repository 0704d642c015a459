/* Rows of candidates and votes, shared by the measurement and by the training feed. A recorder
 * without a run records nothing: that is how a branch is run that leaves no trace. */
#ifndef SL_MEASURE_RECORD_H
#define SL_MEASURE_RECORD_H

#include "judge/judge.h"
#include "measure/sampler.h"
#include "run/run.h"

typedef struct sl_recorder {
    sl_run *run;  /* borrowed; NULL: muted */
    int64_t step; /* of the parameters that are measured or sampled */
    uint32_t iteration, measurement;
    uint16_t judge, sampler; /* indices of names */
} sl_recorder;

/* Registers the names of judge and sampler. */
sl_status sl_recorder_name(sl_recorder *recorder, const sl_judge *judge,
                           const char *sampler) SL_MUSTUSE;
/* Id of an answer sampled: of (prompt, sampler, stream, step, slot). */
uint64_t sl_candidate_id(const sl_recorder *recorder, const sl_prompt_text *prompt,
                         const sl_drawn *drawn, uint32_t slot);
sl_status sl_record_drawn(const sl_recorder *recorder, const sl_prompt_text *prompt,
                          const sl_drawn *drawn, const sl_generate *law, uint32_t slot) SL_MUSTUSE;
sl_status sl_record_static(const sl_recorder *recorder, const sl_prompt_text *prompt,
                           const sl_answer *answer, uint32_t slot) SL_MUSTUSE;

typedef struct sl_vote_sides {
    const sl_answer *a, *b;
    uint64_t a_id, b_id;
    uint8_t a_origin, b_origin, purpose; /* SL_ORIGIN_, SL_PURPOSE_ */
} sl_vote_sides;
sl_status sl_record_vote(const sl_recorder *recorder, const sl_prompt_text *prompt,
                         const sl_vote_sides *sides, const sl_vote *vote) SL_MUSTUSE;

#endif
