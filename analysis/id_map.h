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
uint64_t sl_id_map_find(const sl_id_map *map, uint64_t key); /* 0: no such key */
size_t sl_id_map_bytes(const sl_id_map *map);
void sl_id_map_close(sl_id_map *map);

/* Prompts that rows name by id and by text. One id, one text, both ways: otherwise what belongs to
 * one prompt would count as of two. */
typedef struct sl_prompt_names {
    sl_id_map text_of_id, id_of_text;
} sl_prompt_names;
/* Either may be 0: unknown. Errors: SL_EFORMAT for a contradiction to an earlier call. */
sl_status sl_prompt_names_check(sl_prompt_names *names, uint64_t id, uint64_t text) SL_MUSTUSE;
size_t sl_prompt_names_bytes(const sl_prompt_names *names);
void sl_prompt_names_close(sl_prompt_names *names);

#endif
