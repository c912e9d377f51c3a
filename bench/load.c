/*
 * load: a closed-loop echo load on 127.0.0.1. Each connection keeps `depth`
 * messages under way, and every byte that comes back is compared.
 *
 * Prints: requests N seconds S p50 US p99 US p999 US
 */
#include "hist.h"
#include "number.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 65536,
    BATCH = 256,
    DRAIN_MS = 5000
};

typedef struct {
    int fd;
    uint64_t sent;      /* bytes */
    uint64_t received;  /* bytes */
    uint64_t unsent;    /* bytes submitted and not yet taken by the kernel */
    uint64_t submitted; /* messages */
    uint64_t answered;  /* messages */
    uint64_t *stamps;   /* ns, ring of depth: when a message was submitted */
} conn_t;

typedef struct {
    int ep;
    uint32_t port;
    uint64_t connections;
    uint64_t size;
    uint64_t depth;
    uint64_t requests; /* still to submit */
    double seconds;
    uint64_t under_way; /* messages, of all connections */
    char *pattern;      /* period `size`, at least size + READ_SIZE long */
    hist_t hist;        /* ns */
} load_t;

static uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static void
conn_flush(load_t *load, conn_t *c)
{
    while (c->unsent > 0) {
        size_t n = c->unsent < READ_SIZE ? c->unsent : READ_SIZE;
        ssize_t rc = send(c->fd, load->pattern + c->sent % load->size, n,
                          MSG_NOSIGNAL);

        if (rc < 0 && errno == EAGAIN) {
            return;
        }
        if (rc < 0) {
            err(1, "send");
        }
        c->sent += (uint64_t) rc;
        c->unsent -= (uint64_t) rc;
    }
}

static void
conn_submit(load_t *load, conn_t *c, uint64_t n, uint64_t now)
{
    n = n < load->requests ? n : load->requests;
    load->requests -= n;
    load->under_way += n;
    c->unsent += n * load->size;
    for (; n > 0; n--) {
        c->stamps[c->submitted++ % load->depth] = now;
    }
    conn_flush(load, c);
}

static void
conn_answer(load_t *load, conn_t *c, const char *data, size_t size)
{
    uint64_t now = now_ns();
    uint64_t n;

    if (memcmp(data, load->pattern + c->received % load->size, size) != 0) {
        errx(1, "the server sent back other bytes than it got");
    }
    c->received += size;
    n = c->received / load->size - c->answered;
    load->under_way -= n;
    for (uint64_t i = 0; i < n; i++) {
        hist_add(&load->hist, now - c->stamps[c->answered++ % load->depth]);
    }
    conn_submit(load, c, n, now);
}

/* Edge-triggered: reads until the socket is empty, shown by a short read. */
static void
conn_read(load_t *load, conn_t *c)
{
    char buf[READ_SIZE];
    ssize_t n;

    do {
        n = recv(c->fd, buf, sizeof(buf), 0);
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n < 0) {
            err(1, "recv");
        }
        if (n == 0) {
            errx(1, "the server closed a connection");
        }
        conn_answer(load, c, buf, (size_t) n);
    } while (n == sizeof(buf));
}

static void
conn_open(load_t *load, conn_t *c)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    struct epoll_event ee = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    int one = 1;

    sa.sin_port = htons((uint16_t) load->port);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0) {
        err(1, "socket");
    }
    if (connect(c->fd, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
        err(1, "connect to port %u", load->port);
    }
    if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0
        || fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0)
    {
        err(1, "socket options");
    }
    c->stamps = calloc(load->depth, sizeof(*c->stamps));
    ee.data.ptr = c;
    if (c->stamps == NULL || epoll_ctl(load->ep, EPOLL_CTL_ADD, c->fd, &ee) < 0)
    {
        err(1, "connection");
    }
}

static conn_t *
load_open(load_t *load)
{
    conn_t *conns = calloc(load->connections, sizeof(*conns));
    size_t length = load->size + READ_SIZE;

    load->ep = epoll_create1(EPOLL_CLOEXEC);
    load->pattern = malloc(length);
    if (conns == NULL || load->pattern == NULL || load->ep < 0) {
        err(1, "start");
    }
    for (size_t i = 0; i < length; i++) {
        load->pattern[i] = (char) ('a' + i % load->size % 26);
    }
    for (uint64_t i = 0; i < load->connections; i++) {
        conn_open(load, &conns[i]);
    }
    return conns;
}

/* Returns ns from the first message to the last answer. */
static uint64_t
load_run(load_t *load, conn_t *conns)
{
    struct epoll_event events[BATCH];
    uint64_t start = now_ns();
    uint64_t end = start + (uint64_t) (load->seconds * 1e9);

    for (uint64_t i = 0; i < load->connections; i++) {
        conn_submit(load, &conns[i], load->depth, now_ns());
    }
    while (load->under_way > 0) {
        int n = epoll_wait(load->ep, events, BATCH, DRAIN_MS);

        if (n <= 0) {
            errx(1, "no answer for %d ms", DRAIN_MS);
        }
        if (now_ns() >= end) {
            load->requests = 0;
        }
        for (int i = 0; i < n; i++) {
            conn_flush(load, events[i].data.ptr);
            conn_read(load, events[i].data.ptr);
        }
    }
    return now_ns() - start;
}

static void
load_close(load_t *load, conn_t *conns)
{
    for (uint64_t i = 0; i < load->connections; i++) {
        close(conns[i].fd);
        free(conns[i].stamps);
    }
    free(conns);
    free(load->pattern);
    close(load->ep);
}

static void
options(load_t *load, int argc, char **argv)
{
    int opt;

    while ((opt = getopt(argc, argv, "c:s:d:r:t:")) != -1) {
        if (opt == 'c') {
            load->connections = (uint64_t) number(optarg, 1, 1e6);
        } else if (opt == 's') {
            load->size = (uint64_t) number(optarg, 1, 1e8);
        } else if (opt == 'd') {
            load->depth = (uint64_t) number(optarg, 1, 1e5);
        } else if (opt == 'r') {
            load->requests = (uint64_t) number(optarg, 1, 1e15);
        } else if (opt == 't') {
            load->seconds = number(optarg, 0, 1e6);
        } else {
            optind = argc;
        }
    }
    if (optind + 1 != argc) {
        fprintf(stderr,
                "usage: load [-c connections] [-s message size] [-d depth]\n"
                "            [-r requests] [-t seconds] PORT\n");
        exit(2);
    }
    load->port = (uint32_t) number(argv[optind], 1, 65535);
}

int
main(int argc, char **argv)
{
    load_t load = {
        .connections = 64,
        .size = 64,
        .depth = 1,
        .requests = UINT64_MAX,
        .seconds = 2,
    };
    conn_t *conns;
    uint64_t ns;

    options(&load, argc, argv);
    conns = load_open(&load);
    ns = load_run(&load, conns);
    printf("requests %llu seconds %.6f p50 %.1f p99 %.1f p999 %.1f\n",
           (unsigned long long) load.hist.count, (double) ns / 1e9,
           hist_quantile(&load.hist, 0.5) / 1e3,
           hist_quantile(&load.hist, 0.99) / 1e3,
           hist_quantile(&load.hist, 0.999) / 1e3);
    load_close(&load, conns);
    return 0;
}
