/*
 * echo_core: the same server on libquoll: the event core's own cost, without
 * Lua.
 */
#include "quoll.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_SIZE = 4096
};

/* What a full socket buffer left over; there only while it is not empty. */
typedef struct {
    size_t size;
    char data[READ_SIZE];
} rest_t;

static void
conn_close(ql_connection_t *c)
{
    free(c->data);
    ql_close_connection(c);
}

static int
keep_rest(ql_connection_t *c, const char *data, size_t size)
{
    rest_t *rest = malloc(sizeof(*rest));

    if (rest == NULL || ql_handle_write_event(&c->write) != NGX_OK) {
        free(rest);
        return NGX_ERROR;
    }
    rest->size = size;
    memcpy(rest->data, data, size);
    c->data = rest;
    return NGX_AGAIN;
}

/* NGX_OK: all sent; NGX_AGAIN: the rest waits for the write event. */
static int
conn_send(ql_connection_t *c, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = c->io->send(c, data, size);

        if (n == NGX_AGAIN) {
            return keep_rest(c, data, size);
        }
        if (n < 0) {
            return NGX_ERROR;
        }
        data += n;
        size -= (size_t) n;
    }
    return NGX_OK;
}

static void
conn_echo(ql_connection_t *c)
{
    char buf[READ_SIZE];
    ssize_t n;
    int rc = NGX_OK;

    while (rc == NGX_OK && (n = c->io->recv(c, buf, sizeof(buf))) > 0) {
        rc = conn_send(c, buf, (size_t) n);
    }
    if (rc == NGX_AGAIN) {
        return;
    }
    if (rc == NGX_ERROR || n != NGX_AGAIN
        || ql_handle_read_event(&c->read, 0) != NGX_OK)
    {
        conn_close(c);
    }
}

static void
on_read(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;

    if (c->data == NULL) {
        conn_echo(c);
    }
}

static void
on_write(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    rest_t *rest = c->data;
    int rc;

    if (rest == NULL) {
        return;
    }
    c->data = NULL;
    rc = conn_send(c, rest->data, rest->size);
    free(rest);
    if (rc == NGX_OK) {
        conn_echo(c);
    } else if (rc == NGX_ERROR) {
        conn_close(c);
    }
}

static void
on_accept(ql_listening_t *ls)
{
    ql_connection_t *c;

    if (ls->connection == NULL) {
        errx(1, "the listener died: %s", strerror(ls->err));
    }
    while ((c = ql_accept(ls)) != NULL) {
        c->data = NULL;
        c->read.handler = on_read;
        c->write.handler = on_write;
        conn_echo(c);
    }
}

int
main(void)
{
    ql_loop_t *loop = ql_loop_create(NULL, NULL);
    ql_sockaddr_t addr;
    ql_listening_t *ls;
    const char *why = "";
    char text[QL_SOCKADDR_STRLEN];

    if (loop == NULL || ql_loop_init(loop) != NGX_OK
        || ql_sockaddr_parse("127.0.0.1:0", &addr, &why) != NGX_OK)
    {
        err(1, "start %s", why);
    }
    ls = ql_listen(loop, &addr, NULL);
    if (ls == NULL) {
        err(1, "listen");
    }
    ls->handler = on_accept;
    printf("listening on %s\n",
           ql_sockaddr_text(&ls->addr.u.sa, ls->addr.len, text));
    fflush(stdout);
    return ql_loop_run(loop) == NGX_OK ? 0 : 1;
}
