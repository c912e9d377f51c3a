/*
 * stream.c: what is kept of a stream until both nghttp2 and Lua have done with
 * it: the fields of its head, and bodies both ways.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

ql_h2_stream_t *
ql__h2_stream_new(ql_h2_t *h2, int32_t id)
{
    ql_h2_stream_t *s = calloc(1, sizeof(*s));

    if (s != NULL) {
        s->id = id;
        s->h2 = h2;
        ql_queue_init(&s->next);
        ql_queue_insert_tail(&h2->streams, &s->link);
    }
    return s;
}

void
ql__h2_stream_free(ql_h2_stream_t *s)
{
    ql_buffers_t *pool = &s->h2->core->buffers;

    ql_buffer_release(pool, &s->head.bytes);
    ql_buffer_release(pool, &s->trailer.bytes);
    ql_buffer_release(pool, &s->in);
    ql_buffer_release(pool, &s->out);
    ql_queue_remove(&s->next);
    ql_queue_remove(&s->link);
    free(s);
}

void
ql__h2_stream_settle(ql_h2_stream_t *s)
{
    if (s->closed && !s->told) {
        ql__h2_stream_free(s);
    }
}

ql_h2_stream_t *
ql__h2_find(ql_h2_t *h2, int32_t id)
{
    ql_h2_stream_t *s = nghttp2_session_get_stream_user_data(h2->session, id);

    if (s != NULL) {
        return s->told ? s : NULL;
    }
    for (ql_queue_t *q = h2->streams.next; q != &h2->streams; q = q->next) {
        s = ql_queue_data(q, ql_h2_stream_t, link);
        if (s->id == id && s->told) {
            return s;
        }
    }
    return NULL;
}

void
ql__h2_tell(ql_h2_stream_t *s)
{
    if ((s->told || s->fresh) && ql_queue_empty(&s->next)) {
        ql_queue_insert_tail(&s->h2->news, &s->next);
    }
}

int
ql__h2_append(ql_h2_t *h2, ql_buffer_t *b, const void *data, size_t size)
{
    if (ql_buffer_room(&h2->core->buffers, b, (uint32_t) size, QL_BUFFER_MAX)
        != NGX_OK)
    {
        return NGX_ERROR;
    }
    memcpy(b->data + b->end, data, size);
    b->end += (uint32_t) size;
    return NGX_OK;
}

int
ql__h2_add_field(ql_h2_t *h2, ql_h2_fields_t *to, const uint8_t *name,
                 size_t name_size, const uint8_t *value, size_t value_size)
{
    const uint32_t sizes[2] = {(uint32_t) name_size, (uint32_t) value_size};

    if (to->large || to->count == h2->fields_max
        || ql_buffer_unread(&to->bytes) + sizeof(sizes) + name_size + value_size
               > h2->head_max)
    {
        to->large = 1;
        to->count = 0;
        ql_buffer_release(&h2->core->buffers, &to->bytes);
        return NGX_OK;
    }
    if (ql__h2_append(h2, &to->bytes, sizes, sizeof(sizes)) != NGX_OK
        || ql__h2_append(h2, &to->bytes, name, name_size) != NGX_OK
        || ql__h2_append(h2, &to->bytes, value, value_size) != NGX_OK)
    {
        return NGX_ERROR;
    }
    to->count++;
    return NGX_OK;
}

void
ql__h2_push_fields(lua_State *L, ql_h2_t *h2, ql_h2_fields_t *fields)
{
    uint32_t sizes[2];

    lua_createtable(L, (int) fields->count * 2, 0);
    for (uint32_t i = 0; i < fields->count; i++) {
        const char *at = ql_buffer_bytes(&fields->bytes);

        memcpy(sizes, at, sizeof(sizes));
        at += sizeof(sizes);
        lua_pushlstring(L, at, sizes[0]);
        lua_rawseti(L, -2, (int) i * 2 + 1);
        lua_pushlstring(L, at + sizes[0], sizes[1]);
        lua_rawseti(L, -2, (int) i * 2 + 2);
        ql_buffer_consume(&fields->bytes,
                          (uint32_t) sizeof(sizes) + sizes[0] + sizes[1]);
    }
    fields->count = 0;
    ql_buffer_release(&h2->core->buffers, &fields->bytes);
}
