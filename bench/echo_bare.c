/*
 * echo_bare: the limit. An echo server on epoll, edge-triggered, one thread,
 * no library: one recv, one send and a share of an epoll_wait per message.
 */
#include "peers/net.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BATCH = 512,
    READ_SIZE = 4096,
    MAX_FD = 65536
};

/* What a full socket buffer left over; there only while it is not empty. */
typedef struct {
    size_t start;
    size_t end;
    char data[READ_SIZE];
} rest_t;

typedef struct {
    int ep;
    int listener;
    rest_t *rests[MAX_FD]; /* by descriptor */
} server_t;

static void
conn_close(server_t *s, int fd)
{
    free(s->rests[fd]);
    s->rests[fd] = NULL;
    close(fd);
}

/* 1: all sent; 0: the rest waits for EPOLLOUT; -1: closed. */
static int
conn_send(server_t *s, int fd, const char *data, size_t size)
{
    ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
    rest_t *rest;

    if (n == (ssize_t) size) {
        return 1;
    }
    rest = n < 0 && errno != EAGAIN ? NULL : malloc(sizeof(*rest));
    if (rest == NULL) {
        conn_close(s, fd);
        return -1;
    }
    rest->start = 0;
    rest->end = size - (size_t) (n < 0 ? 0 : n);
    memcpy(rest->data, data + size - rest->end, rest->end);
    s->rests[fd] = rest;
    return 0;
}

static int
conn_flush(server_t *s, int fd)
{
    rest_t *rest = s->rests[fd];
    int rc = 1;

    if (rest != NULL) {
        s->rests[fd] = NULL;
        rc = conn_send(s, fd, rest->data + rest->start,
                       rest->end - rest->start);
        free(rest);
    }
    return rc;
}

/* A short read has emptied the socket, unless the peer's end is behind it. */
static void
conn_echo(server_t *s, int fd, uint32_t events)
{
    char buf[READ_SIZE];
    ssize_t n;

    if (conn_flush(s, fd) != 1) {
        return;
    }
    do {
        n = recv(fd, buf, sizeof(buf), 0);
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            conn_close(s, fd);
            return;
        }
        if (conn_send(s, fd, buf, (size_t) n) != 1) {
            return;
        }
    } while (n == sizeof(buf) || (events & EPOLLRDHUP));
}

static void
accept_all(server_t *s)
{
    struct epoll_event ee = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
    };
    int one = 1;
    int fd;

    while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC))
           >= 0)
    {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        ee.data.fd = fd;
        if (fd >= MAX_FD || epoll_ctl(s->ep, EPOLL_CTL_ADD, fd, &ee) < 0) {
            close(fd);
        }
    }
}

static void
server_open(server_t *s)
{
    struct epoll_event ee = {.events = EPOLLIN};

    s->ep = epoll_create1(EPOLL_CLOEXEC);
    s->listener = net_listen(SOCK_NONBLOCK);
    ee.data.fd = s->listener;
    if (s->ep < 0 || epoll_ctl(s->ep, EPOLL_CTL_ADD, s->listener, &ee) < 0) {
        err(1, "epoll");
    }
}

int
main(void)
{
    server_t *s = calloc(1, sizeof(*s));
    struct epoll_event events[BATCH];

    if (s == NULL) {
        err(1, "start");
    }
    server_open(s);
    for (;;) {
        int n = epoll_wait(s->ep, events, BATCH, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == s->listener) {
                accept_all(s);
            } else {
                conn_echo(s, events[i].data.fd, events[i].events);
            }
        }
    }
}
