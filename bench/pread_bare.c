/*
 * pread_bare: cached 4 KiB reads with pread(2), block after block.
 *
 * Prints: reads N ns PER_READ
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    BLOCK = 4096
};

static double
now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double) ts.tv_sec * 1e9 + (double) ts.tv_nsec;
}

static void
read_blocks(int fd, off_t size, long count)
{
    char buf[BLOCK];
    off_t offset = 0;

    for (long i = 0; i < count; i++) {
        if (pread(fd, buf, BLOCK, offset) != BLOCK) {
            err(1, "pread");
        }
        offset = (offset + BLOCK) % size;
    }
}

int
main(int argc, char **argv)
{
    long count = argc == 3 ? atol(argv[2]) : 0;
    struct stat st;
    double start;
    int fd;

    if (count < 1) {
        fprintf(stderr, "usage: pread_bare FILE READS\n");
        return 2;
    }
    fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        err(1, "%s", argv[1]);
    }
    if (st.st_size == 0 || st.st_size % BLOCK != 0) {
        errx(1, "%s: not a whole number of blocks", argv[1]);
    }
    read_blocks(fd, st.st_size, st.st_size / BLOCK);
    start = now();
    read_blocks(fd, st.st_size, count);
    printf("reads %ld ns %.1f\n", count, (now() - start) / (double) count);
    return 0;
}
