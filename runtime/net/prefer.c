/*
 * prefer.c: in which order to try the addresses of a host: RFC 6724, with the
 * addresses that the kernel would send from.
 */
#include "../core/loop.h"

#include <errno.h>
#include <string.h>

enum {
    LINK_LOCAL = 2, /* scopes, as of multicast addresses */
    SITE_LOCAL = 5,
    GLOBAL = 14,
    PREFIX_MAX = 64 /* bits that tell networks apart */
};

typedef struct {
    ql_sockaddr_t addr;
    bool reachable; /* there is an address to send from */
    bool scope_matches;
    bool label_matches;
    int precedence;
    int scope;
    int prefix; /* bits that it shares with the source's; IPv6 */
} candidate_t;

/* RFC 6724, 2.1, longest prefixes first. */
static const struct {
    unsigned char prefix[16];
    unsigned char bits;
    unsigned char precedence;
    unsigned char label;
} policies[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, 50, 0},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 35, 4},
    {{0}, 96, 1, 3},
    {{0x20, 0x01, 0, 0}, 32, 5, 5},
    {{0x20, 0x02}, 16, 30, 2},
    {{0x3f, 0xfe}, 16, 1, 12},
    {{0xfe, 0xc0}, 10, 1, 11},
    {{0xfc}, 7, 3, 13},
    {{0}, 0, 40, 1},
};

/* ------------------------------------------------ of one address ---- */

static int
common_bits(const unsigned char *a, const unsigned char *b)
{
    int bits = 0;

    while (bits < 128
           && ((a[bits / 8] ^ b[bits / 8]) & (0x80 >> bits % 8)) == 0) {
        bits++;
    }
    return bits;
}

static unsigned
policy_of(const unsigned char *addr)
{
    unsigned i = 0;

    while (common_bits(addr, policies[i].prefix) < policies[i].bits) {
        i++;
    }
    return i;
}

/* IPv4 as ::ffff:1.2.3.4. */
static void
widen(const ql_sockaddr_t *addr, unsigned char *wide)
{
    memset(wide, 0, 16);
    if (addr->u.sa.sa_family == AF_INET) {
        wide[10] = wide[11] = 0xff;
        memcpy(wide + 12, &addr->u.in.sin_addr, 4);
    } else {
        memcpy(wide, &addr->u.in6.sin6_addr, 16);
    }
}

static int
scope_of(const ql_sockaddr_t *addr)
{
    unsigned char wide[16];
    const struct in6_addr *in6 = &addr->u.in6.sin6_addr;

    widen(addr, wide);
    if (addr->u.sa.sa_family == AF_INET) {
        return wide[12] == 127 || (wide[12] == 169 && wide[13] == 254)
                 ? LINK_LOCAL
                 : GLOBAL;
    }
    if (IN6_IS_ADDR_MULTICAST(in6)) {
        return wide[1] & 0xf;
    }
    if (IN6_IS_ADDR_LINKLOCAL(in6) || IN6_IS_ADDR_LOOPBACK(in6)) {
        return LINK_LOCAL;
    }
    return IN6_IS_ADDR_SITELOCAL(in6) ? SITE_LOCAL : GLOBAL;
}

/* -------------------------------------------------------- candidates ---- */

/* The address that a datagram to addr would have, without sending one. */
static bool
source_of(ql_loop_t *loop, const ql_sockaddr_t *addr, ql_sockaddr_t *source)
{
    ql_sockaddr_t to = *addr;
    int fd = loop->sys->socket(addr->u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC,
                               IPPROTO_UDP);
    bool found;

    if (fd == -1) {
        return false;
    }
    to.u.in.sin_port = htons(53); /* some number: 0 is refused */
    source->len = sizeof(source->u);
    found = loop->sys->connect(fd, &to.u.sa, to.len) == 0
         && loop->sys->getsockname(fd, &source->u.sa, &source->len) == 0;
    (void) loop->sys->close(fd);
    return found;
}

static void
describe(ql_loop_t *loop, candidate_t *c)
{
    ql_sockaddr_t source;
    unsigned char wide[16], from[16];
    unsigned policy;

    widen(&c->addr, wide);
    policy = policy_of(wide);
    c->precedence = policies[policy].precedence;
    c->scope = scope_of(&c->addr);
    c->reachable = source_of(loop, &c->addr, &source);
    if (!c->reachable) {
        return;
    }
    widen(&source, from);
    c->scope_matches = c->scope == scope_of(&source);
    c->label_matches = policies[policy].label
                    == policies[policy_of(from)].label;
    if (c->addr.u.sa.sa_family == AF_INET6) {
        c->prefix = common_bits(wide, from);
        c->prefix = c->prefix > PREFIX_MAX ? PREFIX_MAX : c->prefix;
    }
}

/* RFC 6724, 6, without rules 3, 4 and 7, which need the source's state; rule 9
 * for IPv6 only, since it would undo the rotation of IPv4 addresses. */
static bool
better(const candidate_t *a, const candidate_t *b)
{
    if (a->reachable != b->reachable) {
        return a->reachable;
    }
    if (a->scope_matches != b->scope_matches) {
        return a->scope_matches;
    }
    if (a->label_matches != b->label_matches) {
        return a->label_matches;
    }
    if (a->precedence != b->precedence) {
        return a->precedence > b->precedence;
    }
    if (a->scope != b->scope) {
        return a->scope < b->scope;
    }
    return a->addr.u.sa.sa_family == AF_INET6
        && b->addr.u.sa.sa_family == AF_INET6 && a->prefix > b->prefix;
}

/* Stable: what is as good stays as it came. */
static void
insert(candidate_t *list, size_t n, const candidate_t *c)
{
    while (n > 0 && better(c, &list[n - 1])) {
        list[n] = list[n - 1];
        n--;
    }
    list[n] = *c;
}

int
ql_sockaddr_sort(ql_loop_t *loop, ql_sockaddr_t *addrs, size_t n)
{
    candidate_t *list, c;
    size_t i;

    QL_CHECK_THREAD(loop);
    if (n < 2) {
        return NGX_OK;
    }
    list = loop->sys->malloc(n * sizeof(*list));
    if (list == NULL) {
        errno = ENOMEM;
        return NGX_ERROR;
    }
    for (i = 0; i < n; i++) {
        memset(&c, 0, sizeof(c));
        c.addr = addrs[i];
        describe(loop, &c);
        insert(list, i, &c);
    }
    for (i = 0; i < n; i++) {
        addrs[i] = list[i].addr;
    }
    loop->sys->free(list);
    return NGX_OK;
}
