/*
 * outer.c: the descriptor that another event loop waits for. It is an epoll set
 * around the loop's own, which may be built anew: who has registered a
 * descriptor elsewhere has registered its file, so that a new set under the
 * same number would not be noticed.
 */
#include "../core/loop.h"

#include <errno.h>

static int
ctl(ql_loop_t *loop, int op, int ep)
{
    struct epoll_event ee = {.events = EPOLLIN};

    loop->stats.epoll_ctl++;
    if (loop->sys->epoll_ctl(loop->outer, op, ep, &ee) == 0) {
        return NGX_OK;
    }
    ql_log_error(loop, QL_LOG_ERR, errno, "epoll_ctl(%d, %d) failed", op, ep);
    return NGX_ERROR;
}

int
ql__outer_open(ql_loop_t *loop)
{
    loop->outer = ql__epoll_create(loop);
    if (loop->outer == -1) {
        return NGX_ERROR;
    }
    if (ctl(loop, EPOLL_CTL_ADD, loop->ep) != NGX_OK) {
        ql__outer_close(loop);
        return NGX_ERROR;
    }
    return NGX_OK;
}

int
ql__outer_enter(ql_loop_t *loop, int ep)
{
    return loop->outer == -1 ? NGX_OK : ctl(loop, EPOLL_CTL_ADD, ep);
}

/* close(2) would not do: a forked child may have the set, too. */
void
ql__outer_leave(ql_loop_t *loop, int ep)
{
    if (loop->outer != -1) {
        (void) ctl(loop, EPOLL_CTL_DEL, ep);
    }
}

void
ql__outer_close(ql_loop_t *loop)
{
    if (loop->outer != -1) {
        (void) loop->sys->close(loop->outer);
        loop->outer = -1;
    }
}

int
ql_loop_watch(ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    if (ql_loop_init(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    if (!loop->watched && ql__outer_open(loop) != NGX_OK) {
        return NGX_ERROR;
    }
    loop->watched = true;
    loop->wake = !loop->turning;
    return NGX_OK;
}

int
ql_loop_fd(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return loop->outer != -1 ? loop->outer : loop->ep;
}
