/* Frames between structs and bytes. */
#include "run/journal.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <string.h>

static const char *const ended_names[] = { "rotated", "complete", "interrupted", "error",
                                           "killed" };
_Static_assert(sizeof ended_names / sizeof ended_names[0] == SL_ENDED_COUNT, "an end lacks a name");

const char *sl_ended_name(sl_ended ended)
{
    return ended_names[ended];
}

/* The 48 bytes as they stand on disk: no member needs padding. */
typedef struct header {
    uint32_t magic;
    uint16_t type, table;
    uint32_t payload_bytes, rows;
    uint64_t seq;
    int64_t step;
    uint64_t synced_seq;
    uint32_t payload_crc32c, header_crc32c;
} header;
_Static_assert(sizeof(header) == SL_FRAME_HEADER, "the header is 48 bytes");
enum { HEADER_CRC_AT = offsetof(header, header_crc32c) };

uint32_t sl_journal_seed(const unsigned char uuid[16], uint32_t rank, uint32_t number)
{
    const uint32_t which[2] = { rank, number };

    return sl_crc32c(sl_crc32c(0, uuid, 16), which, sizeof which);
}

size_t sl_frame_bytes(size_t payload_bytes)
{
    return SL_FRAME_HEADER + (payload_bytes + SL_FRAME_ALIGN - 1) / SL_FRAME_ALIGN * SL_FRAME_ALIGN;
}

void sl_frame_encode(unsigned char *to, const sl_frame *frame, uint32_t seed)
{
    header h = { .magic = SL_FRAME_MAGIC,
                 .type = frame->type,
                 .table = frame->table,
                 .payload_bytes = frame->payload_bytes,
                 .rows = frame->rows,
                 .seq = frame->seq,
                 .step = frame->step,
                 .synced_seq = frame->synced_seq };
    unsigned char *payload = to + SL_FRAME_HEADER;

    if (frame->payload_bytes && frame->payload != payload)
        memcpy(payload, frame->payload, frame->payload_bytes);
    memset(payload + frame->payload_bytes, 0,
           sl_frame_bytes(frame->payload_bytes) - SL_FRAME_HEADER - frame->payload_bytes);
    h.payload_crc32c = sl_crc32c(seed, payload, frame->payload_bytes);
    h.header_crc32c = sl_crc32c(seed, &h, HEADER_CRC_AT);
    memcpy(to, &h, sizeof h);
}

/* The filler after the payload is outside the CRC, so it is compared. */
static int is_zero(const unsigned char *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (at[i])
            return 0;
    return 1;
}

static sl_frame frame_of(const header *h, const unsigned char *payload)
{
    return (sl_frame){ h->type, h->table, h->payload_bytes, h->rows,
                       h->seq,  h->step,  h->synced_seq,    payload };
}

int sl_frame_decode(sl_frame *out, const unsigned char *data, size_t bytes, size_t offset,
                    uint32_t seed)
{
    header h;
    const unsigned char *payload;
    size_t whole;

    if (offset > bytes || bytes - offset < SL_FRAME_HEADER)
        return 0;
    memcpy(&h, data + offset, sizeof h);
    if (h.magic != SL_FRAME_MAGIC || h.payload_bytes > SL_FRAME_PAYLOAD_MAX)
        return 0;
    if (h.header_crc32c != sl_crc32c(seed, &h, HEADER_CRC_AT))
        return 0;
    whole = sl_frame_bytes(h.payload_bytes);
    if (bytes - offset < whole)
        return 0;
    payload = data + offset + SL_FRAME_HEADER;
    if (h.payload_crc32c != sl_crc32c(seed, payload, h.payload_bytes) ||
        !is_zero(payload + h.payload_bytes, whole - SL_FRAME_HEADER - h.payload_bytes))
        return 0;
    *out = frame_of(&h, payload);
    return 1;
}

int sl_frame_was_synced(const unsigned char *data, size_t bytes, size_t from, uint64_t seq,
                        uint32_t seed)
{
    const uint32_t magic = SL_FRAME_MAGIC;
    sl_frame f;

    for (size_t at = from; at + SL_FRAME_HEADER <= bytes; at += SL_FRAME_ALIGN)
        if (!memcmp(data + at, &magic, sizeof magic) &&
            sl_frame_decode(&f, data, bytes, at, seed) && f.synced_seq >= seq)
            return 1;
    return 0;
}

int sl_frame_peek(sl_frame *out, const unsigned char *data, size_t bytes, size_t offset)
{
    header h;

    if (offset > bytes || bytes - offset < SL_FRAME_HEADER)
        return 0;
    memcpy(&h, data + offset, sizeof h);
    *out = frame_of(&h, data + offset + SL_FRAME_HEADER);
    return h.payload_bytes <= SL_FRAME_PAYLOAD_MAX &&
           sl_frame_bytes(h.payload_bytes) <= bytes - offset;
}

void sl_commit_encode(unsigned char payload[SL_COMMIT_BYTES], const sl_commit *commit)
{
    const uint16_t head[2] = { (uint16_t)commit->kind, SL_TABLE_UNITS };
    const uint32_t sums[3] = { commit->crc32c, commit->rows, commit->text_crc32c };

    memcpy(payload, head, sizeof head);
    memcpy(payload + 4, sums, sizeof sums);
    memcpy(payload + 16, &commit->text_bytes, 8);
    memcpy(payload + 24, commit->so_far, sizeof commit->so_far);
}

