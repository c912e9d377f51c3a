/*
 * exec.c: a new process, up to its program. It runs on the memory of the thread
 * that waits for it (CLONE_VM, CLONE_VFORK) with descriptors, signal
 * dispositions, directory and umask of its own: the memory of a large process
 * is not copied, and a failure is a plain store. Its system calls are libc's,
 * since no table of this process is its.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
fail(ql__exec_t *x, const char *what)
{
    x->failed = what;
    x->err = errno;
    return NGX_ERROR;
}

/* Ours would run on the other thread's memory; and what is ignored is a choice
 * of this program, but for what nohup and a shell's "&" ask for. */
static void
reset_signals(void)
{
    struct sigaction act = {.sa_handler = SIG_DFL};
    struct sigaction old;

    for (int signo = 1; signo <= SIGRTMAX; signo++) {
        if (sigaction(signo, NULL, &old) == -1 || old.sa_handler == SIG_DFL) {
            continue;
        }
        if (old.sa_handler != SIG_IGN
            || (signo != SIGHUP && signo != SIGINT && signo != SIGQUIT))
        {
            (void) sigaction(signo, &act, NULL);
        }
    }
}

/* By the system calls themselves: libc's would tell every thread. */
static int
set_user(ql__exec_t *x)
{
    bool changes = x->gid != -1 || x->uid != -1;

    if (changes && syscall(SYS_setgroups, 0, NULL) == -1) {
        return fail(x, "setgroups");
    }
    if (x->gid != -1 && syscall(SYS_setresgid, x->gid, x->gid, x->gid) == -1) {
        return fail(x, "setgid");
    }
    if (x->uid != -1 && syscall(SYS_setresuid, x->uid, x->uid, x->uid) == -1) {
        return fail(x, "setuid");
    }
    return NGX_OK;
}

static int
set_place(ql__exec_t *x)
{
    if (x->setsid && setsid() == -1) {
        return fail(x, "setsid");
    }
    if (x->pgroup && !x->setsid && setpgid(0, 0) == -1) {
        return fail(x, "setpgid");
    }
    if (set_user(x) != NGX_OK) {
        return NGX_ERROR;
    }
    if (x->cwd != NULL && chdir(x->cwd) == -1) {
        return fail(x, x->cwd);
    }
    if (x->umask != -1) {
        (void) umask((mode_t) x->umask);
    }
    return NGX_OK;
}

/* Before Linux 5.9, and where a filter forbids it, one by one. */
static void
close_from(int fd)
{
    if (syscall(SYS_close_range, fd, ~0U, 0) == -1) {
        for (long max = sysconf(_SC_OPEN_MAX); fd < max; fd++) {
            (void) close(fd);
        }
    }
}

static bool
is_target(const ql__exec_t *x, int fd)
{
    for (int i = 0; i < x->nfds; i++) {
        if (x->fds[i].target == fd) {
            return true;
        }
    }
    return false;
}

static int
set_descriptors(ql__exec_t *x)
{
    for (int i = 0; i < x->nfds; i++) {
        const ql_spawn_fd_t *f = &x->fds[i];
        int from = f->fd == QL_SPAWN_STDOUT ? STDOUT_FILENO : f->fd;

        if (dup2(from, f->target) == -1) {
            return fail(x, "dup2");
        }
    }
    for (int fd = 0; fd < x->limit; fd++) {
        if (!is_target(x, fd)) {
            (void) close(fd);
        }
    }
    close_from(x->limit);
    return NGX_OK;
}

/* The first program that there is; EACCES of one is told if none follows. */
static int
execute(ql__exec_t *x)
{
    int err = ENOENT;

    for (char **path = x->paths; *path != NULL; path++) {
        (void) execve(*path, x->argv, x->env);
        if (errno == EACCES) {
            err = EACCES;
        } else if (errno != ENOENT && errno != ENOTDIR) {
            err = errno;
            break;
        }
    }
    errno = err;
    return fail(x, x->argv[0]);
}

/* Every signal is blocked up to here. */
__attribute__((no_sanitize_address)) int
ql__exec(void *data)
{
    ql__exec_t *x = data;
    sigset_t none;

    reset_signals();
    if (set_place(x) == NGX_OK && set_descriptors(x) == NGX_OK) {
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) execute(x);
    }
    return 127;
}
