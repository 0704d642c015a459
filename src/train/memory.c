#include "train/memory.h"
#include <unistd.h>

size_t sl_memory_physical(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);

    return pages > 0 && bytes > 0 ? (size_t)pages * (size_t)bytes : 0;
}

sl_status sl_memory_check(size_t bytes, size_t limit, const char *what)
{
    const double gib = 1.0 / 1073741824.0;

    if (!limit || bytes <= limit)
        return SL_OK;
    return sl_err_hint(SL_FAIL(SL_ENOMEM, "want %.1f GiB for %s, found %.1f GiB in this machine",
                               (double)bytes * gib, what, (double)limit * gib),
                       "smaller: train.micro_batch, policy.sample_batch, data.max_prompt, "
                       "data.max_answer, record.grad_split_every=0, record.level, another model");
}
