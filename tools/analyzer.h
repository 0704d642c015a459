/* Included before every file by tools/deep.sh static: the analyzer sees one file at a time and
 * would believe that a failure that was recorded may be SL_OK, or lose its place. */
#include "base/status.h"
#undef SL_FAIL
#define SL_FAIL(code, ...)                                                                         \
    __extension__({                                                                                \
        const sl_status known_ = (code);                                                           \
        if (known_ == SL_OK)                                                                       \
            __builtin_unreachable();                                                               \
        (void)sl_err_set(known_, __FILE__, __LINE__, __VA_ARGS__);                                 \
        known_;                                                                                    \
    })
#define sl_err_where(st, ...)                                                                      \
    __extension__({                                                                                \
        const sl_status known_ = (st);                                                             \
        (void)(sl_err_where)(known_, __VA_ARGS__);                                                 \
        known_;                                                                                    \
    })
#define sl_err_hint(st, ...)                                                                       \
    __extension__({                                                                                \
        const sl_status known_ = (st);                                                             \
        (void)(sl_err_hint)(known_, __VA_ARGS__);                                                  \
        known_;                                                                                    \
    })
