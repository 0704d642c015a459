/* Seam inside the room: rows of a table with their wide columns, one after another. */
#ifndef SL_RUN_EXPORT_INT_H
#define SL_RUN_EXPORT_INT_H

#include "run/reader.h"

/* wide: one array a wide column of the table, width elements each: float (f16, f32) or uint32_t. */
typedef sl_status (*sl_export_visit)(void *with, const void *row, const void *const *wide);
/* Holds one table and a block of its wide columns in memory. */
sl_status sl_export_each(sl_reader *reader, sl_table table, sl_export_visit visit,
                         void *with) SL_MUSTUSE;

#endif
