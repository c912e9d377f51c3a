/*
 * end.c: how tasks end. No task ends before its children; then what it owns
 * is closed, newest first, and who waits for it goes on. Runs between
 * coroutines, so nothing here may allocate in Lua.
 */
#include "../base/misuse.h"
#include "../base/state.h"
#include "core/sys.h"

/* Handles that a task returns move to the scope that gets them. */
static void
end_pass_handles(ql_task_t *t)
{
    for (int i = t->L != NULL ? lua_gettop(t->L) : 0; i > 0; i--) {
        ql_handle_t *h = ql_handle_test(t->L, i);

        if (h != NULL && h->owner == t) {
            ql_handle_own(h, t->scope.parent->task);
        }
    }
}

/* The only result, when the collector has nothing to do with it. true: the
 * coroutine has no other. */
static bool
end_keep_result(ql_outcome_t *o)
{
    int n = lua_gettop(o->L);

    if (n != 1) {
        return n == 0;
    }
    o->value_type = (int8_t) lua_type(o->L, 1);
    switch (o->value_type) {
    case LUA_TNUMBER:
        o->value = lua_tonumber(o->L, 1);
        break;
    case LUA_TBOOLEAN:
        o->value = lua_toboolean(o->L, 1);
        break;
    case LUA_TNIL:
        break;
    default:
        return false;
    }
    o->kept = 1;
    return true;
}

/* What nobody can ask for any more is dropped with the coroutine. */
static void
end_drop_coroutine(ql_task_t *t)
{
    lua_State *L = t->lua->driver;

    if (t->L == NULL || t->outcome == NULL
        || (t->state != QL_TASK_CANCELLED
            && (t->state != QL_TASK_DONE || lua_gettop(t->L) != 0)))
    {
        return;
    }
    ql__task_push(L, t);
    lua_getfenv(L, -1);
    lua_pushnil(L);
    lua_rawseti(L, -2, QL_TASK_THREAD);
    lua_pop(L, 2);
    t->outcome->L = NULL;
}

/* It serves the next task if all that this one leaves is a plain result. */
static void
end_leave_coroutine(ql_task_t *t)
{
    bool plain = t->state == QL_TASK_DONE && !t->marked && !t->locals;
    ql_outcome_t *o = t->outcome;

    if (t->berth == 0) {
        end_drop_coroutine(t);
    } else if (plain && o == NULL) {
        ql__idle_give(t->lua, t->berth);
    } else if (plain && end_keep_result(o)) {
        ql__idle_give(t->lua, t->berth);
        o->L = NULL;
        o->given = 1;
    } else {
        end_drop_coroutine(t);
        ql__idle_lose(t->lua, t->berth);
    }
}

/* From here on scripts see a task that has ended. */
static void
end_tell(const ql_task_t *t)
{
    ql_outcome_t *o = t->outcome;

    if (o == NULL) {
        return;
    }
    o->task = NULL;
    o->L = t->L;
    o->fault = t->fault;
    o->state = t->state;
}

/* The last one is kept for the next spawn; not from AddressSanitizer, which is
 * to see who still uses it. */
static void
end_free(ql_lua_t *lua, ql_task_t *t)
{
#ifdef __SANITIZE_ADDRESS__
    ql_loop_sys(lua->loop)->free(t);
#else
    ql_loop_sys(lua->loop)->free(lua->spare);
    lua->spare = t;
#endif
}

static void
end_task(ql_task_t *t)
{
    ql_lua_t *lua = t->lua;
    ql_scope_t *parent = t->scope.parent;

    ql__handles_close(t);
    ql__check_over(t);
    t->state = t->result;
    end_tell(t);
    if (t->state == QL_TASK_FAILED) {
        lua->failed++;
        if (!ql__block_failed(t) && !ql__join_awaited(t) && !t->quiet) {
            ql__report_failure(t);
        }
    }
    ql__scope_remove(&t->scope);
    lua->ended++;
    ql__join_ended(t);
    ql__join_child(parent);
    end_leave_coroutine(t);
    ql__anchor_drop(lua, t->scope.ref);
    end_free(lua, t);
    if (ql_task_count(lua) == 0) {
        ql__stop_idle(lua);
        ql__signals_idle(lua);
    }
}

void
ql__tasks_free(ql_lua_t *lua, const ql_sys_t *sys)
{
    ql_scope_t *s = &lua->root.scope;

    for (;;) {
        ql_scope_t *parent = s->parent;

        if (!ql_queue_empty(&s->children)) {
            s = ql_queue_data(s->children.next, ql_scope_t, sibling);
            continue;
        }
        if (parent == NULL) {
            break;
        }
        ql_queue_remove(&s->sibling);
        if (!s->block) {
            s->task->state = QL_TASK_CANCELLED;
            s->task->L = NULL;
            end_tell(s->task);
            ql__check_over(s->task);
            sys->free(s->task);
        }
        s = parent;
    }
    lua->current = &lua->root;
    sys->free(lua->spare);
    lua->spare = NULL;
}

void
ql__task_settle(ql_task_t *t)
{
    while (t->state == QL_TASK_CLOSING && t->scope.ntasks == 0) {
        ql_task_t *parent = t->scope.parent->task;

        if (t->result == QL_TASK_DONE) {
            end_pass_handles(t);
        }
        if (t->deferred && ql__defer_start(t)) {
            return;
        }
        end_task(t);
        t = parent;
    }
}

void
ql__task_close(ql_task_t *t, ql_task_state_t result)
{
    if (t->event.timer_set) {
        ql_del_timer(t->lua->loop, &t->event);
    }
    t->state = QL_TASK_CLOSING;
    t->result = (uint8_t) result;
    ql__scope_unwind(t, &t->scope);
    if (result != QL_TASK_DONE) {
        ql__task_cancel(t, "the task that spawned it ended");
    }
    ql__task_settle(t);
}

void
ql__task_returned(ql_task_t *t, int status)
{
    if (t->unwinding) {
        ql__defer_returned(t, status);
    } else if (status == 0) {
        ql__task_close(t, QL_TASK_DONE);
    } else if (t->forced) {
        ql__report_failure(t);
        if (t->outcome != NULL) {
            t->outcome->forced = 1;
        }
        ql__task_close(t, QL_TASK_CANCELLED);
    } else if (status == LUA_YIELD) {
        t->fault = QL_FAULT_YIELDED;
        ql__task_close(t, QL_TASK_FAILED);
    } else if (t->cancelled && ql__is_cancellation(t->L, -1)) {
        ql__task_close(t, QL_TASK_CANCELLED);
    } else {
        ql__task_close(t, QL_TASK_FAILED);
    }
}
