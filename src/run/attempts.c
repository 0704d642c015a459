#include "run/attempts.h"

#include "base/alloc.h"
#include "run/schema.h"

sl_status sl_attempts_add(sl_attempts *attempts, uint32_t attempt, int64_t resumed_from)
{
    const sl_attempt *last = attempts->count ? &attempts->row[attempts->count - 1] : NULL;

    if (last && last->attempt == attempt && last->resumed_from == resumed_from)
        return SL_OK;
    if (last && last->attempt >= attempt)
        return SL_FAIL(SL_EFORMAT, "want attempts to ascend, found %u from step %lld after %u",
                       attempt, (long long)resumed_from, last->attempt);
    SL_TRY(
        sl_grow(&attempts->row, &attempts->capacity, attempts->count + 1, sizeof attempts->row[0]));
    attempts->row[attempts->count++] = (sl_attempt){ attempt, resumed_from };
    return SL_OK;
}

void sl_attempts_close(sl_attempts *attempts)
{
    sl_free(attempts->row);
    *attempts = (sl_attempts){ 0 };
}

int64_t sl_attempts_live_until(const sl_attempts *attempts, uint32_t attempt)
{
    int64_t until = INT64_MAX;

    for (size_t i = 0; i < attempts->count; i++)
        if (attempts->row[i].attempt > attempt && attempts->row[i].resumed_from < until)
            until = attempts->row[i].resumed_from;
    return until;
}

size_t sl_attempts_live_prefix(const unsigned char *rows, size_t count, size_t row_bytes,
                               int64_t until)
{
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (sl_row_step(rows + middle * row_bytes) <= until)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
