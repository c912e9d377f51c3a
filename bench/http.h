/*
 * http.h: a client's connection on 127.0.0.1 that asks for one file over and
 * over and throws away what it gets.
 */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    DISCARD = 1 << 20, /* bytes of a body at a time */
    PATIENCE_MS = 10000
};

#define MS UINT64_C(1000000) /* ns */

typedef struct {
    int fd;
    int file; /* what is asked for */
    bool hot; /* stays in the page cache */
    char request[64];
    char head[1024];
    size_t have;    /* bytes of the head */
    uint64_t left;  /* bytes of the body */
    uint64_t bytes; /* of bodies */
} conn_t;

static inline uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static inline void
sleep_until(uint64_t ns)
{
    struct timespec ts = {.tv_sec = (time_t) (ns / 1000000000),
                          .tv_nsec = (long) (ns % 1000000000)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
    {
    }
}

/* A server that has just been started may not listen yet. */
static inline int
connect_to(uint32_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    uint64_t end = now_ns() + PATIENCE_MS * MS;
    int one = 1;
    int fd;

    sa.sin_port = htons((uint16_t) port);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (;;) {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0) {
            err(1, "socket");
        }
        if (connect(fd, (struct sockaddr *) &sa, sizeof(sa)) == 0) {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            return fd;
        }
        if (errno != ECONNREFUSED || now_ns() > end) {
            err(1, "connect to port %u", port);
        }
        close(fd);
        sleep_until(now_ns() + 10 * MS);
    }
}

static inline void
conn_request(conn_t *c)
{
    size_t length = strlen(c->request);

    if (!c->hot && posix_fadvise(c->file, 0, 0, POSIX_FADV_DONTNEED) != 0) {
        errx(1, "%s: cannot be made cold", c->request);
    }
    c->have = 0;
    if (send(c->fd, c->request, length, MSG_NOSIGNAL) != (ssize_t) length) {
        err(1, "send");
    }
}

static inline void
conn_open(conn_t *c, uint32_t port, const char *folder, const char *name)
{
    char path[4096];

    snprintf(c->request, sizeof(c->request),
             "GET /%s HTTP/1.1\r\nHost: bench\r\n\r\n", name);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    c->file = open(path, O_RDONLY | O_CLOEXEC);
    if (c->file < 0) {
        err(1, "%s", path);
    }
    c->fd = connect_to(port);
}

/* What has come of the head; whether that is all of it. */
static inline bool
conn_head(conn_t *c, size_t n)
{
    char *end, *length;

    c->have += n;
    c->head[c->have] = '\0';
    end = strstr(c->head, "\r\n\r\n");
    if (end == NULL && c->have + 1 < sizeof(c->head)) {
        return false;
    }
    length = strcasestr(c->head, "\r\nContent-Length:");
    if (end == NULL || length == NULL || length > end
        || strncmp(c->head, "HTTP/1.1 200 ", 13) != 0)
    {
        errx(1, "unexpected answer:\n%s", c->head);
    }
    c->left = strtoull(length + 17, NULL, 10);
    n = c->have - (size_t) (end + 4 - c->head); /* of the body already */
    if (n > c->left) {
        errx(1, "more than was asked for");
    }
    c->left -= n;
    c->bytes += n;
    return true;
}

/* Reads once; 1 at the end of the answer, -1 when there is nothing yet. */
static inline int
conn_read(conn_t *c)
{
    bool head = c->left == 0;
    size_t most = c->left < DISCARD ? c->left : DISCARD;
    ssize_t n = head ? recv(c->fd, c->head + c->have,
                            sizeof(c->head) - 1 - c->have, 0)
                     : recv(c->fd, NULL, most, MSG_TRUNC);

    if (n < 0 && errno == EAGAIN) {
        return -1;
    }
    if (n <= 0) {
        errx(1, "%s: %s", c->request, n < 0 ? strerror(errno) : "closed");
    }
    if (head) {
        return conn_head(c, (size_t) n) && c->left == 0;
    }
    c->left -= (uint64_t) n;
    c->bytes += (uint64_t) n;
    return c->left == 0;
}

#endif
