#include "run/scene.h"

#include "base/file.h"
#include "run/userblock_int.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void scene_open(scene_file *out, const rec_run *run)
{
    *out = (scene_file){ .run = run };
    T_OK(sl_rank_path(out->path, run->folder, SL_FILE_SEGMENT, 1));
    (void)snprintf(out->tmp, sizeof out->tmp, "%.4000s.tmp", out->path);
    T_OK(sl_file_join(out->other, sizeof out->other, run->path, "other.h5"));
}

void scene_put(const scene *s, const char *name)
{
    hid_t dataset;

    T_OK(SL_H5_ID(&dataset, H5Dcreate2(s->file, name, s->type, s->space, H5P_DEFAULT, s->creation,
                                       H5P_DEFAULT)));
    T_OK(SL_H5(H5Dwrite(dataset, s->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, s->rows)));
    sl_h5_close(&dataset);
}

void scene_seal(const scene_file *f, unsigned minor, sl_table table, size_t rows)
{
    sl_segment_info info = { .number = 1,
                             .attempt = 1,
                             .resumed_from = -1,
                             .first_step = 1,
                             .last_step = (int64_t)rows,
                             .minor = minor };
    sl_json *object = NULL;

    memcpy(info.uuid_text, f->run->identity.uuid_text, sizeof info.uuid_text);
    info.rows[table] = rows;
    T_OK(sl_segment_info_to_json(&object, &info));
    T_OK(sl_userblock_seal(f->run->folder, f->path, object));
    sl_json_close(&object);
}

void scene_build(const scene_file *f, scene_maker build, sl_table table, size_t rows)
{
    const hsize_t dims = rows;
    scene s = { .file = H5I_INVALID_HID, .other = f->other };
    size_t chunk;

    sl_h5_begin();
    (void)unlink(f->path);
    (void)sl_h5_sets(&s.set, table, &f->run->identity.layout);
    for (size_t i = 0; i < rows; i++) {
        const int64_t step = (int64_t)i + 1;

        memcpy(s.rows + i * s.set.item_bytes, &step, sizeof step);
    }
    T_OK(sl_h5_create(&s.file, f->tmp, SL_USERBLOCK_BYTES));
    T_OK(sl_h5_set_type(&s.type, &s.set));
    T_OK(SL_H5_ID(&s.space, H5Screate_simple(1, &dims, NULL)));
    T_OK(sl_h5_set_creation(&s.creation, &chunk, &s.set, rows));
    build(&s);
    sl_h5_close(&s.creation);
    sl_h5_close(&s.space);
    sl_h5_close(&s.type);
    T_OK(sl_h5_close_file(&s.file));
    sl_h5_end();
}

void scene_make(const scene_file *f, scene_maker build, unsigned minor, sl_table table, size_t rows)
{
    scene_build(f, build, table, rows);
    scene_seal(f, minor, table, rows);
}
