/* What the tests share: the tolerance ladder, close comparison that asserts finite first, fills,
 * the folder of shared goldens, scratch folders. */
#ifndef SL_TESTS_HARNESS_H
#define SL_TESTS_HARNESS_H

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "base/status.h"
#include <float.h>
#include <math.h>

/* The ladder: relative to the size of the values compared. Widening one needs a reason. */
#define TOL_EXACT 0.0
#define TOL_4ULP (4.0 * FLT_EPSILON)
#define TOL_SUM(n) (4.0 * FLT_EPSILON * sqrt((double)(n)) + 4.0 * FLT_EPSILON)
#define TOL_F64 1e-12
#define TOL_FD 2e-3
#define TOL_GOLDEN 2e-4
#define TOL_BF16 0.0079

/* Relative to max(1, |want|); fails on NaN and infinity unless both are the same. */
#define T_CLOSE(got, want, tol)                                                                    \
    t_close((double)(got), (double)(want), (tol), #got, __FILE__, __LINE__)
/* Every element, relative to max(1, largest |want|); prints the first bad index. */
#define T_CLOSE_ALL(got, want, n, tol)                                                             \
    t_close_all((got), (want), (n), (tol), #got, __FILE__, __LINE__)
/* The status is OK; else prints the record and fails. */
#define T_OK(call) t_ok((call), #call, __FILE__, __LINE__)
/* The status is code and the message holds text; clears the record. */
#define T_FAILS(call, code, text) t_fails((call), (code), (text), #call, __FILE__, __LINE__)

void t_close(double got, double want, double tol, const char *what, const char *file, int line);
void t_close_all(const float *got, const float *want, size_t n, double tol, const char *what,
                 const char *file, int line);
void t_ok(sl_status st, const char *what, const char *file, int line);
void t_fails(sl_status st, sl_status code, const char *text, const char *what, const char *file,
             int line);

double t_dot(const float *x, const float *y, size_t n);
/* x (n) = normal numbers of size std from stream `stream`. */
void t_fill(float *x, size_t n, float std, uint64_t stream);
/* "SHARED/name": the folder of goldens (STAGELINE_SHARED or ../shared); NULL when it is not there.
 */
const char *t_shared(const char *name);
/* A new scratch folder under TMPDIR; removed by t_scratch_remove. */
const char *t_scratch(void);
void t_scratch_remove(void);
#define T_SKIP 77 /* exit code of a test program that cannot run here */

#endif
