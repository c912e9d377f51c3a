/*
 * path.h: a path as an argument, and as what a failure is about.
 */
#ifndef QUOLL_PATH_H
#define QUOLL_PATH_H

#include <lua.h>

/* The string at index arg as a path, or NULL when it has a NUL inside; raises
 * when it is no string. */
const char *ql__path(lua_State *L, int arg, const char *name,
                     const char *method);
/* nil, "path: text", CODE: 3; err as ql_push_error() takes it. why: the text,
 * where err's own words mislead; may be NULL. */
int ql__path_error(lua_State *L, const char *path, const char *why, int err);

/* nil, "a\\0b: contains a zero byte", "EINVAL": 3; of the path at index arg. */
int ql__path_zero(lua_State *L, int arg);

#endif
