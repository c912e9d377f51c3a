/*
 * net.h: listening and connecting on 127.0.0.1, for programs that end when
 * something fails.
 */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

static inline struct sockaddr_in
net_address(unsigned port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons((uint16_t) port);
    return sa;
}

/* A listener on a free port, which is printed. flags: SOCK_NONBLOCK or 0. */
static inline int
net_listen(int flags)
{
    struct sockaddr_in sa = net_address(0);
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *) &sa, len) < 0
        || listen(fd, 511) < 0
        || getsockname(fd, (struct sockaddr *) &sa, &len) < 0)
    {
        err(1, "listen");
    }
    printf("listening on 127.0.0.1:%u\n", ntohs(sa.sin_port));
    fflush(stdout);
    return fd;
}

static inline int
net_connect(unsigned port)
{
    struct sockaddr_in sa = net_address(port);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
        err(1, "connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

#endif
