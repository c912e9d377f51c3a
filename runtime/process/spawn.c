/*
 * spawn.c: the start of a process, a call that a thread makes: execve reads
 * from the disk, and clone(2) with CLONE_VFORK returns after it.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    STACK_SIZE = 64 * 1024,
    ENDS = 3 /* pipes: stdin, stdout, stderr */
};

typedef struct {
    ql_spawn_t s;    /* first */
    ql__exec_t exec; /* what it points to is in text */
    char *text;      /* one block: arrays, then strings */
    ql_spawn_fd_t *fds;
    int nfds;       /* of exec.fds that are open here */
    int ours[ENDS]; /* our ends of the pipes; -1: none */
    int pidfd;      /* -1: not started, or taken */
} spawn_t;

static spawn_t *
spawn_of(ql_call_t *call)
{
    return (spawn_t *) (void *) call;
}

static void
close_fd(const ql_sys_t *sys, int *fd)
{
    if (*fd >= 0) {
        (void) sys->close(*fd);
    }
    *fd = -1;
}

/* Theirs: the process has them, or will never. */
static void
close_theirs(spawn_t *spawn)
{
    for (int i = 0; i < spawn->nfds; i++) {
        close_fd(spawn->s.call.loop->sys, &spawn->fds[i].fd);
    }
    spawn->nfds = 0;
}

/* ---------------------------------------------------------- the call ---- */

static void
spawn_run(ql_call_t *call)
{
    spawn_t *spawn = spawn_of(call);
    const ql_sys_t *sys = call->loop->sys;
    char *stack = sys->memalign(16, STACK_SIZE);
    int64_t pid = -1;

    errno = ENOMEM;
    if (stack != NULL) {
        pid = sys->clone(ql__exec, stack + STACK_SIZE,
                         CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                         &spawn->exec, &spawn->pidfd);
    }
    ql__call_result(call, pid);
    if (pid == -1) {
        spawn->pidfd = -1;
        spawn->s.at = "clone";
    } else if (spawn->exec.err != 0) {
        (void) sys->waitid(P_PIDFD, (id_t) spawn->pidfd, &(siginfo_t){0},
                           WEXITED);
        close_fd(sys, &spawn->pidfd);
        spawn->s.at = spawn->exec.failed;
        call->res = -1;
        call->err = spawn->exec.err;
    } else {
        call->undo = 1;
    }
    sys->free(stack);
    close_theirs(spawn);
}

/* Nobody has taken it: it has not been started. */
static void
spawn_undo(ql_call_t *call)
{
    spawn_t *spawn = spawn_of(call);
    const ql_sys_t *sys = call->loop->sys;

    (void) sys->pidfd_send_signal(spawn->pidfd, SIGKILL, 0);
    (void) sys->waitid(P_PIDFD, (id_t) spawn->pidfd, &(siginfo_t){0}, WEXITED);
    close_fd(sys, &spawn->pidfd);
}

static void
spawn_release(ql_call_t *call)
{
    spawn_t *spawn = spawn_of(call);

    close_theirs(spawn);
    close_fd(call->loop->sys, &spawn->pidfd);
    for (int i = 0; i < ENDS; i++) {
        close_fd(call->loop->sys, &spawn->ours[i]);
    }
    ql__free(call->loop, spawn->fds);
    ql__free(call->loop, spawn->text);
}

static const ql_call_type_t spawn_type = {"exec",        NULL,       spawn_run,
                                          spawn_release, spawn_undo, NULL};

/* ------------------------------------------------------------ strings ---- */

/* Arrays of strings in one block: counted first, then copied. */
typedef struct {
    char **next; /* place of the next pointer; NULL: counting */
    char *end;   /* place of the next string */
    size_t pointers, bytes;
} block_t;

static void
add(block_t *b, const char *head, size_t n, const char *tail)
{
    size_t size = n + strlen(tail) + 1;

    if (b->next != NULL) {
        *b->next++ = b->end;
        memcpy(b->end, head, n);
        memcpy(b->end + n, tail, size - n);
        b->end += size;
    }
    b->pointers++;
    b->bytes += size;
}

static void
add_end(block_t *b)
{
    if (b->next != NULL) {
        *b->next++ = NULL;
    }
    b->pointers++;
}

static void
add_list(block_t *b, char *const *list)
{
    for (; *list != NULL; list++) {
        add(b, "", 0, *list);
    }
    add_end(b);
}

static const char *
search_path(char *const *env)
{
    for (; *env != NULL; env++) {
        if (strncmp(*env, "PATH=", 5) == 0) {
            return *env + 5;
        }
    }
    return "/usr/local/bin:/usr/bin:/bin";
}

/* dir/name for each directory of PATH; an empty one is the working one. */
static void
add_programs(block_t *b, const char *name, const char *dirs)
{
    if (strchr(name, '/') != NULL || *name == '\0') {
        add(b, "", 0, name);
        add_end(b);
        return;
    }
    for (;;) {
        size_t n = (size_t) (strchrnul(dirs, ':') - dirs);
        char full[PATH_MAX];

        if (n + 1 < sizeof(full)) {
            memcpy(full, dirs, n);
            full[n] = '/';
            add(b, full, n == 0 ? 0 : n + 1, name);
        }
        if (dirs[n] == '\0') {
            break;
        }
        dirs += n + 1;
    }
    add_end(b);
}

static void
fill(ql__exec_t *x, block_t *b, const ql_spawn_opts_t *opts)
{
    char *const *env = opts->env != NULL ? opts->env : environ;

    x->argv = b->next;
    add_list(b, opts->argv);
    x->env = b->next;
    add_list(b, env);
    x->paths = b->next;
    add_programs(b, opts->argv[0], search_path(env));
    if (opts->cwd != NULL) {
        x->cwd = b->end;
        add(b, "", 0, opts->cwd);
    }
}

