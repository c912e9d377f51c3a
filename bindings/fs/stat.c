/*
 * stat.c: what a path leads to, as a table.
 */
#include "fs.h"

#include <sys/stat.h>

static const char *
type_name(unsigned mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "file";
    case S_IFDIR:
        return "directory";
    case S_IFLNK:
        return "link";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    case S_IFCHR:
        return "char";
    case S_IFBLK:
        return "block";
    default:
        return NULL;
    }
}

void
ql__fs_push_type(lua_State *L, unsigned mode)
{
    const char *name = type_name(mode);

    if (name != NULL) {
        lua_pushstring(L, name);
    } else {
        lua_pushnil(L);
    }
}

/* Not t / 1e9: what a double holds of the seconds stays exact. */
static void
set_time(lua_State *L, const char *name, int64_t t)
{
    int64_t seconds = t / 1000000000;

    lua_pushnumber(L, (double) seconds
                          + (double) (t - seconds * 1000000000) / 1e9);
    lua_setfield(L, -2, name);
}

static void
set_number(lua_State *L, const char *name, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

void
ql__fs_push_info(lua_State *L, const ql_file_info_t *info)
{
    lua_createtable(L, 0, 13);
    ql__fs_push_type(L, info->mode);
    lua_setfield(L, -2, "type");
    set_number(L, "size", (double) info->size);
    set_number(L, "blocks", (double) info->blocks);
    set_number(L, "mode", info->mode & 07777);
    set_number(L, "nlink", info->nlink);
    set_number(L, "uid", info->uid);
    set_number(L, "gid", info->gid);
    set_number(L, "dev", (double) info->dev);
    set_number(L, "ino", (double) info->ino);
    set_time(L, "atime", info->atime);
    set_time(L, "mtime", info->mtime);
    set_time(L, "ctime", info->ctime);
    if (info->birthtime_known) {
        set_time(L, "birthtime", info->birthtime);
    }
}

static int
push_info(lua_State *L, ql_call_t *call, int err)
{
    const ql_info_call_t *i = (const ql_info_call_t *) (void *) call;

    if (err != 0) {
        return ql__fs_call_error(L, call, err);
    }
    ql__fs_push_info(L, &i->info);
    return 1;
}

static int
stat_with(lua_State *L, const char *method,
          ql_info_call_t *(*create)(ql_loop_t *loop, const char *path,
                                    const char *root))
{
    ql_core_t *core = ql_core(L);
    const char *path = ql__path(L, 1, "path", method);
    ql_loop_t *loop = ql_check_loop(L, core->lua);
    const char *root;
    ql_lua_call_t *w;

    if (path == NULL) {
        return ql__path_zero(L, 1);
    }
    if (!ql__fs_root(L, 2, method, &root)) {
        return ql__path_zero(L, 2);
    }
    w = ql_lua_call_new(L, core->lua, push_info);
    return ql__fs_await(L, w, create(loop, path, root));
}

/* stat(path, root) -> table | nil, "path: err", CODE; waits */
static int
fs_stat(lua_State *L)
{
    return stat_with(L, "stat", ql_file_info);
}

/* lstat(path, root) -> table | nil, "path: err", CODE; waits */
static int
fs_lstat(lua_State *L)
{
    return stat_with(L, "lstat", ql_link_info);
}

void
ql__open_fs_stat(lua_State *L, ql_core_t *core)
{
    static const luaL_Reg fns[] = {
        {"stat", fs_stat}, {"lstat", fs_lstat}, {NULL, NULL}};

    ql_core_register(L, core, fns);
}
