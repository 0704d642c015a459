/* Test vectors for metrics and detectors: a file {"tests": [{name, metric, inputs, params,
 * expected, tol}, ...]} is run through the very functions that the analyzer uses, dispatched by
 * `metric` through one table. Expected keys are compared recursively: numbers by |got - want| <=
 * tol max(1, |want|), everything else exactly; keys that a test does not name are not asked for;
 * keys that begin with "zlib" depend on the library's build and are not compared. A metric that the
 * table does not have is "unknown", never passed. */
#ifndef SL_ANALYSIS_GOLDEN_H
#define SL_ANALYSIS_GOLDEN_H

#include "base/json.h"

typedef struct sl_golden_counts {
    size_t passed, failed, unknown;
} sl_golden_counts;

/* *out = {"schema": "stageline.golden/1", "tests": [{"name", "pass", "max_error"}, ...], "passed",
 * "failed", "unknown"}, owned by the caller; a test that is not passed has "why" too. An error of
 * a metric function fails its test only. Errors: SL_EFORMAT when the file has not this shape. */
sl_status sl_golden_run(sl_json **out, sl_golden_counts *counts, const sl_json *file) SL_MUSTUSE;

#endif
