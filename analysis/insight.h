/* What a record says beyond its measurements: other losses on its pairs, displacement, probe texts,
 * alignment of gradients, and every visit of one pair. */
#ifndef SL_ANALYSIS_INSIGHT_H
#define SL_ANALYSIS_INSIGHT_H

#include "analysis/alignment.h"
#include "analysis/displacement.h"
#include "analysis/drift.h"
#include "analysis/gradients.h"
#include "analysis/spread.h"
#include "analysis/whatif.h"
#include "base/json.h"

typedef struct sl_insight {
    sl_whatif whatif;
    sl_displacement displacement;
    sl_drift probe;
    sl_alignment alignment;
    sl_gradients gradients;
    sl_spread spread;
} sl_insight;
sl_status sl_insight_run(sl_insight *out, sl_reader *reader) SL_MUSTUSE;
void sl_insight_close(sl_insight *insight);

/* Keys "whatif", "displacement", "probe", "alignment", "gradients", "entropy" of the object `to`:
 * docs/documents.md. */
sl_status sl_insight_json(sl_json *to, const sl_insight *insight) SL_MUSTUSE;
/* whatif.tsv, displacement.tsv, probe.tsv, alignment.tsv, noise.tsv, geometry.tsv, influence.tsv,
 * entropy.tsv in an existing folder: docs/tables.md. */
sl_status sl_insight_tables(const char *folder, const sl_insight *insight) SL_MUSTUSE;

/* Every visit of a pair as a document (stageline.pair/1), owned by the caller. Errors: SL_EARG when
 * the record holds no visit of it, with the number of pairs that it holds. */
sl_status sl_pair_json(sl_json **out, sl_reader *reader, uint64_t pair_id) SL_MUSTUSE;

#endif
