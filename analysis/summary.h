/* One point (checkpoint, judge) in numbers: votes become pairs, pairs prompt means, and prompt
 * means go through boundary.h. Votes of both orders of one pair are averaged first. */
#ifndef SL_ANALYSIS_SUMMARY_H
#define SL_ANALYSIS_SUMMARY_H

#include "analysis/boundary.h"
#include "analysis/metric.h"
#include "analysis/votes.h"

typedef struct sl_votes_settings {
    sl_boundary_settings test;
    int is_shuffled; /* prompts go to the test in a seeded order instead of the file's */
    uint64_t seed;
} sl_votes_settings;
sl_votes_settings sl_votes_settings_defaults(void);

typedef struct sl_summary {
    sl_verdict verdict;
    size_t votes_used;          /* by the test, of verdict.votes */
    sl_win_rate pairs;          /* over pairs: wins, losses, ties */
    double margin;              /* mean |2v-1| over pairs */
    double chars_on, chars_off; /* means over pairs; NaN: unknown */
    double lc_bs, lc_se;        /* length-controlled score; NaN: no lengths */
    sl_stage lc_stage;          /* side of its interval; undecided also without lengths */
    sl_stage fixed_stage;       /* side of the interval of verdict.fixed */
    double cut_on, cut_off;     /* shares of votes whose answer the judge saw cut; NaN: unknown */
    sl_position position;       /* over pairs shown in both orders */
    uint64_t *prompt;           /* (prompts) ids, owned; in the order of the test */
    double *mean;               /* (prompts) prompt means, owned */
    uint32_t *votes;            /* (prompts) votes behind each, owned */
    size_t prompts;
} sl_summary;
sl_status sl_summary_of(sl_summary *out, const sl_vote_point *point,
                        const sl_votes_settings *settings) SL_MUSTUSE;
void sl_summary_close(sl_summary *summary);

/* Share of common prompts on which two judges see the same winner; a tie against a winner counts
 * one half. NaN without a common prompt. */
sl_status sl_summary_agreement(double *out, const sl_summary *a, const sl_summary *b) SL_MUSTUSE;

#endif
