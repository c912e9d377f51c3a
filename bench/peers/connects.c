/*
 * connects PORT SECONDS DEPTH: connects, waits for the server's close, resets,
 * and again; DEPTH connections at a time. A reset leaves no TIME_WAIT behind,
 * so that ports do not run out.
 *
 * Prints: connects N seconds S
 */
#include "net.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 256
};

static double
now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static void
await_close(int fd)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    char byte;

    if (recv(fd, &byte, 1, 0) > 0) {
        errx(1, "the server sent something");
    }
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
}

int
main(int argc, char **argv)
{
    int fds[DEPTH_MAX];
    unsigned long n = 0;
    double start = now(), end;
    unsigned port;
    int depth;

    if (argc != 4) {
        errx(1, "usage: connects PORT SECONDS DEPTH");
    }
    port = (unsigned) atoi(argv[1]);
    end = start + atof(argv[2]);
    depth = atoi(argv[3]);
    if (depth < 1 || depth > DEPTH_MAX) {
        errx(1, "DEPTH: 1 to %d", DEPTH_MAX);
    }
    while (now() < end) {
        for (int i = 0; i < depth; i++) {
            fds[i] = net_connect(port);
        }
        for (int i = 0; i < depth; i++) {
            await_close(fds[i]);
        }
        n += (unsigned long) depth;
    }
    printf("connects %lu seconds %.3f\n", n, now() - start);
    return 0;
}
