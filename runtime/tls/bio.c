/*
 * bio.c: what OpenSSL reads and writes goes through the plain io table, and so
 * through the loop's table of system calls. SSL_read may have something to say
 * too (an alert, the answer to a KeyUpdate): where the socket takes none of it,
 * it is kept, so that a read waits for nothing but bytes to read. What a
 * handshake says is kept too, and goes out in one piece when it has to wait.
 */
#include "tls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <string.h>

enum {
    LATE_MAX = 32 * 1024 /* a peer that makes a read say more never listens */
};

int
ql_tls_flush(ql_tls_t *t)
{
    while (t->nlate > 0) {
        ssize_t n = ql_os_io.send(t->c, t->late, t->nlate);

        if (n < 0) {
            return (int) n;
        }
        t->nlate -= (size_t) n;
        memmove(t->late, t->late + n, t->nlate);
    }
    t->context->sys->free(t->late);
    t->late = NULL;
    return NGX_OK;
}

void
ql_tls_press(ql_tls_t *t)
{
    int stuck = 0;

    while (t->nlate > 0 && stuck < 2) {
        size_t before = t->nlate;

        t->c->write.ready = 1;
        if (ql_tls_flush(t) == NGX_ERROR) {
            break;
        }
        stuck = t->nlate < before ? 0 : stuck + 1;
    }
}

static int
keep(ql_tls_t *t, const char *buf, size_t size)
{
    char *late;

    late = t->context->sys->realloc(t->late, t->nlate + size);
    if (late == NULL) {
        t->c->err = ENOMEM;
        return NGX_ERROR;
    }
    memcpy(late + t->nlate, buf, size);
    t->late = late;
    t->nlate += size;
    return NGX_OK;
}

static int
transport_write(BIO *bio, const char *buf, int size)
{
    ql_tls_t *t = BIO_get_data(bio);
    ssize_t n;

    BIO_clear_retry_flags(bio);
    if (!t->done && t->nlate + (size_t) size <= LATE_MAX) {
        return keep(t, buf, (size_t) size) == NGX_OK ? size : -1;
    }
    n = ql_tls_flush(t);
    if (n == NGX_OK) {
        n = ql_os_io.send(t->c, buf, (size_t) size);
    }
    if (n == NGX_AGAIN && t->reading && t->nlate + (size_t) size <= LATE_MAX) {
        return keep(t, buf, (size_t) size) == NGX_OK ? size : -1;
    }
    if (n == NGX_AGAIN) {
        BIO_set_retry_write(bio);
    }
    return n >= 0 ? (int) n : -1;
}

static int
transport_read(BIO *bio, char *buf, int size)
{
    ql_tls_t *t = BIO_get_data(bio);
    ssize_t n = ql_os_io.recv(t->c, buf, (size_t) size);

    BIO_clear_retry_flags(bio);
    if (n == NGX_AGAIN) {
        BIO_set_retry_read(bio);
    }
    t->eof = n == 0;
    return n >= 0 ? (int) n : -1;
}

static long
transport_ctrl(BIO *bio, int command, long number, void *data)
{
    const ql_tls_t *t = BIO_get_data(bio);

    (void) number;
    (void) data;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return t->eof;
    default:
        return 0;
    }
}

BIO_METHOD *
ql_tls_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "quoll");

    if (method != NULL) {
        BIO_meth_set_write(method, transport_write);
        BIO_meth_set_read(method, transport_read);
        BIO_meth_set_ctrl(method, transport_ctrl);
    }
    return method;
}

BIO *
ql_tls_bio_create(ql_tls_t *t)
{
    BIO *bio = BIO_new(t->context->bio);

    if (bio != NULL) {
        BIO_set_data(bio, t);
        BIO_set_init(bio, 1);
    }
    return bio;
}
