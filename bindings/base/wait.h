/*
 * wait.h: how a task waits: who may, and where it goes on.
 */
#ifndef QUOLL_WAIT_H
#define QUOLL_WAIT_H

#include "../task/task.h"

/* co.c */
void ql__co_register(lua_State *L, ql_lua_t *lua);
/* Handler of every task's event. */
void ql__task_event(ql_event_t *ev);
/* The wait of t has ended with op->rc; t->op stays for take. */
void ql__unpark(ql_task_t *t);
/* Takes t out of the posted queues, and out of those that a nested drive holds
 * back. */
void ql__unpost(ql_task_t *t);
/* Leaves the coroutine L, in which t runs, and t with the topmost n values. */
int ql__yield(lua_State *L, ql_task_t *t, int n);

/* drive.c */
/* Runs the loop in L until the wait of t has ended. Not NULL: it was given up,
 * for it would end only after this task, which runs the loop further down. */
const ql_task_t *ql__drive(lua_State *L, ql_task_t *t);
/* t, which would go on, drives: it is told; or it is held back by a drive.
 * false: neither. */
bool ql__drive_holds(ql_task_t *t);

/* hold.c: lua->drive is not NULL where nothing else is said. */
/* Holds t, which would go on, back; false: it need not be. lua->drive may be
 * NULL. */
bool ql__hold(ql_task_t *t);
/* Is t held back? lua->drive may be NULL. */
bool ql__held(const ql_task_t *t);
/* The loop is about to turn: who is needed for the drive to end goes on. */
void ql__hold_look(ql_lua_t *lua);
/* The task that runs the loop further down and must go on for the wait of t,
 * which drives, to end; NULL: none. */
const ql_task_t *ql__hold_blocked(ql_task_t *t);
/* Logs, once, that tasks have been held back for slice_warn. */
void ql__hold_tell(ql_lua_t *lua);
/* A drive begins; it has ended, and lua->drive is again what it was: what it
 * held back goes on. */
void ql__hold_begin(ql_lua_t *lua);
void ql__hold_end(ql_lua_t *lua);
/* What is held back is posted: it goes on, or is held back anew. */
void ql__hold_release(ql_lua_t *lua);

/* step.c */
void ql__step_register(lua_State *L, ql_lua_t *lua);
/* Does t wait for one turn only? */
bool ql__stepping(const ql_task_t *t);
/* ms that this turn may wait for events. */
uint64_t ql__step_wait(const ql_task_t *t);
/* The turn has been. */
void ql__step_end(ql_task_t *t);

/* slice.c */
/* A coroutine is about to go on. */
void ql__slice_begin(ql_lua_t *lua);
/* Counts an immediate completion; true: the task's slice is spent. */
bool ql__slice_spend(ql_lua_t *lua);

/* waiter.c */
void ql__waiter_init(lua_State *L, ql_lua_t *lua);
void ql__waiter_register(lua_State *L, ql_lua_t *lua);
/* May L, in which the running task cannot just yield, wait as it? true: by
 * running the loop; false: by yielding outward. Raises where it may not. */
bool ql__waiter_drives(lua_State *L, ql_lua_t *lua) QL_COLD;
/* Replaces the coroutine on top of L by the one from which quoll.coroutine
 * resumed it. NULL: none did, or the main chunk. */
lua_State *ql__waiter_outward(lua_State *L, ql_lua_t *lua);
/* Pops a coroutine: is it one that nobody has resumed? Never allocates. */
bool ql__waiter_outside(lua_State *L, ql_lua_t *lua);
/* The wait of t in L never ends: the coroutines from L outward to its own,
 * which it leaves, cannot be resumed, also when those further out are
 * collected. */
void ql__waiter_strand(lua_State *L, const ql_task_t *t);
/* The own operation of the running task, for a new wait; raises while another
 * one has it: Lua may run (a finaliser, __tostring) below the loop that a
 * waiting task runs. */
ql_own_op_t *ql__own_op(lua_State *L, ql_lua_t *lua, const ql_op_type_t *type);

/* boundary.c: co cannot yield; raises in L unless only require or dofile stand
 * in between, where a wait may run the loop. */
void ql__check_boundary(lua_State *L, lua_State *co, ql_lua_t *lua) QL_COLD;
void ql__boundary_init(lua_State *L, ql_lua_t *lua);

/* load.c */
void ql__loads_init(lua_State *L, ql_lua_t *lua);
/* The running task, parked in L, is about to run the loop: notes what it is
 * loading. */
void ql__loads_note(lua_State *L, ql_lua_t *lua);
/* What was noted and is loaded no more can be loaded again. Allocates nothing
 * in Lua. */
void ql__loads_settle(lua_State *L, ql_lua_t *lua);

/* Does L run a finaliser or a hook? May raise. */
bool ql__unhooked(lua_State *L, ql_lua_t *lua);

#endif
