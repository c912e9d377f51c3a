/*
 * message.c: a message before its first byte.
 */
#include "message.h"

#include <stddef.h>
#include <string.h>

/* The fields are left as they are: `count` says which are set. */
void
ql_http_message_init(ql_http_message_t *m, ql_http_kind_t kind,
                     const ql_http_limits_t *limits)
{
    memset(m, 0, offsetof(ql_http_message_t, fields));
    m->kind = kind;
    m->limits = limits;
}

void
ql_http_message_bodyless(ql_http_message_t *m)
{
    m->bodyless = 1;
    if (m->size > 0) {
        m->ended = 1;
    }
}

int
ql__http_refuse(ql_http_message_t *m, unsigned status, const char *why)
{
    m->error = status;
    m->why = why;
    m->keep_alive = 0;
    return NGX_ERROR;
}
