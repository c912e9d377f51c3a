/*
 * hold: opens N connections to an echo server on 127.0.0.1, exchanges one
 * byte on each so that its handler has run and waits again, prints
 * "holding N" and keeps them until its standard input ends. With a PATH the
 * server is one of HTTP: a request and its answer are exchanged.
 */
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The answer comes in one piece, of which the first byte says that it has. */
static void
exchange(int fd, const char *text)
{
    char answer[4096];
    size_t size = strlen(text);

    if (send(fd, text, size, MSG_NOSIGNAL) != (ssize_t) size) {
        err(1, "send");
    }
    if (recv(fd, answer, sizeof(answer), 0) < 1) {
        err(1, "recv");
    }
}

int
main(int argc, char **argv)
{
    int n = argc >= 3 ? atoi(argv[1]) : 0;
    int port = argc >= 3 ? atoi(argv[2]) : 0;
    char text[512] = "x";

    if (n < 1 || port < 1 || port > 65535) {
        fprintf(stderr, "usage: hold CONNECTIONS PORT [PATH]\n");
        return 2;
    }
    if (argc == 4) {
        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
                 argv[3]);
    }
    for (int i = 0; i < n; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (fd < 0) {
            err(1, "connection %d of %d", i + 1, n);
        }
        connect_from(fd, INADDR_LOOPBACK + (uint32_t) (i / PER_ADDRESS),
                     (uint32_t) port);
        exchange(fd, text);
    }
    printf("holding %d\n", n);
    fflush(stdout);
    while (getchar() != EOF) {
    }
    return 0;
}
