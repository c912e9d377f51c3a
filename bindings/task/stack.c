/*
 * stack.c: the traceback of a coroutine, also of one that has failed.
 */
#include "../base/state.h"

#include <stdlib.h>
#include <string.h>

static const char stack_title[] = "stack traceback:\n\t";

/*
 * LuaJIT keeps where a function is beside its call of another one, or in the C
 * frame that runs it. The innermost one of a coroutine that the VM itself has
 * ended, by indexing nil, has neither; but the VM's words begin with the place.
 * Its line, 0: it is not lost, or not to be had. *ar: the function.
 */
static int
stack_lost_line(lua_State *co, const char *error, lua_Debug *ar)
{
    size_t len;
    char *end;
    long line;

    if (error == NULL || lua_status(co) <= LUA_YIELD
        || !lua_getstack(co, 0, ar)) {
        return 0;
    }
    lua_getinfo(co, "Sl", ar);
    len = strlen(ar->short_src);
    if (ar->currentline > 0 || ar->linedefined < 0
        || strncmp(error, ar->short_src, len) != 0 || error[len] != ':')
    {
        return 0;
    }
    line = strtol(error + len + 1, &end, 10);
    return *end == ':' && line >= ar->linedefined && line <= ar->lastlinedefined
             ? (int) line
             : 0;
}

/* Puts the line behind the first source of the traceback on top, which begins
 * after from bytes. */
static void
stack_add_line(lua_State *L, size_t from, const lua_Debug *ar, int line)
{
    const char *text = lua_tostring(L, -1);
    size_t at = from + strlen(stack_title) + strlen(ar->short_src);

    if (lua_objlen(L, -1) > at && text[at] == ':') {
        lua_pushlstring(L, text, at);
        lua_pushfstring(L, ":%d%s", line, text + at);
        lua_concat(L, 2);
        lua_replace(L, -2);
    }
}

void
ql__stack_push(lua_State *L, lua_State *co, const char *head, const char *error)
{
    lua_Debug ar;
    int line = stack_lost_line(co, error, &ar);

    luaL_traceback(L, co, head, co == L ? 1 : 0);
    if (line != 0) {
        stack_add_line(L, head != NULL ? strlen(head) + 1 : 0, &ar, line);
    }
}
