local helper = require "spec.helper"
local files = require "spec.support.files"
local native = require "spec.support.native"
local grandchild = require "spec.support.grandchild"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local ECANCELED = 125

-- A loop with one thread, which waits at a closed gate.
local function gated()
    local loop = helper.loop({ threads = 1 }, inject.ql_inject_new(nil))
    inject.ql_probe_thread_task_start(0)
    return loop
end

local function until_running(loop)
    local seen = ffi.new("ql_probe_thread_tasks_t")
    helper.run_until(loop, function()
        C.ql_notify(loop)
        inject.ql_probe_thread_tasks(seen)
        return seen.running == 1
    end)
end

-- A task that is running and one that waits, as `make` posts them.
local function two(loop, make)
    local first = make()
    until_running(loop)
    return first, make()
end

local function settle(loop)
    helper.run_until(loop, function()
        return stat(loop, "pool_pending") == 0
    end)
end

-- In a child: the gate is its own, and open.
local function in_child(fn)
    grandchild(function()
        inject.ql_probe_thread_task_start(1)
        fn()
    end)
end

local function open_gate(loop)
    inject.ql_probe_thread_task_gate(1)
    settle(loop)
end

local function counted_task(loop)
    local task, told = ffi.new("ql_thread_task_t"), { n = 0, error = 0 }
    task.run = inject.ql_probe_thread_task
    task.event.data = task
    task.event.handler = helper.handler(function(ev)
        told.n = told.n + 1
        told.error = told.error + ev.error
    end)
    assert(C.ql_thread_task_post(loop, task) == C.NGX_OK)
    told.task = task
    return told
end

local function call_type()
    local type = ffi.new("ql_call_type_t")
    type.run = inject.ql_probe_call
    return type
end

local function counted_call(loop, type)
    local call = ffi.cast("ql_call_t *", C.ql_call_create(loop, type,
        ffi.sizeof("ql_call_t")))
    call.event.handler = helper.handler(function() end)
    assert(C.ql_call_attempt(call) == C.NGX_AGAIN)
    return call
end

describe("a forked child's tasks", function()
    it("of its parent come back with error, and may be posted again",
        forked(function()
            local loop = gated()
            local first, second = two(loop, function()
                return counted_task(loop)
            end)
            in_child(function()
                settle(loop)
                assert.same({ 1, 1, 1, 1, 0 }, { first.n, first.error,
                    second.n, second.error, stat(loop, "pool_jobs") })
                assert(C.ql_thread_task_post(loop, first.task) == C.NGX_OK)
                settle(loop)
                assert.same({ 2, 1, 1 }, { first.n, first.error,
                    stat(loop, "pool_jobs") })
            end)
            open_gate(loop)
            assert.same({ 1, 0, 1, 0 }, { first.n, first.error, second.n,
                second.error })
        end))

    it("come back beside its own, done before its first turn",
        forked(function()
            local loop = gated()
            local first, second = two(loop, function()
                return counted_task(loop)
            end)
            in_child(function()
                local own, next = counted_task(loop), counted_task(loop)
                local seen = ffi.new("ql_probe_thread_tasks_t")
                repeat -- then the thread has told of the first
                    inject.ql_probe_thread_tasks(seen)
                until seen.count == 2
                settle(loop)
                assert.same({ 1, 1, 1, 1 },
                    { first.error, second.error, own.n, next.n })
                assert.equal(0, stat(loop, "posted"))
            end)
            open_gate(loop)
        end))

    it("that were done and not delivered are lost too", forked(function()
        local loop = gated()
        inject.ql_probe_thread_task_gate(1)
        local told = counted_task(loop)
        local seen = ffi.new("ql_probe_thread_tasks_t")
        repeat
            inject.ql_probe_thread_tasks(seen)
        until seen.count == 1
        in_child(function()
            settle(loop)
            assert.same({ 1, 1 }, { told.n, told.error })
        end)
        settle(loop)
        assert.same({ 1, 0 }, { told.n, told.error })
    end))
end)

