/*
 * file_close.c: file:close(), which waits for what close(2) says of a file
 * that may have been written. A file's other ends (its owner's, the
 * collector's) wait for nothing.
 */
#include "file.h"

#include <errno.h>

static int
close_push(lua_State *L, ql_call_t *call, int err)
{
    (void) call;
    if (err != 0) {
        return ql__file_error(L, lua_touserdata(L, 1), err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* close(self) -> true | nil, "closed" or "path: err", CODE; waits. */
static int
file_close(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "close");
    ql_lua_call_t *w;

    if (f == NULL) {
        return 3;
    }
    if (!f->file->writable) {
        ql_handle_close(&f->handle, QL_E_CLOSED);
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_settop(L, 1);
    w = ql_lua_call_new(L, f->core->lua, close_push);
    if (f->handle.closed) { /* by a finaliser just now */
        return ql_push_error(L, f->handle.closed);
    }
    w->call = ql_close_create(f->file);
    if (w->call == NULL) {
        return ql__file_error(L, f, errno);
    }
    w->about = f->path;
    f->file = NULL;
    ql_handle_close(&f->handle, QL_E_CLOSED);
    return ql_lua_call_await(L, w);
}

const luaL_Reg ql__file_close_functions[] = {{"close", file_close},
                                             {NULL, NULL}};
