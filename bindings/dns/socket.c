/*
 * socket.c: the descriptors of c-ares: made and used by the loop's system
 * calls, watched as connections. It reads one message at a time and comes back
 * for the next, so they are level-triggered.
 */
#include "channel.h"

#include "core/sys.h"

#include <errno.h>

typedef struct {
    ql_queue_t link; /* in the channel's sockets */
    ql_dns_channel_t *channel;
    ql_connection_t *c; /* gone with the loop */
    int fd;
    bool readable; /* epoll said so, c-ares does not know yet */
    bool writable;
    int refused;     /* errno that a send took; 0: none */
    uint16_t length; /* TCP: of the message that comes, from its first bytes */
    uint32_t at;     /* bytes of both that have come */
} socket_t;

enum {
    LENGTH_SIZE = 2, /* in front of a message by TCP */
    FLAGS = 2,       /* byte of a message: the highest bit is set in answers */
    ANSWER = 0x80
};

static socket_t *
find(ql_dns_channel_t *ch, int fd)
{
    ql_queue_t *q;

    for (q = ch->sockets.next; q != &ch->sockets; q = q->next) {
        socket_t *s = ql_queue_data(q, socket_t, link);

        if (s->fd == fd) {
            return s;
        }
    }
    return NULL;
}

static void
on_event(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    socket_t *s = c->data;

    if (ev->write) {
        s->writable = true;
    } else {
        s->readable = true;
    }
    ql_post_event(c->loop, &s->channel->wake);
}

/* ------------------------------------------------ functions of c-ares ---- */

