/*
 * callbacks.c: what nghttp2 tells of a connection. None of this touches Lua:
 * what happened is kept with the streams and asked for afterwards.
 */
#include "session.h"

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
                 void *data)
{
    ql_h2_stream_t *s;

    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0; /* trailers */
    }
    s = ql__h2_stream_new(data, frame->hd.stream_id);
    if (s == NULL) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    nghttp2_session_set_stream_user_data(session, s->id, s);
    return 0;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame,
          const uint8_t *name, size_t name_size, const uint8_t *value,
          size_t value_size, uint8_t flags, void *data)
{
    ql_h2_stream_t *s = nghttp2_session_get_stream_user_data(
        session, frame->hd.stream_id);

    ql_h2_fields_t *to;

    (void) flags;
    if (s == NULL) {
        return 0;
    }
    to = frame->headers.cat == NGHTTP2_HCAT_REQUEST ? &s->head : &s->trailer;
    return ql__h2_add_field(data, to, name, name_size, value, value_size)
                == NGX_OK
             ? 0
             : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* The windows of the streams bound what is kept; the connection's opens again
 * at once, for no stream to hold up another. */
static int
on_data(nghttp2_session *session, uint8_t flags, int32_t id,
        const uint8_t *bytes, size_t size, void *data)
{
    ql_h2_stream_t *s = nghttp2_session_get_stream_user_data(session, id);

    (void) flags;
    if (nghttp2_session_consume_connection(session, size) != 0) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (s == NULL || !(s->told || s->fresh)) {
        return 0;
    }
    if (ql__h2_append(data, &s->in, bytes, size) != NGX_OK) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    ql__h2_tell(s);
    return 0;
}

/* A frame for which the server does work that the peer has not paid for. */
static int
is_control(const nghttp2_frame *frame)
{
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
        return 0;
    case NGHTTP2_DATA:
        return frame->hd.length == 0
            && !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
    default:
        return 1;
    }
}

static void
refill(ql_h2_t *h2)
{
    uint64_t now = ql_msec(h2->loop);
    uint64_t more = (now - h2->refilled) * QL_H2_CONTROL_RATE / 1000;

    if (more > 0) {
        h2->refilled = now;
        more += h2->control;
        h2->control = more < QL_H2_CONTROL_MAX ? (uint32_t) more
                                               : QL_H2_CONTROL_MAX;
    }
}

/* Every kind of frame that can be had for little, against floods of any. The
 * session is ended by whoever has fed it: told so while it is at a frame,
 * nghttp2 before 1.68.1 forgets it, and ends the process by an assertion when
 * a frame of a bad size follows. */
static void
count_control(ql_h2_t *h2, const nghttp2_frame *frame)
{
    if (!is_control(frame)) {
        return;
    }
    refill(h2);
    if (h2->control == 0) {
        h2->flooded = 1;
    } else {
        h2->control--;
    }
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    ql_h2_stream_t *s = nghttp2_session_get_stream_user_data(
        session, frame->hd.stream_id);

    if (s != NULL && frame->hd.type == NGHTTP2_HEADERS) {
        s->fresh |= frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    }
    if (s != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        && (frame->hd.type == NGHTTP2_HEADERS
            || frame->hd.type == NGHTTP2_DATA))
    {
        s->ended = 1;
    }
    if (s != NULL && (s->fresh || s->ended)) {
        ql__h2_tell(s);
    }
    count_control(data, frame);
    return 0;
}

/* What is sent pays for the WINDOW_UPDATE frames that it brings. An error of the
 * connection ends it once it has been said (RFC 9113, section 5.4.1). */
static int
on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    ql_h2_t *h2 = data;
    ql_h2_stream_t *s = nghttp2_session_get_stream_user_data(
        session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_DATA && h2->control < QL_H2_CONTROL_MAX - 1) {
        h2->control += 2;
    }
    if (s != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        && (frame->hd.type == NGHTTP2_DATA
            || frame->hd.type == NGHTTP2_HEADERS))
    {
        s->sent = 1;
        ql__h2_tell(s);
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        h2->dead |= frame->goaway.error_code != NGHTTP2_NO_ERROR;
    }
    return 0;
}

static int
on_close(nghttp2_session *session, int32_t id, uint32_t code, void *data)
{
    ql_h2_stream_t *s = nghttp2_session_get_stream_user_data(session, id);

    (void) data;
    if (s == NULL) {
        return 0;
    }
    s->closed = 1;
    s->reset = code != NGHTTP2_NO_ERROR;
    s->fresh = 0;
    ql__h2_tell(s);
    ql__h2_stream_settle(s);
    return 0;
}

nghttp2_session_callbacks *
ql__h2_callbacks(void)
{
    nghttp2_session_callbacks *cbs;

    if (nghttp2_session_callbacks_new(&cbs) != 0) {
        return NULL;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(cbs,
                                                            on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cbs, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cbs, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cbs, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(cbs, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(cbs, on_close);
    return cbs;
}
