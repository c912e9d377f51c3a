/*
 * read.h: a read on its way down the lanes: the page cache (read.c), direct
 * (read_direct.c), a thread (read_thread.c).
 */
#ifndef QUOLL_READ_H
#define QUOLL_READ_H

#include "../core/loop.h"

/* The lane the next attempt goes down; NGX_DECLINED: it has set another. */
typedef struct ql__read_s ql__read_t;
typedef int (*ql__lane_pt)(ql__read_t *r);

struct ql__read_s {
    ql_read_t pub; /* first */
    ql__lane_pt lane;
    char *block;   /* memory that data lies in; aligned for a direct read */
    char *data;    /* where the first byte asked for goes */
    size_t have;   /* right bytes at data so far */
    size_t got;    /* direct: bytes at block so far */
    size_t length; /* bytes at block; direct: asked for, rounded up */
    size_t align;  /* of block */
    ql_event_aio_t aio;
    ql_thread_task_t task;
    int fd;           /* task: to read from */
    size_t task_size; /* task: bytes to read at data + have */
    ssize_t task_got; /* task: bytes or -1 */
    int task_err;     /* task: errno */
    int rc;           /* result when done */
};

/* Each is a ql__lane_pt. */
int ql__read_direct(ql__read_t *r);
int ql__read_thread(ql__read_t *r);

/* Handlers of aio and task. */
void ql__read_progress(ql__read_t *r, const ql_event_t *executor);

/* The end of a read: NGX_OK, NGX_ERROR. */
int ql__read_finish(ql__read_t *r);
int ql__read_fail(ql__read_t *r, int err);
/* The same, with a line in the log. */
int ql__read_fail_logged(ql__read_t *r, int err);
/* A queue is full: nothing was begun, a later attempt may have more luck. */
int ql__read_busy(ql__read_t *r);

#endif
