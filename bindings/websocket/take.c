/*
 * take.c: frames out of the buffer: what they come to for the script.
 */
#include "websocket.h"

#include <stdlib.h>
#include <string.h>

/* A fragment goes to those before it. */
static int
gather(ql_websocket_t *ws, const void *data, uint32_t n)
{
    if (n > ws->room - ws->size) {
        uint32_t room = ws->size + n > 2 * ws->room ? ws->size + n
                                                    : 2 * ws->room;
        void *message = realloc(ws->message, room);

        if (message == NULL) {
            return NGX_ERROR;
        }
        ws->message = message;
        ws->room = room;
    }
    if (n > 0) {
        memcpy(ws->message + ws->size, data, n);
        ws->size += n;
    }
    return NGX_OK;
}

/* message, "text"|"binary", compressed: 3 */
static int
push_message(lua_State *L, ql_websocket_t *ws, const uint8_t *payload)
{
    const ql_frames_t *in = &ws->frames;

    if (ws->message == NULL) {
        lua_pushlstring(L, (const char *) payload, in->length);
    } else {
        lua_pushlstring(L, (const char *) ws->message, ws->size);
        free(ws->message);
        ws->message = NULL;
        ws->size = 0;
        ws->room = 0;
    }
    if (in->opcode == QL_FRAME_TEXT) {
        lua_pushliteral(L, "text");
    } else {
        lua_pushliteral(L, "binary");
    }
    lua_pushboolean(L, in->compressed);
    return 3;
}

/* nil, why, close code: 3 */
static int
push_refused(lua_State *L, ql_websocket_t *ws)
{
    ws->rbroken = 1;
    lua_pushnil(L);
    lua_pushstring(L, ws->frames.why);
    lua_pushinteger(L, ws->frames.error);
    return 3;
}

/* false, close code, reason: 3 */
static int
push_close(lua_State *L, ql_websocket_t *ws, const uint8_t *payload)
{
    uint64_t n = ws->frames.length;

    ws->ended = 1;
    lua_pushboolean(L, 0);
    lua_pushinteger(L, ws->frames.code);
    lua_pushlstring(L, (const char *) payload + (n > 2 ? 2 : 0),
                    n > 2 ? n - 2 : 0);
    return 3;
}

static void
answer(ql_websocket_t *ws, const uint8_t *payload)
{
    if (ws->frames.opcode == QL_FRAME_PING && !ws->said) {
        ql__websocket_control(ws, QL_FRAME_PONG, payload, ws->frames.length);
    }
}

/* Takes one frame; the number of results, 0: none of it is the script's. */
static int
take_frame(lua_State *L, ql_websocket_t *ws)
{
    ql_frames_t *in = &ws->frames;
    uint8_t *data = (uint8_t *) ws->in.data + ws->in.start;
    uint8_t *payload = data + in->head;
    int rc = ql_frames_take(in, data);
    int n = 0;

    if (rc == NGX_ERROR) {
        return push_refused(L, ws);
    }
    if (in->opcode == QL_FRAME_CLOSE) {
        n = push_close(L, ws, payload);
    } else if (in->opcode > QL_FRAME_CLOSE) {
        answer(ws, payload);
    } else if ((rc == NGX_AGAIN || ws->message != NULL)
               && gather(ws, payload, (uint32_t) in->length) != NGX_OK)
    {
        ws->rbroken = 1;
        return ql_push_error(L, ENOMEM);
    } else if (rc == NGX_OK) {
        n = push_message(L, ws, payload);
    }
    ql_buffer_consume(&ws->in, (uint32_t) in->want);
    return n;
}

int
ql__websocket_take(lua_State *L, ql_websocket_t *ws)
{
    int rc, n;

    do {
        if (ws->frames.error != 0) {
            return push_refused(L, ws);
        }
        n = take_frame(L, ws);
        rc = n == 0 ? ql__websocket_look(ws) : NGX_AGAIN;
    } while (n == 0 && rc != NGX_AGAIN);
    if (n == 0) {
        lua_pushboolean(L, 0);
        n = 1;
    }
    return n;
}
