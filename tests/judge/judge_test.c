#include "judge/judge_test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void t_pairs_fill(t_pairs *pairs)
{
    for (size_t i = 0; i < T_PAIRS; i++) {
        const double qa = 0.25 * (double)i, qb = 1.0 + 0.125 * (double)i;
        char *a = pairs->text[2 * i], *b = pairs->text[2 * i + 1];

        snprintf(a, sizeof pairs->text[0], "[answer] \"\xc3\xa4\" quality=%g [end]", qa);
        snprintf(b, sizeof pairs->text[0], "[answer] {a} quality=%g\n [end]", qb);
        pairs->prompt[i] = (sl_prompt_text){ .id = i + 1, .text = "Say {b}." };
        pairs->a[i] = (sl_answer){ .id = 100 + i, .text = a, .score = (float)qa };
        pairs->b[i] = (sl_answer){ .id = 200 + i, .text = b, .score = (float)qb };
        pairs->truth[i] = 1.0 / (1.0 + exp(qb - qa));
    }
}

int t_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;

    if (!folder)
        return -1;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

void t_no_children(void)
{
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

void t_votes_true(const sl_vote *vote, const t_pairs *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(vote[i].is_given && vote[i].status == SL_VOTED);
        T_CLOSE(vote[i].p, pairs->truth[i], TOL_F64);
    }
}
