/*
 * buffer.h: the unread bytes of a connection or a file, and the pool of the
 * memory for them. A reader with nothing unread holds no memory.
 */
#ifndef QUOLL_BUFFER_H
#define QUOLL_BUFFER_H

#include <stddef.h>
#include <stdint.h>

enum {
    QL_BUFFER_SIZE = 16 * 1024, /* of a pooled buffer, bytes */
    QL_BUFFERS_KEPT = 64,       /* free ones kept at most */
    QL_BUFFER_MAX = 0x7fffff00  /* LuaJIT's longest string */
};

/* Unread bytes: data[start..end). */
typedef struct {
    char *data; /* NULL: no memory is held */
    uint32_t start;
    uint32_t end;
    uint32_t cap;     /* bytes at data; QL_BUFFER_SIZE: from the pool */
    uint32_t scanned; /* unread bytes a scanner need not look at again */
} ql_buffer_t;

/* Free buffers, chained through their first bytes. */
typedef struct {
    void *free;
    uint32_t kept; /* length of the chain */
} ql_buffers_t;

void ql_buffers_init(ql_buffers_t *pool);
/* Frees what is kept. */
void ql_buffers_done(ql_buffers_t *pool);

/*
 * Makes room behind the unread bytes, at least one byte. want: how many
 * unread bytes the reader needs in all, 0 when it cannot tell; memory grows
 * by doubling and never beyond want. NGX_OK or NGX_ERROR (no memory, or
 * QL_BUFFER_MAX reached).
 */
int ql_buffer_reserve(ql_buffers_t *pool, ql_buffer_t *b, uint32_t want);
/* Gives a buffer without memory size bytes of its own, which go when nothing is
 * unread. NGX_OK or NGX_ERROR. */
int ql_buffer_bulk(ql_buffer_t *b, uint32_t size);
/* Makes room for n bytes behind the unread ones; max: bytes of both at most,
 * which memory grows to by doubling. NGX_OK or NGX_ERROR (no memory, or more
 * than max). */
int ql_buffer_room(ql_buffers_t *pool, ql_buffer_t *b, uint32_t n,
                   uint32_t max);
/* Drops every unread byte and the memory. */
void ql_buffer_release(ql_buffers_t *pool, ql_buffer_t *b);

static inline uint32_t
ql_buffer_unread(const ql_buffer_t *b)
{
    return b->end - b->start;
}

static inline const char *
ql_buffer_bytes(const ql_buffer_t *b)
{
    return b->data + b->start;
}

/* n unread bytes have been used. */
static inline void
ql_buffer_consume(ql_buffer_t *b, uint32_t n)
{
    b->start += n;
    b->scanned = 0;
}

/* Gives the memory back when nothing is unread. */
static inline void
ql_buffer_settle(ql_buffers_t *pool, ql_buffer_t *b)
{
    if (b->data != NULL && b->start == b->end) {
        ql_buffer_release(pool, b);
    }
}

#endif
