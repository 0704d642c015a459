/* `analyze --golden`: the metrics against test vectors from elsewhere. */
#include "analysis/golden.h"
#include "cli/analyze.h"
#include "cli/print.h"

enum { GOLDEN_MAX_BYTES = 256 << 20 };

sl_status sl_analyze_golden(const char *path)
{
    sl_json *file = NULL, *document = NULL;
    sl_golden_counts counts;
    sl_status st = SL_OK;

    SL_TRY(sl_json_load(&file, path, GOLDEN_MAX_BYTES));
    SL_TRY_OUT(sl_err_where(sl_golden_run(&document, &counts, file), "%s", path));
    SL_TRY_OUT(sl_print_json(document));
    if (counts.failed || counts.unknown)
        st =
            sl_err_where(SL_FAIL(SL_EFORMAT,
                                 "want every test to pass, found %zu passed, %zu failed and %zu of "
                                 "an unknown metric",
                                 counts.passed, counts.failed, counts.unknown),
                         "%s", path);
out:
    sl_json_close(&document);
    sl_json_close(&file);
    return st;
}
