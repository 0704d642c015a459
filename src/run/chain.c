#include "run/chain_int.h"

#include "base/hash.h"
#include "run/files.h"

#include <string.h>

sl_status sl_segment_follows(const sl_segment_info *info, const sl_segment_info *before,
                             const sl_run_identity *identity, uint32_t rank, uint32_t number)
{
    if (strcmp(info->uuid_text, identity->uuid_text) || info->rank != rank ||
        info->number != number)
        return SL_FAIL(SL_EFORMAT, "want run %s rank %u segment %u, found %s, %u and %u",
                       identity->uuid_text, rank, number, info->uuid_text, info->rank,
                       info->number);
    if (strcmp(info->run_sha256, identity->sha256))
        return SL_FAIL(SL_EFORMAT, "want run.json with SHA-256 %.16s..., found %.16s...",
                       info->run_sha256, identity->sha256);
    if (before->number && before->number + 1 == number &&
        (info->previous_bytes != before->bytes || strcmp(info->previous_sha256, before->sha256)))
        return SL_FAIL(SL_EFORMAT,
                       "want to follow the segment before by its SHA-256, found another");
    return SL_OK;
}

sl_status sl_segment_texts_prove(char *path, const sl_segment_info *info, const char *rank_folder)
{
    char sha256[65];

    path[0] = 0;
    if (!info->text_bytes)
        return SL_OK;
    SL_TRY(sl_rank_path(path, rank_folder, SL_FILE_TEXTS_GZ, info->number));
    SL_TRY(sl_run_file_sha256(sha256, path));
    if (strcmp(sha256, info->text_sha256))
        return sl_err_where(
            SL_FAIL(SL_EFORMAT, "want SHA-256 %.16s..., found %.16s...", info->text_sha256, sha256),
            "%s", path);
    return SL_OK;
}
