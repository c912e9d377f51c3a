#include "probe_thread_task.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static ql_probe_thread_tasks_t state;
static int gate;

void
ql_probe_thread_task_start(int open)
{
    pthread_mutex_lock(&mutex);
    memset(&state, 0, sizeof state);
    gate = open;
    pthread_mutex_unlock(&mutex);
}

void
ql_probe_thread_task_gate(int open)
{
    pthread_mutex_lock(&mutex);
    gate = open;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
}

static int
takes_signals(void)
{
    sigset_t mask;

    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    return !sigismember(&mask, SIGINT) || !sigismember(&mask, SIGTERM)
        || !sigismember(&mask, SIGALRM);
}

void
ql_probe_thread_task(ql_thread_task_t *task)
{
    pthread_mutex_lock(&mutex);
    state.unblocked += takes_signals();
    state.running++;
    if (state.running > state.peak) {
        state.peak = state.running;
    }
    while (!gate) {
        pthread_cond_wait(&cond, &mutex);
    }
    state.running--;
    if (state.count < QL_PROBE_JOBS) {
        state.order[state.count] = task;
    }
    state.count++;
    pthread_mutex_unlock(&mutex);
}

void
ql_probe_thread_tasks(ql_probe_thread_tasks_t *jobs)
{
    pthread_mutex_lock(&mutex);
    *jobs = state;
    pthread_mutex_unlock(&mutex);
}

void
ql_probe_call(ql_call_t *call)
{
    ql_probe_thread_task(&call->task);
    call->res = 7;
}

void
ql_probe_call_step(ql_call_t *call)
{
    ql_probe_thread_task(&call->task);
    call->res++;
    call->more = call->res < 3;
    call->undo = 1;
}

void
ql_probe_call_undo(ql_call_t *call)
{
    (void) call;
    pthread_mutex_lock(&mutex);
    state.undone++;
    pthread_mutex_unlock(&mutex);
}

ssize_t
ql_probe_getdents64(int fd, void *buf, size_t size)
{
    ssize_t n = getdents64(fd, buf, size);
    struct dirent64 *e;

    for (ssize_t pos = 0; pos < n; pos += e->d_reclen) {
        e = (struct dirent64 *) (void *) ((char *) buf + pos);
        e->d_type = DT_UNKNOWN;
    }
    return n;
}
