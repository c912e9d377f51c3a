/*
 * channel.h: questions to name servers, by c-ares on our loop; no Lua. Those
 * who ask the same at the same time share one flight.
 */
#ifndef QUOLL_DNS_CHANNEL_H
#define QUOLL_DNS_CHANNEL_H

#include <quoll.h>

#include <ares.h>
#include <stdbool.h>

enum {
    QL_DNS_BUCKETS = 64,
    QL_DNS_SERVERS_MAX = 1024 /* bytes of the list of servers */
};

typedef struct {
    char servers[QL_DNS_SERVERS_MAX]; /* "127.0.0.1:53,[::1]:53" */
    int timeout;                      /* ms of the first try of a server */
    int tries;                        /* of each server */
    bool rotate;                      /* each question begins elsewhere */
    bool edns;                        /* answers up to 1,232 bytes by UDP */
} ql_dns_conf_t;

typedef struct {
    uint64_t queries;   /* flights begun */
    uint64_t shared;    /* who joined a flight under way */
    uint64_t failed;    /* flights without an answer, but for cancelled ones */
    uint64_t cancelled; /* flights that nobody waited for any more */
} ql_dns_stats_t;

typedef struct {
    ql_loop_t *loop;     /* NULL: it is gone, and its descriptors with it */
    const ql_sys_t *sys; /* the loop's, which outlive it */
    ares_channel ares;   /* NULL: none was needed yet */
    pid_t pid;           /* of the process that made it */
    ql_dns_conf_t conf;
    ql_event_t wake;    /* posted by every descriptor that is ready */
    ql_event_t timer;   /* what c-ares waits for next */
    ql_queue_t sockets; /* of the watched descriptors */
    ql_queue_t buckets[QL_DNS_BUCKETS]; /* flights under way, by name */
    uint32_t wanted; /* flights under way that somebody waits for */
    ql_dns_stats_t stats;
} ql_dns_channel_t;

/* One question. Kept by c-ares while `active`, and by its waiters. */
typedef struct {
    ql_queue_t link;           /* in its bucket while active */
    ql_queue_t waiters;        /* of ql_dns_wait_t.link */
    ql_dns_channel_t *channel; /* not gone while active */
    const ql_sys_t *sys;       /* its loop's */
    unsigned char *answer;     /* the message; NULL: none came */
    size_t size;               /* of it */
    int status;                /* ARES_*, when not active */
    int refusal; /* what the last server that refused to answer said, ARES_*;
                    0: none did */
    int type;    /* of the records */
    bool active; /* c-ares has it */
    char name[];
} ql_dns_flight_t;

typedef struct ql_dns_wait_s ql_dns_wait_t;
struct ql_dns_wait_s {
    ql_queue_t link; /* in the flight's waiters */
    ql_dns_flight_t *flight;
    /* The flight has landed, maybe while w joined it; may not call the
     * channel. */
    void (*landed)(ql_dns_wait_t *w);
};

/* ---- channel.c ---- */

void ql__dns_init(ql_dns_channel_t *ch, ql_loop_t *loop);
/* Makes c-ares' channel, anew in a forked child. NGX_ERROR with errno. */
int ql__dns_ready(ql_dns_channel_t *ch);
/* Ends every flight, with ARES_EDESTRUCTION. */
void ql__dns_done(ql_dns_channel_t *ch);
/* After each call of c-ares: the timer as c-ares wants it now. */
void ql__dns_arm(ql_dns_channel_t *ch);

/* ---- socket.c ---- */

/* Hands the descriptors of a fresh ch->ares to the loop. */
void ql__dns_watch(ql_dns_channel_t *ch);
void ql__dns_state(void *data, int fd, int readable, int writable);
/* Lets c-ares read and write what is ready. */
void ql__dns_process(ql_dns_channel_t *ch);

/* ---- flight.c ---- */

/* w waits for the records of name, which may be there at once. NGX_ERROR with
 * errno. */
int ql__dns_join(ql_dns_channel_t *ch, ql_dns_wait_t *w, const char *name,
                 int type);
/* A datagram came: c-ares (1.18) does not tell when it goes on to the next
 * server because this one refused. */
void ql__dns_heard(ql_dns_channel_t *ch, const unsigned char *data,
                   size_t size);
/* Harmless when w waits for nothing. A flight that nobody waits for ends with
 * the last one that somebody did. */
void ql__dns_leave(ql_dns_wait_t *w);

#endif
