/*
 * lookup.c: the wait for the answers to one or two questions about a name.
 */
#include "dns.h"

#include <errno.h>
#include <stdio.h>

enum {
    QUESTIONS = 2
};

typedef struct lookup_s lookup_t;

typedef struct {
    ql_dns_wait_t wait;
    lookup_t *lookup;
    int type;
} question_t;

struct lookup_s {
    ql_handle_t handle;
    ql_op_t op;
    ql_dns_channel_t *channel; /* anchored beside the lookup */
    const char *name;          /* anchored beside the lookup */
    question_t questions[QUESTIONS];
    int n;      /* length of questions */
    int joined; /* so many of them have a flight */
};

static lookup_t *
lookup_of(ql_op_t *op)
{
    return ql_queue_data(op, lookup_t, op);
}

static void
let_go(lookup_t *l)
{
    int i;

    for (i = 0; i < l->n; i++) {
        ql__dns_leave(&l->questions[i].wait);
    }
}

static bool
answered(const lookup_t *l)
{
    int i;

    for (i = 0; i < l->n; i++) {
        if (l->questions[i].wait.flight->active) {
            return false;
        }
    }
    return true;
}

static void
on_landed(ql_dns_wait_t *w)
{
    lookup_t *l = ql_queue_data(w, question_t, wait)->lookup;

    if (l->op.task != NULL && answered(l)) {
        ql_op_done(&l->op);
    }
}

/* ----------------------------------------------------------- operation ---- */

static int
lookup_attempt(ql_op_t *op)
{
    lookup_t *l = lookup_of(op);

    for (; l->joined < l->n; l->joined++) {
        question_t *q = &l->questions[l->joined];

        if (ql__dns_join(l->channel, &q->wait, l->name, q->type) != NGX_OK) {
            op->err = errno;
            return NGX_ERROR;
        }
    }
    return answered(l) ? NGX_OK : NGX_AGAIN;
}

/* What c-ares says of an answer, as a CODE. */
static const char *
code_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return "OK";
    case ARES_ENODATA:
        return "ENODATA";
    case ARES_EFORMERR:
        return "EFORMERR";
    case ARES_ENOTFOUND:
        return "ENOTFOUND";
    case ARES_ENOTIMP:
        return "ENOTIMP";
    case ARES_EREFUSED:
        return "EREFUSED";
    case ARES_ETIMEOUT:
        return "TIMEOUT";
    case ARES_EBADRESP:
    case ARES_EBADNAME:
        return "EBADRESP";
    case ARES_ECONNREFUSED:
        return "ENOSERVER";
    case ARES_ENOMEM:
        return "ENOMEM";
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
        return "ECANCELED";
    default:
        return "ESERVFAIL";
    }
}

static int
lookup_push(lua_State *L, ql_op_t *op, int rc)
{
    lookup_t *l = lookup_of(op);
    int i;

    if (rc != NGX_OK) {
        return ql_push_error(L, op->err);
    }
    for (i = 0; i < l->n; i++) {
        const ql_dns_flight_t *f = l->questions[i].wait.flight;

        if (f->answer != NULL) {
            lua_pushlstring(L, (const char *) f->answer, f->size);
        } else {
            lua_pushboolean(L, 0);
        }
        lua_pushstring(L, code_of(f->status));
    }
    return 2 * l->n;
}

static void
lookup_leave(ql_op_t *op)
{
    let_go(lookup_of(op));
}

static void
lookup_describe(ql_op_t *op, char *text, size_t size)
{
    (void) snprintf(text, size, "resolve %s", lookup_of(op)->name);
}

static const ql_op_type_t lookup_op = {"resolve",    lookup_attempt,
                                       lookup_push,  lookup_leave,
                                       lookup_leave, lookup_describe};

/* Of a userdata that a push that raised left behind. */
static void
lookup_close(ql_handle_t *h, int err)
{
    lookup_t *l = ql_queue_data(h, lookup_t, handle);

    ql_op_end(&l->op, err);
    let_go(l);
}

static const ql_handle_type_t lookup_type = {"lookup", lookup_close, NULL};

/* ------------------------------------------------------------ function ---- */

static lookup_t *
new_lookup(lua_State *L, ql_lua_t *lua, const char *name)
{
    lookup_t *l = ql_handle_new(L, lua, &lookup_type, sizeof(*l));

    ql_op_init(&l->op, &lookup_op, lua);
    l->name = name;
    ql_handle_open(&l->handle);
    ql_handle_own(&l->handle, NULL);
    return l;
}

int
ql__dns_query(lua_State *L)
{
    ql_resolver_t *r = ql_handle_check(L, 1, &ql__resolver_type, "query");
    const char *name = luaL_checkstring(L, 2);
    uint64_t timeout = ql_check_timeout(L, 3, "timeout", "query");
    int types = lua_gettop(L) - 3, i;
    lookup_t *l;

    luaL_argcheck(L, types >= 1 && types <= QUESTIONS, 4, "one or two types");
    if (r->handle.closed) {
        return ql_push_error(L, r->handle.closed);
    }
    ql_check_wait(L, r->handle.lua);
    if (ql_lua_ready(r->handle.lua, L) == NULL
        || ql__dns_ready(&r->channel) != NGX_OK)
    {
        return ql_push_error(L, errno);
    }
    l = new_lookup(L, r->handle.lua, name);
    l->channel = &r->channel;
    l->op.timeout = timeout;
    for (i = 0; i < types; i++) {
        l->questions[i].wait.landed = on_landed;
        l->questions[i].lookup = l;
        l->questions[i].type = ql__dns_check_type(L, 4 + i);
    }
    l->n = types;
    return ql_await(L, &l->op, lua_gettop(L));
}
