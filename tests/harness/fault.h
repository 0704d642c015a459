/* Makes allocations fail. For sweeps: n = 0, 1, ... until a call passes without a fault fired. */
#ifndef SL_TESTS_FAULT_H
#define SL_TESTS_FAULT_H

#include <stddef.h>

/* From now on the n-th take or resize fails; with is_lasting also all that follow. */
void t_fault_begin(size_t n, int is_lasting);
/* Back to the system's table. 1 when a fault was fired. */
int t_fault_end(void);
/* Blocks taken and not given back since t_fault_begin: 0 when nothing leaks. */
long t_fault_held(void);

/* Memory that never fails, counted in t_fault_held: for a library that is not under test. */
void *t_fault_spare(size_t bytes);

#endif
