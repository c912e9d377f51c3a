/*
 * slow: a slowloris. Keeps N connections to an HTTP server on 127.0.0.1 that
 * never finish a request's head: each sends one more byte every INTERVAL ms,
 * the sends spread evenly, and one that the server has closed is opened anew.
 * Prints "holding N" once all are there, and goes on until its standard input
 * ends; then "closed N", how many the server has closed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PER_ADDRESS = 20000 /* connections from one 127.0.0.x: ports run out */
};

static const char head[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ";

static uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

/* A connection that has sent the beginning of a head. */
static int
slow_open(int i, int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        err(1, "connection %d", i + 1);
    }
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t) (i / PER_ADDRESS));
    if (bind(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
        err(1, "bind");
    }
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons((uint16_t) port);
    if (connect(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
        err(1, "connect to port %d", port);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    (void) !send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL);
    return fd;
}

/* False: the server has closed it. */
static int
slow_byte(int fd)
{
    char buf[512];
    ssize_t n;

    do {
        n = recv(fd, buf, sizeof(buf), 0);
    } while (n > 0);
    return n < 0 && errno == EAGAIN && send(fd, "x", 1, MSG_NOSIGNAL) == 1;
}

/* Whether standard input has ended; waits until `due`. */
static int
input_ended(uint64_t due)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t now = now_ns();
    struct timespec ts = {0};

    if (due > now) {
        ts.tv_sec = (time_t) ((due - now) / 1000000000);
        ts.tv_nsec = (long) ((due - now) % 1000000000);
    }
    return ppoll(&fd, 1, &ts, NULL) != 0;
}

int
main(int argc, char **argv)
{
    int n = argc == 4 ? atoi(argv[1]) : 0;
    int interval = argc == 4 ? atoi(argv[2]) : 0;
    int port = argc == 4 ? atoi(argv[3]) : 0;
    int *fds = calloc((size_t) n + 1, sizeof(*fds));
    uint64_t due, gap, closed = 0;

    if (n < 1 || interval < 1 || port < 1 || port > 65535 || fds == NULL) {
        fprintf(stderr, "usage: slow CONNECTIONS INTERVAL PORT\n");
        return 2;
    }
    for (int i = 0; i < n; i++) {
        fds[i] = slow_open(i, port);
    }
    printf("holding %d\n", n);
    fflush(stdout);
    gap = (uint64_t) interval * 1000000 / (uint64_t) n;
    due = now_ns();
    for (int i = 0; !input_ended(due); i = (i + 1) % n, due += gap) {
        if (!slow_byte(fds[i])) {
            close(fds[i]);
            fds[i] = slow_open(i, port);
            closed++;
        }
    }
    printf("closed %llu\n", (unsigned long long) closed);
    return 0;
}
