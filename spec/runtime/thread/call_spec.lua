local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

-- A loop whose calls wait at a closed gate.
local function gated(settings)
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    inject.ql_probe_thread_task_start(0)
    return loop
end

local released

local types = {} -- that only C points to

local function call_type(attempt)
    local type = ffi.new("ql_call_type_t")
    types[#types + 1] = type
    released = 0
    type.run = inject.ql_probe_call
    type.release = function()
        released = released + 1
    end
    if attempt then
        type.attempt = attempt
    end
    return type
end

local function create(loop, type, handler)
    local call = ffi.cast("ql_call_t *", C.ql_call_create(loop, type,
        ffi.sizeof("ql_call_t")))
    call.event.handler = helper.handler(handler or function() end)
    return call
end

local function seen()
    local tasks = ffi.new("ql_probe_thread_tasks_t")
    inject.ql_probe_thread_tasks(tasks)
    return tasks
end

local function running()
    return seen().running
end

local function until_running(loop, n)
    helper.run_until(loop, function()
        C.ql_notify(loop)
        return running() == n
    end)
end

describe("a call", function()
    it("is made by a thread; its waiter is told, and calls again",
        forked(function()
            local loop, told = gated(), 0
            local call = create(loop, call_type(), function()
                told = told + 1
            end)
            assert.equal(C.NGX_AGAIN, C.ql_call_attempt(call))
            assert.equal(C.NGX_AGAIN, C.ql_call_attempt(call))
            assert.equal(1, stat(loop, "pool_pending"))
            inject.ql_probe_thread_task_gate(1)
            helper.run_until(loop, function() return told == 1 end)
            assert.equal(C.NGX_OK, C.ql_call_attempt(call))
            assert.equal(C.NGX_OK, C.ql_call_attempt(call))
            assert.same({ 7, 0 }, { tonumber(call.res), released })
            C.ql_call_free(call)
            assert.same({ 1, 0, 0 }, { released, stat(loop, "calls_live"),
                stat(loop, "orphans") })
        end))

    for rc, name in pairs { [0] = "NGX_OK", [-1] = "NGX_ERROR" } do
        it("asks no thread when its attempt is " .. name, forked(function()
            local loop = gated()
            local call = create(loop, call_type(function(c)
                c.res = rc
                return rc
            end))
            assert.equal(rc, C.ql_call_attempt(call))
            assert.equal(rc, C.ql_call_attempt(call))
            assert.equal(0, files.calls("thread_create"))
            C.ql_call_free(call)
            assert.equal(1, released)
        end))
    end

    it("asks a thread when its attempt declines", forked(function()
        local loop, told, tries = gated(), false, 0
        local call = create(loop, call_type(function()
            tries = tries + 1
            return C.NGX_DECLINED
        end), function() told = true end)
        assert.equal(C.NGX_AGAIN, C.ql_call_attempt(call))
        inject.ql_probe_thread_task_gate(1)
        helper.run_until(loop, function() return told end)
        assert.equal(C.NGX_OK, C.ql_call_attempt(call))
        assert.equal(1, tries)
        C.ql_call_free(call)
    end))

    it("is not made when its waiter lets go before a thread begins",
        forked(function()
            local loop = gated({ threads = 1 })
            local type = call_type()
            local first, second = create(loop, type), create(loop, type)
            C.ql_call_attempt(first)
            until_running(loop, 1)
            C.ql_call_attempt(second)
            C.ql_call_free(second)
            assert.same({ 1, 0, 1 }, { released, stat(loop, "orphans"),
                stat(loop, "calls_live") })
            inject.ql_probe_thread_task_gate(1)
            helper.run_until(loop, function()
                return stat(loop, "pool_pending") == 0
            end)
            C.ql_call_free(first)
        end))

    it("is taken back while no thread has begun it", forked(function()
        local loop = gated({ threads = 1 })
        local type = call_type()
        local first, second = create(loop, type), create(loop, type)
        assert.equal(C.NGX_DECLINED, C.ql_call_withdraw(first))
        C.ql_call_attempt(first)
        until_running(loop, 1)
        C.ql_call_attempt(second)
        assert.equal(C.NGX_DECLINED, C.ql_call_withdraw(first))
        assert.equal(C.NGX_OK, C.ql_call_withdraw(second))
        assert.equal(C.NGX_DECLINED, C.ql_call_withdraw(second))
        C.ql_call_free(second)
        inject.ql_probe_thread_task_gate(1)
        helper.run_until(loop, function()
            return stat(loop, "pool_pending") == 0
        end)
        assert.equal(C.NGX_OK, C.ql_call_attempt(first))
        assert.equal(C.NGX_DECLINED, C.ql_call_withdraw(first))
        C.ql_call_free(first)
        assert.equal(2, released)
    end))

    it("is an orphan until the thread comes back", forked(function()
        local loop = gated()
        local call = create(loop, call_type(), function()
            error("nobody waits")
        end)
        C.ql_call_attempt(call)
        until_running(loop, 1)
        C.ql_call_free(call)
        assert.same({ 0, 1, 1 }, { released, stat(loop, "orphans"),
            stat(loop, "calls_live") })
        inject.ql_probe_thread_task_gate(1)
        helper.run_until(loop, function()
            return stat(loop, "orphans") == 0
        end)
        assert.same({ 1, 0 }, { released, stat(loop, "calls_live") })
    end))

    -- One that a thread is at, one that fills the queue, one more and its rc.
    local function full(overflow_error)
        local loop = gated({ threads = 1, thread_queue = 1,
            overflow_error = overflow_error })
        local calls, type = {}, call_type()
        for i = 1, 3 do
            calls[i] = create(loop, type)
        end
        C.ql_call_attempt(calls[1])
        until_running(loop, 1)
        assert.equal(C.NGX_AGAIN, C.ql_call_attempt(calls[2]))
        return loop, calls, C.ql_call_attempt(calls[3])
    end

    it("waits its turn behind thread_queue others", forked(function()
        local loop, calls, rc = full(0)
        assert.equal(C.NGX_AGAIN, rc)
        C.ql_call_free(table.remove(calls, 2)) -- leaves the line
        assert.same({ 1, 2 }, { released, stat(loop, "pool_pending") })
        inject.ql_probe_thread_task_gate(1)
        for _, call in ipairs(calls) do
            assert.equal(C.NGX_OK, files.await(loop, call))
            C.ql_call_free(call)
        end
        assert.same({ 3, 2 }, { released, stat(loop, "pool_jobs") })
    end))

    it("fails with EBUSY there if that is asked for", forked(function()
        local loop, calls, rc = full(1)
        assert.equal(C.NGX_ERROR, rc)
        assert.equal(16, calls[3].err)
        inject.ql_probe_thread_task_gate(1)
        helper.run_until(loop, function()
            return stat(loop, "pool_pending") == 0
        end)
        for _, call in ipairs(calls) do
            C.ql_call_free(call)
        end
        assert.equal(3, released)
    end))

    it("fails with the errno when no thread can be started",
        forked(function()
            local loop = gated()
            local call = create(loop, call_type())
            inject.ql_inject_fail("thread_create", -1, 1, 1, errno.EAGAIN)
            assert.equal(C.NGX_ERROR, C.ql_call_attempt(call))
            assert.equal(errno.EAGAIN, call.err)
            C.ql_call_free(call)
        end))

    it("without memory is an error", forked(function()
        local loop = gated()
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.is_true(C.ql_call_create(loop, call_type(),
            ffi.sizeof("ql_call_t")) == nil)
        assert.equal(errno.ENOMEM, ffi.errno())
    end))
end)

describe("a call in steps", function()
    local function step_type()
        local type = call_type()
        type.run = inject.ql_probe_call_step
        type.undo = inject.ql_probe_call_undo
        return type
    end

    local function until_nothing_is_left(loop)
        helper.run_until(loop, function()
            return stat(loop, "calls_live") == 0
        end)
    end

    it("is run until there is no more, and its attempt before each",
        forked(function()
            local loop, tries, rc = gated(), 0, nil
            local type = step_type()
            type.attempt = function()
                tries = tries + 1
                return C.NGX_DECLINED
            end
            local call = create(loop, type, function(ev)
                rc = C.ql_call_attempt(ffi.cast("ql_call_t *", ev))
            end)
            inject.ql_probe_thread_task_gate(1)
            C.ql_call_attempt(call)
            helper.run_until(loop, function() return rc == C.NGX_OK end)
            assert.same({ 3, 3, 3 }, { tonumber(call.res), tries,
                stat(loop, "pool_jobs") })
            call.undo = 0
            C.ql_call_free(call)
            assert.same({ 0, 1 }, { seen().undone, released })
        end))

    it("is made anew when it is asked for again", forked(function()
        local loop = gated()
        local rc
        local call = create(loop, call_type(), function(ev)
            rc = C.ql_call_attempt(ffi.cast("ql_call_t *", ev))
        end)
        inject.ql_probe_thread_task_gate(1)
        for n = 1, 3 do
            rc = C.NGX_AGAIN
            assert.equal(rc, C.ql_call_attempt(call))
            helper.run_until(loop, function() return rc == C.NGX_OK end)
            assert.equal(n, stat(loop, "pool_jobs"))
            C.ql_call_again(call)
        end
        C.ql_call_free(call)
    end))

    it("ends once, though it was asked for again before it was told",
        forked(function()
            local loop = gated()
            local call = create(loop, call_type())
            inject.ql_probe_thread_task_gate(1)
            C.ql_call_attempt(call)
            repeat -- its event is posted
                loop.pool.event.handler(loop.pool.event)
            until call.task.event.complete == 1
            inject.ql_probe_thread_task_gate(0)
            assert.equal(C.NGX_OK, C.ql_call_attempt(call))
            C.ql_call_again(call)
            assert.equal(C.NGX_AGAIN, C.ql_call_attempt(call))
            repeat until running() == 1
            C.ql_call_free(call)
            C.ql_process_events_and_timers(loop, 0)
            assert.same({ 0, 1 }, { released, stat(loop, "orphans") })
            inject.ql_probe_thread_task_gate(1)
            until_nothing_is_left(loop)
            assert.same({ 1, 0 }, { released, stat(loop, "orphans") })
        end))

    it("is undone by a thread when its waiter lets go between two",
        forked(function()
            local loop, told = gated(), false
            local call = create(loop, step_type(), function()
                told = true
            end)
            inject.ql_probe_thread_task_gate(1)
            C.ql_call_attempt(call)
            helper.run_until(loop, function() return told end)
            C.ql_call_free(call)
            assert.same({ 0, 0, 1 }, { released, stat(loop, "orphans"),
                stat(loop, "calls_live") })
            until_nothing_is_left(loop)
            assert.same({ 1, 1, 2 }, { seen().undone, released,
                stat(loop, "pool_jobs") })
        end))

    it("is undone when its waiter let go while it was run",
        forked(function()
            local loop = gated()
            local call = create(loop, step_type())
            C.ql_call_attempt(call)
            until_running(loop, 1)
            C.ql_call_free(call)
            assert.equal(1, stat(loop, "orphans"))
            inject.ql_probe_thread_task_gate(1)
            until_nothing_is_left(loop)
            assert.same({ 1, 1, 0 }, { seen().undone, released,
                stat(loop, "orphans") })
        end))

    it("is told that its waiter let go, if a thread may be at it",
        forked(function()
            local loop, told = gated({ threads = 1 }), {}
            local type = call_type()
            type.abandon = function(call)
                told[#told + 1] = tonumber(call.event.available)
            end
            local calls = {}
            for i = 1, 2 do -- the second waits for the only thread
                calls[i] = create(loop, type)
                calls[i].event.available = i
                C.ql_call_attempt(calls[i])
            end
            until_running(loop, 1)
            C.ql_call_free(calls[2])
            C.ql_call_free(calls[1])
            assert.same({ { 1 }, 1 }, { told, released })
            inject.ql_probe_thread_task_gate(1)
            until_nothing_is_left(loop)
            assert.same({ { 1 }, 2 }, { told, released })
        end))

    it("is undone though thread_queue calls wait", forked(function()
        local loop, told = gated({ threads = 1, thread_queue = 1 }), false
        local call = create(loop, step_type(), function() told = true end)
        inject.ql_probe_thread_task_gate(1)
        C.ql_call_attempt(call)
        helper.run_until(loop, function() return told end)
        inject.ql_probe_thread_task_gate(0)
        local first = create(loop, call_type())
        local second = create(loop, call_type())
        C.ql_call_attempt(first)
        until_running(loop, 1)
        C.ql_call_attempt(second)
        C.ql_call_free(call)
        assert.equal(0, seen().undone)
        inject.ql_probe_thread_task_gate(1)
        helper.run_until(loop, function()
            return stat(loop, "pool_pending") == 0
        end)
        assert.equal(1, seen().undone)
        C.ql_call_free(first)
        C.ql_call_free(second)
    end))

    it("is undone when the loop ends meanwhile", forked(function()
        local loop = C.ql_loop_create(helper.conf(), nil)
        inject.ql_probe_thread_task_start(0)
        local call = create(loop, step_type())
        C.ql_call_attempt(call)
        until_running(loop, 1)
        C.ql_call_free(call)
        inject.ql_probe_thread_task_gate(1)
        C.ql_loop_destroy(loop)
        assert.same({ 1, 1 }, { seen().undone, released })
    end))
end)
