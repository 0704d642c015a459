/* Between the table of rules and what they do. */
#ifndef SL_ANALYSIS_RULE_INT_H
#define SL_ANALYSIS_RULE_INT_H

#include "analysis/rule.h"

typedef sl_status sl_rule_function(sl_rule_look *out, sl_rule_memory *memory, const sl_rule *rule,
                                   const sl_rule_votes *votes);
/* Fixed samples. */
sl_rule_function sl_rule_fixed, sl_rule_wilson;
/* Tests and sequences that stop by themselves. */
sl_rule_function sl_rule_kelly, sl_rule_sprt, sl_rule_sprt_votes, sl_rule_sequence,
    sl_rule_bernstein;
/* Over measurements. */
sl_rule_function sl_rule_ema, sl_rule_linear, sl_rule_smoothstep, sl_rule_logistic,
    sl_rule_posterior;

#endif
