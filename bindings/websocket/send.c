/*
 * send.c: frames out. A message is one frame and, where the kernel takes it,
 * one system call: head and payload from where they are, or, of a client, a
 * masked copy.
 */
#include "websocket.h"

#include "core/sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHARE = 1 << 17,    /* bytes sent by an attempt before others get on */
    CONTROL_ROOM = 2048 /* bytes of control frames that wait: of a peer that
                           reads nothing, more pings are not answered */
};

static ql_websocket_t *
writer(ql_op_t *op)
{
    return ql_queue_data(op, ql_websocket_t, wop);
}

/* ---------------------------------------------------------- control ---- */

static void control_go_on(ql_websocket_t *ws);

static void
control_done(ql_websocket_t *ws)
{
    free(ws->control);
    ws->control = NULL;
}

/* Sends what is left of it. NGX_OK: nothing is. */
static int
control_flush(ql_websocket_t *ws)
{
    ssize_t n;

    while (ws->control != NULL) {
        n = ws->wbroken
              ? NGX_ERROR
              : ws->c->io->send(ws->c, ws->control + ws->control_at,
                                (size_t) ws->control_size - ws->control_at);
        if (n == NGX_ERROR) {
            ws->wbroken = 1;
            control_done(ws);
            return NGX_ERROR;
        }
        ws->control_begun = 1;
        if (n <= 0) {
            return NGX_AGAIN;
        }
        ws->control_at = (uint16_t) (ws->control_at + n);
        if (ws->control_at == ws->control_size) {
            control_done(ws);
        }
    }
    return NGX_OK;
}

static void
on_control(ql_event_t *ev)
{
    const ql_connection_t *c = ev->data;

    ev->handler = NULL;
    control_go_on(c->data);
}

/* Nobody else sends: what the system does not take now goes when it does. */
static void
control_go_on(ql_websocket_t *ws)
{
    ql_event_t *wev = &ws->c->write;

    if (control_flush(ws) == NGX_AGAIN
        && (ql_event_waits(wev) || ql_handle_write_event(wev) == NGX_OK))
    {
        wev->handler = on_control;
    }
}

static bool
control_room(ql_websocket_t *ws, size_t n)
{
    if (ws->control == NULL) {
        ws->control = malloc(CONTROL_ROOM);
        ws->control_at = 0;
        ws->control_size = 0;
        ws->control_begun = 0;
    }
    return ws->control != NULL
        && ws->control_size + QL_FRAME_HEAD + n <= CONTROL_ROOM;
}

void
ql__websocket_control(ql_websocket_t *ws, unsigned opcode,
                      const uint8_t *payload, size_t n)
{
    uint8_t mask[4], *frame;
    size_t head;

    if (ws->wbroken || ws->said || !control_room(ws, n)) {
        return;
    }
    frame = ws->control + ws->control_size;
    if (ws->frames.client) {
        ql__websocket_mask(ws, mask);
    }
    head = ql_frame_head(frame, QL_FRAME_FIN | opcode, n,
                         ws->frames.client ? mask : NULL);
    if (ws->frames.client) {
        ql_frame_mask(frame + head, payload, n, mask);
    } else if (n > 0) {
        memcpy(frame + head, payload, n);
    }
    ws->control_size = (uint16_t) (ws->control_size + head + n);
    if (!ql_op_waiting(&ws->wop)) {
        control_go_on(ws);
    }
}

void
ql__websocket_mask(ql_websocket_t *ws, uint8_t to[4])
{
    const ql_sys_t *sys = ql_loop_sys(ws->c->loop);

    if (ws->masks_left == 0) {
        (void) sys->getrandom(ws->masks, sizeof(ws->masks), 0);
        ws->masks_left = QL_WEBSOCKET_MASKS;
    }
    ws->masks_left--;
    memcpy(to, &ws->masks[ws->masks_left], 4);
}

/* ---------------------------------------------------------- attempt ---- */

static void
on_writable(ql_event_t *ev)
{
    const ql_connection_t *c = ev->data;
    ql_websocket_t *ws = c->data;

    ql_op_ready(&ws->wop);
}

static void
advance(ql_frame_out_t *out, size_t n)
{
    out->begun = true;
    out->left -= n;
    while (n > 0) {
        struct iovec *iov = &out->iov[out->at];
        size_t size = n < iov->iov_len ? n : iov->iov_len;

        iov->iov_base = (char *) iov->iov_base + size;
        iov->iov_len -= size;
        n -= size;
        out->at += iov->iov_len == 0;
    }
}

/* One call, at most share bytes. */
static ssize_t
send_some(ql_websocket_t *ws, size_t share)
{
    ql_connection_t *c = ws->c;
    const ql_frame_out_t *out = &ws->out;
    struct iovec iov[2] = {out->iov[0], out->iov[1]};

    if (out->at == 1) {
        iov[0] = iov[1];
    }
    if (out->at == 1 || iov[1].iov_len == 0) {
        return c->io->send(c, iov[0].iov_base,
                           iov[0].iov_len < share ? iov[0].iov_len : share);
    }
    if (iov[1].iov_len > share) {
        iov[1].iov_len = share;
    }
    return c->io->send_chain(c, iov, 2);
}

/* Frames do not mix. */
static bool
control_first(const ql_websocket_t *ws)
{
    return ws->control != NULL && !ws->out.begun
        && (!ws->c->held || ws->control_begun);
}

