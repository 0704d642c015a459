/* The first 2048 bytes of every HDF5 file of a run: one line of JSON, spaces, CRC32C. With it a
 * file proves itself before libhdf5 sees a byte. Bytes 0-2043: the line and spaces; bytes
 * 2044-2047: CRC32C of bytes 0-2043, little-endian. HDF5 and every tool skip it. */
#ifndef SL_RUN_USERBLOCK_INT_H
#define SL_RUN_USERBLOCK_INT_H

#include "base/json.h"
#include "run/segment_int.h"

#define SL_USERBLOCK_BYTES 2048u

/* Opens a regular file for reading without following a link; *out is -1 on failure. Errors: SL_EIO;
 * SL_EFORMAT for anything but a regular file. The caller adds the path to the place. */
sl_status sl_userblock_open(int *out, uint64_t *bytes, const char *path) SL_MUSTUSE;
/* The JSON object of an open file, checked by its CRC32C. Errors: SL_EIO, SL_EFORMAT. */
sl_status sl_userblock_read(sl_json **out, int fd) SL_MUSTUSE;
/* Size and SHA-256 of everything after the user block are `bytes` and `sha256` of the object, and
 * an HDF5 file with superblock 2 or 3 begins there. */
sl_status sl_userblock_prove(int fd, const sl_json *object) SL_MUSTUSE;
/* Sums the rest of the file FOLDER/NAME.tmp, adds `bytes` and `sha256` to object, writes it into
 * the head of the file, fsync, rename to NAME, fsync of the folder. */
sl_status sl_userblock_seal(const char *folder, const char *path, sl_json *object) SL_MUSTUSE;

/* The user block of a segment as JSON and back. Errors: SL_ENOMEM; SL_EFORMAT with the key,
 * SL_EVERSION for an unknown major version. */
sl_status sl_segment_info_to_json(sl_json **out, const sl_segment_info *info) SL_MUSTUSE;
sl_status sl_segment_info_from_json(sl_segment_info *out, const sl_json *object) SL_MUSTUSE;
/* object[key] = value, consumed. Errors: SL_ENOMEM, also when value is NULL. */
sl_status sl_json_put(sl_json *object, const char *key, sl_json *value) SL_MUSTUSE;

#endif