describe("a forked child's calls", function()
    it("of its parent fail with ECANCELED: they are made once",
        forked(function()
            local loop, type = gated(), call_type()
            local first, second = two(loop, function()
                return counted_call(loop, type)
            end)
            in_child(function()
                settle(loop)
                for _, call in ipairs { first, second } do
                    assert.equal(C.NGX_ERROR, C.ql_call_attempt(call))
                    assert.equal(ECANCELED, call.err)
                    C.ql_call_free(call)
                end
                assert.equal(0, stat(loop, "calls_live"))
                local own = counted_call(loop, type)
                settle(loop)
                assert.equal(C.NGX_OK, C.ql_call_attempt(own))
                C.ql_call_free(own)
            end)
            open_gate(loop)
            for _, call in ipairs { first, second } do
                assert.equal(C.NGX_OK, C.ql_call_attempt(call))
                C.ql_call_free(call)
            end
        end))

    it("may be let go before its first turn", forked(function()
        local loop, type = gated(), call_type()
        local first, second = two(loop, function()
            return counted_call(loop, type)
        end)
        in_child(function()
            C.ql_call_free(first)
            C.ql_call_free(second)
            settle(loop)
            assert.same({ 0, 0 }, { stat(loop, "calls_live"),
                stat(loop, "orphans") })
            C.ql_loop_destroy(loop)
        end)
        C.ql_call_free(first)
        C.ql_call_free(second)
        open_gate(loop)
    end))

    it("of an open leave the number alone that it may have got",
        forked(function()
            local loop = helper.loop({ threads = 1 },
                inject.ql_inject_new(nil))
            local path = files.make()
            inject.ql_inject_fail("openat2", -1, 1, 1, errno.EAGAIN)
            inject.ql_inject_delay("fstat", -1, 1, 1, 100000)
            local o = C.ql_open_create(loop, path, ffi.new("ql_open_opts_t"))
            assert.equal(C.NGX_AGAIN, C.ql_call_attempt(o.call))
            repeat until files.calls("fstat") == 1
            grandchild(function()
                C.ql_call_free(o.call)
                settle(loop)
                local there = false
                for _, name in pairs(native.descriptors()) do
                    there = there or name == path
                end
                assert.is_true(there)
            end)
            settle(loop)
            C.ql_call_free(o.call)
            os.remove(path)
        end))

    it("end with a loop that it only destroys", forked(function()
        local loop, type = gated(), call_type()
        local first, second = two(loop, function()
            return counted_call(loop, type)
        end)
        in_child(function()
            C.ql_call_free(first)
            C.ql_call_free(second)
            local start = helper.now()
            C.ql_loop_destroy(loop)
            assert.is_true(helper.now() - start < 0.5)
        end)
        C.ql_call_free(first)
        C.ql_call_free(second)
        open_gate(loop)
    end))
end)

describe("a forked child's reads", function()
    it("of its parent's threads are made again", forked(function()
        local loop = helper.loop({ threads = 1 }, inject.ql_inject_new(nil))
        local data = files.bytes(100000)
        local path = files.make(data)
        local file = files.open(loop, path)
        inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EOPNOTSUPP)
        inject.ql_inject_delay("pread", file.fd, 1, 1, 100000)
        local reads = {}
        for i = 1, 4 do
            reads[i] = C.ql_read_create(file, 20000, i * 1000)
            assert(C.ql_read_attempt(reads[i]) == C.NGX_AGAIN)
        end
        local function right()
            for i = 1, 4 do
                assert.equal(data:sub(i * 1000 + 1, i * 1000 + 20000),
                    files.finish(loop, reads[i]))
            end
        end
        grandchild(right)
        right()
        C.ql_file_close(file)
        os.remove(path)
    end))
end)

describe("a forked child's watch", function()
    it("that its parent was closing is closed in both", forked(function()
        local loop = gated()
        local w = C.ql_watch_create(loop)
        local fd = w.fd
        local task = counted_task(loop)
        until_running(loop)
        C.ql_watch_close(w)
        in_child(function()
            settle(loop)
            assert.equal(-1, ffi.C.fcntl(fd, 1))
        end)
        assert.equal(1, ffi.C.fcntl(fd, 1))
        open_gate(loop)
        assert.same({ -1, 1 }, { ffi.C.fcntl(fd, 1), task.n })
    end))
end)
