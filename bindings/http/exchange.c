/*
 * exchange.c: where a connection keeps a message while it comes and is
 * answered. Taken at the first byte, given back when nothing is left to do.
 */
#include "http.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------- messages ---- */

static ql_http_message_t *
message_take(ql_http_t *http)
{
    void *m = http->messages;

    if (m == NULL) {
        return malloc(sizeof(ql_http_message_t));
    }
    memcpy(&http->messages, m, sizeof(http->messages));
    http->messages_kept--;
    return m;
}

static void
message_give(ql_http_t *http, void *m)
{
    if (http->messages_kept == QL_HTTP_MESSAGES_KEPT) {
        free(m);
        return;
    }
    memcpy(m, &http->messages, sizeof(http->messages));
    http->messages = m;
    http->messages_kept++;
}

void
ql__http_message_free(ql_http_exchange_t *x)
{
    if (x->m != NULL) {
        message_give(x->config->http, x->m);
        x->m = NULL;
    }
}

int
ql__http_receive(ql_http_exchange_t *x)
{
    if (x->m == NULL) {
        x->m = message_take(x->config->http);
    }
    if (x->m == NULL) {
        return NGX_ERROR;
    }
    ql_http_message_init(x->m, x->server ? QL_HTTP_REQUEST : QL_HTTP_RESPONSE,
                         &x->config->limits);
    x->m->block = &x->config->blocks[x->conn->c->fd % QL_HTTP_BLOCKS];
    return NGX_OK;
}

/* --------------------------------------------------------- exchanges ---- */

static ql_http_exchange_t *
exchange_take(ql_http_t *http)
{
    ql_http_exchange_t *x = http->free;

    if (x != NULL) {
        http->free = x->next;
        return x;
    }
    x = calloc(1, sizeof(*x));
    if (x != NULL) {
        x->protocol.close = ql__http_exchange_close;
        ql__http_watch_init(x);
    }
    return x;
}

ql_http_exchange_t *
ql__http_begin(ql_conn_t *conn, ql_http_config_t *config, bool server)
{
    ql_http_t *http = config->http;
    ql_http_exchange_t *x = exchange_take(http);

    if (x == NULL) {
        return NULL;
    }
    x->config = config;
    x->conn = conn;
    x->server = server;
    x->state = QL_HTTP_RECEIVING;
    x->phase = QL_HTTP_NOTHING;
    x->linger = 0;
    x->refused = 0;
    x->body = (ql_buffer_t){.data = NULL};
    if (ql__http_receive(x) != NGX_OK) {
        x->conn = NULL;
        x->next = http->free;
        http->free = x;
        return NULL;
    }
    if (server) {
        http->stream->cork_init(conn, &x->cork);
        x->cork.lent = 1;
    } else {
        config->holders++;
    }
    conn->protocol = &x->protocol;
    return x;
}

void
ql__http_discard(ql_http_exchange_t *x)
{
    ql_buffer_consume(&x->conn->in, x->used);
    x->used = 0;
    x->piece.size = 0;
}

void
ql__http_over(ql_http_exchange_t *x)
{
    x->serial = 0;
    x->used = 0;
    x->piece.size = 0;
    x->phase = QL_HTTP_NOTHING;
    if (x->body.data != NULL) {
        ql_buffer_release(&x->config->http->core->buffers, &x->body);
    }
    if (x->trailer != NULL) {
        free(x->trailer);
        x->trailer = NULL;
    }
}

void
ql__http_end(ql_http_exchange_t *x, ql_http_config_t *config)
{
    ql_http_t *http = x->config->http;
    ql_conn_t *conn = x->conn;

    ql__http_over(x);
    ql__http_unwatch(x);
    ql__http_message_free(x);
    x->tail = NULL;
    x->tail_size = 0;
    if (conn->cork == &x->cork) {
        conn->cork = NULL;
    }
    conn->protocol = config != NULL ? &config->protocol : NULL;
    if (config == NULL) {
        ql__http_config_drop(x->config);
    }
    x->config = NULL;
    x->conn = NULL;
    x->next = http->free;
    http->free = x;
}

void
ql__http_exchange_close(ql_conn_t *conn)
{
    ql__http_end(ql__http_exchange(conn), NULL);
}

/* ------------------------------------------------------------ module ---- */

void
ql__http_exchanges_free(ql_http_t *http)
{
    while (http->free != NULL) {
        ql_http_exchange_t *x = http->free;

        http->free = x->next;
        free(x);
    }
    while (http->messages != NULL) {
        free(message_take(http));
    }
}
