#ifndef SL_JUDGE_JUDGE_INT_H
#define SL_JUDGE_JUDGE_INT_H

#include "judge/judge.h"

/* A judge of the table. */
typedef struct sl_judge_row {
    const char *name;
    sl_status (*open)(const sl_data *data); /* whether it can judge these data */
    sl_status (*votes)(sl_vote *vote, const sl_prompt_text *prompt, const sl_answer *a,
                       const sl_answer *b, size_t count);
} sl_judge_row;

extern const sl_judge_row sl_judge_truth;

#endif
