#include "buffer.h"

#include <quoll.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void
ql_buffers_init(ql_buffers_t *pool)
{
    pool->free = NULL;
    pool->kept = 0;
}

void
ql_buffers_done(ql_buffers_t *pool)
{
    while (pool->free != NULL) {
        void *p = pool->free;

        memcpy(&pool->free, p, sizeof(pool->free));
        free(p);
    }
    pool->kept = 0;
}

static char *
pool_take(ql_buffers_t *pool)
{
    void *p = pool->free;

    if (p == NULL) {
        return malloc(QL_BUFFER_SIZE);
    }
    memcpy(&pool->free, p, sizeof(pool->free));
    pool->kept--;
    return p;
}

static void
pool_give(ql_buffers_t *pool, char *data, uint32_t cap)
{
    if (cap != QL_BUFFER_SIZE || pool->kept == QL_BUFFERS_KEPT) {
        free(data);
        return;
    }
    memcpy(data, &pool->free, sizeof(pool->free));
    pool->free = data;
    pool->kept++;
}

static void
buffer_compact(ql_buffer_t *b)
{
    memmove(b->data, b->data + b->start, ql_buffer_unread(b));
    b->end -= b->start;
    b->start = 0;
}

/* Called with every byte up to cap unread or used; cap < want or want 0. */
static int
buffer_grow(ql_buffers_t *pool, ql_buffer_t *b, uint32_t want)
{
    uint32_t max = want != 0 && want < QL_BUFFER_MAX ? want : QL_BUFFER_MAX;
    uint32_t cap = b->cap <= max / 2 ? b->cap * 2 : max;
    char *data;

    if (b->cap >= max) {
        return NGX_ERROR;
    }
    if (b->cap == QL_BUFFER_SIZE) {
        data = malloc(cap);
        if (data == NULL) {
            return NGX_ERROR;
        }
        memcpy(data, b->data, b->end);
        pool_give(pool, b->data, b->cap);
    } else {
        data = realloc(b->data, cap);
        if (data == NULL) {
            return NGX_ERROR;
        }
    }
    b->data = data;
    b->cap = cap;
    return NGX_OK;
}

int
ql_buffer_reserve(ql_buffers_t *pool, ql_buffer_t *b, uint32_t want)
{
    bool fits;

    if (b->data == NULL) {
        b->data = pool_take(pool);
        b->cap = QL_BUFFER_SIZE;
        return b->data != NULL ? NGX_OK : NGX_ERROR;
    }
    if (b->end < b->cap) {
        return NGX_OK;
    }
    /* Moving a few bytes out of a full buffer for little room would be done
     * again and again: a reader of unknown length moves half of it or less. */
    fits = want != 0 ? want <= b->cap : b->start >= b->cap / 2;
    if (b->start > 0) {
        buffer_compact(b);
    }
    return fits ? NGX_OK : buffer_grow(pool, b, want);
}

int
ql_buffer_bulk(ql_buffer_t *b, uint32_t size)
{
    b->data = malloc(size);
    if (b->data == NULL) {
        return NGX_ERROR;
    }
    b->cap = size;
    return NGX_OK;
}

int
ql_buffer_room(ql_buffers_t *pool, ql_buffer_t *b, uint32_t n, uint32_t max)
{
    uint32_t unread = ql_buffer_unread(b);

    if (unread > max || n > max - unread) {
        return NGX_ERROR;
    }
    if (b->data == NULL && ql_buffer_reserve(pool, b, 0) != NGX_OK) {
        return NGX_ERROR;
    }
    if (n <= b->cap - b->end) {
        return NGX_OK;
    }
    buffer_compact(b);
    while (n > b->cap - b->end) {
        if (buffer_grow(pool, b, max) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

void
ql_buffer_release(ql_buffers_t *pool, ql_buffer_t *b)
{
    if (b->data != NULL) {
        pool_give(pool, b->data, b->cap);
    }
    memset(b, 0, sizeof(*b));
}
