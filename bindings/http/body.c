/*
 * body.c: what has come of a body, decoded.
 */
#include "http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The bytes that trailers point into go with the body's last ones. */
static int
keep_trailers(ql_http_exchange_t *x, uint32_t used)
{
    if (x->m->trailers == 0) {
        return NGX_OK;
    }
    x->trailer = malloc(used);
    if (x->trailer == NULL) {
        return NGX_ERROR;
    }
    memcpy(x->trailer, ql_buffer_bytes(&x->conn->in), used);
    return NGX_OK;
}

int
ql__http_body_fail(ql_http_exchange_t *x, int err)
{
    x->keep = 0;
    x->conn->rop.err = err;
    return NGX_ERROR;
}

int
ql__http_next_piece(ql_http_exchange_t *x)
{
    const ql_buffer_t *in = &x->conn->in;
    int rc = NGX_OK;

    if (x->piece.size > 0) {
        return NGX_OK;
    }
    while (rc == NGX_OK && x->piece.size == 0) {
        ql_buffer_consume(&x->conn->in, x->used);
        x->used = 0;
        if (x->m == NULL || x->m->ended) {
            return NGX_DONE;
        }
        rc = ql_http_body(x->m, ql_buffer_bytes(in), ql_buffer_unread(in),
                          &x->used, &x->piece);
        if (rc == NGX_DONE && keep_trailers(x, x->used) != NGX_OK) {
            return ql__http_body_fail(x, ENOMEM);
        }
    }
    if (rc == NGX_ERROR) {
        return ql__http_body_fail(x, EBADMSG);
    }
    x->bytes += x->piece.size;
    if (x->bytes > x->config->body_max) {
        return ql__http_body_fail(x, EMSGSIZE);
    }
    return x->piece.size > 0 ? NGX_OK : rc;
}

void
ql__http_piece_used(ql_http_exchange_t *x, uint32_t n)
{
    x->piece.at += n;
    x->piece.size -= n;
    if (x->piece.size == 0) {
        ql_buffer_consume(&x->conn->in, x->used);
        x->used = 0;
    }
}

static int
collect(ql_http_exchange_t *x)
{
    ql_buffers_t *buffers = &x->conn->core->buffers;
    ql_buffer_t *body = &x->body;

    if (ql_buffer_unread(body) + (uint64_t) x->piece.size > x->limit) {
        return ql__http_body_fail(x, EMSGSIZE);
    }
    if (ql_buffer_room(buffers, body, x->piece.size, QL_BUFFER_MAX) != NGX_OK) {
        return ql__http_body_fail(x, ENOMEM);
    }
    memcpy(body->data + body->end, ql_buffer_bytes(&x->conn->in) + x->piece.at,
           x->piece.size);
    body->end += x->piece.size;
    ql__http_piece_used(x, x->piece.size);
    return NGX_OK;
}

int
ql__http_next_whole(ql_http_exchange_t *x)
{
    int rc;

    for (;;) {
        rc = ql__http_next_piece(x);
        if (rc == NGX_OK && x->m->ended && ql_buffer_unread(&x->body) == 0
            && x->piece.size <= x->limit)
        {
            return NGX_OK;
        }
        if (rc == NGX_DONE) {
            return NGX_OK;
        }
        if (rc == NGX_OK) {
            rc = collect(x);
        }
        if (rc != NGX_OK) {
            return rc;
        }
    }
}
