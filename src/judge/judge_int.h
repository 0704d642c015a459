#ifndef SL_JUDGE_JUDGE_INT_H
#define SL_JUDGE_JUDGE_INT_H

#include "judge/judge.h"

/* A judge of the table. */
typedef struct sl_judge_row {
    const char *name;
    /* *state: the judge's own, given to the others; may stay NULL. On failure close follows. */
    sl_status (*open)(void **state, const sl_judge_settings *set, const sl_data *data);
    void (*close)(void *state); /* NULL: nothing to close */
    /* vote (count), empty (sl_vote_empty) before; on failure the votes given stay. */
    sl_status (*votes)(sl_vote *vote, void *state, const sl_prompt_text *prompt, const sl_answer *a,
                       const sl_answer *b, size_t count);
} sl_judge_row;

extern const sl_judge_row sl_judge_truth;

sl_vote sl_vote_empty(void);
/* A vote by scores, p = sigmoid((score_a - score_b) / temperature). */
void sl_vote_by_scores(sl_vote *vote, double score_a, double score_b, double temperature);

#endif
