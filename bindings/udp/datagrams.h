/*
 * datagrams.h: datagrams that were received and not asked for yet. The kernel
 * puts a batch of them into room that every handle shares; from there they go,
 * packed, into the handle's buffer, which is given back when it is empty.
 */
#ifndef QUOLL_DATAGRAMS_H
#define QUOLL_DATAGRAMS_H

#include "../core/core.h"

enum {
    QL_DATAGRAM_BATCH = 32,      /* received by one system call at most */
    QL_DATAGRAM_SIZE = 64 * 1024 /* bytes: more than any IP datagram has */
};

/* One of them in the buffer: this, then its bytes. */
typedef struct {
    uint32_t size;      /* bytes here */
    uint32_t whole;     /* bytes it had: more when it was cut */
    ql_sockaddr_t from; /* len 0: a sender without a name */
} ql_datagram_t;

/* Receives what there is into in, which is empty. NGX_OK; NGX_AGAIN;
 * NGX_ERROR with *err. */
int ql_datagrams_receive(ql_core_t *core, ql_connection_t *c, ql_buffer_t *in,
                         int *err);
/* The first one in the buffer, which is not empty. */
const ql_datagram_t *ql_datagrams_first(const ql_buffer_t *in);
/* Goes past it. */
void ql_datagrams_next(ql_buffer_t *in);
/* The room that all share is given back. */
void ql__datagrams_done(ql_core_t *core);

#endif
