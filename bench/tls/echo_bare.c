/*
 * echo_bare CERT KEY: the limit of TLS. An echo server on epoll and OpenSSL,
 * one thread: what SSL_read gives is written back. A peer that does not read
 * what it is sent is not what this is for: its connection waits for it.
 */
#include "../peers/net.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    BATCH = 512,
    READ_SIZE = 16384
};

typedef struct {
    SSL *ssl;
    size_t start; /* of what waits to be written */
    size_t end;
    char *data; /* there while something waits */
} conn_t;

static SSL_CTX *
make_context(const char *cert, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL
        || SSL_CTX_use_certificate_chain_file(context, cert) != 1
        || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
    {
        errx(1, "no certificate");
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE
                                  | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                  | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    return context;
}

static void
conn_close(conn_t *c)
{
    int fd = SSL_get_fd(c->ssl);

    (void) SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(fd);
    free(c->data);
    free(c);
}

static int
failed(const conn_t *c, int rc)
{
    int why = SSL_get_error(c->ssl, rc);

    return why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
}

/* 1: all of it; 0: the rest waits; -1: it has failed. */
static int
conn_send(conn_t *c)
{
    while (c->start < c->end) {
        int rc = SSL_write(c->ssl, c->data + c->start,
                           (int) (c->end - c->start));

        if (rc <= 0) {
            return failed(c, rc) ? -1 : 0;
        }
        c->start += (size_t) rc;
    }
    return 1;
}

static void
conn_echo(conn_t *c)
{
    int rc = conn_send(c);

    while (rc == 1) {
        rc = SSL_read(c->ssl, c->data, READ_SIZE);
        if (rc <= 0) {
            rc = failed(c, rc) ? -1 : 0;
            break;
        }
        c->start = 0;
        c->end = (size_t) rc;
        rc = conn_send(c);
    }
    if (rc < 0) {
        conn_close(c);
    }
}

static void
accept_all(SSL_CTX *context, int ep, int listener)
{
    struct epoll_event ee = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    int one = 1;
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC))
           >= 0) {
        conn_t *c = calloc(1, sizeof(*c));

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (c == NULL || (c->ssl = SSL_new(context)) == NULL
            || (c->data = malloc(READ_SIZE)) == NULL
            || SSL_set_fd(c->ssl, fd) != 1)
        {
            errx(1, "no memory");
        }
        SSL_set_accept_state(c->ssl);
        ee.data.ptr = c;
        if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ee) < 0) {
            err(1, "epoll_ctl");
        }
    }
}

int
main(int argc, char **argv)
{
    struct epoll_event events[BATCH], ee = {.events = EPOLLIN};
    SSL_CTX *context;
    int ep, listener;

    if (argc != 3) {
        fprintf(stderr, "usage: echo_bare CERT KEY\n");
        return 2;
    }
    context = make_context(argv[1], argv[2]);
    ep = epoll_create1(EPOLL_CLOEXEC);
    listener = net_listen(SOCK_NONBLOCK);
    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ee) < 0) {
        err(1, "epoll");
    }
    for (;;) {
        int n = epoll_wait(ep, events, BATCH, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL) {
                accept_all(context, ep, listener);
            } else {
                conn_echo(events[i].data.ptr);
            }
        }
    }
}
