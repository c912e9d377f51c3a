/*
 * fs.h: what the bindings of operations on paths share.
 */
#ifndef QUOLL_LUA_FS_H
#define QUOLL_LUA_FS_H

#include "../core/core.h"
#include "../core/path.h"

/* As ql__path_error(), for the path that it failed at and its `why`. */
int ql__fs_call_error(lua_State *L, const ql_call_t *call, int err);
/* The option at index arg: *root, NULL where it is nil; false: there is a zero
 * byte in it. */
bool ql__fs_root(lua_State *L, int arg, const char *method, const char **root);
/* true, or the failure: a push function of ql_lua_call_new(). */
int ql__fs_push_true(lua_State *L, ql_call_t *call, int err);
/* Waits for call, which begins with a ql_path_call_t; NULL: errno says why there
 * is none. */
int ql__fs_await(lua_State *L, ql_lua_call_t *w, void *call);

/* "file", "directory", ... as mode (st_mode) says; nil: unknown */
void ql__fs_push_type(lua_State *L, unsigned mode);
/* The table that stat returns. */
void ql__fs_push_info(lua_State *L, const ql_file_info_t *info);

/* Each adds its functions to the table on top of the stack. */
void ql__open_fs_path(lua_State *L, ql_core_t *core);
void ql__open_fs_stat(lua_State *L, ql_core_t *core);
void ql__open_fs_readdir(lua_State *L, ql_core_t *core);
void ql__open_fs_save(lua_State *L, ql_core_t *core);
void ql__open_fs_tempfile(lua_State *L, ql_core_t *core);

#endif
