/*
 * exchange PORT MS CONNECTIONS SIZE: a closed-loop echo load, one message of
 * SIZE bytes under way on each connection.
 *
 * Prints: requests N seconds S
 */
#include "client.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    BATCH = 256,
    READ_SIZE = 65536,
    PATIENCE_MS = 5000
};

typedef struct {
    SSL *ssl;
    size_t sent;     /* of the message under way */
    size_t received; /* likewise */
    bool idle;       /* no message is */
} conn_t;

typedef struct {
    SSL_CTX *context;
    int ep;
    unsigned port;
    size_t size;
    char *message;
    unsigned long count;
    unsigned under_way;
    double end;
} load_t;

static bool
again(const conn_t *c, int rc)
{
    int why = SSL_get_error(c->ssl, rc);

    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
        errx(1, "a connection failed");
    }
    return true;
}

static void
conn_send(const load_t *load, conn_t *c)
{
    while (!c->idle && c->sent < load->size) {
        int rc = SSL_write(c->ssl, load->message + c->sent,
                           (int) (load->size - c->sent));

        if (rc <= 0 && again(c, rc)) {
            return;
        }
        c->sent += (size_t) rc;
    }
}

static void
conn_next(load_t *load, conn_t *c)
{
    load->count++;
    c->sent = c->received = 0;
    if (client_now() >= load->end) {
        c->idle = true;
        load->under_way--;
    }
    conn_send(load, c);
}

static void
conn_receive(load_t *load, conn_t *c)
{
    char buf[READ_SIZE];

    for (;;) {
        int rc = SSL_read(c->ssl, buf, sizeof(buf));

        if (rc <= 0 && again(c, rc)) {
            return;
        }
        if (memcmp(buf, load->message + c->received, (size_t) rc) != 0) {
            errx(1, "the server sent back other bytes than it got");
        }
        c->received += (size_t) rc;
        if (c->received == load->size) {
            conn_next(load, c);
        }
    }
}

static void
conn_open(load_t *load, conn_t *c)
{
    struct epoll_event ee = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                             .data.ptr = c};
    int fd = net_connect(load->port);

    c->ssl = client_start(load->context, fd);
    if (SSL_do_handshake(c->ssl) != 1 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0
        || epoll_ctl(load->ep, EPOLL_CTL_ADD, fd, &ee) < 0)
    {
        err(1, "connection");
    }
    load->under_way++;
}

static void
run(load_t *load, conn_t *conns, unsigned n)
{
    struct epoll_event events[BATCH];

    for (unsigned i = 0; i < n; i++) {
        conn_send(load, &conns[i]);
    }
    while (load->under_way > 0) {
        int ready = epoll_wait(load->ep, events, BATCH, PATIENCE_MS);

        if (ready <= 0) {
            errx(1, "no answer for %d ms", PATIENCE_MS);
        }
        for (int i = 0; i < ready; i++) {
            conn_send(load, events[i].data.ptr);
            conn_receive(load, events[i].data.ptr);
        }
    }
}

int
main(int argc, char **argv)
{
    load_t load = {.context = client_context(),
                   .ep = epoll_create1(EPOLL_CLOEXEC)};
    unsigned n = client_number(argc == 5 ? argv[3] : NULL);
    conn_t *conns = calloc(n, sizeof(*conns));
    double start;

    load.port = client_number(argv[1]);
    load.size = client_number(argv[4]);
    load.message = malloc(load.size + READ_SIZE);
    if (conns == NULL || load.message == NULL) {
        err(1, "start");
    }
    for (size_t i = 0; i < load.size + READ_SIZE; i++) {
        load.message[i] = (char) ('a' + i % load.size % 26);
    }
    for (unsigned i = 0; i < n; i++) {
        conn_open(&load, &conns[i]);
    }
    start = client_now();
    load.end = start + client_number(argv[2]) / 1e3;
    run(&load, conns, n);
    printf("requests %lu seconds %.6f\n", load.count, client_now() - start);
    return 0;
}
