/*
 * cork.h: what a corked connection gathers, so that it leaves in one call.
 */
#ifndef QUOLL_CORK_H
#define QUOLL_CORK_H

#include "connection.h"

enum {
    QL__CORK_SIZE = 64 * 1024,      /* bytes gathered at most, by default */
    QL__CORK_MAX = 16 * 1024 * 1024 /* and however it is set */
};

/* Made by the first cork(). While bytes are gathered, either a send waits,
 * which sends them first, or `flush` is posted, or the write event's handler
 * is the cork's. */
struct ql_cork_s {
    ql_event_t flush;  /* posted: before the loop waits */
    ql_buffer_t out;   /* gathered, not sent yet */
    uint32_t limit;    /* bytes gathered at most */
    pid_t pid;         /* of the process that gathers: its children drop it */
    int err;           /* of a late flush, not told yet: an errno; 0: none */
    unsigned on : 1;   /* between cork() and uncork() */
    unsigned lent : 1; /* part of the protocol's struct, which frees it */
};

/* Bytes gathered and not sent. */
static inline uint32_t
ql__gathered(const ql_conn_t *conn)
{
    return conn->cork != NULL ? ql_buffer_unread(&conn->cork->out) : 0;
}

/* cork is conn's from now on, in memory of its maker. */
void ql__cork_init(ql_conn_t *conn, ql_cork_t *cork);
/* Gathers the pieces, size bytes in all, if it is corked and they fit. */
bool ql__cork_gather(ql_conn_t *conn, const struct iovec *iov, int pieces,
                     size_t size);
/* n gathered bytes have been sent. */
void ql__cork_sent(ql_conn_t *conn, size_t n);
/* One attempt to send what is gathered: bytes, NGX_AGAIN, NGX_ERROR with
 * c->err. */
ssize_t ql__cork_send(ql_conn_t *conn);
/* For an operation of wop: sends what is gathered before. NGX_OK; NGX_AGAIN, it
 * is parked with on_event; NGX_ERROR with wop.err. */
int ql__cork_drain(ql_conn_t *conn, ql_event_handler_pt on_event);
/* Is nothing gathered any more, what the system takes at once being sent? */
bool ql__cork_emptied(ql_conn_t *conn);
/* A send has ended: what is still gathered is the cork's to send, or lost with
 * the direction. */
void ql__cork_resume(ql_conn_t *conn);
/* The connection is being closed: what the kernel takes at once is sent, the
 * log says how much is not. */
void ql__cork_close(ql_conn_t *conn);

#endif
