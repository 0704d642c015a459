/* Reading a segment inside libhdf5, with the checks of the run record. Nothing here looks at a user
 * block: the caller has proved the file. All calls stand between sl_h5_begin and sl_h5_end. */
#ifndef SL_RUN_SEGMENT_READ_INT_H
#define SL_RUN_SEGMENT_READ_INT_H

#include "run/cage_int.h"
#include "run/h5_schema_int.h"
#include "run/segment_int.h"

/* An open segment: in a child process (run/cage_int.h), or in this one when this process wrote it.
 */
typedef struct sl_segment_file {
    int fd;
    sl_cage cage; /* pid 0: read here */
    const sl_segment_info *info;
    const sl_run_identity *identity;
    hid_t file; /* invalid: not opened yet, or open in the child */
    hid_t dataset[SL_TABLE_COUNT][SL_TABLE_SETS_MAX], type[SL_TABLE_COUNT][SL_TABLE_SETS_MAX];
    unsigned char *raw; /* of the child: rows of its answer */
} sl_segment_file;

/* info and identity: borrowed until close; identity->is_own says where it is read. The file is
 * opened through a descriptor, so that what is read is what was proved. Errors: SL_EIO, SL_EFORMAT;
 * the caller adds the path to the place. */
sl_status sl_segment_file_open(sl_segment_file *out, const char *path, const sl_segment_info *info,
                               const sl_run_identity *identity) SL_MUSTUSE;
void sl_segment_file_close(sl_segment_file *segment);
/* raw (count, item_bytes) = rows [first, first + count) of dataset number `set` of a table
 * (sl_h5_sets). The dataset is opened, with all checks of what it is, when it is first read; values
 * of rows are the caller's to check. */
sl_status sl_segment_file_read(void *raw, sl_segment_file *segment, sl_table table, size_t set,
                               uint64_t first, size_t count) SL_MUSTUSE;

/* Checks the values of packed rows, one after another: ranges, steps that ascend within the
 * segment, finite where required, order within wide columns. info, layout: borrowed. */
enum { SL_ROW_RULES_MAX = 8 };
typedef struct sl_row_checker {
    sl_table table;
    const sl_segment_info *info;
    const sl_layout *layout;
    int64_t step; /* of the row before; the segment's first step at the beginning */
    size_t rules, rule[SL_ROW_RULES_MAX], offset[SL_ROW_RULES_MAX];
} sl_row_checker;
void sl_row_checker_open(sl_row_checker *out, sl_table table, const sl_segment_info *info,
                         const sl_layout *layout);
/* Errors: SL_EFORMAT; place `column "NAME"`. */
sl_status sl_row_checker_row(sl_row_checker *checker, const unsigned char *packed) SL_MUSTUSE;

/* The rows of one table in order, packed with their wide columns, a piece at a time. */
typedef struct sl_table_reader {
    sl_segment_file *segment;
    sl_table table;
    sl_h5_set set[SL_TABLE_SETS_MAX];
    size_t set_count;
    uint64_t at, end;    /* next row to read; row after the last one wanted */
    size_t packed_bytes; /* of a row */
    size_t piece_rows;   /* room of the piece */
    size_t have, used;   /* rows in the piece, rows of it given */
    sl_row_checker checker;
    unsigned char *packed; /* (piece_rows, packed_bytes) */
    unsigned char *raw;    /* (piece_rows, largest item_bytes) */
} sl_table_reader;

/* Rows [first, first + count). */
sl_status sl_table_reader_open(sl_table_reader *out, sl_segment_file *segment, sl_table table,
                               uint64_t first, uint64_t count) SL_MUSTUSE;
/* Up to want rows: *rows borrowed until the next call, *count of them, 0 at the end. Rows are
 * checked. */
sl_status sl_table_reader_next(sl_table_reader *reader, const unsigned char **rows, size_t *count,
                               size_t want) SL_MUSTUSE;
void sl_table_reader_close(sl_table_reader *reader);

/* Reads everything of a file: every row check, the CRC of every unit, no row without a unit. *crc:
 * CRC32C of all rows of the units table. Errors carry the path. */
sl_status sl_segment_check_units(uint32_t *crc, const char *path, const sl_segment_info *info,
                                 const sl_run_identity *identity) SL_MUSTUSE;

/* sl_segment_rows for a caller that has proved the file before and knows its user block. */
sl_status sl_segment_visit(const char *path, const sl_segment_info *info,
                           const sl_run_identity *identity, sl_table table, uint64_t first,
                           uint64_t count, sl_rows_visit visit, void *with) SL_MUSTUSE;

/* *live = rows of a table with step <= until: the length of the live prefix. */
sl_status sl_segment_live(uint64_t *live, const char *path, const sl_segment_info *info,
                          const sl_run_identity *identity, sl_table table,
                          int64_t until) SL_MUSTUSE;

/* The same of an open file, as often as wanted; errors without the path. */
sl_status sl_segment_file_visit(sl_segment_file *file, sl_table table, uint64_t first,
                                uint64_t count, sl_rows_visit visit, void *with) SL_MUSTUSE;
sl_status sl_segment_file_live(uint64_t *live, sl_segment_file *file, sl_table table,
                               int64_t until) SL_MUSTUSE;

/* A dataset as the schema and the user block want it: kind of link, layout, filters, type, extent,
 * chunks all there. Errors: SL_EFORMAT; place "/NAME". */
sl_status sl_h5_set_open(hid_t *dataset, hid_t *type, hid_t file, const sl_h5_set *set,
                         uint64_t rows, unsigned minor) SL_MUSTUSE;

#endif
