/*
 * relay_bare PORT: the limit. One connection at a time to 127.0.0.1:PORT, one
 * direction, by recv and send of 64 KiB on nonblocking sockets and epoll.
 */
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    SIZE = 65536
};

static void
watch(int ep, int fd)
{
    struct epoll_event ee = {.events = EPOLLIN | EPOLLOUT | EPOLLET};

    ee.data.fd = fd;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0
        || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ee) < 0)
    {
        err(1, "epoll");
    }
}

static void
pass(int ep, int from, int to)
{
    static char buf[SIZE];
    ssize_t n = 0, sent = 0;

    for (;;) {
        struct epoll_event events[8];
        ssize_t rc = 0;

        if (sent == n) {
            n = recv(from, buf, SIZE, 0);
            sent = 0;
            rc = n;
        }
        if (n > 0) {
            rc = send(to, buf + sent, (size_t) (n - sent), MSG_NOSIGNAL);
            sent += rc > 0 ? rc : 0;
        }
        if (rc > 0) {
            continue;
        }
        if (rc == 0 || errno != EAGAIN) {
            return;
        }
        n = n < 0 ? 0 : n;
        epoll_wait(ep, events, 8, -1);
    }
}

int
main(int argc, char **argv)
{
    int listener, ep, from, to;

    if (argc != 2) {
        errx(1, "usage: relay_bare PORT");
    }
    listener = net_listen(0);
    for (;;) {
        ep = epoll_create1(0);
        from = accept(listener, NULL, NULL);
        to = net_connect((unsigned) atoi(argv[1]));
        watch(ep, from);
        watch(ep, to);
        pass(ep, from, to);
        close(from);
        close(to);
        close(ep);
    }
}
