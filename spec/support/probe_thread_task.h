/*
 * probe_thread_task.h: tasks for the thread pool that wait at a gate and keep
 * count.
 */
#ifndef QUOLL_PROBE_THREAD_TASK_H
#define QUOLL_PROBE_THREAD_TASK_H

#include "quoll.h"

enum {
    QL_PROBE_JOBS = 256
};

typedef struct {
    int running;   /* now, those at the gate too */
    int peak;      /* most at one time */
    int count;     /* ended */
    int undone;    /* calls */
    int unblocked; /* threads that take SIGINT, SIGTERM or SIGALRM */
    const void *order[QL_PROBE_JOBS]; /* tasks in the order of their ends */
} ql_probe_thread_tasks_t;

/* Forgets all; open 0: tasks wait at the gate until it is opened. */
void ql_probe_thread_task_start(int open);
void ql_probe_thread_task_gate(int open);
/* The run function of a task. */
void ql_probe_thread_task(ql_thread_task_t *task);
/* The run function of a call: through the gate, then its res is 7. */
void ql_probe_call(ql_call_t *call);
/* The same as the step of a call that has three of them and is undone. */
void ql_probe_call_step(ql_call_t *call);
void ql_probe_call_undo(ql_call_t *call);
/* As getdents64, on a file system that does not know types. */
ssize_t ql_probe_getdents64(int fd, void *buf, size_t size);
/* What is so far. */
void ql_probe_thread_tasks(ql_probe_thread_tasks_t *jobs);

#endif
