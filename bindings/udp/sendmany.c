/*
 * sendmany.c: a list of datagrams, by as few system calls as it takes.
 */
#include "../core/gather.h"
#include "udp.h"

enum {
    SELF = 1, /* places on the stack */
    LIST,
    FIRST,
    DATA, /* a table that keeps the data alive, whatever becomes of the list */
    LETTERS /* letters_t */
};

/* What the kernel is given, in one userdata; msgs first. */
typedef struct {
    struct mmsghdr *msgs;
    struct iovec *iov;
    ql_sockaddr_t *to;
} letters_t;

static void
letters_new(lua_State *L, uint32_t n, letters_t *letters)
{
    size_t msgs = n * sizeof(*letters->msgs), iov = n * sizeof(*letters->iov);
    char *bytes = lua_newuserdata(L, msgs + iov + n * sizeof(*letters->to));

    letters->msgs = (void *) bytes;
    letters->iov = (void *) (bytes + msgs);
    letters->to = (void *) (bytes + msgs + iov);
}

/* The data are on top of the stack: into DATA they go. */
static void
letter_data(lua_State *L, letters_t *letters, uint32_t i)
{
    struct iovec *iov = &letters->iov[i];
    size_t size;
    const char *data = ql_gather_bytes(L, lua_gettop(L), "sendmany", &size);

    *iov = (struct iovec){(void *) (uintptr_t) data, size};
    letters->msgs[i].msg_hdr = (struct msghdr){.msg_iov = iov, .msg_iovlen = 1};
    lua_rawseti(L, DATA, (int) i + 1);
}

/* The address of the entry on top of the stack, if it has one. NGX_OK, or
 * NGX_ERROR with nil, err, CODE pushed. */
static int
letter_address(lua_State *L, ql_udp_t *u, letters_t *letters, uint32_t i)
{
    int entry = lua_gettop(L);

    lua_rawgeti(L, entry, 2);
    lua_rawgeti(L, entry, 3);
    if (!lua_isnil(L, entry + 1)) {
        struct msghdr *msg = &letters->msgs[i].msg_hdr;

        if (ql__udp_address(L, entry + 1, u, "sendmany", &letters->to[i])
            != NGX_OK) {
            return NGX_ERROR;
        }
        msg->msg_name = &letters->to[i].u;
        msg->msg_namelen = letters->to[i].len;
    }
    lua_settop(L, entry);
    return NGX_OK;
}

/* The entry on top of the stack: data, or {data, [address, [port]]}; it is
 * popped. */
static int
letter(lua_State *L, ql_udp_t *u, letters_t *letters, uint32_t i)
{
    if (!lua_istable(L, -1)) {
        letter_data(L, letters, i);
        return NGX_OK;
    }
    lua_rawgeti(L, -1, 1);
    letter_data(L, letters, i);
    if (letter_address(L, u, letters, i) != NGX_OK) {
        return NGX_ERROR;
    }
    lua_pop(L, 1);
    return NGX_OK;
}

/* datagrams | nil, err, datagrams, CODE */
static int
sendmany_push(lua_State *L, ql_op_t *op, int rc)
{
    const ql_udp_t *u = ql_queue_data(op, ql_udp_t, wop);

    lua_pushinteger(L, (lua_Integer) u->out.sent);
    return rc == NGX_OK ? 1 : ql_push_error_partial(L, op->err);
}

static const ql_op_type_t sendmany_op = {
    .name = "sendmany",
    .attempt = ql__udp_send_attempt,
    .push = sendmany_push,
    .cancel = ql__udp_send_cancel,
    .describe = ql__udp_send_describe,
};

static int
fail(lua_State *L, ql_udp_t *u, int err)
{
    lua_pushinteger(L, 0);
    return ql_return(L, u->wop.lua, ql_push_error_partial(L, err));
}

/* How many entries there are from `first` on; raises. */
static uint32_t
check_entries(lua_State *L, int *first)
{
    int n;

    if (!lua_istable(L, LIST)) {
        ql_bad_argument(L, LIST, "list", "sendmany", "an array of datagrams");
    }
    *first = lua_isnil(L, FIRST)
               ? 1
               : (int) ql_check_whole(L, FIRST, "first", "sendmany", 1,
                                      INT32_MAX);
    n = (int) lua_objlen(L, LIST);
    return *first <= n ? (uint32_t) (n - *first + 1) : 0;
}

/* sendmany(self, list, [first]) -> datagrams | nil, err, datagrams, CODE */
static int
udp_sendmany(lua_State *L)
{
    ql_udp_t *u = ql__udp_check(L, SELF, "sendmany");
    letters_t letters;
    uint32_t n;
    int first, err;

    lua_settop(L, FIRST);
    n = check_entries(L, &first);
    lua_createtable(L, (int) n, 0);
    letters_new(L, n, &letters);
    for (uint32_t i = 0; i < n; i++) {
        lua_rawgeti(L, LIST, first + (int) i);
        if (letter(L, u, &letters, i) != NGX_OK) {
            lua_pushinteger(L, 0);
            lua_insert(L, -2); /* nil, err, 0, CODE */
            return ql_return(L, u->wop.lua, 4);
        }
    }
    err = ql__udp_writer_error(u);
    if (err != 0) {
        return fail(L, u, err);
    }
    u->out.msgs = letters.msgs;
    u->out.count = n;
    return ql__udp_send_start(L, u, &sendmany_op);
}

const luaL_Reg ql__udp_sendmany_functions[] = {{"sendmany", udp_sendmany},
                                               {NULL, NULL}};
