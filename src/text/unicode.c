/* Growable arrays and the few facts about characters that the tokenizer needs. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <string.h>

sl_status sl_bytes_add(sl_bytes *bytes, const void *data, size_t count)
{
    SL_TRY(sl_grow(&bytes->at, &bytes->capacity, bytes->count + count + 1, 1));
    if (count)
        memcpy(bytes->at + bytes->count, data, count);
    bytes->count += count;
    bytes->at[bytes->count] = 0;
    return SL_OK;
}

void sl_bytes_close(sl_bytes *bytes)
{
    sl_free(bytes->at);
    *bytes = (sl_bytes){ 0 };
}

sl_status sl_ids_add(sl_ids *ids, const int32_t *id, size_t count)
{
    if (!count)
        return SL_OK;
    SL_TRY(sl_grow(&ids->id, &ids->capacity, ids->count + count, sizeof *ids->id));
    memcpy(ids->id + ids->count, id, count * sizeof *id);
    ids->count += count;
    return SL_OK;
}

void sl_ids_close(sl_ids *ids)
{
    sl_free(ids->id);
    *ids = (sl_ids){ 0 };
}

int sl_is_space(int32_t point)
{
    static const int32_t range[][2] = {
        { 0x09, 0x0D },     { 0x20, 0x20 },     { 0x85, 0x85 },     { 0xA0, 0xA0 },
        { 0x1680, 0x1680 }, { 0x2000, 0x200A }, { 0x2028, 0x2029 }, { 0x202F, 0x202F },
        { 0x205F, 0x205F }, { 0x3000, 0x3000 },
    };

    for (size_t i = 0; i < sizeof range / sizeof range[0]; i++)
        if (point >= range[i][0] && point <= range[i][1])
            return 1;
    return 0;
}

/* The 68 bytes that are not printable stand in increasing order from U+0100: 0-32, 127-160, 173. */
enum { SHIFT_LOW = 0x100, SHIFT_MIDDLE = SHIFT_LOW + 33 - 127, SHIFT_SOFT = SHIFT_LOW + 67 - 173 };

static int alphabet_shift(int byte)
{
    if (byte <= 32)
        return SHIFT_LOW;
    if (byte >= 127 && byte <= 160)
        return SHIFT_MIDDLE;
    return byte == 173 ? SHIFT_SOFT : 0;
}

size_t sl_alphabet_text(char out[2], unsigned char byte)
{
    const int point = byte + alphabet_shift(byte);

    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    out[0] = (char)(0xC0 | point >> 6);
    out[1] = (char)(0x80 | (point & 0x3F));
    return 2;
}

int sl_alphabet_byte(int32_t point)
{
    static const int shift[] = { 0, SHIFT_LOW, SHIFT_MIDDLE, SHIFT_SOFT };

    for (size_t i = 0; i < sizeof shift / sizeof shift[0]; i++) {
        const int32_t byte = point - shift[i];

        if (byte >= 0 && byte < 256 && alphabet_shift(byte) == shift[i])
            return byte;
    }
    return -1;
}
