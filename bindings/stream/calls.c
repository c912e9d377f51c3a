#include "calls.h"

#include "../file/file.h"

static int
reader_error(lua_State *L, ql_conn_t *conn)
{
    return ql__reader_error(L, conn);
}

static int
writer_error(ql_conn_t *conn)
{
    return ql__writer_error(conn);
}

const ql_stream_calls_t ql__stream_calls = {
    .type = &ql__connection_type,
    .read_more = ql__read_more,
    .park_next = ql__park_next,
    .on_readable = ql__on_readable,
    .on_writable = ql__on_writable,
    .reader_error = reader_error,
    .writer_error = writer_error,
    .describe_peer = ql__describe_peer,
    .send = ql__send_start,
    .sendfile = ql__sendfile_start,
    .file_type = &ql__file_type,
    .cork_init = ql__cork_init,
    .cork_send = ql__cork_send,
    .cork_sent = ql__cork_sent,
    .cork_resume = ql__cork_resume,
};
