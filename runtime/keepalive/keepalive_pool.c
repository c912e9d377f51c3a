/*
 * keepalive_pool.c: pools by their keys, and who may have a connection of one.
 * A claim is granted what is there, an idle connection or room for a new one,
 * and gets it later: until then neither is anybody else's, and a claim that is
 * given up takes nothing along.
 */
#include "../core/loop.h"

#include <errno.h>
#include <string.h>

enum {
    BUCKETS_MIN = 16,
    SIZE = 30 /* of a pool by default */
};

static const uint64_t MAX_IDLE = 60 * (uint64_t) 1000 * QL__MSEC;

/* ------------------------------------------------------------ the table ---- */

/* FNV-1a */
static uint32_t
hash_of(const char *key, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char) key[i]) * 16777619u;
    }
    return hash;
}

static ql_queue_t *
bucket_of(const ql__keepalives_t *all, uint32_t hash)
{
    return &all->buckets[hash & (all->nbuckets - 1)];
}

/* Twice as many buckets when there are as many pools. */
static int
grow(ql_loop_t *loop)
{
    ql__keepalives_t *all = &loop->keepalives;
    uint32_t n = all->nbuckets == 0 ? BUCKETS_MIN : 2 * all->nbuckets;
    ql_queue_t *buckets, *q;

    if (all->npools < all->nbuckets) {
        return NGX_OK;
    }
    buckets = ql__alloc(loop, n * sizeof(*buckets));
    if (buckets == NULL) {
        return all->nbuckets == 0 ? NGX_ERROR : NGX_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        ql_queue_init(&buckets[i]);
    }
    ql__free(loop, all->buckets);
    all->buckets = buckets;
    all->nbuckets = n;
    for (q = all->pools.next; q != &all->pools; q = q->next) {
        ql_keepalive_t *pool = ql_queue_data(q, ql_keepalive_t, link);

        ql_queue_insert_head(bucket_of(all, pool->hash), &pool->bucket);
    }
    return NGX_OK;
}

static ql_keepalive_t *
find(const ql__keepalives_t *all, const char *key, size_t length, uint32_t hash)
{
    ql_queue_t *bucket, *q;

    if (all->buckets == NULL) {
        return NULL;
    }
    bucket = bucket_of(all, hash);
    for (q = bucket->next; q != bucket; q = q->next) {
        ql_keepalive_t *pool = ql_queue_data(q, ql_keepalive_t, bucket);

        if (pool->hash == hash && pool->length == length
            && memcmp(pool->key, key, length) == 0)
        {
            return pool;
        }
    }
    return NULL;
}

