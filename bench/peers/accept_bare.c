/*
 * accept_bare: the limit. Accepts connections and closes them, on epoll, 64 a
 * turn.
 */
#include "net.h"

#include <sys/epoll.h>
#include <unistd.h>

int
main(void)
{
    struct epoll_event ee = {.events = EPOLLIN};
    int listener = net_listen(SOCK_NONBLOCK);
    int ep = epoll_create1(0);

    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ee) < 0) {
        err(1, "epoll");
    }
    for (;;) {
        epoll_wait(ep, &ee, 1, -1);
        for (int i = 0; i < 64; i++) {
            struct sockaddr_in peer;
            socklen_t len = sizeof(peer);
            int fd = accept4(listener, (struct sockaddr *) &peer, &len,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);

            if (fd < 0) {
                break;
            }
            close(fd);
        }
    }
}
