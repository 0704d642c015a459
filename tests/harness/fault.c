#include "harness/fault.h"
#include "base/alloc.h"
#include <stdatomic.h>

/* One test at a time uses this; the code under test may have threads. Forwards to the system's
 * table. */
static const sl_alloc_table *under;
static atomic_size_t seen;
static size_t fail_at;
static int lasts;
static atomic_int fired;
static atomic_long held;

static int fails_now(void)
{
    const size_t n = atomic_fetch_add(&seen, 1);

    if (n != fail_at && !(lasts && n > fail_at))
        return 0;
    fired = 1;
    return 1;
}

static void *take(size_t bytes, size_t align)
{
    void *p = fails_now() ? NULL : under->take(bytes, align);

    held += p != NULL;
    return p;
}

static void *resize(void *p, size_t bytes)
{
    void *grown = fails_now() ? NULL : under->resize(p, bytes);

    held += grown && !p;
    return grown;
}

void *t_fault_spare(size_t bytes)
{
    void *p = under->take(bytes, sizeof(void *));

    held += p != NULL;
    return p;
}

static void give(void *p)
{
    held -= p != NULL;
    under->give(p);
}

static const sl_alloc_table table = { take, resize, give };

void t_fault_begin(size_t n, int is_lasting)
{
    sl_alloc_set(NULL);
    under = sl_alloc_get();
    seen = 0;
    fail_at = n;
    lasts = is_lasting;
    fired = 0;
    held = 0;
    sl_alloc_set(&table);
}

int t_fault_end(void)
{
    sl_alloc_set(NULL);
    return fired;
}

long t_fault_held(void)
{
    return held;
}
