/*
 * watchdog.c: a task that keeps the loop for too long is named in the log, and
 * stopped if the script wants that.
 *
 * A tick (a signal of the loop's thread) that finds the same slice again and
 * again sets a count hook: lua_sethook is the one function of Lua that a signal
 * handler may call. Compiled code looks at no hook but at the profiler's flag,
 * if it was compiled while the profiler was on; so that is started, with its
 * timer off, and its own signal handler called after the hook is set. The VM
 * leaves the trace, finds the hook, and overrun.c goes on where an error may be
 * raised. Nothing is flushed or switched off.
 *
 * Finalisers and debug hooks run with all hooks off, and a C function until it
 * returns.
 */
#include "../base/misuse.h"
#include "../base/state.h"
#include "code.h"

#include <errno.h>
#include <luajit.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* A host may have been built without the profiler. */
#pragma weak luaJIT_profile_start
#pragma weak luaJIT_profile_stop

enum {
    WATCHDOG_TICKS = 4, /* in the shorter of the two slices */
    WATCHDOG_DEAF = 16, /* ticks until a task is told of that no hook reaches */
    WATCHDOG_LINE = 128 /* bytes of its name, and of its spawner's place */
};

/* ------------------------------------------------- in a signal handler ---- */

static void
watchdog_interrupt(ql_lua_t *lua, const void *pc)
{
    ql_watchdog_t *dog = &lua->watchdog;
    lua_State *L = lua->driver; /* hooks are the whole state's */
    struct sigaction sa;

    if (lua_gethook(L) != ql__overrun_hook) {
        dog->hook = lua_gethook(L);
        dog->hook_mask = lua_gethookmask(L);
        dog->hook_count = lua_gethookcount(L);
        dog->vmstate = 0;
        dog->pc = pc;
    }
    lua_sethook(L, ql__overrun_hook, LUA_MASKCOUNT, 1);
    /* Without a profiler its handler would follow a null pointer: ours may
     * have been ended by another, which has put SIGPROF back since. */
    if (sigaction(SIGPROF, NULL, &sa) == 0 && sa.sa_handler == dog->leave) {
        dog->leave(SIGPROF);
    }
}

