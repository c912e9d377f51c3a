/*
 * sockaddr.c: addresses from text and to text.
 */
#include "../quoll.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int
refuse(const char **err, const char *why)
{
    *err = why;
    return NGX_ERROR;
}

static int
parse_unix(const char *name, ql_sockaddr_t *addr, const char **err)
{
    struct sockaddr_un *un = &addr->u.un;
    size_t len = strlen(name);

    if (len == 0 || (len == 1 && name[0] == '@')) {
        return refuse(err, "no path after \"unix:\"");
    }
    if (len >= sizeof(un->sun_path)) {
        return refuse(err, "unix path longer than 107 bytes");
    }
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, name, len + 1);
    addr->len = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len + 1);
    if (name[0] == '@') {
        un->sun_path[0] = '\0';
        addr->len--; /* an abstract name has no end but its length */
    }
    return NGX_OK;
}

/* 0..65535, -1: anything else. */
static int
parse_port(const char *text)
{
    size_t len = strspn(text, "0123456789");
    int port = 0;

    if (len == 0 || len > 5 || text[len] != '\0') {
        return -1;
    }
    for (; *text != '\0'; text++) {
        port = port * 10 + (*text - '0');
    }
    return port <= 65535 ? port : -1;
}

static int
parse_inet6(const char *host, ql_sockaddr_t *addr, const char **err)
{
    struct sockaddr_in6 *in6 = &addr->u.in6;

    if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1) {
        return refuse(err, "bad IPv6 address");
    }
    in6->sin6_family = AF_INET6;
    addr->len = sizeof(*in6);
    return NGX_OK;
}

static int
parse_inet(const char *host, ql_sockaddr_t *addr, const char **err)
{
    struct sockaddr_in *in = &addr->u.in;
    const char *p;

    if (host[0] == '\0') {
        host = "0.0.0.0";
    } else if (strcmp(host, "localhost") == 0) {
        host = "127.0.0.1";
    }
    in->sin_family = AF_INET;
    addr->len = sizeof(*in);
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        return NGX_OK;
    }
    if (host[strspn(host, "0123456789.")] == '\0') {
        return refuse(err, "bad IPv4 address");
    }
    for (p = host; *p != '\0'; p++) {
        if (!isalnum((unsigned char) *p) && strchr("-._", *p) == NULL) {
            return refuse(err, *p == ':' ? "IPv6 address not in brackets"
                                         : "bad host name");
        }
    }
    return NGX_DECLINED;
}

int
ql_sockaddr_parse(const char *text, ql_sockaddr_t *addr, const char **err)
{
    char host[256];
    const char *colon = strrchr(text, ':');
    size_t len;
    int port, rc;

    memset(addr, 0, sizeof(*addr));
    if (strncmp(text, "unix:", 5) == 0) {
        return parse_unix(text + 5, addr, err);
    }
    port = colon != NULL ? parse_port(colon + 1) : -1;
    if (port == -1) {
        return refuse(err, "no port from 0 to 65535 after \":\"");
    }
    len = (size_t) (colon - text);
    if (len >= sizeof(host)) {
        return refuse(err, "host name too long");
    }
    memcpy(host, text, len);
    host[len] = '\0';
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        rc = parse_inet6(host + 1, addr, err);
    } else {
        rc = parse_inet(host, addr, err);
    }
    /* The port lies at one place in both. */
    addr->u.in.sin_port = htons((uint16_t) port);
    return rc;
}

static void
unix_text(const struct sockaddr_un *un, socklen_t len, char *buf)
{
    size_t head = offsetof(struct sockaddr_un, sun_path);
    size_t size = len > head ? len - head : 0;

    if (size == 0) {
        (void) snprintf(buf, QL_SOCKADDR_STRLEN, "unix:");
    } else if (un->sun_path[0] == '\0') {
        (void) snprintf(buf, QL_SOCKADDR_STRLEN, "unix:@%.*s", (int) (size - 1),
                        un->sun_path + 1);
    } else {
        (void) snprintf(buf, QL_SOCKADDR_STRLEN, "unix:%.*s", (int) size,
                        un->sun_path);
    }
}

const char *
ql_sockaddr_text(const struct sockaddr *sa, socklen_t len, char *buf)
{
    const void *any = sa;
    const struct sockaddr_in *in = any;
    const struct sockaddr_in6 *in6 = any;
    char host[INET6_ADDRSTRLEN];

    switch (sa->sa_family) {
    case AF_UNIX:
        unix_text(any, len, buf);
        break;
    case AF_INET:
        (void) inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        (void) snprintf(buf, QL_SOCKADDR_STRLEN, "%s:%u", host,
                        (unsigned) ntohs(in->sin_port));
        break;
    case AF_INET6:
        (void) inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        (void) snprintf(buf, QL_SOCKADDR_STRLEN, "[%s]:%u", host,
                        (unsigned) ntohs(in6->sin6_port));
        break;
    default:
        (void) snprintf(buf, QL_SOCKADDR_STRLEN, "family %d", sa->sa_family);
        break;
    }
    return buf;
}
