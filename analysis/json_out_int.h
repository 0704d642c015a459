/* Documents on their way out: every call puts one value into the object `to` under key, or at the
 * end of the array `to` when key is NULL. Errors: SL_ENOMEM. */
#ifndef SL_ANALYSIS_JSON_OUT_INT_H
#define SL_ANALYSIS_JSON_OUT_INT_H

#include "base/json.h"

sl_status sl_out_number(sl_json *to, const char *key, double value) SL_MUSTUSE; /* or null */
sl_status sl_out_i64(sl_json *to, const char *key, int64_t value) SL_MUSTUSE;
sl_status sl_out_bool(sl_json *to, const char *key, int value) SL_MUSTUSE;
sl_status sl_out_text(sl_json *to, const char *key, const char *text) SL_MUSTUSE; /* NULL: null */
/* *child: a new empty object or array. */
sl_status sl_out_object(sl_json **child, sl_json *to, const char *key) SL_MUSTUSE;
sl_status sl_out_list(sl_json **child, sl_json *to, const char *key) SL_MUSTUSE;

#endif
