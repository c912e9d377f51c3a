/*
 * frames: a closed-loop load on a WebSocket echo server on 127.0.0.1. Each
 * connection keeps one text message under way, and every answer is compared.
 *
 * Prints: requests N seconds S p50 US p99 US p999 US
 */
#include "../hist.h"

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
    SIZE_MAX_SMALL = 125, /* bytes of a message whose head has two */
    HEAD = 2,
    MASK = 4,
    TEXT = 0x81, /* final, text */
    MASKED = 0x80,
    BATCH = 256,
    PATIENCE_MS = 5000
};

typedef struct {
    int fd;
    size_t have; /* bytes of the answer under way */
    uint64_t at; /* ns: when its message left */
} conn_t;

typedef struct {
    int ep;
    uint32_t port;
    int connections;
    size_t size;
    double seconds;
    uint8_t message[HEAD + MASK + SIZE_MAX_SMALL]; /* masked, as it is sent */
    uint8_t answer[HEAD + SIZE_MAX_SMALL];         /* as it comes back */
    hist_t hist;                                   /* ns */
} load_t;

static const char upgrade[] = "GET / HTTP/1.1\r\n"
                              "Host: 127.0.0.1\r\n"
                              "Connection: Upgrade\r\n"
                              "Upgrade: websocket\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "\r\n";

static uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static void
load_messages(load_t *load)
{
    static const uint8_t mask[MASK] = {0x37, 0xfa, 0x21, 0x3d};

    load->message[0] = load->answer[0] = TEXT;
    load->message[1] = (uint8_t) (MASKED | load->size);
    load->answer[1] = (uint8_t) load->size;
    memcpy(load->message + HEAD, mask, MASK);
    for (size_t i = 0; i < load->size; i++) {
        load->answer[HEAD + i] = (uint8_t) ('a' + i % 26);
        load->message[HEAD + MASK + i] = load->answer[HEAD + i]
                                       ^ mask[i % MASK];
    }
}

static void
conn_submit(load_t *load, conn_t *c)
{
    ssize_t size = (ssize_t) (HEAD + MASK + load->size);

    c->at = now_ns();
    if (send(c->fd, load->message, (size_t) size, MSG_NOSIGNAL) != size) {
        err(1, "send");
    }
}

/* 1: an answer is complete; 0: more is to come. */
static int
conn_read(load_t *load, conn_t *c)
{
    uint8_t buf[HEAD + SIZE_MAX_SMALL];
    size_t want = HEAD + load->size - c->have;
    ssize_t n = recv(c->fd, buf, want, 0);

    if (n < 0 && errno == EAGAIN) {
        return 0;
    }
    if (n <= 0) {
        err(1, n == 0 ? "the server closed a connection" : "recv");
    }
    if (memcmp(buf, load->answer + c->have, (size_t) n) != 0) {
        errx(1, "the server sent back other bytes than it got");
    }
    c->have += (size_t) n;
    if (c->have < HEAD + load->size) {
        return 0;
    }
    c->have = 0;
    hist_add(&load->hist, now_ns() - c->at);
    return 1;
}

/* Byte by byte, not to take what comes after the head. */
static void
conn_upgrade(conn_t *c)
{
    char head[1024] = "";
    size_t n = 0;

    if (send(c->fd, upgrade, sizeof(upgrade) - 1, MSG_NOSIGNAL) < 0) {
        err(1, "send");
    }
    while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0) {
        if (n == sizeof(head) - 1 || recv(c->fd, head + n, 1, 0) != 1) {
            errx(1, "no upgrade: %s", head);
        }
        n++;
    }
    if (strncmp(head, "HTTP/1.1 101", 12) != 0) {
        errx(1, "no upgrade: %s", head);
    }
}

static void
conn_open(load_t *load, conn_t *c)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    struct epoll_event ee = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;

    sa.sin_port = htons((uint16_t) load->port);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *) &sa, sizeof(sa)) < 0
        || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
    {
        err(1, "connect to port %u", load->port);
    }
    conn_upgrade(c);
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0
        || epoll_ctl(load->ep, EPOLL_CTL_ADD, c->fd, &ee) < 0)
    {
        err(1, "epoll");
    }
}

/* Returns ns from the first message to the last answer. */
static uint64_t
load_run(load_t *load, conn_t *conns)
{
    struct epoll_event events[BATCH];
    uint64_t start = now_ns();
    uint64_t end = start + (uint64_t) (load->seconds * 1e9);
    int under_way = load->connections;

    for (int i = 0; i < load->connections; i++) {
        conn_submit(load, &conns[i]);
    }
    while (under_way > 0) {
        int n = epoll_wait(load->ep, events, BATCH, PATIENCE_MS);

        if (n <= 0) {
            errx(1, "no answer for %d ms", PATIENCE_MS);
        }
        for (int i = 0; i < n; i++) {
            if (conn_read(load, events[i].data.ptr) == 0) {
                continue;
            }
            if (now_ns() < end) {
                conn_submit(load, events[i].data.ptr);
            } else {
                under_way--;
            }
        }
    }
    return now_ns() - start;
}

int
main(int argc, char **argv)
{
    load_t load = {.port = 0};
    conn_t *conns;
    uint64_t ns;

    if (argc == 5) {
        load.port = (uint32_t) atoi(argv[1]);
        load.connections = atoi(argv[2]);
        load.size = (size_t) atoi(argv[3]);
        load.seconds = atof(argv[4]);
    }
    if (load.port < 1 || load.connections < 1 || load.size > SIZE_MAX_SMALL) {
        fprintf(stderr, "usage: frames PORT CONNECTIONS SIZE SECONDS\n");
        return 2;
    }
    conns = calloc((size_t) load.connections, sizeof(*conns));
    load.ep = epoll_create1(EPOLL_CLOEXEC);
    if (conns == NULL || load.ep < 0) {
        err(1, "start");
    }
    load_messages(&load);
    for (int i = 0; i < load.connections; i++) {
        conn_open(&load, &conns[i]);
    }
    ns = load_run(&load, conns);
    printf("requests %llu seconds %.6f p50 %.1f p99 %.1f p999 %.1f\n",
           (unsigned long long) load.hist.count, (double) ns / 1e9,
           hist_quantile(&load.hist, 0.5) / 1e3,
           hist_quantile(&load.hist, 0.99) / 1e3,
           hist_quantile(&load.hist, 0.999) / 1e3);
    free(conns);
    return 0;
}
