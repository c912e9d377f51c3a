/*
 * hold CONNECTIONS PORT: opens connections with TLS on them, sends a request of
 * HTTP on each and waits until some of an answer is there, prints "holding N"
 * and keeps them until its standard input ends. Its own ends of TLS are freed:
 * only the server pays.
 */
#include "client.h"

#include <string.h>

static int
hold_one(SSL_CTX *context, unsigned port)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    char answer[4096];
    int fd = net_connect(port);
    SSL *ssl = client_start(context, fd);

    if (SSL_write(ssl, request, (int) strlen(request)) <= 0
        || SSL_read(ssl, answer, sizeof(answer)) <= 0)
    {
        errx(1, "no answer");
    }
    SSL_set_quiet_shutdown(ssl, 1);
    SSL_free(ssl);
    return fd;
}

int
main(int argc, char **argv)
{
    unsigned n = client_number(argc == 3 ? argv[1] : NULL);
    unsigned port = client_number(argc == 3 ? argv[2] : NULL);
    SSL_CTX *context = client_context();

    for (unsigned i = 0; i < n; i++) {
        (void) hold_one(context, port);
    }
    printf("holding %u\n", n);
    fflush(stdout);
    while (getchar() != EOF) {
    }
    return 0;
}