/* A journal is read by a program of the minor version that wrote it: the number of tables must
 * agree. */
int sl_commit_decode(sl_commit *out, const sl_frame *frame)
{
    uint16_t head[2];
    uint32_t sums[3];

    if (frame->type != SL_FRAME_COMMIT || frame->payload_bytes != SL_COMMIT_BYTES)
        return 0;
    memcpy(head, frame->payload, sizeof head);
    memcpy(sums, frame->payload + 4, sizeof sums);
    if (head[0] >= SL_UNIT_KINDS || head[1] != SL_TABLE_UNITS || frame->step < 0)
        return 0;
    *out = (sl_commit){ .kind = (sl_unit_kind)head[0],
                        .step = frame->step,
                        .seq = frame->seq,
                        .crc32c = sums[0],
                        .rows = sums[1],
                        .text_crc32c = sums[2] };
    memcpy(&out->text_bytes, frame->payload + 16, 8);
    memcpy(out->so_far, frame->payload + 24, sizeof out->so_far);
    return 1;
}

sl_status sl_start_encode(char **payload, const sl_start *start, const sl_json *environment)
{
    char *schema = NULL;
    sl_json *object = NULL;
    sl_status st = SL_OK;

    *payload = NULL;
    SL_TRY_OUT(sl_schema_text(&schema));
    object = json_pack("{s:s, s:i, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:O?, s:s}", "schema_name",
                       SL_SCHEMA_NAME, "major", SL_SCHEMA_MAJOR, "minor", SL_SCHEMA_MINOR,
                       "run_sha256", start->run_sha256, "rank", (json_int_t)start->rank, "journal",
                       (json_int_t)start->number, "attempt", (json_int_t)start->attempt,
                       "resumed_from", (json_int_t)start->resumed_from, "last_seq",
                       (json_int_t)start->last_seq, "start", environment, "schema", schema);
    if (!object)
        SL_TRY_OUT(SL_FAIL(SL_EARG, "want a start record of JSON, found none"));
    SL_TRY_OUT(sl_json_dump(payload, object, 0));
    if (strlen(*payload) > SL_START_MAX)
        SL_TRY_OUT(SL_FAIL(SL_EARG, "want a start record below %d bytes, found %zu", SL_START_MAX,
                           strlen(*payload)));
out:
    sl_free(schema);
    sl_json_close(&object);
    if (st != SL_OK) {
        sl_free(*payload);
        *payload = NULL;
    }
    return st;
}

static sl_status start_fields(sl_start *out, const sl_json *object)
{
    int64_t major, minor, rank, number, attempt, last_seq;
    const char *sha256;

    SL_TRY(sl_json_i64(&major, object, "major"));
    SL_TRY(sl_json_i64(&minor, object, "minor"));
    if (major != SL_SCHEMA_MAJOR || minor != SL_SCHEMA_MINOR) /* rows have another length */
        return SL_FAIL(SL_EVERSION, "want a journal of schema %d.%d, found %lld.%lld",
                       SL_SCHEMA_MAJOR, SL_SCHEMA_MINOR, (long long)major, (long long)minor);
    SL_TRY(sl_json_text(&sha256, object, "run_sha256"));
    if (strlen(sha256) >= sizeof out->run_sha256)
        return SL_FAIL(SL_EFORMAT, "want run_sha256 of 64 digits, found %zu", strlen(sha256));
    memcpy(out->run_sha256, sha256, strlen(sha256) + 1);
    SL_TRY(sl_json_i64(&rank, object, "rank"));
    SL_TRY(sl_json_i64(&number, object, "journal"));
    SL_TRY(sl_json_i64(&attempt, object, "attempt"));
    SL_TRY(sl_json_i64(&out->resumed_from, object, "resumed_from"));
    SL_TRY(sl_json_i64(&last_seq, object, "last_seq"));
    if (rank < 0 || rank > 999 || number < 0 || number >= UINT32_MAX || attempt < 0 ||
        attempt >= UINT32_MAX || out->resumed_from < -1 || last_seq < 0)
        return SL_FAIL(SL_EFORMAT, "want rank, journal, attempt, resumed_from and last_seq in "
                                   "range, found others");
    out->rank = (uint32_t)rank;
    out->number = (uint32_t)number;
    out->attempt = (uint32_t)attempt;
    out->last_seq = (uint64_t)last_seq;
    if (!sl_json_has(object, "start"))
        return sl_strdup(&out->json, "{}");
    return sl_json_dump(&out->json, json_object_get(object, "start"), 0);
}

sl_status sl_start_decode(sl_start *out, const sl_frame *frame)
{
    sl_json *object = NULL;
    sl_status st;

    *out = (sl_start){ 0 };
    if (frame->type != SL_FRAME_START || frame->payload_bytes > SL_START_MAX)
        return SL_FAIL(SL_EFORMAT, "want a START frame, found type %u", (unsigned)frame->type);
    SL_TRY(sl_json_parse(&object, (const char *)frame->payload, frame->payload_bytes, "START"));
    st = start_fields(out, object);
    sl_json_close(&object);
    if (st != SL_OK)
        sl_start_close(out);
    return st;
}

void sl_start_close(sl_start *start)
{
    sl_free(start->json);
    *start = (sl_start){ 0 };
}
