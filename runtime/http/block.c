/*
 * block.c: the fields of a head that come again. A client sends most of its
 * requests with the same ones, and they say the same whatever the request line
 * is: byte for byte those that came before, they need no second look.
 */
#include "message.h"

#include <string.h>

/* They stand `by` bytes further on: modulo 2^32, as what is counted from. */
static void
move(ql_http_message_t *m, uint32_t by)
{
    for (unsigned i = 0; i < m->count; i++) {
        m->fields[i].name.at += by;
        m->fields[i].value.at += by;
    }
    m->host.at += by;
}

void
ql__http_block_keep(ql_http_block_t *b, const ql_http_message_t *m,
                    const char *data)
{
    uint32_t size = m->size - m->first;

    if (size > QL_HTTP_BLOCK || m->count > QL_HTTP_BLOCK_FIELDS || m->has_length
        || m->expect)
    {
        return;
    }
    memcpy(b->bytes, data + m->first, size);
    memcpy(b->fields, m->fields, m->count * sizeof(m->fields[0]));
    b->size = size;
    b->first = m->first;
    b->count = m->count;
    b->host = m->host;
    b->keep_alive = m->keep_alive;
}

bool
ql__http_block_take(const ql_http_block_t *b, ql_http_message_t *m,
                    const char *data, uint32_t n)
{
    if (b->size == 0 || n - m->first < b->size || b->count > m->limits->fields
        || memcmp(data + m->first, b->bytes, b->size) != 0)
    {
        return false;
    }
    memcpy(m->fields, b->fields, b->count * sizeof(b->fields[0]));
    m->count = b->count;
    m->host = b->host;
    if (m->first != b->first) {
        move(m, m->first - b->first);
    }
    m->has_host = 1;
    m->keep_alive = b->keep_alive;
    m->ended = 1;
    m->size = m->parsed = m->first + b->size;
    return true;
}
