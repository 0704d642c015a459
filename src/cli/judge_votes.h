/* Votes as lines of a file, one a pair and order: written whole, never twice. */
#ifndef SL_CLI_JUDGE_VOTES_H
#define SL_CLI_JUDGE_VOTES_H

#include "cli/judge_candidates.h"
#include "judge/judge.h"

typedef struct sl_vote_file {
    const char *path;  /* borrowed; NULL: stdout */
    const char *judge; /* borrowed: its label */
    uint64_t seed;
    int fd;
    uint64_t *known; /* (capacity, a power of 2) set of the votes there are; 0: free */
    size_t known_count, capacity;
    char *text; /* (bytes) lines not written yet */
    size_t bytes, text_capacity;
    size_t votes; /* added */
} sl_vote_file;

/* Opens a new file, or with is_resume perhaps an existing one, whose votes are known then and whose
 * last line goes if it was cut off. Errors: SL_EARG when it exists without is_resume, or another
 * process writes it; SL_EFORMAT for a file of something else. */
sl_status sl_vote_file_open(sl_vote_file *out, const char *path, const char *judge, uint64_t seed,
                            int is_resume) SL_MUSTUSE;
/* Whether the votes of this pair are there. */
int sl_vote_file_has(const sl_vote_file *file, const sl_candidate_pair *pair, int both_orders);
/* Adds the lines of a vote (a: on-policy) that the file does not have. */
sl_status sl_vote_file_add(sl_vote_file *file, const sl_candidate_pair *pair,
                           const sl_vote *vote) SL_MUSTUSE;
/* Writes what was added; is_last: and makes it durable. */
sl_status sl_vote_file_flush(sl_vote_file *file, int is_last) SL_MUSTUSE;
void sl_vote_file_close(sl_vote_file *file);

#endif