static socket_t *
watched(ql_dns_channel_t *ch, int fd)
{
    const ql_sys_t *sys = ql_loop_sys(ch->loop);
    socket_t *s = sys->malloc(sizeof(*s));

    if (s == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    s->c = ql_get_connection(ch->loop, fd);
    if (s->c == NULL) {
        sys->free(s);
        return NULL;
    }
    s->channel = ch;
    s->fd = fd;
    s->readable = s->writable = false;
    s->refused = 0;
    s->length = 0;
    s->at = 0;
    s->c->data = s;
    s->c->read.handler = s->c->write.handler = on_event;
    ql_queue_insert_tail(&ch->sockets, &s->link);
    return s;
}

static ares_socket_t
open_socket(int domain, int type, int protocol, void *data)
{
    ql_dns_channel_t *ch = data;
    const ql_sys_t *sys = ql_loop_sys(ch->loop);
    int fd = sys->socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    int err;

    if (fd == -1) {
        ql_log_error(ch->loop, QL_LOG_ERR, errno, "socket() for DNS failed");
        return ARES_SOCKET_BAD;
    }
    if (watched(ch, fd) == NULL) {
        err = errno;
        (void) sys->close(fd);
        errno = err;
        return ARES_SOCKET_BAD;
    }
    return fd;
}

/* A loop that is gone has closed its connections. */
static int
close_socket(ares_socket_t fd, void *data)
{
    ql_dns_channel_t *ch = data;
    socket_t *s = find(ch, fd);

    if (s != NULL) {
        ql_queue_remove(&s->link);
        if (ch->loop != NULL) {
            ql_close_connection(s->c);
        }
        ch->sys->free(s);
    }
    return 0;
}

static int
connect_socket(ares_socket_t fd, const struct sockaddr *sa, ares_socklen_t len,
               void *data)
{
    ql_dns_channel_t *ch = data;

    return ql_loop_sys(ch->loop)->connect(fd, sa, len);
}

/* Once: what refused() kept. */
static bool
take_refusal(ql_dns_channel_t *ch, int fd)
{
    socket_t *s = find(ch, fd);

    if (s == NULL || s->refused == 0) {
        return false;
    }
    errno = s->refused;
    s->refused = 0;
    return true;
}

/* A question that came back is no answer, which c-ares (1.18) would not see. */
static bool
is_query(const unsigned char *data, ssize_t n)
{
    return n > FLAGS && (data[FLAGS] & ANSWER) == 0;
}

/* The same in what came by TCP, a length before each message. */
static bool
has_query(socket_t *s, const unsigned char *data, ssize_t n)
{
    for (ssize_t i = 0; i < n; i++) {
        if (s->at < LENGTH_SIZE) {
            s->length = (uint16_t) (s->length << 8 | data[i]);
        } else if (s->at == LENGTH_SIZE + FLAGS && (data[i] & ANSWER) == 0) {
            return true;
        }
        s->at++;
        if (s->at == LENGTH_SIZE + (uint32_t) s->length) {
            s->at = 0;
        }
    }
    return false;
}

/* Who sends the question back by TCP is asked no more. */
static ares_ssize_t
received_stream(socket_t *s, const void *buf, ssize_t n)
{
    if (s != NULL && n > 0 && has_query(s, buf, n)) {
        errno = EPROTO;
        return -1;
    }
    return n;
}

static ares_ssize_t
receive(ares_socket_t fd, void *buf, size_t size, int flags,
        struct sockaddr *from, ares_socklen_t *len, void *data)
{
    ql_dns_channel_t *ch = data;
    struct iovec iov = {buf, size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (take_refusal(ch, fd)) {
        return -1;
    }
    if (from != NULL) {
        msg.msg_name = from;
        msg.msg_namelen = *len;
    }
    n = ql_loop_sys(ch->loop)->recvmsg(fd, &msg, flags);
    if (from == NULL) {
        return received_stream(find(ch, fd), buf, n);
    }
    *len = msg.msg_namelen;
    if (is_query(buf, n)) {
        return 0; /* an empty datagram, which c-ares passes over */
    }
    if (n > 0) {
        ql__dns_heard(ch, buf, (size_t) n);
    }
    return n;
}

/* The error that a datagram meets is that of one before it, whose question
 * would wait for its timeout: reading has to tell c-ares, too. */
static void
refused(ql_dns_channel_t *ch, int fd, int err)
{
    socket_t *s = find(ch, fd);

    if (s != NULL && (err == ECONNREFUSED || err == EHOSTUNREACH)) {
        s->refused = err;
        on_event(&s->c->read);
    }
}

static ares_ssize_t
send_vector(ares_socket_t fd, const struct iovec *iov, int n, void *data)
{
    ql_dns_channel_t *ch = data;
    struct msghdr msg = {.msg_iovlen = (size_t) n};
    ssize_t sent;
    int err;

    msg.msg_iov = (struct iovec *) (uintptr_t) iov; /* sendmsg reads it */
    sent = ql_loop_sys(ch->loop)->sendmsg(fd, &msg, MSG_NOSIGNAL);
    if (sent == -1) {
        err = errno;
        refused(ch, fd, err);
        errno = err;
    }
    return sent;
}

void
ql__dns_watch(ql_dns_channel_t *ch)
{
    static const struct ares_socket_functions functions = {
        open_socket, close_socket, connect_socket, receive, send_vector};

    ares_set_socket_functions(ch->ares, &functions, ch);
}

/* ----------------------------------------------------------- readiness ---- */

static void
watch(ql_event_t *ev, bool wanted, uint32_t event)
{
    ql_connection_t *c = ev->data;
    int rc = NGX_OK;

    if (wanted && !ev->active) {
        rc = ql_epoll_actions.add(c->loop, ev, event, QL_LEVEL_EVENT);
    } else if (!wanted && ev->active) {
        rc = ql_epoll_actions.del(c->loop, ev, event, 0);
    }
    if (rc != NGX_OK) {
        on_event(ev); /* c-ares finds out, now or by its timeout */
    }
}

/* c-ares wants neither of a descriptor that it closes next. */
void
ql__dns_state(void *data, int fd, int readable, int writable)
{
    ql_dns_channel_t *ch = data;
    socket_t *s = ch->loop != NULL ? find(ch, fd) : NULL;

    if (s != NULL && (readable || writable)) {
        watch(&s->c->read, readable, QL_READ_EVENT);
        watch(&s->c->write, writable, QL_WRITE_EVENT);
    }
}

static socket_t *
next_ready(ql_dns_channel_t *ch)
{
    ql_queue_t *q;

    for (q = ch->sockets.next; q != &ch->sockets; q = q->next) {
        socket_t *s = ql_queue_data(q, socket_t, link);

        if (s->readable || s->writable) {
            return s;
        }
    }
    return NULL;
}

/* Any call of c-ares may close any of its descriptors. */
void
ql__dns_process(ql_dns_channel_t *ch)
{
    socket_t *s;

    while ((s = next_ready(ch)) != NULL) {
        int in = s->readable ? s->c->fd : ARES_SOCKET_BAD;
        int out = s->writable ? s->c->fd : ARES_SOCKET_BAD;

        s->readable = s->writable = false;
        ares_process_fd(ch->ares, in, out);
    }
}
