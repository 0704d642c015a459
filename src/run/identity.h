/* Which run this is: what every reader needs from run.json before it can check a frame. */
#ifndef SL_RUN_IDENTITY_H
#define SL_RUN_IDENTITY_H

#include "base/json.h"
#include "run/schema.h"

enum { SL_RUN_JSON_MAX = 16 << 20 }; /* bytes */

typedef struct sl_run_identity {
    unsigned char uuid[16];
    char uuid_text[37];
    uint32_t world_size;
    unsigned major, minor; /* of the schema that wrote the run */
    sl_layout layout;
    int level; /* record.level */
    uint8_t has_table[SL_TABLE_COUNT];
    char *json;      /* run.json as it stands, owned */
    char sha256[65]; /* of it */
    int is_own;      /* this process writes the run: its segments are read here, not in a child */
} sl_run_identity;

/* Reads RUN/run.json. Errors: SL_EIO; SL_EFORMAT; SL_EVERSION for an unknown major version. */
sl_status sl_run_identity_load(sl_run_identity *out, const char *run_path) SL_MUSTUSE;
/* Adds "schema", "run_uuid", "world_size", "widths", "level" and "tables" to a copy of run_json and
 * writes it to RUN/run.json (atomic); identity gives the values, its uuid must be set. */
sl_status sl_run_identity_save(const sl_run_identity *identity, const sl_json *run_json,
                               const char *run_path) SL_MUSTUSE;
/* A random version-4 UUID from the system's random source. */
sl_status sl_run_uuid_new(sl_run_identity *out) SL_MUSTUSE;
void sl_run_identity_close(sl_run_identity *identity);

#endif
