/*
 * file_share.c: another handle of an open file: who got it closes it, whatever
 * becomes of the first one.
 */
#include "file.h"

/* share(self) -> file | nil, err, CODE */
static int
file_share(lua_State *L)
{
    ql_lua_file_t *f = ql__file_self(L, "share");
    ql_lua_file_t *other;

    if (f == NULL) {
        return 3;
    }
    lua_settop(L, 1);
    other = ql__file_new(L, f->core, f->path);
    if (f->handle.closed) { /* by a finaliser just now */
        return ql_push_error(L, f->handle.closed);
    }
    ql_file_hold(f->file);
    other->file = f->file;
    ql_handle_open(&other->handle);
    return 1;
}

const luaL_Reg ql__file_share_functions[] = {{"share", file_share},
                                             {NULL, NULL}};
