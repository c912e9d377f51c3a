#include "frame.h"

#include <quoll.h>

#include <string.h>

enum {
    MASKED = 0x80,
    RESERVED = 0x70, /* RSV1 to RSV3 */
    OPCODE = 0x0f
};

/* --------------------------------------------------------------- in ---- */

static int
refuse(ql_frames_t *in, unsigned error, const char *why)
{
    in->error = (uint16_t) error;
    in->why = why;
    return NGX_ERROR;
}

static const char *
bad_control(const uint8_t *data)
{
    if ((data[0] & OPCODE) > QL_FRAME_PONG) {
        return "reserved opcode";
    }
    if ((data[0] & QL_FRAME_FIN) == 0) {
        return "fragmented control frame";
    }
    if ((data[1] & ~MASKED) > QL_FRAME_CONTROL) {
        return "control frame too large";
    }
    return (data[0] & RESERVED) != 0 ? "reserved bit set" : NULL;
}

static const char *
bad_data(const ql_frames_t *in, const uint8_t *data)
{
    unsigned opcode = data[0] & OPCODE, reserved = data[0] & RESERVED;

    if (opcode > QL_FRAME_BINARY) {
        return "reserved opcode";
    }
    if (opcode == QL_FRAME_CONTINUATION && in->message == 0) {
        return "continuation of no message";
    }
    if (opcode != QL_FRAME_CONTINUATION && in->message != 0) {
        return "message within a message";
    }
    if (in->deflate && opcode != QL_FRAME_CONTINUATION) {
        reserved &= ~QL_FRAME_COMPRESSED;
    }
    return reserved != 0 ? "reserved bit set" : NULL;
}

/* Of the first two bytes. */
static const char *
bad_start(const ql_frames_t *in, const uint8_t *data)
{
    if (in->client && (data[1] & MASKED) != 0) {
        return "masked frame from a server";
    }
    if (!in->client && (data[1] & MASKED) == 0) {
        return "frame without a mask";
    }
    return (data[0] & QL_FRAME_CLOSE) != 0 ? bad_control(data)
                                           : bad_data(in, data);
}

static uint64_t
get(const uint8_t *p, unsigned size)
{
    uint64_t n = 0;

    while (size-- > 0) {
        n = n << 8 | *p++;
    }
    return n;
}

/* A size that is not the shortest form of itself, or negative, is none. */
static int
look_length(ql_frames_t *in, const uint8_t *data)
{
    unsigned small = data[1] & ~MASKED;

    in->length = small;
    if (small == 126) {
        in->length = get(data + 2, 2);
        if (in->length < 126) {
            return refuse(in, QL_CLOSE_PROTOCOL, "bad length");
        }
    } else if (small == 127) {
        in->length = get(data + 2, 8);
        if (in->length <= 0xffff || in->length >> 63 != 0) {
            return refuse(in, QL_CLOSE_PROTOCOL, "bad length");
        }
    }
    return NGX_OK;
}

/* Deflate makes what it cannot compress larger, by 5 bytes in 16 KiB. */
static uint64_t
message_max(const ql_frames_t *in, unsigned first)
{
    bool compressed = in->message != 0 ? in->compressed
                                       : (first & QL_FRAME_COMPRESSED) != 0;

    return compressed ? in->max + in->max / 1024 + 64 : in->max;
}

static int
look_payload(ql_frames_t *in, const uint8_t *data, size_t n)
{
    uint64_t max = message_max(in, data[0]);

    if ((data[0] & QL_FRAME_CLOSE) == 0
        && (in->size > max || in->length > max - in->size))
    {
        return refuse(in, QL_CLOSE_TOO_BIG, "message too large");
    }
    in->opcode = data[0] & OPCODE;
    if (in->opcode == QL_FRAME_CONTINUATION) {
        in->opcode = in->message;
    }
    in->first = data[0];
    in->want = in->head + in->length;
    return n < in->want ? NGX_AGAIN : NGX_OK;
}

