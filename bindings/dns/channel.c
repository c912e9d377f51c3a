/*
 * channel.c: a channel of c-ares: made when first needed, in each process
 * anew; its time on the loop's timer. It reads no file: all that it has to
 * know it is told.
 */
#include "channel.h"

#include "core/sys.h"

#include <errno.h>
#include <sys/time.h>

enum {
    EDNS_SIZE = 1232 /* what no path fragments */
};

/* In a forked child descriptors and questions are its parent's, whose answers
 * it must not take. */
static bool
foreign(const ql_dns_channel_t *ch)
{
    return ch->pid != ql_loop_sys(ch->loop)->getpid();
}

static void
on_wake(ql_event_t *ev)
{
    ql_dns_channel_t *ch = ev->data;

    if (foreign(ch)) {
        ql__dns_done(ch);
        return;
    }
    ql__dns_process(ch);
    ql__dns_arm(ch);
}

static void
on_timer(ql_event_t *ev)
{
    ql_dns_channel_t *ch = ev->data;

    ev->timedout = 0;
    if (foreign(ch)) {
        ql__dns_done(ch);
        return;
    }
    ares_process_fd(ch->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    ql__dns_arm(ch);
}

void
ql__dns_init(ql_dns_channel_t *ch, ql_loop_t *loop)
{
    unsigned i;

    ch->loop = loop;
    ch->sys = ql_loop_sys(loop);
    ch->wake.data = ch->timer.data = ch;
    ch->wake.handler = on_wake;
    ch->timer.handler = on_timer;
    ql_queue_init(&ch->sockets);
    for (i = 0; i < QL_DNS_BUCKETS; i++) {
        ql_queue_init(&ch->buckets[i]);
    }
}

/* c-ares counts in us and calls a time over that is reached. */
void
ql__dns_arm(ql_dns_channel_t *ch)
{
    struct timeval tv;

    if (ares_timeout(ch->ares, NULL, &tv) != NULL) {
        ql_add_timer_nsec(ch->loop, &ch->timer,
                          (uint64_t) tv.tv_sec * 1000000000
                              + (uint64_t) (tv.tv_usec + 1) * 1000);
    } else if (ch->timer.timer_set) {
        ql_del_timer(ch->loop, &ch->timer);
    }
}

/* ---------------------------------------------------- made and ended ---- */

static int
errno_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return 0;
    case ARES_ENOMEM:
        return ENOMEM;
    default:
        return EINVAL;
    }
}

/* Every setting that c-ares would read from a file or the environment has a
 * value here. */
static int
make(ql_dns_channel_t *ch)
{
    char lookups[] = "b";
    struct ares_options o = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES
               | (ch->conf.edns ? ARES_FLAG_EDNS : 0),
        .timeout = ch->conf.timeout,
        .tries = ch->conf.tries,
        .ndots = 1,
        .lookups = lookups,
        .sock_state_cb = ql__dns_state,
        .sock_state_cb_data = ch,
        .ednspsz = EDNS_SIZE,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES
             | ARES_OPT_NDOTS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS
             | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST | ARES_OPT_SOCK_STATE_CB
             | ARES_OPT_EDNSPSZ
             | (ch->conf.rotate ? ARES_OPT_ROTATE : ARES_OPT_NOROTATE);
    int status = ares_init_options(&ch->ares, &o, mask);

    if (status != ARES_SUCCESS) {
        ch->ares = NULL;
        return status;
    }
    return ares_set_servers_ports_csv(ch->ares, ch->conf.servers);
}

int
ql__dns_ready(ql_dns_channel_t *ch)
{
    if (ch->ares != NULL && !foreign(ch)) {
        return NGX_OK;
    }
    ql__dns_done(ch);
    ch->pid = ql_loop_sys(ch->loop)->getpid();
    errno = errno_of(make(ch));
    if (errno != 0) {
        ql_log_error(ch->loop, QL_LOG_ERR, errno, "no resolver for \"%s\"",
                     ch->conf.servers);
        ql__dns_done(ch);
        return NGX_ERROR;
    }
    ql__dns_watch(ch);
    return NGX_OK;
}

void
ql__dns_done(ql_dns_channel_t *ch)
{
    ares_channel ares = ch->ares;
    int err = errno;

    if (ares == NULL) {
        return;
    }
    ch->ares = NULL;
    ares_destroy(ares);
    if (ch->loop != NULL) {
        ql_delete_posted_event(ch->loop, &ch->wake);
        if (ch->timer.timer_set) {
            ql_del_timer(ch->loop, &ch->timer);
        }
    }
    errno = err;
}
