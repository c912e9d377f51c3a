/*
 * ask: requests for one path of a server on 127.0.0.1. Without a rate each
 * connection keeps `depth` requests under way; with one, requests fall due
 * evenly, and each goes to a connection that has none: its time counts from
 * when it was due, so that a server that stalls is charged for those it kept
 * waiting.
 *
 * Prints: requests N seconds S p50 US p99 US p999 US
 */
#include "../hist.h"
#include "../number.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 65536,
    HEAD_SIZE = 4096,
    BATCH = 256,
    DRAIN_MS = 5000
};

#define MS UINT64_C(1000000)  /* ns */
#define EARLY UINT64_C(50000) /* ns: that much before it is due it is awake */

typedef struct {
    int fd;
    uint64_t submitted; /* requests */
    uint64_t answered;  /* requests */
    uint64_t *stamps;   /* ns, ring of depth: when a request was due */
    uint64_t left;      /* bytes of an answer's body */
    size_t have;        /* bytes of an answer's head */
    char head[HEAD_SIZE];
} conn_t;

typedef struct {
    int ep;
    uint32_t port;
    const char *path;
    uint64_t connections;
    uint64_t depth;
    double rate;       /* requests a second; 0: as many as are answered */
    uint64_t requests; /* still to submit */
    double seconds;
    uint64_t under_way; /* requests, of all connections */
    char *text;         /* `depth` requests */
    size_t size;        /* bytes of one */
    conn_t *conns;
    conn_t **idle; /* stack of those with nothing under way */
    uint64_t idles;
    hist_t hist; /* ns */
} load_t;

static uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static void
conn_submit(load_t *load, conn_t *c, uint64_t n, uint64_t due)
{
    n = n < load->requests ? n : load->requests;
    load->requests -= n;
    load->under_way += n;
    for (uint64_t i = 0; i < n; i++) {
        c->stamps[c->submitted++ % load->depth] = due;
    }
    if (n > 0
        && send(c->fd, load->text, n * load->size, MSG_NOSIGNAL)
               != (ssize_t) (n * load->size))
    {
        err(1, "send");
    }
}

/* The bytes of data that belong to the head; sets left at its end. */
static size_t
conn_head(conn_t *c, const char *data, size_t size)
{
    size_t old = c->have;
    size_t n = HEAD_SIZE - 1 - old < size ? HEAD_SIZE - 1 - old : size;
    const char *end, *length;

    memcpy(c->head + old, data, n);
    c->have += n;
    c->head[c->have] = '\0';
    end = memmem(c->head, c->have, "\r\n\r\n", 4);
    if (end == NULL && c->have == HEAD_SIZE - 1) {
        errx(1, "an answer's head is too large");
    }
    if (end == NULL) {
        return n;
    }
    length = strcasestr(c->head, "\r\nContent-Length:");
    if (length == NULL || length > end || memcmp(c->head + 8, " 200", 4) != 0) {
        errx(1, "answered with: %.*s", (int) (end - c->head), c->head);
    }
    c->left = strtoull(length + 17, NULL, 10);
    c->have = 0;
    return (size_t) (end + 4 - c->head) - old;
}

/* Takes what came; returns how many answers are complete with it. */
static uint64_t
conn_take(conn_t *c, const char *data, size_t size)
{
    uint64_t answers = 0;

    while (size > 0) {
        int in_body = c->left > 0;
        size_t n = size;

        if (!in_body) {
            n = conn_head(c, data, size);
        } else {
            n = c->left < n ? (size_t) c->left : n;
            c->left -= n;
        }
        data += n;
        size -= n;
        answers += c->left == 0 && c->have == 0;
    }
    return answers;
}

static void
conn_answer(load_t *load, conn_t *c, const char *data, size_t size)
{
    uint64_t n = conn_take(c, data, size);
    uint64_t now = now_ns();

    load->under_way -= n;
    for (uint64_t i = 0; i < n; i++) {
        hist_add(&load->hist, now - c->stamps[c->answered++ % load->depth]);
    }
    if (load->rate == 0) {
        conn_submit(load, c, n, now);
    } else if (n > 0) {
        load->idle[load->idles++] = c;
    }
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
    struct epoll_event ee = {.events = EPOLLIN | EPOLLET, .data.ptr = c};
    int one = 1;

    sa.sin_port = htons((uint16_t) load->port);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->stamps = calloc(load->depth, sizeof(*c->stamps));
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->stamps == NULL || c->fd < 0) {
        err(1, "socket");
    }
    if (connect(c->fd, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
        err(1, "connect to port %u", load->port);
    }
    if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0
        || fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0
        || epoll_ctl(load->ep, EPOLL_CTL_ADD, c->fd, &ee) < 0)
    {
        err(1, "socket options");
    }
}

