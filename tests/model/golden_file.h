/* Datasets of a golden HDF5 file. A dataset that is not there fails the test. */
#ifndef SL_TESTS_GOLDEN_FILE_H
#define SL_TESTS_GOLDEN_FILE_H

#include <stddef.h>
#include <stdint.h>

void t_golden_open(const char *path);
void t_golden_close(void);
/* All elements, *count of them; freed with free. */
float *t_golden_floats(const char *name, size_t *count);
int32_t *t_golden_ids(const char *name, size_t *count);
double t_golden_scalar(const char *name);
int t_golden_has(const char *name);

#endif
