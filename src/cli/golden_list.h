/* Comparisons with reference values of another program, one entry a dataset: the document
 * {"schema":"stageline.golden/1","tests":[{"name","pass","max_error","tolerance"},...],"passed",
 * "failed","unknown"}. A dataset of the file that nobody compared is unknown, never passed. */
#ifndef SL_CLI_GOLDEN_LIST_H
#define SL_CLI_GOLDEN_LIST_H

#include "base/json.h"
#include "run/arrays.h"

typedef struct sl_golden {
    sl_arrays *file;
    sl_json *tests; /* array, in the order of comparison */
    sl_json *seen;  /* object: name -> true */
    size_t passed, failed, unknown;
} sl_golden;

sl_status sl_golden_open(sl_golden *out, const char *path) SL_MUSTUSE;
void sl_golden_close(sl_golden *golden);
/* One entry: passes when error <= tolerance (NaN fails). */
sl_status sl_golden_add(sl_golden *golden, const char *name, double error,
                        double tolerance) SL_MUSTUSE;
/* The dataset is input of the comparison, not a reference value. */
sl_status sl_golden_input(sl_golden *golden, const char *name) SL_MUSTUSE;

/* Largest |got - want| over the elements of dataset `name`, against tolerance * scale, where scale
 * is 1, or with is_relative max(1, largest |want|). Another number of elements fails. */
sl_status sl_golden_floats(sl_golden *golden, const char *name, const float *got, size_t count,
                           double tolerance, int is_relative) SL_MUSTUSE;
sl_status sl_golden_doubles(sl_golden *golden, const char *name, const double *got, size_t count,
                            double tolerance, int is_relative) SL_MUSTUSE;
/* |got - want| / |want|, or |got - want| where want is 0. */
sl_status sl_golden_number(sl_golden *golden, const char *name, double got,
                           double tolerance) SL_MUSTUSE;
/* |got - want| / |want|, Euclidean over the whole array: for gradients. */
sl_status sl_golden_distance(sl_golden *golden, const char *name, const float *got, size_t count,
                             double tolerance) SL_MUSTUSE;

/* Counts what nobody compared, prints the document. Errors: SL_EFORMAT unless every test passed and
 * nothing is unknown. */
sl_status sl_golden_finish(sl_golden *golden, const char *path) SL_MUSTUSE;

#endif
