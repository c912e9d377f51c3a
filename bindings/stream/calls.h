/*
 * calls.h: the inside of a connection for other modules of quoll, which are
 * loaded apart and cannot link it: quoll.core's field `stream`, a light
 * userdata, and its field `context`, a ql_core_t.
 */
#ifndef QUOLL_STREAM_CALLS_H
#define QUOLL_STREAM_CALLS_H

#include "cork.h"

/* Functions are those of connection.h and cork.h without "ql__". */
typedef struct {
    const ql_handle_type_t *type; /* of connections */
    ssize_t (*read_more)(ql_conn_t *conn);
    int (*park_next)(ql_event_t *ev, ql_event_handler_pt on_event);
    ql_event_handler_pt on_readable;
    ql_event_handler_pt on_writable;
    int (*reader_error)(lua_State *L, ql_conn_t *conn);
    int (*writer_error)(ql_conn_t *conn);
    void (*describe_peer)(const ql_conn_t *conn, const char *verb, char *text,
                          size_t size);
    /* As Connection:send of what out says; its bytes, unless `passing`, and the
     * connection are on the stack. */
    int (*send)(lua_State *L, ql_conn_t *conn, const ql_out_t *out);
    /* As Connection:sendfile, of the file at index 2, which has n bytes there;
     * the connection is at 1. `done` pushes the results: err is 0 when all has
     * been sent. */
    int (*sendfile)(lua_State *L, ql_conn_t *conn, int64_t offset, int64_t n,
                    ql_transfer_done_pt done);
    const ql_handle_type_t *file_type;
    void (*cork_init)(ql_conn_t *conn, ql_cork_t *cork);
    ssize_t (*cork_send)(ql_conn_t *conn);
    void (*cork_sent)(ql_conn_t *conn, size_t n);
    void (*cork_resume)(ql_conn_t *conn);
} ql_stream_calls_t;

extern const ql_stream_calls_t ql__stream_calls;

#endif
