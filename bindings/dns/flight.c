/*
 * flight.c: a question under way, and who waits for its answer.
 */
#include "channel.h"

#include "core/sys.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>

static ql_queue_t *
bucket_of(ql_dns_channel_t *ch, const char *name, int type)
{
    uint32_t hash = (uint32_t) type;

    for (; *name != '\0'; name++) {
        hash = hash * 31 + (unsigned char) *name;
    }
    return &ch->buckets[hash % QL_DNS_BUCKETS];
}

static ql_dns_flight_t *
find(const ql_queue_t *bucket, const char *name, int type)
{
    ql_queue_t *q;

    for (q = bucket->next; q != bucket; q = q->next) {
        ql_dns_flight_t *f = ql_queue_data(q, ql_dns_flight_t, link);

        if (f->type == type && strcmp(f->name, name) == 0) {
            return f;
        }
    }
    return NULL;
}

static void
unhold(ql_dns_flight_t *f)
{
    const ql_sys_t *sys = f->sys;

    if (!f->active && ql_queue_empty(&f->waiters)) {
        sys->free(f->answer);
        sys->free(f);
    }
}

/* ------------------------------------------------------------- landing ---- */

static void
keep_answer(ql_dns_flight_t *f, const unsigned char *answer, int size)
{
    if (answer == NULL || size <= 0) {
        return;
    }
    f->answer = f->sys->malloc((size_t) size);
    if (f->answer == NULL) {
        f->status = ARES_ENOMEM;
        return;
    }
    memcpy(f->answer, answer, (size_t) size);
    f->size = (size_t) size;
}

/* 0: that is an answer, or what c-ares tells. */
static int
refusal_of(const unsigned char *data, size_t size)
{
    switch (size > NS_HFIXEDSZ ? data[3] & 0xf : ns_r_noerror) {
    case ns_r_servfail:
        return ARES_ESERVFAIL;
    case ns_r_notimpl:
        return ARES_ENOTIMP;
    case ns_r_refused:
        return ARES_EREFUSED;
    default:
        return 0;
    }
}

void
ql__dns_heard(ql_dns_channel_t *ch, const unsigned char *data, size_t size)
{
    int refusal = refusal_of(data, size);
    const unsigned char *p = data + NS_HFIXEDSZ;
    ql_dns_flight_t *f = NULL;
    char *name;
    long length;

    if (refusal == 0
        || ares_expand_name(p, data, (int) size, &name, &length)
               != ARES_SUCCESS)
    {
        return;
    }
    p += length;
    if (data + size - p >= NS_QFIXEDSZ) {
        int type = p[0] << 8 | p[1];

        f = find(bucket_of(ch, name, type), name, type);
    }
    ares_free_string(name);
    if (f != NULL) {
        f->refusal = refusal;
    }
}

static void
count_landing(ql_dns_flight_t *f)
{
    ql_dns_stats_t *stats = &f->channel->stats;

    if (f->status == ARES_ECANCELLED || f->status == ARES_EDESTRUCTION) {
        stats->cancelled++;
    } else if (f->answer == NULL) {
        stats->failed++;
    }
}

static void
on_answer(void *arg, int status, int timeouts, unsigned char *answer, int size)
{
    ql_dns_flight_t *f = arg;
    ql_queue_t *q, *next;

    (void) timeouts;
    f->active = false;
    f->status = status == ARES_ECONNREFUSED && f->refusal != 0 ? f->refusal
                                                               : status;
    keep_answer(f, answer, size);
    count_landing(f);
    ql_queue_remove(&f->link);
    if (!ql_queue_empty(&f->waiters)) {
        f->channel->wanted--;
    }
    for (q = f->waiters.next; q != &f->waiters; q = next) {
        ql_dns_wait_t *w = ql_queue_data(q, ql_dns_wait_t, link);

        next = q->next;
        w->landed(w);
    }
    unhold(f);
}

/* ------------------------------------------------------------- waiting ---- */

static ql_dns_flight_t *
new_flight(ql_dns_channel_t *ch, const char *name, int type)
{
    size_t size = strlen(name) + 1;
    const ql_sys_t *sys = ql_loop_sys(ch->loop);
    ql_dns_flight_t *f = sys->malloc(sizeof(*f) + size);

    if (f == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memset(f, 0, sizeof(*f));
    memcpy(f->name, name, size);
    f->channel = ch;
    f->sys = sys;
    f->type = type;
    f->active = true;
    ql_queue_init(&f->waiters);
    return f;
}

static void
wait_for(ql_dns_flight_t *f, ql_dns_wait_t *w)
{
    if (ql_queue_empty(&f->waiters)) {
        f->channel->wanted++;
    }
    ql_queue_insert_tail(&f->waiters, &w->link);
    w->flight = f;
}

int
ql__dns_join(ql_dns_channel_t *ch, ql_dns_wait_t *w, const char *name, int type)
{
    ql_queue_t *bucket = bucket_of(ch, name, type);
    ql_dns_flight_t *f = find(bucket, name, type);

    if (f != NULL) {
        ch->stats.shared++;
        wait_for(f, w);
        return NGX_OK;
    }
    f = new_flight(ch, name, type);
    if (f == NULL) {
        return NGX_ERROR;
    }
    ch->stats.queries++;
    wait_for(f, w);
    ql_queue_insert_tail(bucket, &f->link);
    ares_query(ch->ares, name, ns_c_in, type, on_answer, f);
    if (ch->ares != NULL) {
        ql__dns_arm(ch);
    }
    return NGX_OK;
}

/* c-ares can only cancel everything: a flight that nobody waits for goes on
 * beside the others, which its timeout bounds. */
static void
abandon(ql_dns_channel_t *ch)
{
    ch->wanted--;
    if (ch->wanted == 0 && ch->ares != NULL && ch->loop != NULL) {
        ares_cancel(ch->ares);
        ql__dns_arm(ch);
    }
}

void
ql__dns_leave(ql_dns_wait_t *w)
{
    ql_dns_flight_t *f = w->flight;

    if (f == NULL) {
        return;
    }
    w->flight = NULL;
    ql_queue_remove(&w->link);
    if (!f->active) {
        unhold(f);
    } else if (ql_queue_empty(&f->waiters)) {
        abandon(f->channel);
    }
}
