/* The boundary measurement: votes become prompt means, prompt means a boundary score, and a
 * sequential test says in which stage the policy is.
 *
 *   BS = share of votes that on-policy answers win against static ones (ties one half)
 *   BS < tau: preference injection, static data next; BS >= tau: preference fine-tuning, on-policy
 * next
 *
 * Source: arXiv 2508.10530 (its algorithm counts 2000 prompts and compares with 1/2). In place of
 * the fixed sample stands the indifference-zone e-process of hypothesis.h: it stops when the side
 * is known. */
#ifndef SL_ANALYSIS_BOUNDARY_H
#define SL_ANALYSIS_BOUNDARY_H

#include "analysis/hypothesis.h"
#include "analysis/interval.h"
#include "base/status.h"
#include "run/schema.h"

typedef int sl_stage; /* SL_STAGE_UNDECIDED, _INJECTION, _FINE_TUNING of run/schema.h */
const char *sl_stage_name(sl_stage stage); /* "undecided", "injection", "fine-tuning" */

typedef struct sl_boundary_settings {
    double tau, delta, alpha;
    double lambda[SL_KELLY_GRID]; /* betting fractions */
    size_t grid;
} sl_boundary_settings;
sl_boundary_settings sl_boundary_defaults(void); /* 1/2, .05, .05 */
/* Errors: SL_EARG unless 0 < tau - delta, tau + delta < 1, 0 < alpha < 1. */
sl_status sl_boundary_check(const sl_boundary_settings *settings) SL_MUSTUSE;

/* The votes of one prompt. */
typedef struct sl_prompt_mean {
    double mean;                  /* for the on-policy side, in [0,1]; NaN: dropped */
    double v_on, v_off;           /* sums */
    double margin_on, margin_off; /* mean |2p-1| within each side; NaN: unknown */
    size_t votes, ties, dropped;
} sl_prompt_mean;

/* A measurement in progress. */
typedef struct sl_boundary {
    sl_boundary_settings set;
    sl_kelly zone, sign;                /* with the indifference zone; delta = 0 */
    sl_stage stage, certified;          /* what each answered first */
    double *y, *margin_on, *margin_off; /* (prompts) owned */
    size_t capacity, capacity_on, capacity_off;
    size_t prompts, margins_on, margins_off;
    size_t prompts_used; /* at which the zone test answered; 0: not yet */
    double v_on, v_off;
    size_t votes, ties, dropped;
} sl_boundary;

sl_status sl_boundary_begin(sl_boundary *b, const sl_boundary_settings *settings) SL_MUSTUSE;
void sl_boundary_close(sl_boundary *b);
/* One prompt more, in an order that votes did not choose. A NaN mean is counted as dropped. */
sl_status sl_boundary_add(sl_boundary *b, const sl_prompt_mean *prompt) SL_MUSTUSE;
int sl_boundary_is_settled(const sl_boundary *b); /* the default test has answered */

typedef struct sl_verdict {
    sl_stage stage;       /* of the test with the indifference zone */
    sl_stage certified;   /* of the test without */
    sl_mean bs;           /* of prompt means */
    sl_interval fixed;    /* its interval for a fixed sample, level 1 - alpha */
    sl_interval sequence; /* confidence sequence: valid whenever one stops */
    double log_e_ft, log_e_inj, margin_on, margin_off, v_on, v_off;
    size_t prompts, votes, ties, dropped;
    size_t prompts_used; /* at which the test answered; all of them when it did not */
} sl_verdict;
sl_status sl_boundary_verdict(sl_verdict *out, const sl_boundary *b) SL_MUSTUSE;

#endif
