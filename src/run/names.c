/* Names behind indices and the set of texts written, both for one attempt. */
#include "run/run_int.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

static sl_status list_add(sl_name_list *list, const char *name)
{
    SL_TRY(sl_grow(&list->name, &list->capacity, list->count + 1, sizeof list->name[0]));
    memset(list->name[list->count], 0, sizeof list->name[0]);
    memcpy(list->name[list->count], name, strlen(name));
    list->count++;
    return SL_OK;
}

sl_status sl_run_name_known(sl_run *run, const unsigned char *packed_names_row)
{
    sl_row_names row;
    sl_name_list *list;

    SL_TRY(sl_row_check(SL_TABLE_NAMES, packed_names_row));
    sl_row_unpack(&row, SL_TABLE_NAMES, packed_names_row);
    list = &run->names[row.kind];
    if (row.index != list->count + 1)
        return SL_FAIL(SL_EFORMAT, "want name %zu of its kind, found %u (\"%s\")", list->count + 1,
                       row.index, row.name);
    return list_add(list, row.name);
}

sl_status sl_run_name(sl_run *run, uint16_t *index, int kind, const char *name)
{
    const size_t bytes = strlen(name);
    sl_row_names row = { .step = run->step, .kind = (uint8_t)kind };
    sl_name_list *list;

    SL_CHECK(kind >= 0 && kind < SL_NAME_KINDS);
    list = &run->names[kind];
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->name[i], name)) {
            *index = (uint16_t)(i + 1);
            return SL_OK;
        }
    if (!bytes || bytes >= sizeof row.name || !sl_text_is_utf8(name, bytes))
        return SL_FAIL(SL_EARG, "want a name of 1 to 63 bytes UTF-8, found %zu: \"%.70s\"", bytes,
                       name);
    if (list->count >= UINT16_MAX)
        return SL_FAIL(SL_EARG, "want at most %d names of a kind, found more", UINT16_MAX);
    memcpy(row.name, name, bytes);
    row.index = (uint16_t)(list->count + 1);
    SL_TRY(list_add(list, name));
    *index = row.index;
    return sl_run_row(run, SL_TABLE_NAMES, &row, NULL);
}

/* The slot of hash, or the free one where it belongs. */
static uint64_t *slot_of(uint64_t *slot, size_t size, uint64_t hash)
{
    size_t at = (size_t)hash & (size - 1);

    while (slot[at] && slot[at] != hash)
        at = (at + 1) & (size - 1);
    return &slot[at];
}

static sl_status set_widen(sl_hash_set *set)
{
    const size_t size = set->size ? set->size * 2 : 1024;
    uint64_t *slot = NULL;

    SL_TRY(sl_take(&slot, size, sizeof *slot));
    for (size_t i = 0; i < set->size; i++)
        if (set->slot[i])
            *slot_of(slot, size, set->slot[i]) = set->slot[i];
    sl_free(set->slot);
    set->slot = slot;
    set->size = size;
    return SL_OK;
}

sl_status sl_hash_set_add(sl_hash_set *set, uint64_t hash, int *is_new)
{
    uint64_t *slot;

    if (set->count * 2 >= set->size)
        SL_TRY(set_widen(set));
    slot = slot_of(set->slot, set->size, hash);
    *is_new = *slot != hash;
    *slot = hash;
    set->count += (size_t)*is_new;
    return SL_OK;
}

void sl_hash_set_close(sl_hash_set *set)
{
    sl_free(set->slot);
    *set = (sl_hash_set){ 0 };
}
