/* Fillers of tables that stand in files of their own. */
#ifndef SL_ANALYSIS_TABLES_INT_H
#define SL_ANALYSIS_TABLES_INT_H

#include "analysis/run_analysis.h"
#include "analysis/table.h"

/* Beta of the run's loss; NaN: it has none. */
double sl_tables_beta(const sl_reader *reader);
/* quality.tsv: calibration of margins and estimates of the KL divergence, by iteration and source.
 */
sl_status sl_quality_table(sl_table_out *t, const sl_run_analysis *a, sl_reader *reader) SL_MUSTUSE;

#endif