static ql_keepalive_t *
create(ql_loop_t *loop, const char *key, size_t length, uint32_t hash)
{
    ql__keepalives_t *all = &loop->keepalives;
    ql_keepalive_t *pool = NULL;

    if (length <= UINT32_MAX && grow(loop) == NGX_OK) {
        pool = ql__alloc(loop, sizeof(*pool) + length);
    }
    if (pool == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memset(pool, 0, sizeof(*pool));
    pool->loop = loop;
    ql_queue_init(&pool->idle);
    ql_queue_init(&pool->claims);
    pool->size = SIZE;
    pool->backlog = QL_CONF_UNSET;
    pool->max_idle = MAX_IDLE;
    pool->hash = hash;
    pool->length = (uint32_t) length;
    pool->key = (char *) (pool + 1);
    memcpy(pool->key, key, length);
    ql_queue_insert_tail(&all->pools, &pool->link);
    ql_queue_insert_head(bucket_of(all, hash), &pool->bucket);
    all->npools++;
    return pool;
}

static void
destroy(ql_keepalive_t *pool)
{
    ql_queue_remove(&pool->bucket);
    ql_queue_remove(&pool->link);
    pool->loop->keepalives.npools--;
    ql__free(pool->loop, pool);
}

ql_keepalive_t *
ql_keepalive_open(ql_loop_t *loop, const char *key, size_t length)
{
    uint32_t hash = hash_of(key, length);
    ql_keepalive_t *pool = find(&loop->keepalives, key, length, hash);

    QL_CHECK_THREAD(loop);
    if (pool == NULL) {
        pool = create(loop, key, length, hash);
    }
    if (pool != NULL) {
        pool->refs++;
    }
    return pool;
}

static void
destroy_unused(ql_keepalive_t *pool)
{
    if (pool->refs == 0 && pool->connections == 0) {
        destroy(pool);
    }
}

void
ql_keepalive_close(ql_keepalive_t *pool)
{
    QL_CHECK_THREAD(pool->loop);
    pool->refs--;
    destroy_unused(pool);
}

void
ql_keepalive_set(ql_keepalive_t *pool, uint32_t size, uint32_t backlog,
                 uint64_t max_idle)
{
    QL_CHECK_THREAD(pool->loop);
    if (size != 0 && !pool->size_set) {
        pool->size = size;
        pool->size_set = 1;
    }
    if (pool->backlog == QL_CONF_UNSET) {
        pool->backlog = backlog;
    }
    if (max_idle != 0 && !pool->max_idle_set) {
        pool->max_idle = max_idle;
        pool->max_idle_set = 1;
    }
}

void
ql__keepalives_init(ql_loop_t *loop)
{
    ql_queue_init(&loop->keepalives.pools);
    ql_queue_init(&loop->keepalives.idle);
}

void
ql__keepalives_done(ql_loop_t *loop)
{
    ql__keepalives_t *all = &loop->keepalives;

    ql_keepalive_drop(loop);
    while (!ql_queue_empty(&all->pools)) {
        destroy(ql_queue_data(all->pools.next, ql_keepalive_t, link));
    }
    ql__free(loop, all->buckets);
    all->buckets = NULL;
    all->nbuckets = 0;
}

ql_keepalive_t *
ql_keepalive_next(ql_loop_t *loop, ql_keepalive_t *pool)
{
    ql_queue_t *pools = &loop->keepalives.pools;
    ql_queue_t *q = pool == NULL ? pools->next : pool->link.next;
    ql_keepalive_t *next = NULL;

    QL_CHECK_THREAD(loop);
    if (q != pools) {
        next = ql_queue_data(q, ql_keepalive_t, link);
        next->refs++;
    }
    if (pool != NULL) {
        ql_keepalive_close(pool);
    }
    return next;
}

const ql_keepalive_stats_t *
ql_keepalive_stats(const ql_loop_t *loop, uint64_t *idle)
{
    QL_CHECK_THREAD(loop);
    *idle = loop->keepalives.nidle;
    return &loop->keepalives.stats;
}

/* --------------------------------------------------------------- claims ---- */

static bool
has_room(const ql_keepalive_t *pool)
{
    uint32_t room = pool->nidle;

    if (pool->backlog == QL_CONF_UNSET) {
        return true;
    }
    if (pool->size > pool->connections) {
        room += pool->size - pool->connections;
    }
    return room > pool->granted;
}

void
ql__keepalive_wake(ql_keepalive_t *pool)
{
    if (!ql_queue_empty(&pool->claims) && has_room(pool)) {
        ql_post_event(
            pool->loop,
            &ql_queue_data(pool->claims.next, ql_claim_t, link)->event);
    }
}

static void
stop_waiting(ql_claim_t *claim)
{
    if (!ql_queue_empty(&claim->link)) {
        ql_queue_remove(&claim->link);
        claim->pool->waiting--;
        ql_delete_posted_event(claim->pool->loop, &claim->event);
    }
}

int
ql_keepalive_claim(ql_claim_t *claim)
{
    ql_keepalive_t *pool = claim->pool;
    bool waits = !ql_queue_empty(&claim->link);
    const ql_queue_t *before = waits ? claim->link.prev : pool->claims.prev;

    QL_CHECK_THREAD(claim->pool->loop);
    if (before == &pool->claims && has_room(pool)) {
        stop_waiting(claim);
        claim->granted = 1;
        pool->granted++;
        ql__keepalive_wake(pool);
        return NGX_OK;
    }
    if (waits) {
        return NGX_AGAIN;
    }
    if (pool->waiting >= pool->backlog) {
        pool->stats.refused++;
        pool->loop->keepalives.stats.refused++;
        return NGX_BUSY;
    }
    ql_queue_insert_tail(&pool->claims, &claim->link);
    pool->waiting++;
    return NGX_AGAIN;
}

void
ql_keepalive_unclaim(ql_claim_t *claim)
{
    QL_CHECK_THREAD(claim->pool->loop);
    stop_waiting(claim);
    if (claim->granted) {
        claim->granted = 0;
        claim->pool->granted--;
    }
    ql__keepalive_wake(claim->pool);
}

void
ql_keepalive_created(ql_keepalive_t *pool)
{
    QL_CHECK_THREAD(pool->loop);
    pool->stats.created++;
    pool->loop->keepalives.stats.created++;
}

void
ql_keepalive_leave(ql_keepalive_t *pool)
{
    QL_CHECK_THREAD(pool->loop);
    pool->connections--;
    ql__keepalive_wake(pool);
    destroy_unused(pool);
}
