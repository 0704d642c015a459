#include "analysis/table.h"
#include "base/file.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

sl_status sl_table_open(sl_table_out *t, const char *folder, const char *name, const char *header)
{
    *t = (sl_table_out){ 0 };
    SL_TRY(sl_file_join(t->path, sizeof t->path, folder, name));
    snprintf(t->temporary, sizeof t->temporary, "%s.tmp", t->path);
    SL_TRY(sl_err_where(sl_file_stream(&t->file, t->temporary), "%s", t->path));
    fprintf(t->file, "%s\n", header);
    return SL_OK;
}

static void separate(sl_table_out *t)
{
    if (t->is_inside)
        fputc('\t', t->file);
    t->is_inside = 1;
}

void sl_table_f64(sl_table_out *t, double value)
{
    separate(t);
    if (isfinite(value))
        fprintf(t->file, "%.17g", value);
    else
        fputs(isnan(value) ? "nan" : value > 0.0 ? "inf" : "-inf", t->file);
}

void sl_table_i64(sl_table_out *t, int64_t value)
{
    separate(t);
    fprintf(t->file, "%lld", (long long)value);
}

void sl_table_text(sl_table_out *t, const char *text)
{
    separate(t);
    for (; *text; text++)
        fputc(*text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text, t->file);
}

void sl_table_end_row(sl_table_out *t)
{
    fputc('\n', t->file);
    t->is_inside = 0;
}

void sl_table_drop(sl_table_out *t)
{
    if (!t->file)
        return;
    fclose(t->file);
    unlink(t->temporary);
    t->file = NULL;
}

sl_status sl_table_close(sl_table_out *t)
{
    const int bad = fflush(t->file) || ferror(t->file);

    if (fclose(t->file) || bad || rename(t->temporary, t->path)) {
        const int cause = errno;

        t->file = NULL;
        unlink(t->temporary);
        return sl_err_where(SL_FAIL(SL_EIO, "want to write it, found: %s", strerror(cause)), "%s",
                            t->path);
    }
    t->file = NULL;
    return SL_OK;
}
