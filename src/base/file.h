/* Files: whole reads (plain or gzip'ed, bounded), atomic writes, folders. All calls complete short
 * reads and writes and retry EINTR. */
#ifndef SL_BASE_FILE_H
#define SL_BASE_FILE_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* *out: contents plus a zero byte, freed with sl_free; "-" is stdin; gzip is recognised by its
 * magic. Errors: SL_EIO; SL_EFORMAT over limit_bytes (after inflation) or a damaged gzip stream. */
sl_status sl_file_read(char **out, size_t *bytes, const char *path, size_t limit_bytes) SL_MUSTUSE;
/* The same of a file of a run folder, which may come from a stranger: a regular file, no link to
 * one and nothing that would wait. */
sl_status sl_file_read_regular(char **out, size_t *bytes, const char *path,
                               size_t limit_bytes) SL_MUSTUSE;
/* Temporary file in the same folder, fsync, rename, fsync of the folder. */
sl_status sl_file_write_atomic(const char *path, const void *data, size_t bytes) SL_MUSTUSE;
/* Gives a file that is written and closed its name: fsync, rename over path, fsync of the folder.
 * Both in one folder. */
sl_status sl_file_publish(const char *part, const char *path) SL_MUSTUSE;
/* *fd: a new file of ours for writing, under a temporary name. What stands there was left by a
 * process that died, or is a link, and goes first; nothing is written through a link. mode: of the
 * file, less the umask. sl_file_stream: the same as a stream, mode 0666. Errors: SL_EIO. */
sl_status sl_file_create(int *fd, const char *path, unsigned mode) SL_MUSTUSE;
sl_status sl_file_stream(FILE **out, const char *path) SL_MUSTUSE;
sl_status sl_file_write_all(int fd, const void *data, size_t bytes) SL_MUSTUSE;
/* Whether every row that was written to a stream so far was taken. Errors: SL_EIO. */
sl_status sl_file_took_rows(FILE *to) SL_MUSTUSE;
/* fsync, again after EINTR; what cannot be synced (a pipe) is left. */
sl_status sl_file_sync(int fd) SL_MUSTUSE;
sl_status sl_file_sync_folder(const char *path) SL_MUSTUSE;
/* The name itself: fsync of the folder that holds it. */
sl_status sl_file_sync_name(const char *path) SL_MUSTUSE;
/* New folder with mode 0700. SL_EARG when it exists already: nothing is overwritten. */
sl_status sl_file_new_folder(const char *path) SL_MUSTUSE;
/* Whether it is a folder itself, not a link to one. */
int sl_file_is_folder(const char *path);
int sl_file_exists(const char *path);
/* Removes a folder with everything in it, without following links. For own temporary folders. */
sl_status sl_file_remove_tree(const char *path) SL_MUSTUSE;
/* Path "folder/name" into out. Errors: SL_EARG when it does not fit. */
sl_status sl_file_join(char *out, size_t size, const char *folder, const char *name) SL_MUSTUSE;

/* A read-only memory map of a regular file; a link to one is followed. */
typedef struct sl_map {
    const unsigned char *data;
    size_t bytes;
} sl_map;
sl_status sl_map_open(sl_map *out, const char *path) SL_MUSTUSE;
void sl_map_close(sl_map *map);

#endif
