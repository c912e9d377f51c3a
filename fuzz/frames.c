/*
 * frames.c: WebSocket frames. The first byte says whether we are the client
 * and whether messages may be compressed. A payload's bytes are never changed
 * but by its mask, and how much has come makes no difference.
 */
#include "websocket/frame.h"

#include "message.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX = 300,
    COMPRESSED_MAX = MAX + MAX / 1024 + 64 /* what deflate makes of it */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What a look at fewer bytes says is no other than what all of them say. */
static void
look_short(const ql_frames_t *in, const uint8_t *data, size_t n)
{
    ql_frames_t other = *in;
    uint8_t *block = malloc(n + (n == 0));
    int rc;

    FUZZ_ASSERT(block != NULL);
    memcpy(block, data, n);
    rc = ql_frames_look(&other, block, n);
    FUZZ_ASSERT(rc != NGX_AGAIN || other.want > n);
    free(block);
}

static void
frames(ql_frames_t *in, uint8_t *data, size_t n)
{
    int rc;

    do {
        for (size_t i = 0; i <= n && i < QL_FRAME_HEAD + 2; i++) {
            look_short(in, data, i);
        }
        rc = ql_frames_look(in, data, n);
        if (rc != NGX_OK) {
            break;
        }
        FUZZ_ASSERT(in->head >= 2 && in->head <= QL_FRAME_HEAD
                    && in->length <= n - in->head);
        rc = ql_frames_take(in, data);
        FUZZ_ASSERT(in->size <= (in->compressed ? COMPRESSED_MAX : MAX));
        data += in->head + in->length;
        n -= in->head + in->length;
    } while (rc != NGX_ERROR && n > 0);
    FUZZ_ASSERT(rc != NGX_ERROR || (in->error >= 1000 && in->why != NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ql_frames_t in;
    uint8_t *block;

    if (n < 2) {
        return 0;
    }
    memset(&in, 0, sizeof(in));
    in.max = MAX;
    in.client = data[0] & 1;
    in.deflate = (data[0] >> 1) & 1;
    block = malloc(n - 1);
    FUZZ_ASSERT(block != NULL);
    memcpy(block, data + 1, n - 1);
    frames(&in, block, n - 1);
    free(block);
    return 0;
}
