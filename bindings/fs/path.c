/*
 * path.c: operations on one or two paths whose result is a word: true, a
 * number of bytes, a path.
 */
#include "fs.h"

/* ------------------------------------------------------------- results ---- */

static int
push_number(lua_State *L, ql_call_t *call, int err)
{
    if (err != 0) {
        return ql__fs_call_error(L, call, err);
    }
    lua_pushnumber(L, (lua_Number) call->res);
    return 1;
}

static int
push_link(lua_State *L, ql_call_t *call, int err)
{
    const ql_link_call_t *l = (const ql_link_call_t *) (void *) call;

    if (err != 0) {
        return ql__fs_call_error(L, call, err);
    }
    lua_pushlstring(L, l->text, l->length);
    return 1;
}

/* ------------------------------------------------------------- calls ---- */

static void *
create_mkdir(lua_State *L, ql_loop_t *loop, const char *path, const char *to,
             const char *root)
{
    unsigned mode = 0777;

    (void) to;
    if (!lua_isnoneornil(L, 4)) {
        mode = (unsigned) ql_check_whole(L, 4, "permissions", "mkdir", 0,
                                         07777);
    }
    return lua_toboolean(L, 3) ? ql_create_full_path(loop, path, mode, root)
                               : ql_create_dir(loop, path, mode, root);
}

static void *
create_unlink(lua_State *L, ql_loop_t *loop, const char *path, const char *to,
              const char *root)
{
    (void) L;
    (void) to;
    return ql_delete_file(loop, path, root);
}

static void *
create_rmdir(lua_State *L, ql_loop_t *loop, const char *path, const char *to,
             const char *root)
{
    (void) L;
    (void) to;
    return ql_delete_dir(loop, path, root);
}

static void *
create_readlink(lua_State *L, ql_loop_t *loop, const char *path, const char *to,
                const char *root)
{
    (void) L;
    (void) to;
    return ql_readlink(loop, path, root);
}

static void *
create_realpath(lua_State *L, ql_loop_t *loop, const char *path, const char *to,
                const char *root)
{
    (void) L;
    (void) to;
    return ql_realpath(loop, path, root);
}

static void *
create_rename(lua_State *L, ql_loop_t *loop, const char *from, const char *to,
              const char *root)
{
    (void) L;
    return ql_rename_file(loop, from, to, root);
}

static void *
create_symlink(lua_State *L, ql_loop_t *loop, const char *target,
               const char *path, const char *root)
{
    (void) L;
    return ql_symlink(loop, target, path, root);
}

static void *
create_copy(lua_State *L, ql_loop_t *loop, const char *from, const char *to,
            const char *root)
{
    return ql_copy_file(loop, from, to, lua_toboolean(L, 4) ? QL_COPY_EXCL : 0,
                        root);
}

/* ---------------------------------------------------------- functions ---- */

typedef struct {
    const char *name;   /* as scripts call it */
    const char *first;  /* name of its first path */
    const char *second; /* and of its second; NULL: it has one */
    int (*push)(lua_State *L, ql_call_t *call, int err);
    /* Behind the paths on the stack: root, then further arguments. */
    void *(*create)(lua_State *L, ql_loop_t *loop, const char *first,
                    const char *second, const char *root);
} operation_t;

/* mkdir(path, root, parents, permissions) copyfile(from, to, root, excl); the
 * others have paths and root only, which may be nil. All: the result, or nil,
 * "path: err", CODE; waits. */
static const operation_t operations[] = {
    {"mkdir", "path", NULL, ql__fs_push_true, create_mkdir},
    {"unlink", "path", NULL, ql__fs_push_true, create_unlink},
    {"rmdir", "path", NULL, ql__fs_push_true, create_rmdir},
    {"readlink", "path", NULL, push_link, create_readlink},
    {"realpath", "path", NULL, push_link, create_realpath},
    {"rename", "from", "to", ql__fs_push_true, create_rename},
    {"symlink", "target", "path", ql__fs_push_true, create_symlink},
    {"copyfile", "from", "to", push_number, create_copy},
};

/* The operation is upvalue 2. */
static int
fs_operation(lua_State *L)
{
    ql_core_t *core = ql_core(L);
    const operation_t *o = lua_touserdata(L, lua_upvalueindex(2));
    const char *first = ql__path(L, 1, o->first, o->name);
    const char *second = first, *root;
    int nroot = o->second != NULL ? 3 : 2;
    ql_loop_t *loop = ql_check_loop(L, core->lua);
    ql_lua_call_t *w;

    if (o->second != NULL) {
        second = ql__path(L, 2, o->second, o->name);
    }
    if (first == NULL || second == NULL) {
        return ql__path_zero(L, first == NULL ? 1 : 2);
    }
    if (!ql__fs_root(L, nroot, o->name, &root)) {
        return ql__path_zero(L, nroot);
    }
    w = ql_lua_call_new(L, core->lua, o->push);
    return ql__fs_await(L, w, o->create(L, loop, first, second, root));
}

void
ql__open_fs_path(lua_State *L, ql_core_t *core)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        lua_pushlightuserdata(L, core);
        lua_pushlightuserdata(L, (void *) (uintptr_t) &operations[i]);
        lua_pushcclosure(L, fs_operation, 2);
        lua_setfield(L, -2, operations[i].name);
    }
}
