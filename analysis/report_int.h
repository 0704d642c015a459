/* Parts of the document on votes. */
#ifndef SL_ANALYSIS_REPORT_INT_H
#define SL_ANALYSIS_REPORT_INT_H

#include "analysis/answers.h"
#include "analysis/json_out_int.h"
#include "analysis/summary.h"

/* Keys "boundary" (of the first name and judge) and "boundaries" (of every one). all (points). */
sl_status sl_report_boundaries(sl_json *to, const sl_vote_set *set, const sl_summary *all,
                               const sl_votes_settings *settings) SL_MUSTUSE;
/* Key "warnings": what casts doubt on a verdict, a sentence each. agreement (points): mean
 * agreement with the other judges, NaN without one. */
sl_status sl_report_warnings(sl_json *to, const sl_vote_set *set, const sl_summary *all,
                             const double *agreement) SL_MUSTUSE;

/* Keys "bad", "cut_off" and "bad_rows" of an entry of "inputs". */
sl_status sl_report_bad(sl_json *to, const sl_rows *read) SL_MUSTUSE;
/* Appends a row of a table of metrics with its value. */
sl_status sl_report_value(sl_json *list, const sl_metric *metric, const char *level,
                          const sl_value *value) SL_MUSTUSE;

/* Both name the same, or both nothing. */
int sl_report_same_text(const char *a, const char *b);

/* A series is the points of one name and judge, or one point without a step. Whether point i is the
 * first of its own in the set. */
int sl_report_is_first(const sl_vote_set *set, size_t i);
/* index (points) = the points of that series in order of steps, *T of them. */
void sl_report_series(size_t *index, size_t *T, const sl_vote_set *set, size_t first);

#endif
