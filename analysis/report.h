/* The document of `analyze --json` on votes (stageline.analysis/1): points with score, test,
 * sequence, length and position effects; then where the series crosses the threshold. */
#ifndef SL_ANALYSIS_REPORT_H
#define SL_ANALYSIS_REPORT_H

#include "analysis/summary.h"

/* The whole document, owned by the caller. Undefined numbers are null, keys in a fixed order. */
sl_status sl_analyze_votes(sl_json **out, const sl_vote_set *set,
                           const sl_votes_settings *settings) SL_MUSTUSE;

#endif
