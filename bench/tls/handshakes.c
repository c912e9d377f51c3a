/*
 * handshakes PORT MS DEPTH: connects, shakes hands, says goodbye, waits for the
 * server's end, resets, and again; DEPTH connections at a time, for MS
 * milliseconds.
 *
 * Prints: handshakes N seconds S
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/epoll.h>

enum {
    BATCH = 64,
    PATIENCE_MS = 5000
};

typedef struct {
    int fd;
    SSL *ssl;
    bool done; /* the handshake is; the server's end is awaited */
} conn_t;

typedef struct {
    SSL_CTX *context;
    int ep;
    unsigned port;
    unsigned long count;
    unsigned under_way;
    double end;
} load_t;

static void
conn_open(load_t *load, conn_t *c)
{
    struct epoll_event ee = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};

    c->fd = net_connect(load->port);
    c->ssl = client_start(load->context, c->fd);
    c->done = false;
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0
        || epoll_ctl(load->ep, EPOLL_CTL_ADD, c->fd, &ee) < 0)
    {
        err(1, "connection");
    }
    load->under_way++;
}

static void
conn_shake(conn_t *c)
{
    int rc = SSL_do_handshake(c->ssl);

    if (rc == 1) {
        c->done = true;
        (void) SSL_shutdown(c->ssl);
    } else if (SSL_get_error(c->ssl, rc) != SSL_ERROR_WANT_READ) {
        errx(1, "a handshake failed");
    }
}

/* True at the server's end. What it sends before is of no interest. */
static bool
conn_ended(const conn_t *c)
{
    char scrap[4096];
    ssize_t n = recv(c->fd, scrap, sizeof(scrap), 0);

    if (n < 0 && errno != EAGAIN) {
        err(1, "recv");
    }
    return n == 0;
}

static void
conn_event(load_t *load, conn_t *c)
{
    if (!c->done) {
        conn_shake(c);
        return;
    }
    if (!conn_ended(c)) {
        return;
    }
    load->count++;
    load->under_way--;
    SSL_free(c->ssl);
    client_reset(c->fd);
    if (client_now() < load->end) {
        conn_open(load, c);
        conn_shake(c);
    }
}

int
main(int argc, char **argv)
{
    load_t load = {.context = client_context(),
                   .ep = epoll_create1(EPOLL_CLOEXEC)};
    struct epoll_event events[BATCH];
    unsigned depth = client_number(argc == 4 ? argv[3] : NULL);
    conn_t *conns = calloc(depth, sizeof(*conns));
    double start = client_now();

    load.port = client_number(argv[1]);
    load.end = start + client_number(argv[2]) / 1e3;
    for (unsigned i = 0; i < depth; i++) {
        conn_open(&load, &conns[i]);
        conn_shake(&conns[i]);
    }
    while (load.under_way > 0) {
        int n = epoll_wait(load.ep, events, BATCH, PATIENCE_MS);

        if (n <= 0) {
            errx(1, "no answer for %d ms", PATIENCE_MS);
        }
        for (int i = 0; i < n; i++) {
            conn_event(&load, events[i].data.ptr);
        }
    }
    printf("handshakes %lu seconds %.6f\n", load.count, client_now() - start);
    SSL_CTX_free(load.context);
    free(conns);
    return 0;
}
