#include "analysis/id_map.h"
#include "base/alloc.h"

/* Slot of the key, or the free one where it belongs. Ids are hashes: their low bits spread. */
static uint64_t *slot_of(const sl_id_map *map, uint64_t key)
{
    size_t at = (size_t)key & map->mask;

    while (map->slot[2 * at] && map->slot[2 * at] != key)
        at = (at + 1) & map->mask;
    return &map->slot[2 * at];
}

/* At most half of the slots are taken. */
static sl_status make_room(sl_id_map *map)
{
    sl_id_map larger = { .mask = map->slot ? 2 * map->mask + 1 : 63, .count = map->count };

    if (map->slot && 2 * (map->count + 1) <= map->mask + 1)
        return SL_OK;
    SL_TRY(sl_take(&larger.slot, 2 * (larger.mask + 1), sizeof *larger.slot));
    for (size_t i = 0; map->slot && i <= map->mask; i++)
        if (map->slot[2 * i]) {
            uint64_t *slot = slot_of(&larger, map->slot[2 * i]);

            slot[0] = map->slot[2 * i];
            slot[1] = map->slot[2 * i + 1];
        }
    sl_free(map->slot);
    *map = larger;
    return SL_OK;
}

sl_status sl_id_map_get(uint64_t *value, sl_id_map *map, uint64_t key)
{
    uint64_t *slot;

    SL_TRY(make_room(map));
    slot = slot_of(map, key);
    if (!slot[0]) {
        slot[0] = key;
        slot[1] = *value;
        map->count++;
    }
    *value = slot[1];
    return SL_OK;
}

uint64_t sl_id_map_find(const sl_id_map *map, uint64_t key)
{
    const uint64_t *slot = map->slot ? slot_of(map, key) : NULL;

    return slot && slot[0] ? slot[1] : 0;
}

void sl_id_map_close(sl_id_map *map)
{
    sl_free(map->slot);
    *map = (sl_id_map){ 0 };
}

sl_status sl_prompt_names_check(sl_prompt_names *names, uint64_t id, uint64_t text)
{
    uint64_t known_text = text, known_id = id;

    if (!id || !text)
        return SL_OK;
    SL_TRY(sl_id_map_get(&known_text, &names->text_of_id, id));
    SL_TRY(sl_id_map_get(&known_id, &names->id_of_text, text));
    if (known_text != text)
        return SL_FAIL(SL_EFORMAT, "want one text a \"prompt_id\", found another text of this id");
    if (known_id != id)
        return SL_FAIL(SL_EFORMAT, "want one \"prompt_id\" a text, found another id of this text");
    return SL_OK;
}

size_t sl_id_map_bytes(const sl_id_map *map)
{
    return map->slot ? 2 * (map->mask + 1) * sizeof *map->slot : 0;
}

size_t sl_prompt_names_bytes(const sl_prompt_names *names)
{
    return sl_id_map_bytes(&names->text_of_id) + sl_id_map_bytes(&names->id_of_text);
}

void sl_prompt_names_close(sl_prompt_names *names)
{
    sl_id_map_close(&names->text_of_id);
    sl_id_map_close(&names->id_of_text);
}
