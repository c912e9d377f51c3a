/*
 * slice.c: how long a task may go on without waiting, so that a fast peer
 * starves nobody and timers come in time. What came at once is counted; the
 * clock is looked at now and then.
 */
#include "state.h"

enum {
    SLICE_BUDGET = 64,     /* immediate completions per resume */
    SLICE_NS = 500 * 1000, /* time per resume spent on such */
    SLICE_CHECK = 8        /* completions between two looks at the clock */
};

void
ql__slice_begin(ql_lua_t *lua)
{
    lua->budget = SLICE_BUDGET;
    lua->slice = 0;
    ql__account_begin(&lua->account, lua->loop);
    if (ql__watchdog_on(&lua->watchdog)) {
        ql__watchdog_slice(lua);
    }
}

bool
ql__slice_spend(ql_lua_t *lua)
{
    if (--lua->budget <= 0) {
        return true;
    }
    if (lua->budget % SLICE_CHECK != 0) {
        return false;
    }
    ql_time_update(lua->loop);
    if (lua->slice == 0) {
        lua->slice = ql_nsec(lua->loop);
    }
    return ql_nsec(lua->loop) - lua->slice >= SLICE_NS
        || ql_event_find_timer(lua->loop) == 0;
}