static int
copy_strings(spawn_t *spawn, const ql_spawn_opts_t *opts)
{
    block_t b = {0};

    fill(&spawn->exec, &b, opts);
    spawn->text = ql__alloc(spawn->s.call.loop,
                            b.pointers * sizeof(char *) + b.bytes);
    if (spawn->text == NULL) {
        errno = ENOMEM;
        return NGX_ERROR;
    }
    b.next = (char **) (void *) spawn->text;
    b.end = spawn->text + b.pointers * sizeof(char *);
    fill(&spawn->exec, &b, opts);
    return NGX_OK;
}

/* -------------------------------------------------------- descriptors ---- */

/* Above every target, so that no dup2 of the process closes another's. */
static int
move_up(spawn_t *spawn, int fd)
{
    const ql_sys_t *sys = spawn->s.call.loop->sys;
    int up = sys->fcntl(fd, F_DUPFD_CLOEXEC, spawn->exec.limit);
    int err = errno;

    (void) sys->close(fd);
    errno = err;
    return up;
}

static int
open_pipe(spawn_t *spawn, int target)
{
    const ql_sys_t *sys = spawn->s.call.loop->sys;
    int theirs = target == STDIN_FILENO ? 0 : 1;
    int ends[2];

    if (target >= ENDS) {
        errno = EINVAL;
        return -1;
    }
    if (sys->pipe2(ends, O_CLOEXEC) == -1) {
        return -1;
    }
    spawn->ours[target] = ends[1 - theirs];
    return move_up(spawn, ends[theirs]);
}

static int
open_source(spawn_t *spawn, const ql_spawn_fd_t *f)
{
    const ql_sys_t *sys = spawn->s.call.loop->sys;
    int fd;

    switch (f->fd) {
    case QL_SPAWN_STDOUT:
        return QL_SPAWN_STDOUT;
    case QL_SPAWN_PIPE:
        return open_pipe(spawn, f->target);
    case QL_SPAWN_NULL:
        fd = sys->open("/dev/null", O_RDWR | O_CLOEXEC, 0);
        return fd == -1 ? -1 : move_up(spawn, fd);
    default:
        return sys->fcntl(f->fd, F_DUPFD_CLOEXEC, spawn->exec.limit);
    }
}

/* The copies that QL_SPAWN_STDOUT asks for come last. */
static int
open_sources(spawn_t *spawn, const ql_spawn_opts_t *opts)
{
    ql_loop_t *loop = spawn->s.call.loop;
    int n = opts->nfds;

    spawn->exec.limit = ENDS;
    for (int i = 0; i < n; i++) {
        if (opts->fds[i].target >= spawn->exec.limit) {
            spawn->exec.limit = opts->fds[i].target + 1;
        }
    }
    spawn->fds = ql__alloc(loop, ((size_t) n + 1) * sizeof(*spawn->fds));
    if (spawn->fds == NULL) {
        errno = ENOMEM;
        return NGX_ERROR;
    }
    for (int last = 0; last < 2; last++) {
        for (int i = 0; i < n; i++) {
            ql_spawn_fd_t f = opts->fds[i];

            if ((f.fd == QL_SPAWN_STDOUT) != (last == 1)) {
                continue;
            }
            f.fd = open_source(spawn, &f);
            if (f.fd == -1) {
                return NGX_ERROR;
            }
            spawn->fds[spawn->nfds++] = f;
        }
    }
    spawn->exec.fds = spawn->fds;
    spawn->exec.nfds = spawn->nfds;
    return NGX_OK;
}

/* ---------------------------------------------------------- interface ---- */

ql_spawn_t *
ql_spawn_create(ql_loop_t *loop, const ql_spawn_opts_t *opts)
{
    spawn_t *spawn;
    int err;

    QL_CHECK_THREAD(loop);
    spawn = ql_call_create(loop, &spawn_type, sizeof(*spawn));
    if (spawn == NULL) {
        return NULL;
    }
    spawn->pidfd = -1;
    for (int i = 0; i < ENDS; i++) {
        spawn->ours[i] = -1;
    }
    spawn->exec.uid = opts->uid;
    spawn->exec.gid = opts->gid;
    spawn->exec.umask = opts->umask;
    spawn->exec.pgroup = opts->pgroup;
    spawn->exec.setsid = opts->setsid;
    if (copy_strings(spawn, opts) != NGX_OK
        || open_sources(spawn, opts) != NGX_OK) {
        err = errno;
        ql_call_free(&spawn->s.call);
        errno = err;
        return NULL;
    }
    spawn->s.program = spawn->exec.argv[0];
    return &spawn->s;
}

ql_process_t *
ql_spawn_take(ql_spawn_t *s)
{
    spawn_t *spawn = spawn_of(&s->call);
    ql_process_t *p;

    QL_CHECK_THREAD(s->call.loop);
    p = ql__process_create(s->call.loop, (pid_t) s->call.res, spawn->pidfd);
    if (p != NULL) {
        p->group = spawn->exec.pgroup || spawn->exec.setsid;
        s->call.undo = 0;
        spawn->pidfd = -1;
    }
    return p;
}

int
ql_spawn_pipe(ql_spawn_t *s, int target)
{
    spawn_t *spawn = spawn_of(&s->call);
    int fd = spawn->ours[target];

    QL_CHECK_THREAD(s->call.loop);
    spawn->ours[target] = -1;
    return fd;
}