static void
load_text(load_t *load)
{
    char one[1024];
    int n = snprintf(one, sizeof(one),
                     "GET %s HTTP/1.1\r\n"
                     "Host: 127.0.0.1:%u\r\n"
                     "User-Agent: ask\r\n"
                     "Accept: */*\r\n"
                     "Connection: keep-alive\r\n\r\n",
                     load->path, load->port);

    if (n >= (int) sizeof(one)) {
        errx(2, "the path is too long");
    }
    load->size = (size_t) n;
    load->text = malloc(load->size * load->depth);
    if (load->text == NULL) {
        err(1, "start");
    }
    for (uint64_t i = 0; i < load->depth; i++) {
        memcpy(load->text + i * load->size, one, load->size);
    }
}

static void
load_open(load_t *load)
{
    load->ep = epoll_create1(EPOLL_CLOEXEC);
    load->conns = calloc(load->connections, sizeof(*load->conns));
    load->idle = calloc(load->connections, sizeof(*load->idle));
    if (load->conns == NULL || load->idle == NULL || load->ep < 0) {
        err(1, "start");
    }
    load_text(load);
    for (uint64_t i = 0; i < load->connections; i++) {
        conn_open(load, &load->conns[i]);
        load->idle[load->idles++] = &load->conns[i];
    }
}

/* Waits for answers, at most ns; how many connections have some. */
static int
load_wait(load_t *load, uint64_t ns)
{
    struct epoll_event events[BATCH];
    struct timespec ts = {.tv_sec = (time_t) (ns / 1000000000),
                          .tv_nsec = (long) (ns % 1000000000)};
    int n = epoll_pwait2(load->ep, events, BATCH, &ts, NULL);

    for (int i = 0; i < n; i++) {
        conn_read(load, events[i].data.ptr);
    }
    return n;
}

static void
load_answers(load_t *load)
{
    if (load_wait(load, DRAIN_MS * MS) <= 0) {
        errx(1, "no answer for %d ms", DRAIN_MS);
    }
}

/* Sleeps only while the next request is not about to fall due. */
static void
load_paced(load_t *load, uint64_t start, uint64_t end)
{
    double gap = 1e9 / load->rate;
    uint64_t due = start;

    for (uint64_t n = 0; due < end;) {
        uint64_t now = now_ns();

        while (due < end && load->idles > 0 && now >= due) {
            conn_submit(load, load->idle[--load->idles], 1, due);
            due = start + (uint64_t) (gap * (double) ++n);
        }
        if (now > end + DRAIN_MS * MS) {
            errx(1, "the server is %d ms behind", DRAIN_MS);
        }
        (void) load_wait(load, due > now + EARLY ? due - now - EARLY : 0);
    }
}

static void
load_closed(load_t *load, uint64_t end)
{
    for (uint64_t i = 0; i < load->connections; i++) {
        conn_submit(load, &load->conns[i], load->depth, now_ns());
    }
    while (load->under_way > 0 && now_ns() < end) {
        load_answers(load);
    }
    load->requests = 0;
}

/* Returns ns from the first request to the last answer. */
static uint64_t
load_run(load_t *load)
{
    uint64_t start = now_ns();
    uint64_t end = start + (uint64_t) (load->seconds * 1e9);

    if (load->rate > 0) {
        load_paced(load, start, end);
    } else {
        load_closed(load, end);
    }
    while (load->under_way > 0) {
        load_answers(load);
    }
    return now_ns() - start;
}

static void
load_close(load_t *load)
{
    for (uint64_t i = 0; i < load->connections; i++) {
        close(load->conns[i].fd);
        free(load->conns[i].stamps);
    }
    free(load->conns);
    free(load->idle);
    free(load->text);
    close(load->ep);
}

static void
options(load_t *load, int argc, char **argv)
{
    int opt;

    while ((opt = getopt(argc, argv, "c:d:n:r:t:")) != -1) {
        if (opt == 'c') {
            load->connections = (uint64_t) number(optarg, 1, 1e5);
        } else if (opt == 'd') {
            load->depth = (uint64_t) number(optarg, 1, 100);
        } else if (opt == 'n') {
            load->requests = (uint64_t) number(optarg, 1, 1e15);
        } else if (opt == 'r') {
            load->rate = number(optarg, 0, 1e7);
        } else if (opt == 't') {
            load->seconds = number(optarg, 0, 1e6);
        } else {
            optind = argc;
        }
    }
    if (optind + 2 != argc) {
        fprintf(stderr, "usage: ask [-c connections] [-d depth] [-n requests]\n"
                        "           [-r rate] [-t seconds] PORT PATH\n");
        exit(2);
    }
    load->port = (uint32_t) number(argv[optind], 1, 65535);
    load->path = argv[optind + 1];
}

int
main(int argc, char **argv)
{
    load_t load = {
        .connections = 64,
        .depth = 1,
        .requests = UINT64_MAX,
        .seconds = 2,
    };
    uint64_t ns;

    options(&load, argc, argv);
    (void) prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    load_open(&load);
    ns = load_run(&load);
    printf("requests %llu seconds %.6f p50 %.1f p99 %.1f p999 %.1f\n",
           (unsigned long long) load.hist.count, (double) ns / 1e9,
           hist_quantile(&load.hist, 0.5) / 1e3,
           hist_quantile(&load.hist, 0.99) / 1e3,
           hist_quantile(&load.hist, 0.999) / 1e3);
    load_close(&load);
    return 0;
}