static int
send_all(ql_websocket_t *ws)
{
    ql_event_t *wev = &ws->c->write;
    size_t share = SHARE;
    ssize_t n = control_first(ws) ? control_flush(ws) : NGX_OK;

    while (n >= 0 && ws->out.left > 0) {
        if (share == 0) {
            wev->handler = on_writable;
            ql_post_next_event(ws->c->loop, wev);
            return NGX_AGAIN;
        }
        n = send_some(ws, share);
        if (n <= 0) {
            break;
        }
        ws->wop.progress = 1;
        advance(&ws->out, (size_t) n);
        share -= (size_t) n < share ? (size_t) n : share;
    }
    if (n == NGX_ERROR) {
        ws->wop.err = ws->c->err;
        ws->wbroken = 1;
        return NGX_ERROR;
    }
    return ws->out.left == 0 ? NGX_OK : ql_park(wev, on_writable, &ws->wop);
}

static int
send_attempt(ql_op_t *op)
{
    ql_websocket_t *ws = writer(op);
    int rc = send_all(ws);

    if (rc != NGX_AGAIN) {
        ql__websocket_unpark(ws, &ws->c->write);
    }
    return rc;
}

/* A frame of which nothing has left can be sent anew. */
static void
send_cancel(ql_op_t *op)
{
    ql_websocket_t *ws = writer(op);

    ql__websocket_unpark(ws, &ws->c->write);
    if (ws->out.begun
        || (ws->c->held && (ws->control == NULL || !ws->control_begun)))
    {
        ws->wbroken = 1;
    }
}

/* What came up meanwhile: nobody else sends now. */
static void
send_free(ql_op_t *op)
{
    ql_websocket_t *ws = writer(op);

    if (!ws->handle.closed && !ws->wbroken) {
        control_go_on(ws);
    }
}

static int
send_push(lua_State *L, ql_op_t *op, int rc)
{
    lua_pushboolean(L, 1);
    return rc == NGX_OK ? 1 : ql_push_error(L, op->err);
}

static void
send_describe(ql_op_t *op, char *text, size_t size)
{
    const ql_websocket_t *ws = writer(op);

    (void) snprintf(text, size, "send of %zu more bytes to a websocket (fd %d)",
                    ws->out.left, ws->c->fd);
}

static const ql_op_type_t send_op = {"send",      send_attempt, send_push,
                                     send_cancel, send_free,    send_describe};

/* -------------------------------------------------------- functions ---- */

/* The frame, from where its payload is; of a client, and a small one, from a
 * copy. */
static void
frame(lua_State *L, ql_websocket_t *ws, unsigned first, const char *data,
      size_t n)
{
    ql_frame_out_t *out = &ws->out;
    const uint8_t *payload = (const uint8_t *) data;
    uint8_t mask[4], *to = ws->small;
    bool client = ws->frames.client;
    size_t head;

    if (n > sizeof(ws->small) - QL_FRAME_HEAD && client) {
        to = lua_newuserdata(L, QL_FRAME_HEAD + n);
    }
    if (client) {
        ql__websocket_mask(ws, mask);
    }
    head = ql_frame_head(to, first, n, client ? mask : NULL);
    *out = (ql_frame_out_t){.left = head + n};
    out->iov[0] = (struct iovec){to, head + n};
    if (client) {
        ql_frame_mask(to + head, payload, n, mask);
    } else if (n <= sizeof(ws->small) - QL_FRAME_HEAD) {
        memcpy(to + head, payload, n);
    } else {
        out->iov[0].iov_len = head;
        out->iov[1] = (struct iovec){(void *) (uintptr_t) payload, n};
    }
}

static int
send_error(const ql_websocket_t *ws)
{
    if (ws->handle.closed) {
        return ws->handle.closed;
    }
    if (ql_op_waiting(&ws->wop)) {
        return QL_E_BUSY_WRITING;
    }
    return ws->wbroken || ws->said ? QL_E_CLOSED : 0;
}

static int
refuse(lua_State *L, ql_websocket_t *ws, int err)
{
    return ql_return(L, ws->wop.lua, ql_push_error(L, err));
}

static bool
is_text(const char *data, size_t n)
{
    ql_utf8_t u = {0};

    return ql_utf8(&u, data, n) && ql_utf8_whole(&u);
}

/* send(ws, data, first) -> true | nil, err, CODE: a frame; first: its first
 * byte; of a text that is not compressed data must be UTF-8 */
static int
websocket_send(lua_State *L)
{
    ql_websocket_t *ws = ql__websocket_check(L, "send");
    unsigned first = (unsigned) luaL_checkinteger(L, 3);
    size_t n;
    const char *data = luaL_checklstring(L, 2, &n);
    int err;

    lua_settop(L, 2);
    if (first == (QL_FRAME_FIN | QL_FRAME_TEXT) && !is_text(data, n)) {
        return refuse(L, ws, EILSEQ);
    }
    err = send_error(ws);
    if (err != 0) {
        return refuse(L, ws, err);
    }
    frame(L, ws, first, data, n);
    ws->said |= (first & 15) == QL_FRAME_CLOSE;
    ws->wop.type = &send_op;
    return ql_await(L, &ws->wop, lua_gettop(L));
}

const luaL_Reg ql__websocket_send_functions[] = {{"send", websocket_send},
                                                 {NULL, NULL}};
