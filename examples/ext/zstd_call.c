/*
 * zstd_call.c: what threads do with zstd, which computes for long.
 */
#include "zstd_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd_errors.h>

enum {
    BLOCK = 128 * 1024 /* bytes in, and out, of one run */
};

/* Room for `more` bytes behind those that are there; 0: there is no memory. */
static int
buffer_reserve(buffer_t *b, size_t more)
{
    size_t room = b->size + more > b->room * 2 ? b->size + more : b->room * 2;
    char *data;

    if (b->room - b->size >= more) {
        return 1;
    }
    data = realloc(b->data, room);
    if (data != NULL) {
        b->data = data;
        b->room = room;
    }
    return data != NULL;
}

static void
coder_fail(coder_t *c, const char *code, const char *message)
{
    c->code = code;
    c->message = message;
}

static void
coder_fail_as(coder_t *c, size_t rc)
{
    const char *code = "ZSTD_ERROR";

    switch (ZSTD_getErrorCode(rc)) {
    case ZSTD_error_prefix_unknown:
        code = "ZSTD_UNKNOWN";
        break;
    case ZSTD_error_corruption_detected:
        code = "ZSTD_CORRUPT";
        break;
    case ZSTD_error_checksum_wrong:
        code = "ZSTD_CHECKSUM";
        break;
    case ZSTD_error_memory_allocation:
        code = "ENOMEM";
        break;
    default:
        break;
    }
    coder_fail(c, code, ZSTD_getErrorName(rc));
}

/* Codes from in to out: an error of zstd's, 0: all of it is done, 1: there is
 * more to do. */
static size_t
coder_step(coder_t *c, ZSTD_outBuffer *out, ZSTD_inBuffer *in)
{
    int last = in->size == c->in.size;
    ZSTD_EndDirective mode = last ? (ZSTD_EndDirective) c->mode
                                  : ZSTD_e_continue;
    size_t rc;

    if (c->cctx != NULL) {
        rc = ZSTD_compressStream2(c->cctx, out, in, mode);
        last = last && (rc == 0 || mode == ZSTD_e_continue);
    } else if (in->size > 0) {
        rc = ZSTD_decompressStream(c->dctx, out, in);
        c->within = rc != 0;
        last = last && (rc == 0 || out->pos < out->size);
    } else {
        rc = 0;
    }
    return ZSTD_isError(rc) ? rc : !last || in->pos < in->size;
}

/* One byte more than is left may come out: that tells who has gone too far. */
static void
coder_run(ql_call_t *call)
{
    coder_t *c = (coder_t *) (void *) call;
    size_t most = c->left < BLOCK ? c->left + 1 : BLOCK, rc;
    size_t rest = c->in.size - c->at;
    size_t end = c->at + (rest < BLOCK ? rest : BLOCK);
    ZSTD_inBuffer in = {c->in.data, end, c->at};
    ZSTD_outBuffer out = {NULL, most, 0};

    if (c->code != NULL) {
        return;
    }
    if (!buffer_reserve(&c->out, most)) {
        coder_fail(c, "ENOMEM", "Cannot allocate memory");
        return;
    }
    out.dst = c->out.data + c->out.size;
    rc = coder_step(c, &out, &in);
    if (ZSTD_isError(rc)) {
        coder_fail_as(c, rc);
    } else if (out.pos > c->left) {
        coder_fail(c, "ZSTD_LIMIT", "More bytes than the limit");
    } else {
        c->at = in.pos;
        c->out.size += out.pos;
        c->left -= out.pos;
        call->more = rc != 0;
        if (rc == 0 && c->mode == ZSTD_e_end && c->dctx != NULL && c->within) {
            coder_fail(c, "ZSTD_TRUNCATED", "Unexpected end of data");
        }
    }
}

static void
coder_release(ql_call_t *call)
{
    coder_t *c = (coder_t *) (void *) call;

    (void) ZSTD_freeCCtx(c->cctx);
    (void) ZSTD_freeDCtx(c->dctx);
    free(c->in.data);
    free(c->out.data);
}

static const ql_call_type_t coder_type = {
    .name = "zstd", .run = coder_run, .release = coder_release};

/* Of the contexts one. */
static int
coder_init(coder_t *c, const int *level)
{
    if (level == NULL) {
        c->dctx = ZSTD_createDCtx();
        return c->dctx != NULL;
    }
    c->cctx = ZSTD_createCCtx();
    return c->cctx != NULL
        && !ZSTD_isError(
               ZSTD_CCtx_setParameter(c->cctx, ZSTD_c_checksumFlag, 1))
        && !ZSTD_isError(ZSTD_CCtx_setParameter(
            c->cctx, ZSTD_c_compressionLevel, *level));
}

coder_t *
coder_create(ql_loop_t *loop, const int *level, size_t limit)
{
    coder_t *c = ql_call_create(loop, &coder_type, sizeof(*c));

    if (c == NULL) {
        return NULL;
    }
    c->limit = limit;
    c->mode = ZSTD_e_end;
    if (!coder_init(c, level)) {
        ql_call_free(&c->call);
        errno = ENOMEM;
        return NULL;
    }
    return c;
}

int
coder_begin(coder_t *c, const char *data, size_t size, int mode)
{
    c->in.size = 0;
    if (!buffer_reserve(&c->in, size)) {
        return 0;
    }
    if (c->mode == ZSTD_e_end) { /* the last one's */
        c->left = c->limit;
        c->within = 1;
        if (mode == ZSTD_e_end && c->cctx != NULL) { /* the head can say it */
            (void) ZSTD_CCtx_setPledgedSrcSize(c->cctx, size);
        }
    }
    c->mode = mode;
    c->at = c->out.size = 0;
    if (size > 0) {
        memcpy(c->in.data, data, size);
    }
    c->in.size = size;
    ql_call_again(&c->call);
    return 1;
}
