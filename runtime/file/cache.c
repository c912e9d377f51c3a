/*
 * cache.c: files that stay open between their users, and paths that are known
 * to fail. Off until open_file_cache says how many. A fresh entry answers
 * without a system call; a stale one has its path opened anew, and stays when
 * that turns out to be the same file, unchanged.
 */
#include "../core/loop.h"

#include <errno.h>
#include <string.h>

enum {
    BUCKETS_MIN = 16,
    EXPIRE = 2 /* inactive entries looked for at each open */
};

struct ql__cached_s {
    ql_queue_t bucket; /* in its hash's */
    ql_queue_t lru;    /* in the cache's, most recent first */
    ql_file_t *file;   /* held; NULL: negative, or too few uses */
    int err;           /* negative: errno; else 0 */
    bool at_root;      /* negative: it is the root that failed */
    bool direct;       /* key, beside names: */
    bool miss_direct;  /* key */
    uint64_t directio; /* key */
    uint32_t hash;     /* of names */
    uint32_t uses;     /* opens that met it */
    uint64_t checked;  /* ms: opened or found unchanged */
    uint64_t accessed; /* ms */
    ql__opened_t was;  /* of file: what tells it from its successor */
    size_t length;     /* of names */
    char names[];      /* path and root, each with its NUL */
};

typedef struct ql__cached_s cached_t;

static size_t
names_length(const ql__cache_key_t *key)
{
    return strlen(key->path) + 1
         + (key->root != NULL ? strlen(key->root) + 1 : 0);
}

/* FNV-1a */
static uint32_t
hash_of(const ql__cache_key_t *key)
{
    const char *names[] = {key->path, key->root != NULL ? key->root : ""};
    uint32_t hash = 2166136261u;

    for (int i = 0; i < 2; i++) {
        for (const char *p = names[i]; *p != '\0'; p++) {
            hash = (hash ^ (unsigned char) *p) * 16777619u;
        }
        hash *= 16777619u;
    }
    return hash;
}

static bool
has_key(const cached_t *e, const ql__cache_key_t *key)
{
    size_t path = strlen(key->path) + 1;

    if (e->direct != key->direct || e->miss_direct != key->miss_direct
        || e->directio != key->directio || e->length != names_length(key)
        || memcmp(e->names, key->path, path) != 0)
    {
        return false;
    }
    return key->root == NULL
        || memcmp(e->names + path, key->root, e->length - path) == 0;
}

static ql_queue_t *
bucket_of(const ql__cache_t *cache, uint32_t hash)
{
    return &cache->buckets[hash & (cache->nbuckets - 1)];
}

static cached_t *
find(ql_loop_t *loop, const ql__cache_key_t *key, uint32_t hash)
{
    ql_queue_t *bucket, *q;
    cached_t *e;

    if (loop->cache.buckets == NULL) {
        return NULL;
    }
    bucket = bucket_of(&loop->cache, hash);
    for (q = bucket->next; q != bucket; q = q->next) {
        e = ql_queue_data(q, cached_t, bucket);
        if (e->hash == hash && has_key(e, key)) {
            return e;
        }
    }
    return NULL;
}

static void
drop(ql_loop_t *loop, cached_t *e)
{
    ql_queue_remove(&e->bucket);
    ql_queue_remove(&e->lru);
    loop->stats.cache_entries--;
    if (e->file != NULL) {
        ql__file_release(e->file);
    }
    ql__free(loop, e);
}

static cached_t *
oldest(ql_loop_t *loop)
{
    return ql_queue_data(loop->cache.lru.prev, cached_t, lru);
}

static void
expire(ql_loop_t *loop)
{
    uint64_t inactive = loop->conf.open_file_cache_inactive * UINT64_C(1000);

    for (int i = 0; i < EXPIRE && loop->stats.cache_entries > 0; i++) {
        if (loop->msec - oldest(loop)->accessed < inactive) {
            return;
        }
        drop(loop, oldest(loop));
        loop->stats.cache_evicted++;
    }
}

static void
touch(ql_loop_t *loop, cached_t *e)
{
    e->uses++;
    e->accessed = loop->msec;
    ql_queue_remove(&e->lru);
    ql_queue_insert_head(&loop->cache.lru, &e->lru);
}

