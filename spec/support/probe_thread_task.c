#include "probe_thread_task.h"

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
