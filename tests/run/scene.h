/* Segments as a stranger makes them: the user block and its sums are right, what is inside is up to
 * the maker. */
#ifndef SL_TESTS_RUN_SCENE_H
#define SL_TESTS_RUN_SCENE_H

#include "run/record.h"
#include "run/segment_read_int.h"

enum { SCENE_ROWS = 1000, SCENE_ROW_BYTES = 96 };

/* What a maker gets: an open file, and the table as the schema wants it, rows of steps 1, 2, ... */
typedef struct scene {
    hid_t file, type, space, creation;
    sl_h5_set set;
    unsigned char rows[SCENE_ROWS * SCENE_ROW_BYTES];
    const char *other; /* path of another file in the folder of the run */
} scene;

typedef void (*scene_maker)(scene *);

/* Where segment 1 of the run stands: its path, and what it is built under. */
typedef struct scene_file {
    const rec_run *run;
    char path[SL_RUN_PATH], tmp[SL_RUN_PATH], other[SL_RUN_PATH];
} scene_file;
void scene_open(scene_file *out, const rec_run *run);
/* Builds the segment of `table` with `rows` rows under f->tmp, not sealed yet. */
void scene_build(const scene_file *f, scene_maker build, sl_table table, size_t rows);
/* Builds and seals it; its user block says this minor version. */
void scene_make(const scene_file *f, scene_maker build, unsigned minor, sl_table table,
                size_t rows);
/* The user block, sums and name of what stands under f->tmp. */
void scene_seal(const scene_file *f, unsigned minor, sl_table table, size_t rows);
/* Writes the dataset as it should be, under this name. */
void scene_put(const scene *s, const char *name);

#endif
