/* Between the reader of vote files and the set they fill. */
#ifndef SL_ANALYSIS_VOTES_INT_H
#define SL_ANALYSIS_VOTES_INT_H

#include "analysis/votes.h"

typedef struct sl_vote_key {
    const char *name, *judge, *family, *baseline; /* borrowed; all but name may be NULL */
    int64_t step;
    int has_step;
} sl_vote_key;

/* The point of that key, made when it is new; borrowed until the next new one. */
sl_status sl_votes_point(sl_vote_point **out, sl_vote_set *set, const sl_vote_key *key) SL_MUSTUSE;
/* Adds a vote; one without a value is counted as dropped. */
sl_status sl_votes_add(sl_vote_point *point, const sl_vote_row *row) SL_MUSTUSE;
sl_status sl_votes_input(sl_vote_input **out, sl_vote_set *set, const char *path) SL_MUSTUSE;
/* Characters (code points) of a text member; NaN without one. */
double sl_votes_characters(const sl_json *row, const char *key);
/* The prompt by `prompt_id` or by its text. Errors: SL_EFORMAT for neither. */
sl_status sl_votes_prompt(uint64_t *out, const sl_json *row, const char *text_key) SL_MUSTUSE;
/* Id of a pair from the ids of its answers, on-policy first; never 0. */
uint64_t sl_votes_pair(const uint64_t id[2]);

/* "step", "checkpoint" or "iteration" of a row; unchanged without one. */
sl_status sl_votes_step(int64_t *step, int *has_step, const sl_json *row) SL_MUSTUSE;
/* What a file is called: its name without folders and what follows the last ".json". */
void sl_votes_name(char *out, size_t size, const char *path);

#endif
