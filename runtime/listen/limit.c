/*
 * limit.c: how many connections of a listener may live at a time, in all and
 * of one peer. They are counted as long as they live, which may be longer than
 * the listener does.
 */
#include "../core/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum {
    FIRST_BUCKETS = 64
};

/* A peer that has connections. */
struct ql__peer_s {
    ql_queue_t link; /* in its bucket */
    ql__limits_t *limits;
    uint64_t key;
    uint32_t live; /* its connections */
};

struct ql__limits_s {
    ql_loop_t *loop;
    uint32_t most;       /* connections at a time; 0: any number */
    uint32_t most_peer;  /* of one peer; 0: any number */
    uint32_t live;       /* connections */
    uint32_t npeers;     /* in the buckets */
    uint32_t nbuckets;   /* a power of two; 0: peers are not told apart */
    bool closed;         /* the listener is gone */
    ql__peer_t everyone; /* where peers are not told apart */
    ql_queue_t *buckets;
};

/* An IPv4 address, also a mapped one; the first half of an IPv6 address, which
 * is what one customer has. Those of IPv4 begin with 32 zero bits, as no
 * prefix that is routed does. */
static uint64_t
key_of(const ql_sockaddr_t *peer)
{
    const struct in6_addr *a = &peer->u.in6.sin6_addr;
    uint32_t words[4];

    if (peer->u.sa.sa_family == AF_INET) {
        return ntohl(peer->u.in.sin_addr.s_addr);
    }
    memcpy(words, a, sizeof(words));
    if (IN6_IS_ADDR_V4MAPPED(a)) {
        return ntohl(words[3]);
    }
    return (uint64_t) ntohl(words[0]) << 32 | ntohl(words[1]);
}

static ql_queue_t *
bucket_of(const ql__limits_t *limits, uint64_t key)
{
    uint64_t hash = key * 0x9e3779b97f4a7c15;

    return &limits->buckets[(hash >> 32) & (limits->nbuckets - 1)];
}

static ql__peer_t *
find(const ql__limits_t *limits, uint64_t key)
{
    ql_queue_t *head = bucket_of(limits, key), *q;

    for (q = head->next; q != head; q = q->next) {
        ql__peer_t *peer = ql_queue_data(q, ql__peer_t, link);

        if (peer->key == key) {
            return peer;
        }
    }
    return NULL;
}

/* NGX_OK, or NGX_ERROR: no memory, and nothing has changed. */
static int
resize(ql__limits_t *limits, uint32_t n)
{
    ql_queue_t *old = limits->buckets, all, *q;
    ql_queue_t *buckets = ql__alloc(limits->loop, n * sizeof(*buckets));
    uint32_t i;

    if (buckets == NULL) {
        return NGX_ERROR;
    }
    ql_queue_init(&all);
    for (i = 0; i < limits->nbuckets; i++) {
        ql_queue_move(&all, &old[i]);
    }
    for (i = 0; i < n; i++) {
        ql_queue_init(&buckets[i]);
    }
    limits->buckets = buckets;
    limits->nbuckets = n;
    while (!ql_queue_empty(&all)) {
        q = all.next;
        ql_queue_remove(q);
        ql_queue_insert_tail(
            bucket_of(limits, ql_queue_data(q, ql__peer_t, link)->key), q);
    }
    ql__free(limits->loop, old);
    return NGX_OK;
}

int
ql__limits_create(ql_loop_t *loop, const ql_listen_opts_t *opts,
                  ql__limits_t **created)
{
    ql__limits_t *limits;

    *created = NULL;
    if (opts->max_connections == 0 && opts->max_per_peer == 0) {
        return NGX_OK;
    }
    limits = ql__alloc(loop, sizeof(*limits));
    if (limits == NULL) {
        return NGX_ERROR;
    }
    memset(limits, 0, sizeof(*limits));
    limits->loop = loop;
    limits->most = opts->max_connections;
    limits->most_peer = opts->max_per_peer;
    limits->everyone.limits = limits;
    if (limits->most_peer != 0 && resize(limits, FIRST_BUCKETS) != NGX_OK) {
        ql__free(loop, limits);
        return NGX_ERROR;
    }
    *created = limits;
    return NGX_OK;
}

static void
destroy_unused(ql__limits_t *limits)
{
    if (limits->closed && limits->live == 0) {
        ql__free(limits->loop, limits->buckets);
        ql__free(limits->loop, limits);
    }
}

void
ql__limits_close(ql__limits_t *limits)
{
    limits->closed = true;
    destroy_unused(limits);
}

/* The peer, a new one without connections if need be; NULL: no memory. */
static ql__peer_t *
peer_of(ql__limits_t *limits, const ql_sockaddr_t *addr)
{
    ql__peer_t *peer;
    uint64_t key;

    if (limits->nbuckets == 0 || addr->u.sa.sa_family == AF_UNIX) {
        return &limits->everyone;
    }
    key = key_of(addr);
    peer = find(limits, key);
    if (peer != NULL) {
        return peer;
    }
    peer = ql__alloc(limits->loop, sizeof(*peer));
    if (peer == NULL) {
        return NULL;
    }
    *peer = (ql__peer_t){.limits = limits, .key = key};
    if (limits->npeers >= limits->nbuckets) {
        (void) resize(limits, 2 * limits->nbuckets); /* else it is slower */
    }
    ql_queue_insert_tail(bucket_of(limits, key), &peer->link);
    limits->npeers++;
    return peer;
}

static void
refuse_peer(ql__limits_t *limits, const ql_sockaddr_t *addr)
{
    char text[QL_SOCKADDR_STRLEN];

    limits->loop->stats.rejected_peer++;
    ql_log_error(limits->loop, QL_LOG_WARN, 0,
                 "closed a connection from %s, which has %u",
                 ql_sockaddr_text(&addr->u.sa, addr->len, text),
                 limits->most_peer);
}

ql__peer_t *
ql__limits_enter(ql__limits_t *limits, const ql_sockaddr_t *addr)
{
    ql__peer_t *peer;

    if (limits->most != 0 && limits->live >= limits->most) {
        limits->loop->stats.rejected++;
        ql_log_error(limits->loop, QL_LOG_WARN, 0,
                     "closed a connection: its listener has %u", limits->most);
        return NULL;
    }
    peer = peer_of(limits, addr);
    if (peer == NULL) {
        limits->loop->stats.rejected++;
        ql_log_error(limits->loop, QL_LOG_ERR, ENOMEM, "closed a connection");
        return NULL;
    }
    if (peer != &limits->everyone && peer->live >= limits->most_peer) {
        refuse_peer(limits, addr);
        return NULL;
    }
    peer->live++;
    limits->live++;
    return peer;
}

void
ql__limits_leave(ql__peer_t *peer)
{
    ql__limits_t *limits = peer->limits;

    limits->live--;
    peer->live--;
    if (peer->live == 0 && peer != &limits->everyone) {
        ql_queue_remove(&peer->link);
        limits->npeers--;
        ql__free(limits->loop, peer);
    }
    destroy_unused(limits);
}
