/*
 * client.h: what the clients of the TLS benchmarks share: TLS 1.3 on
 * 127.0.0.1, nothing verified, nothing resumed. They end when something fails.
 */
#ifndef BENCH_TLS_CLIENT_H
#define BENCH_TLS_CLIENT_H

#include "../peers/net.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static inline double
client_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static inline SSL_CTX *
client_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL
        || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1)
    {
        errx(1, "no TLS 1.3");
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE
                                  | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

/* On a connected socket. */
static inline SSL *
client_start(SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        errx(1, "no memory");
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

/* Closes without a TIME_WAIT, so that ports do not run out. */
static inline void
client_reset(int fd)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
}

/* The argument, a number of 1 or more. */
static inline unsigned
client_number(const char *text)
{
    int n = text != NULL ? atoi(text) : 0;

    if (n < 1) {
        errx(2, "a number from 1 up expected");
    }
    return (unsigned) n;
}

#endif
