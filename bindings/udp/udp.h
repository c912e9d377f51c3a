/*
 * udp.h: a datagram socket as a script holds it, and what the files of its
 * methods share. One receive and one send may wait at the same time.
 */
#ifndef QUOLL_UDP_H
#define QUOLL_UDP_H

#include "../stream/connection.h"
#include "datagrams.h"

#include <sys/socket.h>

/* What a send still has to write. */
typedef struct {
    struct mmsghdr *msgs; /* anchored, or `one` */
    uint32_t count;       /* of msgs */
    uint32_t sent;        /* of these */
    struct mmsghdr one;   /* of a single datagram, with */
    struct iovec bytes;   /* its bytes, anchored, and */
    ql_sockaddr_t to;     /* its address */
} ql_outgoing_t;

typedef struct {
    ql_handle_t handle;
    ql_core_t *core;
    ql_connection_t *c;     /* NULL: closed */
    unsigned automatic : 1; /* the first address says of which family */
    unsigned connected : 1; /* it has a peer */
    unsigned rlate : 1; /* a select met the failure of rop.err: the next receive
                           tells it */
    ql_select_t *selector; /* of the select that waits; NULL: none does */
    ql_op_t rop;           /* receives */
    ql_op_t wop;           /* sends */
    ql_buffer_t in;        /* received, not asked for yet; stays while strings
                              are made of it (rop.pushing), whoever closes */
    uint32_t size;         /* receive: bytes of a datagram at most */
    uint32_t count;        /* receivemany: datagrams at most */
    ql_outgoing_t out;
} ql_udp_t;

extern const ql_handle_type_t ql__udp_type;
extern const ql_select_type_t ql__udp_select;
extern const luaL_Reg ql__udp_receive_functions[];
extern const luaL_Reg ql__udp_send_functions[];
extern const luaL_Reg ql__udp_sendmany_functions[];
extern const luaL_Reg ql__udp_name_functions[];
extern const luaL_Reg ql__udp_option_functions[];
extern const luaL_Reg ql__udp_multicast_functions[];

static inline ql_udp_t *
ql__udp_check(lua_State *L, int idx, const char *method)
{
    return ql_handle_check(L, idx, &ql__udp_type, method);
}

static inline bool
ql__udp_receiver_busy(const ql_udp_t *u)
{
    return u->selector != NULL || ql_op_waiting(&u->rop);
}

/* A socket of this family in place of the one it has, if any; a unix one gets
 * a name. NGX_ERROR with errno: it keeps what it has. */
int ql__udp_open_socket(ql_udp_t *u, int family);
/* A batch into the empty u->in. NGX_OK, NGX_AGAIN, or NGX_ERROR with rop.err. */
int ql__udp_fill(ql_udp_t *u);
/* Why nothing can be sent now; 0: it can. */
static inline int
ql__udp_writer_error(const ql_udp_t *u)
{
    return u->handle.closed       ? u->handle.closed
         : ql_op_waiting(&u->wop) ? QL_E_BUSY_WRITING
                                  : 0;
}

/* Sends u->out; everything on the stack is kept alive meanwhile. */
int ql__udp_send_start(lua_State *L, ql_udp_t *u, const ql_op_type_t *type);
/* What the types of sends have in common. */
int ql__udp_send_attempt(ql_op_t *op);
void ql__udp_send_cancel(ql_op_t *op);
void ql__udp_send_describe(ql_op_t *op, char *text, size_t size);

/* "verb 127.0.0.1:53 (fd 9)", with its own address. */
void ql__udp_describe(const ql_udp_t *u, const char *verb, char *text,
                      size_t size);

/*
 * The address at index arg, alone ("127.0.0.1:53", "unix:/p") or with its port
 * at the next; of a socket's family: an IPv4 one is mapped where the socket is
 * IPv6, and the first one that an automatic socket meets chooses. NGX_OK, or
 * NGX_ERROR with nil, err, CODE pushed; raises when it is none.
 */
int ql__udp_address(lua_State *L, int arg, ql_udp_t *u, const char *method,
                    ql_sockaddr_t *addr);
/* Pushes IP address and port, or a unix name and nil, or, where there is no
 * name, two nils: 2. */
int ql__udp_push_address(lua_State *L, const ql_sockaddr_t *addr);
/* The interface at index arg, by name or number, 0: none given; -1 with nil,
 * err, CODE pushed: there is none of that name; raises. */
int ql__udp_interface(lua_State *L, int arg, const char *method);

#endif