int
ql_frames_look(ql_frames_t *in, const uint8_t *data, size_t n)
{
    const char *why;
    unsigned small;

    in->want = 2;
    if (n < 2) {
        return NGX_AGAIN;
    }
    why = bad_start(in, data);
    if (why != NULL) {
        return refuse(in, QL_CLOSE_PROTOCOL, why);
    }
    small = data[1] & ~MASKED;
    in->head = (uint8_t) (2 + (small == 126 ? 2 : 0) + (small == 127 ? 8 : 0)
                          + (in->client ? 0 : 4));
    in->want = in->head;
    if (n < in->head) {
        return NGX_AGAIN;
    }
    return look_length(in, data) == NGX_OK ? look_payload(in, data, n)
                                           : NGX_ERROR;
}

static int
take_close(ql_frames_t *in, const uint8_t *payload)
{
    ql_utf8_t reason = {0};

    in->code = QL_CLOSE_NONE;
    if (in->length == 0) {
        return NGX_OK;
    }
    in->code = in->length > 1 ? (uint16_t) get(payload, 2) : 0;
    if (!ql_close_code(in->code)) {
        return refuse(in, QL_CLOSE_PROTOCOL, "bad close code");
    }
    if (!ql_utf8(&reason, payload + 2, in->length - 2)
        || !ql_utf8_whole(&reason)) {
        return refuse(in, QL_CLOSE_BAD_DATA, "close reason is no UTF-8");
    }
    return NGX_OK;
}

static int
take_data(ql_frames_t *in, const uint8_t *payload)
{
    bool last = (in->first & QL_FRAME_FIN) != 0;

    if (in->message == 0) {
        in->compressed = (in->first & QL_FRAME_COMPRESSED) != 0;
        in->message = in->opcode;
    }
    in->size += in->length;
    if (in->opcode == QL_FRAME_TEXT && !in->compressed
        && (!ql_utf8(&in->utf8, payload, in->length)
            || (last && !ql_utf8_whole(&in->utf8))))
    {
        return refuse(in, QL_CLOSE_BAD_DATA, "text is no UTF-8");
    }
    if (!last) {
        return NGX_AGAIN;
    }
    in->message = 0;
    in->size = 0;
    return NGX_OK;
}

int
ql_frames_take(ql_frames_t *in, uint8_t *data)
{
    uint8_t *payload = data + in->head;

    if (!in->client) {
        ql_frame_mask(payload, payload, in->length, payload - 4);
    }
    if (in->opcode == QL_FRAME_CLOSE) {
        return take_close(in, payload);
    }
    return in->opcode > QL_FRAME_CLOSE ? NGX_OK : take_data(in, payload);
}

bool
ql_close_code(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
        || (code >= 3000 && code <= 4999);
}

/* -------------------------------------------------------------- out ---- */

static void
put(uint8_t *to, uint64_t n, int size)
{
    while (size-- > 0) {
        to[size] = (uint8_t) n;
        n >>= 8;
    }
}

size_t
ql_frame_head(uint8_t to[QL_FRAME_HEAD], unsigned first, uint64_t length,
              const uint8_t *mask)
{
    size_t size = 2;

    to[0] = (uint8_t) first;
    if (length < 126) {
        to[1] = (uint8_t) length;
    } else if (length <= 0xffff) {
        to[1] = 126;
        put(to + 2, length, 2);
        size = 4;
    } else {
        to[1] = 127;
        put(to + 2, length, 8);
        size = 10;
    }
    if (mask != NULL) {
        to[1] |= MASKED;
        memcpy(to + size, mask, 4);
        size += 4;
    }
    return size;
}

/* As many at once as a processor's registers hold. */
typedef uint32_t ql_lanes_t __attribute__((vector_size(32)));

void
ql_frame_mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t mask[4])
{
    uint8_t key[4];
    uint32_t word;
    size_t i = 0;

    memcpy(key, mask, 4);
    memcpy(&word, key, 4);
    for (; n - i >= sizeof(ql_lanes_t); i += sizeof(ql_lanes_t)) {
        ql_lanes_t lanes;

        memcpy(&lanes, from + i, sizeof(lanes));
        lanes ^= word;
        memcpy(to + i, &lanes, sizeof(lanes));
    }
    for (; i < n; i++) {
        to[i] = from[i] ^ key[i % 4];
    }
}