static bool
make_buckets(ql_loop_t *loop)
{
    ql__cache_t *cache = &loop->cache;
    uint32_t n = BUCKETS_MIN;

    if (cache->buckets != NULL) {
        return true;
    }
    while (n < loop->conf.open_file_cache) {
        n *= 2;
    }
    cache->buckets = ql__alloc(loop, n * sizeof(*cache->buckets));
    if (cache->buckets == NULL) {
        return false;
    }
    cache->nbuckets = n;
    for (uint32_t i = 0; i < n; i++) {
        ql_queue_init(&cache->buckets[i]);
    }
    return true;
}

static cached_t *
insert(ql_loop_t *loop, const ql__cache_key_t *key, uint32_t hash)
{
    size_t length = names_length(key);
    size_t path = strlen(key->path) + 1;
    cached_t *e;

    if (!make_buckets(loop)) {
        return NULL;
    }
    e = ql__alloc(loop, sizeof(*e) + length);
    if (e == NULL) {
        return NULL;
    }
    *e = (cached_t){.direct = key->direct,
                    .miss_direct = key->miss_direct,
                    .directio = key->directio,
                    .hash = hash,
                    .length = length};
    memcpy(e->names, key->path, path);
    if (key->root != NULL) {
        memcpy(e->names + path, key->root, length - path);
    }
    if (loop->stats.cache_entries >= loop->conf.open_file_cache) {
        drop(loop, oldest(loop));
        loop->stats.cache_evicted++;
    }
    ql_queue_insert_tail(bucket_of(&loop->cache, hash), &e->bucket);
    ql_queue_init(&e->lru);
    loop->stats.cache_entries++;
    touch(loop, e);
    return e;
}

static cached_t *
find_or_insert(ql_loop_t *loop, const ql__cache_key_t *key)
{
    uint32_t hash = hash_of(key);
    cached_t *e;

    if (loop->conf.open_file_cache == 0) { /* switched off meanwhile */
        return NULL;
    }
    e = find(loop, key, hash);
    return e != NULL ? e : insert(loop, key, hash);
}

int
ql__cache_find(ql_loop_t *loop, const ql__cache_key_t *key, ql_file_t **file,
               int *err, bool *at_root)
{
    uint64_t valid = loop->conf.open_file_cache_valid * UINT64_C(1000);
    cached_t *e;

    expire(loop);
    e = find(loop, key, hash_of(key));
    if (e != NULL) {
        touch(loop, e);
    }
    if (e == NULL || loop->msec - e->checked >= valid
        || (e->file == NULL && e->err == 0))
    {
        loop->stats.cache_misses++;
        return NGX_DECLINED;
    }
    if (e->err != 0) {
        loop->stats.cache_negative++;
        *err = e->err;
        *at_root = e->at_root;
        return NGX_ERROR;
    }
    loop->stats.cache_hits++;
    ql__file_hold(e->file);
    *file = e->file;
    return NGX_OK;
}

static bool
unchanged(const ql__opened_t *a, const ql__opened_t *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size
        && a->mtime.tv_sec == b->mtime.tv_sec
        && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

ql_file_t *
ql__cache_keep(ql_loop_t *loop, const ql__cache_key_t *key,
               const ql__opened_t *opened, ql_file_t *file)
{
    cached_t *e = find_or_insert(loop, key);

    if (e == NULL) {
        return file;
    }
    e->checked = loop->msec;
    e->err = 0;
    if (e->file != NULL && unchanged(&e->was, opened)) {
        loop->stats.cache_revalidated++;
        ql__file_release(file);
        ql__file_hold(e->file);
        return e->file;
    }
    if (e->file != NULL) {
        ql__file_release(e->file);
        e->file = NULL;
    }
    if (e->uses >= loop->conf.open_file_cache_min_uses) {
        ql__file_hold(file);
        e->file = file;
        e->was = *opened;
    }
    return file;
}

void
ql__cache_failed(ql_loop_t *loop, const ql__cache_key_t *key, int err,
                 bool at_root)
{
    cached_t *e = find(loop, key, hash_of(key));

    if (e != NULL && e->file != NULL) {
        drop(loop, e);
    }
    if (!loop->conf.open_file_cache_errors
        || (err != ENOENT && err != ENOTDIR && err != EACCES))
    {
        return;
    }
    e = find_or_insert(loop, key);
    if (e != NULL) {
        e->err = err;
        e->at_root = at_root;
        e->checked = loop->msec;
    }
}

void
ql__cache_init(ql_loop_t *loop)
{
    ql_queue_init(&loop->cache.lru);
}

void
ql_open_cache_drop(ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    while (loop->stats.cache_entries > 0) {
        drop(loop, oldest(loop));
    }
    ql__free(loop, loop->cache.buckets);
    loop->cache.buckets = NULL;
}
