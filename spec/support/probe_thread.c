/* probe_thread.c: loops in threads, and threads that post to a loop. */
#include "probe.h"

#include <pthread.h>
#include <unistd.h>

enum {
    THREADS = 16
};

typedef struct {
    ql_loop_t *loop;
    ql_event_t **events;
    int each;
} poster_t;

static pthread_t threads[THREADS];
static poster_t posters[THREADS];
static int nthreads;

void
ql_probe_bounce(ql_event_t *ev)
{
    ql_connection_t *c = ev->data;
    uintptr_t left = (uintptr_t) c->data;
    char byte;

    while (left > 0 && read(c->fd, &byte, 1) == 1) {
        left--;
        if (write(c->fd, &byte, 1) != 1) {
            break;
        }
    }
    ev->ready = 0;
    c->data = (void *) left;
    if (left == 0) {
        ql_loop_stop(c->loop);
    }
}

static void *
run_loop(void *arg)
{
    ql_loop_t *loop = arg;

    return ql_loop_run(loop) == NGX_OK ? loop : NULL;
}

int
ql_probe_run_loops(ql_loop_t **loops, int n)
{
    pthread_t ids[THREADS];
    void *result;
    int ok = 0;

    for (int i = 0; i < n; i++) {
        if (i == THREADS
            || pthread_create(&ids[i], NULL, run_loop, loops[i]) != 0) {
            return -1;
        }
    }
    for (int i = 0; i < n; i++) {
        pthread_join(ids[i], &result);
        ok += result != NULL;
    }
    return ok;
}

static void *
post_all(void *arg)
{
    poster_t *poster = arg;

    for (int i = 0; i < poster->each; i++) {
        ql_post_from_thread(poster->loop, poster->events[i]);
        ql_notify(poster->loop);
    }
    return NULL;
}

int
ql_probe_post_start(ql_loop_t *loop, ql_event_t **events, int n, int each)
{
    for (nthreads = 0; nthreads < n; nthreads++) {
        poster_t *poster = &posters[nthreads];
        if (nthreads == THREADS) {
            return -1;
        }
        *poster = (poster_t){loop, events + (ptrdiff_t) nthreads * each, each};
        if (pthread_create(&threads[nthreads], NULL, post_all, poster) != 0) {
            return -1;
        }
    }
    return 0;
}

void
ql_probe_post_join(void)
{
    while (nthreads > 0) {
        pthread_join(threads[--nthreads], NULL);
    }
}
