/*
 * hold: opens N connections to an echo server on 127.0.0.1, exchanges one
 * byte on each so that its handler has run and waits again, prints
 * "holding N" and keeps them until its standard input ends.
 */
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    PER_ADDRESS = 20000 /* connections from one 127.0.0.x: ports run out */
};

static void
connect_from(int fd, uint32_t host, uint32_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    struct timeval patience = {.tv_sec = 5};
    int one = 1;

    /* The port is chosen by connect, when the pair is known. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sa.sin_addr.s_addr = htonl(host);
    if (bind(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
        err(1, "bind");
    }
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons((uint16_t) port);
    if (connect(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
        err(1, "connect to port %u", port);
    }
}

static void
exchange(int fd)
{
    char byte = 'x';

    if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1) {
        err(1, "send");
    }
    if (recv(fd, &byte, 1, 0) != 1) {
        err(1, "recv");
    }
}

int
main(int argc, char **argv)
{
    int n = argc == 3 ? atoi(argv[1]) : 0;
    int port = argc == 3 ? atoi(argv[2]) : 0;

    if (n < 1 || port < 1 || port > 65535) {
        fprintf(stderr, "usage: hold CONNECTIONS PORT\n");
        return 2;
    }
    for (int i = 0; i < n; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (fd < 0) {
            err(1, "connection %d of %d", i + 1, n);
        }
        connect_from(fd, INADDR_LOOPBACK + (uint32_t) (i / PER_ADDRESS),
                     (uint32_t) port);
        exchange(fd);
    }
    printf("holding %d\n", n);
    fflush(stdout);
    while (getchar() != EOF) {
    }
    return 0;
}
