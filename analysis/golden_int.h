/* What the adapters between test vectors and metric functions share. Everything taken belongs to
 * the test and is freed after it, so an adapter returns early without cleaning up. */
#ifndef SL_ANALYSIS_GOLDEN_INT_H
#define SL_ANALYSIS_GOLDEN_INT_H

#include "analysis/json_out_int.h"
#include "base/json.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_gold {
    const sl_json *inputs, *params; /* borrowed */
    sl_json *out;                   /* object: what was computed */
    void **held;
    size_t held_count, held_capacity;
} sl_gold;

typedef struct sl_series {
    double *x; /* (n) */
    size_t n;
} sl_series;
typedef struct sl_matrix {
    double *x; /* (rows, cols) */
    size_t rows, cols;
} sl_matrix;

/* Zeroed memory that lives as long as the test. */
sl_status sl_gold_take(sl_gold *g, void *out, size_t count, size_t size) SL_MUSTUSE;
/* Numbers of an array; null is NaN, "inf" and "-inf" infinities; a string of 0s and 1s is one
 * number per character. */
sl_status sl_gold_numbers(sl_series *out, sl_gold *g, const sl_json *array) SL_MUSTUSE;
sl_status sl_gold_series(sl_series *out, sl_gold *g, const char *key) SL_MUSTUSE; /* of inputs */
/* The same without missing values. */
sl_status sl_gold_present(sl_series *out, sl_gold *g, const char *key) SL_MUSTUSE;
/* An array of rows of equal length; an array of numbers is one column. */
sl_status sl_gold_matrix(sl_matrix *out, sl_gold *g, const sl_json *rows) SL_MUSTUSE;
sl_status sl_gold_param(double *out, const sl_gold *g, const char *key) SL_MUSTUSE;
/* A parameter that is an array. */
sl_status sl_gold_params(sl_series *out, sl_gold *g, const char *key) SL_MUSTUSE;

/* Like sl_out_number, but infinities become "inf" and "-inf". */
sl_status sl_gold_put(sl_json *to, const char *key, double value) SL_MUSTUSE;
sl_status sl_gold_put_array(sl_json *to, const char *key, const double *x, size_t n) SL_MUSTUSE;
sl_status sl_gold_put_indices(sl_json *to, const char *key, const size_t *x, size_t n) SL_MUSTUSE;
/* The key of an object that stands for a number, as Python writes it: "0.05", "2". */
void sl_gold_number_key(char *out, size_t size, double value);

typedef struct sl_gold_row {
    const char *metric;
    sl_status (*run)(sl_gold *g);
} sl_gold_row;
/* Tables end with a NULL metric. */
extern const sl_gold_row sl_gold_votes[], sl_gold_betting[], sl_gold_text[], sl_gold_signals[],
    sl_gold_fit[], sl_gold_vectors[], sl_gold_series_rows[];

#endif
