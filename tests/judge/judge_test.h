/* Pairs with a known truth for judges outside: the answers carry their quality in their words, and
 * P(a > b) is the sigmoid of the difference. */
#ifndef SL_TESTS_JUDGE_TEST_H
#define SL_TESTS_JUDGE_TEST_H

#include "harness/harness.h"
#include "judge/judge.h"

enum { T_PAIRS = 10 };

typedef struct t_pairs {
    sl_prompt_text prompt[T_PAIRS];
    sl_answer a[T_PAIRS], b[T_PAIRS];
    double truth[T_PAIRS]; /* of a */
    char text[2 * T_PAIRS][64];
} t_pairs;

void t_pairs_fill(t_pairs *pairs);
/* Descriptors open now; -1 where they cannot be counted. */
int t_descriptors(void);
/* No child process is left, as a zombie or alive. */
void t_no_children(void);
/* Every vote of votes (count) is given and near the truth, by TOL_F64. */
void t_votes_true(const sl_vote *vote, const t_pairs *pairs, size_t count);

#endif
