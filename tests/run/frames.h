/* Changes of files of frames whose checksums are mended, so that the checks behind them are
 * reached. */
#ifndef SL_TESTS_RUN_FRAMES_H
#define SL_TESTS_RUN_FRAMES_H

#include "base/rng.h"
#include <stddef.h>
#include <stdint.h>

/* Gives every frame that still lies inside new checksums. */
void frames_mend(unsigned char *data, size_t size, uint32_t seed);
/* Bits flipped and bytes at their edges; half of them with sound checksums, a quarter cut off.
 * Returns the new length. */
size_t frames_mutate(char *text, size_t n, sl_rng *rng, uint32_t seed);

#endif
