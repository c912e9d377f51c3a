/*
 * pour: both ends of a relay. Listens for the relay's connections to it and
 * prints its port; each line of stdin, "PORT MIB", connects to a relay there,
 * sends so much, ends the stream and reads until the end.
 *
 * Prints, for each: seconds S bytes N
 */
#include "net.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SIZE = 256 * 1024
};

static double
now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static char block[SIZE];

/* Some more, if it can be sent; the end of the stream after the last. */
static uint64_t
push(int fd, uint64_t left)
{
    size_t size = left < SIZE ? (size_t) left : SIZE;
    ssize_t n = send(fd, block, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n <= 0) {
        return left;
    }
    left -= (uint64_t) n;
    if (left == 0) {
        shutdown(fd, SHUT_WR);
    }
    return left;
}

static uint64_t
pour(int listener, unsigned port, uint64_t left)
{
    static char in[SIZE];
    int from = net_connect(port);
    int to = accept(listener, NULL, NULL);
    struct pollfd fds[2] = {{from, POLLOUT, 0}, {to, POLLIN, 0}};
    uint64_t got = 0;

    for (;;) {
        fds[0].fd = left > 0 ? from : -1;
        poll(fds, 2, -1);
        if (left > 0 && (fds[0].revents & POLLOUT)) {
            left = push(from, left);
        }
        if (fds[1].revents != 0) {
            ssize_t n = recv(to, in, SIZE, MSG_DONTWAIT);

            if (n == 0) {
                break;
            }
            got += n > 0 ? (uint64_t) n : 0;
        }
    }
    close(from);
    close(to);
    return got;
}

int
main(void)
{
    int listener = net_listen(0);
    unsigned port, mib;

    memset(block, 'x', SIZE);
    while (scanf("%u %u", &port, &mib) == 2) {
        uint64_t size = (uint64_t) mib << 20;
        double start = now();

        if (pour(listener, port, size) != size) {
            errx(1, "bytes were lost");
        }
        printf("seconds %.3f bytes %llu\n", now() - start,
               (unsigned long long) size);
        fflush(stdout);
    }
    return 0;
}