/* Decimal; signal handlers may not call printf. */
static char *
put_number(char *p, uint64_t n)
{
    char digits[20];
    int len = 0;

    do {
        digits[len++] = (char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);
    while (len > 0) {
        *p++ = digits[--len];
    }
    return p;
}

/* The first line of text, as much of it as is fit to be shown. */
static char *
put_line(char *p, const char *text)
{
    for (int i = 0; i < WATCHDOG_LINE && *text != '\0' && *text != '\n'; i++) {
        *p++ = *text++;
        p[-1] = (unsigned char) p[-1] < ' ' ? '?' : p[-1];
    }
    return p;
}

/* No hook has come through: there may never be a place to log from. */
static void
watchdog_tell(const ql_lua_t *lua, const void *pc)
{
    const ql_watchdog_t *dog = &lua->watchdog;
    char text[256 + 2 * WATCHDOG_LINE + QL_CODE_NAME], *p = text;
    char code[QL_CODE_NAME];
    ssize_t n;

    p = put_number(stpcpy(p, "quoll: task "), ql__overrun_task(lua)->id);
    if (dog->name != NULL) {
        p = stpcpy(put_line(stpcpy(p, " '"), dog->name), "'");
    }
    if (dog->chain != NULL) {
        p = put_line(stpcpy(p, " ("), dog->chain + strspn(dog->chain, "\n\t"));
        p = stpcpy(p, ")");
    }
    p = stpcpy(p, " has kept the loop for ");
    p = put_number(p, dog->ticks * dog->tick / 1000000);
    p = stpcpy(p, " ms, where it can neither be asked nor stopped: in a C "
                  "function, a finaliser or a hook");
    ql__code_name(pc, code, sizeof(code));
    if (code[0] != '\0') {
        p = stpcpy(stpcpy(p, "; seen in "), code);
    }
    *p++ = '\n';
    n = write(STDERR_FILENO, text, (size_t) (p - text));
    (void) n;
}

/* Ticks are counted, not time: a process that was stopped or starved gets one
 * when it goes on. */
static int
on_tick(ql_loop_t *loop, const void *pc)
{
    ql_lua_t *lua = ql_loop_data(loop);
    ql_watchdog_t *dog = &lua->watchdog;

    if (dog->in_hook) {
        return 1;
    }
    if (!ql__overrun_same_slice(lua)) {
        dog->resumes = lua->resumes;
        dog->ticks = 0;
        dog->raised = 0;
        dog->named = false;
        return lua->reported != NULL || lua->current->state == QL_TASK_RUNNING;
    }
    dog->ticks++;
    if ((!dog->named && dog->ticks * dog->tick >= dog->warn)
        || dog->ticks * dog->tick >= dog->max)
    {
        watchdog_interrupt(lua, pc);
    }
    if (dog->ticks == WATCHDOG_DEAF && !dog->named
        && ql_log_level(loop) >= QL_LOG_WARN)
    {
        watchdog_tell(lua, pc);
    }
    return 1;
}

/* ------------------------------------------------------ for the handler ---- */

/* The strings stay where they are, and the task keeps them. */
void
ql__watchdog_slice(ql_lua_t *lua)
{
    ql_watchdog_t *dog = &lua->watchdog;
    const ql_task_t *t = ql__overrun_task(lua);
    lua_State *L = lua->driver;
    int top = lua_gettop(L);

    dog->in_hook = true;
    if (ql__task_unheld(t)) { /* nobody has given it a name */
        dog->name = NULL;
        ql__task_push_slot(L, t, QL_TASK_CHAIN);
    } else {
        ql__task_push_slots(L, t);
        lua_rawgeti(L, -1, QL_TASK_NAME);
        dog->name = lua_tostring(L, -1);
        lua_rawgeti(L, -2, QL_TASK_CHAIN);
    }
    dog->chain = lua_tostring(L, -1);
    lua_settop(L, top);
    dog->in_hook = false;
}

/* ------------------------------------------------------------ settings ---- */

/* Before the hook, in the same interruption: tells where the time went. */
static void
on_profile(void *data, lua_State *L, int samples, int vmstate)
{
    ql_watchdog_t *dog = data;

    (void) L;
    (void) samples;
    dog->vmstate = vmstate;
}

static bool
profiler_is_free(void)
{
    struct sigaction sa;
    struct itimerval it;

    return sigaction(SIGPROF, NULL, &sa) == 0
        && (sa.sa_handler == SIG_DFL || sa.sa_handler == SIG_IGN)
        && getitimer(ITIMER_PROF, &it) == 0 && it.it_value.tv_sec == 0
        && it.it_value.tv_usec == 0;
}

/* What a tick calls: a plain handler, which LuaJIT 2.1 has on Linux. */
static bool
profiler_handler(struct sigaction *sa)
{
    return sigaction(SIGPROF, NULL, sa) == 0 && (sa->sa_flags & SA_SIGINFO) == 0
        && sa->sa_handler != SIG_DFL && sa->sa_handler != SIG_IGN;
}

/* On, so that code is compiled with a look at its flag, line by line; but its
 * process-wide timer is stopped, which exec would hand to children. Raises. */
static bool
profiler_start(lua_State *L, ql_watchdog_t *dog)
{
    struct itimerval off = {{0, 0}, {0, 0}};
    struct sigaction sa;

    if (luaJIT_profile_start == NULL || luaJIT_profile_stop == NULL) {
        ql_raise(L, "slice_warn and slice_max need LuaJIT's profiler, which "
                    "this one was built without");
        return false;
    }
    if (!profiler_is_free()) {
        ql_raise(L, "slice_warn and slice_max need SIGPROF, which a profiler "
                    "has taken");
        return false;
    }
    luaJIT_profile_start(L, "li1000000", on_profile, dog);
    setitimer(ITIMER_PROF, &off, NULL);
    if (!profiler_handler(&sa)) {
        luaJIT_profile_stop(L);
        ql_raise(L, "slice_warn and slice_max: the profiler of this LuaJIT is "
                    "not driven by SIGPROF");
        return false;
    }
    dog->leave = sa.sa_handler;
    return true;
}

static void
profiler_stop(lua_State *L, ql_watchdog_t *dog)
{
    struct sigaction sa;

    if (sigaction(SIGPROF, NULL, &sa) == 0 && sa.sa_handler == dog->leave) {
        luaJIT_profile_stop(L);
    }
    dog->leave = NULL;
}

static void
watchdog_stop(lua_State *L, ql_lua_t *lua)
{
    ql_watchdog_t *dog = &lua->watchdog;

    (void) ql_loop_tick(lua->loop, 0, NULL);
    if (lua_gethook(L) == ql__overrun_hook) {
        ql__overrun_unhook(L, dog);
    }
    if (dog->leave != NULL) {
        profiler_stop(L, dog);
    }
}

static uint64_t
watchdog_nsec(double s)
{
    return s > 0 ? (uint64_t) (s * 1e9 + 0.5) : QL_TIMER_INFINITE;
}

void
ql_watchdog_set(lua_State *L, ql_lua_t *lua, const ql_slices_t *slices)
{
    ql_watchdog_t *dog = &lua->watchdog;
    uint64_t least;

    QL_CHECK_LUA(lua);
    watchdog_stop(L, lua);
    dog->slices = (ql_slices_t){0, 0};
    dog->warn = watchdog_nsec(slices->warn);
    dog->max = watchdog_nsec(slices->max);
    least = dog->warn < dog->max ? dog->warn : dog->max;
    if (least == QL_TIMER_INFINITE || !profiler_start(L, dog)) {
        return;
    }
    dog->tick = (least + WATCHDOG_TICKS - 1) / WATCHDOG_TICKS;
    dog->resumes = lua->resumes - 1;
    if (ql_loop_tick(lua->loop, dog->tick, on_tick) != NGX_OK) {
        profiler_stop(L, dog);
        ql_raise(L, "slice_warn and slice_max: the timer could not be made: %s",
                 strerror(errno));
    }
    dog->slices = *slices;
}

const ql_slices_t *
ql_watchdog_slices(const ql_lua_t *lua)
{
    QL_CHECK_LUA(lua);
    return &lua->watchdog.slices;
}
