/* The formats, and the way of a record: read everything, write beside, rename. */
#include "import/import_int.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MOST ((size_t)1 << 30)

#define MEANS                                                                                      \
    "loss and metrics are means over the updates since the last row, as the trainer logged them; " \
    "grad_norm and learning_rate are of the last update"
#define REWARDS                                                                                    \
    "; rewards/* are beta (logp - ref_logp) summed over the tokens of an answer where there is a " \
    "reference, beta times the mean log-probability under SimPO and CPO: the log does not say "    \
    "which; rewards/accuracies count ties as losses"

const sl_import_format sl_import_formats[] = {
    { "trainer-state", "trainer_state.json of transformers and TRL", MEANS REWARDS,
      &sl_import_trainer_state },
    { "llamafactory", "trainer_log.jsonl of LLaMA-Factory", MEANS REWARDS,
      &sl_import_llamafactory },
    { "wandb", "history of Weights & Biases, as CSV or JSON lines", MEANS REWARDS,
      &sl_import_wandb },
    { "tensorboard", "event file of TensorBoard: scalars",
      "float32 scalars as they stand in the event file, records checked by their CRC32C; " MEANS
          REWARDS,
      &sl_import_tensorboard },
    { "trl", "JSON lines of examples/trl_callback.py",
      "log-probabilities summed over the tokens of an answer after TRL's cuts, of policy and "
      "reference, pair by pair",
      &sl_import_trl },
    { NULL, NULL, NULL, NULL },
};

/* --- bad rows --------------------------------------------------------------------------------- */

sl_status sl_import_bytes_read(sl_import_bytes *out, sl_rows *rows, const char *path)
{
    const int is_stdin = !strcmp(path, "-");
    unsigned char digest[32];
    sl_sha256 sha;
    sl_status st;

    *out = (sl_import_bytes){ .shown = is_stdin ? "stdin" : path };
    *rows = (sl_rows){ 0 };
    SL_TRY(sl_file_read(&out->text, &out->bytes, path, FILE_BYTES_MOST));
    rows->bytes = rows->held_bytes = out->bytes;
    if (!is_stdin) {
        st = sl_sha256_file(rows->sha256, path);
        if (st != SL_OK)
            sl_free(out->text);
        return st;
    }
    sl_sha256_open(&sha);
    sl_sha256_add(&sha, out->text, out->bytes);
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(rows->sha256, digest);
    return SL_OK;
}

sl_status sl_import_bad(sl_rows *rows, sl_err_record *first, sl_status st, size_t line)
{
    if (st != SL_EFORMAT)
        return st;
    if (!rows->bad)
        sl_err_save(first);
    if (rows->bad < SL_BAD_KEPT) {
        rows->first[rows->bad].line = line;
        snprintf(rows->first[rows->bad].reason, sizeof rows->first->reason, "%s", sl_err_message());
    }
    rows->bad++;
    sl_err_clear();
    return SL_OK;
}

sl_status sl_import_judge(const sl_rows *rows, const sl_err_record *first,
                          const sl_rows_limit *limit, const char *shown)
{
    if (rows->bad && (double)rows->bad > limit->share * (double)(rows->rows + rows->bad))
        return sl_err_hint(sl_err_restore(first),
                           "%zu of %zu rows are bad, more than %g %%; --allow-bad SHARE goes on "
                           "without them",
                           rows->bad, rows->rows + rows->bad, 100.0 * limit->share);
    if (!rows->rows && !rows->bad)
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want rows, found none"), "%s", shown);
    return SL_OK;
}

/* --- run.json --------------------------------------------------------------------------------- */

static sl_json *describe_files(const sl_import_report *r)
{
    sl_json *list = json_array();
    int bad = !list;

    for (size_t i = 0; i < r->files && !bad; i++) {
        const sl_import_file *f = &r->file[i];

        bad = json_array_append_new(
            list, json_pack("{s:s, s:s, s:I, s:I, s:I}", "path", f->path, "sha256", f->read.sha256,
                            "bytes", (json_int_t)f->read.bytes, "rows", (json_int_t)f->read.rows,
                            "bad", (json_int_t)f->read.bad));
    }
    if (bad)
        sl_json_close(&list);
    return list;
}

static sl_json *describe_others(const sl_import_report *r)
{
    sl_json *o = json_object();
    int bad = !o;

    for (size_t i = 0; i < r->others && !bad; i++)
        bad = json_object_set_new(o, r->other[i].name, json_integer((json_int_t)r->other[i].count));
    if (bad)
        sl_json_close(&o);
    return o;
}

sl_status sl_import_json(sl_json **out, const sl_import_format *format,
                         const sl_import_report *report)
{
    *out = json_pack("{s:{s:s, s:s, s:o, s:I, s:o}}", "imported", "format", format->name,
                     "provenance", format->provenance, "files", describe_files(report), "values",
                     (json_int_t)report->values, "not_numbers", describe_others(report));
    return *out ? SL_OK : SL_FAIL(SL_ENOMEM, "want memory for a description, found none");
}

/* --- the way ---------------------------------------------------------------------------------- */

static sl_status read_points(sl_import_report *report, const sl_import_format *format,
                             const char *const *path, size_t count, const char *out,
                             const sl_rows_limit *limit)
{
    sl_points points;
    sl_status st = SL_OK;

    sl_points_open(&points, format->name, report);
    for (size_t i = 0; i < count; i++) {
        sl_import_file *f = &report->file[report->files++];

        f->path = path[i];
        SL_TRY_OUT(format->reader->points(&points, &f->read, path[i], limit));
    }
    if (!points.count)
        SL_TRY_OUT(sl_err_where(SL_FAIL(SL_EFORMAT, "want numbers, found none"), "%s", path[0]));
    st = sl_points_write(&points, out, format);
out:
    sl_points_close(&points);
    return st;
}

static sl_status drop(const char *folder, sl_status st)
{
    sl_err_record record;

    sl_err_save(&record);
    sl_err_clear();
    if (sl_file_exists(folder) && sl_file_remove_tree(folder) != SL_OK)
        sl_err_clear(); /* what failed first is what the person has to know */
    return st == SL_OK ? SL_OK : sl_err_restore(&record);
}

sl_status sl_import(sl_import_report *report, const sl_import_format *format,
                    const char *const *path, size_t count, const char *out,
                    const sl_rows_limit *limit)
{
    char part[PATH_MAX];
    sl_status st;

    *report = (sl_import_report){ .first_step = -1, .last_step = -1 };
    if (count > SL_IMPORT_FILES)
        return SL_FAIL(SL_EARG, "want at most %d files, found %zu", SL_IMPORT_FILES, count);
    if (sl_file_exists(out))
        return sl_err_where(SL_FAIL(SL_EARG, "want a new folder, found one there"), "%s", out);
    if (snprintf(part, sizeof part, "%s.part-%ld", out, (long)getpid()) >= PATH_MAX)
        return SL_FAIL(SL_EARG, "want a path below %d bytes, found more", PATH_MAX);
    st = (format->reader->run ? format->reader->run : read_points)(report, format, path, count,
                                                                   part, limit);
    if (st == SL_OK && rename(part, out))
        st = sl_err_where(SL_FAIL(SL_EIO, "want this folder, found: %s", strerror(errno)), "%s",
                          out);
    return st == SL_OK ? SL_OK : drop(part, st);
}
