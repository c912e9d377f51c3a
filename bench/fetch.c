/*
 * fetch: downloads cold files from an HTTP server on 127.0.0.1 over and over,
 * one connection a file, while a thread asks for a small one once a
 * millisecond. FOLDER is what the server serves: hot, cold-0, cold-1, ... Each
 * cold file leaves the page cache whenever its download begins.
 *
 * Prints: probes N p50 US p99 US p999 US max US mib N seconds S all MIB
 *     elapsed S
 * mib in seconds; all MIB in elapsed S, the warm-up with it.
 * A late answer also counts for those that were due meanwhile: they would have
 * waited from then on.
 */
#include "hist.h"
#include "http.h"

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>

enum {
    BATCH = 64
};

#define WARM_UP (500 * MS) /* ns that count for nothing */

typedef struct {
    uint64_t start; /* ns */
    uint64_t end;   /* ns */
    hist_t hist;    /* ns */
    uint64_t max;   /* ns */
    conn_t conn;
} prober_t;

static void *
probe(void *data)
{
    prober_t *p = data;
    struct sched_param first = {.sched_priority = 1};
    uint64_t due, sent, late;

    /* Before the downloads of this process; as it comes where it may not. */
    (void) pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
    for (due = p->start; due < p->end;) {
        sleep_until(due);
        sent = now_ns();
        conn_request(&p->conn);
        while (conn_read(&p->conn) != 1) {
        }
        late = now_ns() - sent;
        p->max = late > p->max ? late : p->max;
        for (due += MS; late > MS; late -= MS, due += MS) {
            hist_add(&p->hist, late);
        }
        hist_add(&p->hist, late);
    }
    return NULL;
}

static uint64_t
bytes_of(const conn_t *conns, int n)
{
    uint64_t sum = 0;

    for (int i = 0; i < n; i++) {
        sum += conns[i].bytes;
    }
    return sum;
}

/* Downloads until the end; returns the bytes that came from start on. */
static uint64_t
download(conn_t *conns, int n, uint64_t start, uint64_t end)
{
    struct epoll_event events[BATCH];
    int ep = epoll_create1(EPOLL_CLOEXEC);
    uint64_t before = 0;
    uint64_t now;

    for (int i = 0; i < n; i++) {
        struct epoll_event ee = {.events = EPOLLIN, .data.ptr = &conns[i]};

        if (fcntl(conns[i].fd, F_SETFL, O_NONBLOCK) < 0
            || epoll_ctl(ep, EPOLL_CTL_ADD, conns[i].fd, &ee) < 0)
        {
            err(1, "connection");
        }
        conn_request(&conns[i]);
    }
    while ((now = now_ns()) < end) {
        int ready = epoll_wait(ep, events, BATCH, 10);

        before = now < start ? bytes_of(conns, n) : before;
        for (int i = 0; i < ready; i++) {
            if (conn_read(events[i].data.ptr) == 1) {
                conn_request(events[i].data.ptr);
            }
        }
    }
    close(ep);
    return bytes_of(conns, n) - before;
}

static conn_t *
open_downloads(int n, uint32_t port, const char *folder)
{
    conn_t *conns = calloc((size_t) n + 1, sizeof(*conns));

    if (conns == NULL) {
        err(1, "start");
    }
    for (int i = 0; i < n; i++) {
        char name[24];

        snprintf(name, sizeof(name), "cold-%d", i);
        conn_open(&conns[i], port, folder, name);
    }
    return conns;
}

int
main(int argc, char **argv)
{
    static prober_t p;
    int n = argc == 5 ? atoi(argv[1]) : -1;
    double seconds = argc == 5 ? atof(argv[2]) : 0;
    int port = argc == 5 ? atoi(argv[3]) : 0;
    pthread_t thread;
    conn_t *conns;
    uint64_t bytes;

    if (n < 0 || !(seconds > 0) || port < 1 || port > 65535) {
        fprintf(stderr, "usage: fetch DOWNLOADS SECONDS PORT FOLDER\n");
        return 2;
    }
    conns = open_downloads(n, (uint32_t) port, argv[4]);
    conn_open(&p.conn, (uint32_t) port, argv[4], "hot");
    p.conn.hot = true;
    p.start = now_ns() + WARM_UP;
    p.end = p.start + (uint64_t) (seconds * 1e9);
    if (pthread_create(&thread, NULL, probe, &p) != 0) {
        errx(1, "thread");
    }
    bytes = download(conns, n, p.start, p.end);
    pthread_join(thread, NULL);
    printf("probes %llu p50 %.1f p99 %.1f p999 %.1f max %.1f mib %.1f "
           "seconds %.3f all %.1f elapsed %.3f\n",
           (unsigned long long) p.hist.count, hist_quantile(&p.hist, 0.5) / 1e3,
           hist_quantile(&p.hist, 0.99) / 1e3,
           hist_quantile(&p.hist, 0.999) / 1e3, (double) p.max / 1e3,
           (double) bytes / 1048576, seconds,
           (double) bytes_of(conns, n) / 1048576,
           (double) (p.end - p.start + WARM_UP) / 1e9);
    free(conns);
    return 0;
}
