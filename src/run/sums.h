/* What the files of a published checkpoint were when it was made: `sums.json` in its folder, with
 * bytes and CRC32C of every file below it. A flipped bit in weights or moments is a number like any
 * other; only a sum notices. */
#ifndef SL_RUN_SUMS_H
#define SL_RUN_SUMS_H

#include "base/status.h"

/* Sums all regular files of a folder and of the folders in it. */
sl_status sl_sums_write(const char *folder) SL_MUSTUSE;
/* Every file that is named is there and as it was. *is_there 0: the folder has no sums (a
 * checkpoint of an earlier version). Errors: SL_EFORMAT with the file's path; SL_EIO. */
sl_status sl_sums_check(int *is_there, const char *folder) SL_MUSTUSE;

#endif
