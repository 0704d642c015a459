/* Inside base: the portable checksum, so that a test can compare it with the hardware's. */
#ifndef SL_BASE_HASH_INT_H
#define SL_BASE_HASH_INT_H

#include <stddef.h>
#include <stdint.h>

/* sl_crc32c by tables, on any processor. */
uint32_t sl_crc32c_plain(uint32_t crc, const void *data, size_t bytes);

#endif
