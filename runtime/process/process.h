/*
 * process.h: what the files of runtime/process share.
 */
#ifndef QUOLL_PROCESS_H
#define QUOLL_PROCESS_H

#include "../core/loop.h"

/* What the new process does between its start and execve, on memory that it
 * shares with the thread that waits for it: no allocation, no lock. */
typedef struct {
    char **paths; /* of the program, tried in this order; NULL-terminated */
    char **argv;
    char **env;
    const char *cwd;          /* NULL: the caller's */
    const ql_spawn_fd_t *fds; /* each fd is above every target, or
                                 QL_SPAWN_STDOUT */
    int nfds;
    int64_t uid, gid;    /* -1: the caller's */
    int umask;           /* -1: the caller's */
    int limit;           /* one more than the largest target, 3 or more */
    unsigned pgroup : 1; /* leads a group of its own */
    unsigned setsid : 1; /* leads a session of its own */
    const char *failed;  /* result: what failed, a step or a path */
    int err;             /* result: errno; 0: nothing has failed */
} ql__exec_t;

/* The function of clone(2): returns only when it failed. */
int ql__exec(void *data);

/* A process that has begun, by its pidfd. NULL with errno: pidfd is still the
 * caller's. */
ql_process_t *ql__process_create(ql_loop_t *loop, pid_t pid, int pidfd);

#endif
