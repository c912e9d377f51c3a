/*
 * link.c: where paths lead: the target of a symbolic link, and the path
 * without any.
 */
#include "fs.h"

#include <string.h>

enum {
    LINK_SIZE = 256 /* bytes at first */
};

static ql_link_call_t *
link_of(ql_call_t *call)
{
    return (ql_link_call_t *) (void *) call;
}

/* The whole target, whatever its length: a full buffer may have cut it. */
static int
read_link(const ql_sys_t *sys, ql_link_call_t *l)
{
    for (size_t size = LINK_SIZE;; size *= 2) {
        char *p = sys->realloc(l->text, size);
        ssize_t n;

        if (p == NULL) {
            errno = ENOMEM;
            return -1;
        }
        l->text = p;
        n = sys->readlink(l->p.path, p, size);
        if (n == -1) {
            return -1;
        }
        if ((size_t) n < size) {
            l->length = (size_t) n;
            return 0;
        }
    }
}

static void
read_link_run(ql_call_t *call)
{
    ql__call_result(call, read_link(call->loop->sys, link_of(call)));
}

static int
real_path(const ql_sys_t *sys, ql_link_call_t *l)
{
    l->text = sys->malloc(PATH_MAX);
    if (l->text == NULL) {
        errno = ENOMEM;
        return -1;
    }
    if (sys->realpath(l->p.path, l->text) == NULL) {
        return -1;
    }
    l->length = strlen(l->text);
    return 0;
}

static void
real_path_run(ql_call_t *call)
{
    ql__call_result(call, real_path(call->loop->sys, link_of(call)));
}

static void
link_release(ql_call_t *call)
{
    ql__free(call->loop, link_of(call)->text);
}

static const ql_call_type_t read_link_type = {"readlink",   NULL, read_link_run,
                                              link_release, NULL, NULL};
static const ql_call_type_t real_path_type = {"realpath",   NULL, real_path_run,
                                              link_release, NULL, NULL};

ql_link_call_t *
ql_readlink(ql_loop_t *loop, const char *path)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &read_link_type, sizeof(ql_link_call_t), path,
                         NULL);
}

ql_link_call_t *
ql_realpath(ql_loop_t *loop, const char *path)
{
    QL_CHECK_THREAD(loop);
    return ql__path_call(loop, &real_path_type, sizeof(ql_link_call_t), path,
                         NULL);
}
