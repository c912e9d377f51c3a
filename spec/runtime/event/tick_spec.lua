local helper = require "spec.helper"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

pcall(ffi.cdef, "int fork(void);")
pcall(ffi.cdef, "int waitpid(int pid, int *status, int options);")
pcall(ffi.cdef, "void _exit(int code);")

local MS = 1000000

local function ticks()
    return tonumber(inject.ql_probe_ticks())
end

local function start(loop, ms, handler)
    assert.equal(C.NGX_OK, C.ql_loop_tick(loop, ms * MS,
        handler or inject.ql_probe_tick_busy))
end

-- Runs until n more have come; false after five seconds.
local function come(n)
    local deadline, before = helper.now() + 5, ticks()
    while ticks() < before + n do
        if helper.now() > deadline then return false end
    end
    return true
end

-- None comes in what were many intervals.
local function come_no_more()
    local deadline, before = helper.now() + 0.05, ticks()
    while helper.now() < deadline do end
    return ticks() == before
end

describe("a tick", function()
    it("comes again and again, until told to stop", forked(function()
        local loop = helper.loop()
        start(loop, 1)
        assert.is_true(come(5))
        start(loop, 2)
        assert.is_true(come(5))
        C.ql_loop_tick(loop, 0, nil)
        assert.is_true(come_no_more())
        C.ql_loop_tick(loop, 0, nil)
    end))

    it("tells where the thread was interrupted", forked(function()
        local loop = helper.loop()
        local known = ffi.arch == "x64" or ffi.arch == "arm64"
        local spin = ffi.cast("uintptr_t", ffi.cast("void *",
            inject.ql_probe_spin_until))
        local deadline = helper.now() + helper.seconds(5)
        local at
        start(loop, 1)
        repeat -- the last of these ticks may have come before
            assert.is_true(helper.now() < deadline)
            inject.ql_probe_spin_until(ticks() + 2)
            at = ffi.cast("uintptr_t", inject.ql_probe_tick_pc())
        until not known or at >= spin and at < spin + 256
        assert.is_true(known or at == 0)
        C.ql_loop_tick(loop, 0, nil)
    end))

    it("makes nothing that was not asked for", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        C.ql_loop_init(loop)
        C.ql_loop_tick(loop, 0, nil)
        assert.equal(0, tonumber(inject.ql_inject_calls("sigaction")))
        assert.equal(0, tonumber(inject.ql_inject_calls("timer_create")))
    end))

    it("ends with the loop, also one that waits to be delivered",
        forked(function()
            for _ = 1, 50 do
                local loop = helper.loop()
                start(loop, 1)
                assert.is_true(come(1))
                helper.finish(loop)
            end
            assert.is_true(come_no_more())
        end))

    it("leaves a long wait alone", forked(function()
        local loop = helper.loop()
        C.ql_log_set_level(loop, C.QL_LOG_INFO)
        C.ql_loop_init(loop)
        start(loop, 1, inject.ql_probe_tick_idle)
        local fired = 0
        C.ql_add_timer(loop, helper.event(loop, helper.handler(function()
            fired = fired + 1
        end)), 200)
        local before, turns = ticks(), 0
        while fired == 0 do
            C.ql_process_events_and_timers(loop, helper.INFINITE)
            turns = turns + 1
        end
        assert.is_true(turns <= 3, turns)
        assert.is_true(ticks() - before <= 20, ticks() - before)
        assert.is_true(come(2))
        assert.equal(0, #helper.log())
    end))

    it("goes on in a child, from its first turn", forked(function()
        local loop = helper.loop()
        C.ql_loop_init(loop)
        start(loop, 1)
        local pid = ffi.C.fork()
        if pid == 0 then
            local none = come_no_more()
            C.ql_loop_init(loop)
            ffi.C._exit(none and come(3) and 7 or 1)
        end
        local status = ffi.new("int[1]")
        assert(ffi.C.waitpid(pid, status, 0) == pid)
        assert.equal(7 * 256, status[0])
        assert.is_true(come(3))
    end))

    it("is of each of two loops", forked(function()
        local one, other = helper.loop(), helper.loop()
        start(one, 1)
        start(other, 1)
        C.ql_loop_tick(one, 0, nil)
        assert.is_true(come(3))
        C.ql_loop_tick(other, 0, nil)
        assert.is_true(come_no_more())
    end))

    it("says why it cannot be", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        for _, call in ipairs { "sigaction", "timer_create",
            "timer_settime" } do
            inject.ql_inject_fail(call, -1, 1, 1, helper.errno.EAGAIN)
            assert.equal(C.NGX_ERROR, C.ql_loop_tick(loop, MS,
                inject.ql_probe_tick_busy), call)
            assert.equal(helper.errno.EAGAIN, ffi.errno(), call)
            assert.is_true(come_no_more())
        end
        start(loop, 1)
        assert.is_true(come(1))
    end))

    it("takes no signal that has a handler", forked(function()
        local loop = helper.loop()
        local sa = ffi.new("struct sigaction[1]")
        sa[0].handler = ffi.cast("void *", inject.ql_probe_ticks)
        assert(C.ql_sys_default.sigaction(34 + 9, sa, nil) == 0)
        assert.equal(C.NGX_ERROR, C.ql_loop_tick(loop, MS,
            inject.ql_probe_tick_busy))
        assert.equal(16, ffi.errno()) -- EBUSY
    end))
end)
