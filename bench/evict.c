/*
 * evict: writes a file back and takes it out of the page cache. With an
 * interval it goes on doing so until its standard input ends.
 *
 * Prints: cold
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
evict(int fd, const char *path)
{
    int rc = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);

    if (rc != 0) {
        errno = rc;
        err(1, "%s", path);
    }
}

int
main(int argc, char **argv)
{
    int interval = argc == 3 ? atoi(argv[2]) : 0;
    struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};
    int fd;

    if (argc < 2 || argc > 3 || (argc == 3 && interval < 1)) {
        fprintf(stderr, "usage: evict FILE [INTERVAL_MS]\n");
        return 2;
    }
    fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    /* Dirty pages would stay. */
    if (fd < 0 || fsync(fd) < 0) {
        err(1, "%s", argv[1]);
    }
    evict(fd, argv[1]);
    printf("cold\n");
    fflush(stdout);
    while (interval > 0 && poll(&end, 1, interval) == 0) {
        evict(fd, argv[1]);
    }
    return 0;
}
