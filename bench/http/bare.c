/*
 * bare: the limit. A server on epoll, edge-triggered, one thread, no library,
 * that parses nothing: it counts the empty lines that end requests without a
 * body and sends as many times the same answer, all in one send.
 */
#include "../peers/net.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BATCH = 512,
    READ_SIZE = 16384,
    MAX_FD = 65536,
    TAIL = 3,    /* bytes of an unfinished "\r\n\r\n" */
    COPIES = 128 /* answers that leave in one send */
};

/* As many bytes as quoll sends for bench/http/hello.lua. */
static const char answer[] = "HTTP/1.1 200 OK\r\n"
                             "Content-Type: text/plain; charset=utf-8\r\n"
                             "Content-Length: 13\r\n"
                             "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                             "\r\n"
                             "Hello, world!";

enum {
    ANSWER = sizeof(answer) - 1
};

typedef struct {
    char tail[TAIL]; /* the last bytes received */
    uint64_t owed;   /* bytes of answers that are to be sent */
} conn_t;

typedef struct {
    int ep;
    int listener;
    char answers[COPIES * ANSWER];
    conn_t conns[MAX_FD]; /* by descriptor */
} server_t;

/* Sends what is owed, or what the socket takes of it. False: it failed. */
static int
conn_send(const server_t *s, int fd, conn_t *c)
{
    while (c->owed > 0) {
        size_t at = (ANSWER - c->owed % ANSWER) % ANSWER;
        size_t most = sizeof(s->answers) - at;
        size_t size = c->owed < most ? (size_t) c->owed : most;
        ssize_t n = send(fd, s->answers + at, size, MSG_NOSIGNAL);

        if (n < 0) {
            return errno == EAGAIN;
        }
        c->owed -= (uint64_t) n;
    }
    return 1;
}

/* buf: the tail of what came before, then n bytes. memchr is three times
   faster here than memmem: there are few lines. */
static void
conn_count(conn_t *c, const char *buf, size_t n)
{
    const char *at = buf + TAIL;
    const char *end = at + n;

    while ((at = memchr(at, '\n', (size_t) (end - at))) != NULL) {
        c->owed += memcmp(at - TAIL, "\r\n\r", TAIL) == 0 ? ANSWER : 0;
        at++;
    }
    memcpy(c->tail, end - TAIL, TAIL);
}

/* A short read has emptied the socket, unless the peer's end is behind it. */
static void
conn_serve(server_t *s, int fd, uint32_t events)
{
    conn_t *c = &s->conns[fd];
    char buf[TAIL + READ_SIZE];
    ssize_t n;

    do {
        memcpy(buf, c->tail, TAIL);
        n = recv(fd, buf + TAIL, READ_SIZE, 0);
        if (n < 0 && errno == EAGAIN) {
            n = 0;
        } else if (n <= 0) {
            close(fd);
            return;
        }
        conn_count(c, buf, (size_t) n);
        if (!conn_send(s, fd, c)) {
            close(fd);
            return;
        }
    } while (n == READ_SIZE || (n > 0 && (events & EPOLLRDHUP)));
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
        } else {
            s->conns[fd] = (conn_t){.owed = 0};
        }
    }
}

static void
server_open(server_t *s)
{
    struct epoll_event ee = {.events = EPOLLIN};

    for (int i = 0; i < COPIES; i++) {
        memcpy(s->answers + i * ANSWER, answer, ANSWER);
    }
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
                conn_serve(s, events[i].data.fd, events[i].events);
            }
        }
    }
}
