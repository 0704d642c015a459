/* What the tests of training share: a session on a tiny policy of the built-in world. */
#ifndef SL_TESTS_TRAIN_TEST_H
#define SL_TESTS_TRAIN_TEST_H

#include "harness/harness.h"
#include "train/step.h"

/* Opens it with keys as "method.beta=0.3", NULL-terminated; set may be NULL. */
void tr_open(sl_session *session, const char *device, const char *const *set);
size_t tr_floats(const sl_session *session);
/* Moves the policy off its reference, so that coefficients differ from pair to pair. */
void tr_walk_off(sl_session *session);
/* |a - b| / |b|; a, b (n). */
double tr_distance(const float *a, const float *b, size_t n);

#endif
