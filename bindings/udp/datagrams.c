#include "datagrams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Virtual memory: only what datagrams have ever filled is resident. */
typedef struct {
    struct mmsghdr msgs[QL_DATAGRAM_BATCH];
    struct iovec iov[QL_DATAGRAM_BATCH];
    struct sockaddr_storage from[QL_DATAGRAM_BATCH];
    char bytes[QL_DATAGRAM_BATCH][QL_DATAGRAM_SIZE];
} room_t;

static room_t *
room_new(void)
{
    room_t *room = malloc(sizeof(*room));

    if (room == NULL) {
        return NULL;
    }
    memset(room->msgs, 0, sizeof(room->msgs));
    for (int i = 0; i < QL_DATAGRAM_BATCH; i++) {
        struct msghdr *msg = &room->msgs[i].msg_hdr;

        room->iov[i] = (struct iovec){room->bytes[i], QL_DATAGRAM_SIZE};
        msg->msg_iov = &room->iov[i];
        msg->msg_iovlen = 1;
        msg->msg_name = &room->from[i];
    }
    return room;
}

void
ql__datagrams_done(ql_core_t *core)
{
    free(core->datagrams);
    core->datagrams = NULL;
}

/* ----------------------------------------------------------- packing ---- */

/* Bytes that a datagram of size takes in a buffer. */
static uint32_t
packed(uint32_t size)
{
    uint32_t align = _Alignof(ql_datagram_t);

    return (uint32_t) (sizeof(ql_datagram_t) + size + align - 1) / align
         * align;
}

static uint32_t
stored(const struct mmsghdr *msg)
{
    return msg->msg_len < QL_DATAGRAM_SIZE ? msg->msg_len : QL_DATAGRAM_SIZE;
}

static char *
pack(char *to, const struct mmsghdr *msg)
{
    ql_datagram_t *d = (void *) to;
    socklen_t len = msg->msg_hdr.msg_namelen;

    d->size = stored(msg);
    d->whole = msg->msg_len;
    d->from.len = len < sizeof(d->from.u) ? len : sizeof(d->from.u);
    memcpy(&d->from.u, msg->msg_hdr.msg_name, d->from.len);
    memcpy(d + 1, msg->msg_hdr.msg_iov->iov_base, d->size);
    return to + packed(d->size);
}

/* Room for size bytes in an empty buffer. */
static int
reserve(ql_core_t *core, ql_buffer_t *in, uint32_t size)
{
    if (size <= QL_BUFFER_SIZE) {
        return ql_buffer_reserve(&core->buffers, in, 0);
    }
    ql_buffer_release(&core->buffers, in);
    in->data = malloc(size);
    in->cap = in->data != NULL ? size : 0;
    return in->data != NULL ? NGX_OK : NGX_ERROR;
}

static int
keep(ql_core_t *core, const room_t *room, int n, ql_buffer_t *in)
{
    uint32_t size = 0;
    char *to;

    for (int i = 0; i < n; i++) {
        size += packed(stored(&room->msgs[i]));
    }
    if (reserve(core, in, size) != NGX_OK) {
        return NGX_ERROR;
    }
    to = in->data;
    for (int i = 0; i < n; i++) {
        to = pack(to, &room->msgs[i]);
    }
    in->end = size;
    return NGX_OK;
}

/* --------------------------------------------------------- receiving ---- */

int
ql_datagrams_receive(ql_core_t *core, ql_connection_t *c, ql_buffer_t *in,
                     int *err)
{
    room_t *room = core->datagrams;
    int n;

    if (room == NULL) {
        room = core->datagrams = room_new();
    }
    if (room == NULL) {
        *err = ENOMEM;
        return NGX_ERROR;
    }
    for (int i = 0; i < QL_DATAGRAM_BATCH; i++) {
        room->msgs[i].msg_hdr.msg_namelen = sizeof(room->from[i]);
    }
    n = ql_udp_recv(c, room->msgs, QL_DATAGRAM_BATCH);
    if (n == NGX_ERROR) {
        *err = c->err;
    } else if (n > 0 && keep(core, room, n, in) != NGX_OK) {
        *err = ENOMEM;
        return NGX_ERROR;
    }
    return n > 0 ? NGX_OK : n;
}

const ql_datagram_t *
ql_datagrams_first(const ql_buffer_t *in)
{
    return (const void *) ql_buffer_bytes(in);
}

void
ql_datagrams_next(ql_buffer_t *in)
{
    ql_buffer_consume(in, packed(ql_datagrams_first(in)->size));
}
