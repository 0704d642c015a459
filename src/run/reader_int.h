/* Inside the reader: the snapshot as a list of parts, each a sealed segment or an open journal. */
#ifndef SL_RUN_READER_INT_H
#define SL_RUN_READER_INT_H

#include "run/files.h"
#include "run/reader.h"
#include "run/segment_int.h"
#include "run/texts.h"

typedef struct sl_part {
    uint32_t number, attempt;
    sl_journal *journal; /* NULL: a sealed segment */
    int is_proved;       /* segment: its sum was checked */
    sl_segment_info info;
    sl_unit *unit; /* (units) whole units of the journal */
    size_t units, capacity;
    uint64_t rows[SL_TABLE_COUNT]; /* stored */
} sl_part;

/* What is known of a table in this snapshot. */
typedef struct sl_table_view {
    uint64_t *live; /* (parts); NULL: not counted yet */
    size_t count;   /* sum of live */
    void *rows;     /* (count) structs; NULL: not read */
} sl_table_view;

struct sl_reader {
    char path[SL_RUN_PATH], folder[SL_RUN_PATH]; /* of the run, of rank 0 */
    sl_run_identity identity;
    sl_json *json;
    int is_all; /* dead rows too */
    sl_part *part;
    size_t parts, capacity;
    struct sl_open_segment *open; /* the segment that was read last; NULL: none */
    sl_attempts attempts;
    sl_table_view view[SL_TABLE_COUNT];
    sl_text *text; /* (texts) by hash */
    size_t texts, text_capacity;
    int has_texts; /* all were read */
};

/* Parts of the reader's folder as it is now. Tries again while files change under it. */
sl_status sl_parts_open(sl_reader *reader) SL_MUSTUSE;
/* Units appended to open journals since; *is_changed: some, or the files are others now, in which
 * case *is_other is 1 and nothing was read. */
sl_status sl_parts_follow(sl_reader *reader, int *is_changed, int *is_other) SL_MUSTUSE;
void sl_parts_close(sl_reader *reader);
/* Checks a segment's sum once. */
sl_status sl_part_prove(const sl_reader *reader, sl_part *part) SL_MUSTUSE;
/* Counts live rows of a table, once a snapshot. */
sl_status sl_view_count(sl_reader *reader, sl_table table) SL_MUSTUSE;
void sl_texts_release(sl_reader *reader);
/* Lets go of the segment that was read last, and of the process that reads it. */
void sl_open_segment_close(sl_reader *reader);

#endif
