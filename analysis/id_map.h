/* A map from ids (64 bits, never 0) to ids, open addressing. Zeros are an empty map. */
#ifndef SL_ANALYSIS_ID_MAP_H
#define SL_ANALYSIS_ID_MAP_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_id_map {
    uint64_t *slot; /* (2 * (mask + 1)) key, value; key 0: free */
    size_t mask, count;
} sl_id_map;

/* *value of key; a new key gets *value as it comes. */
sl_status sl_id_map_get(uint64_t *value, sl_id_map *map, uint64_t key) SL_MUSTUSE;
void sl_id_map_close(sl_id_map *map);

#endif
