local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local function jobs(n)
    local list = {}
    for i = 1, n do
        local job = ffi.new("ql_thread_task_t")
        job.run = inject.ql_probe_thread_task
        job.event.data = job
        job.event.handler = inject.ql_probe
        list[i] = job
    end
    return list
end

local function post(loop, list)
    local codes = {}
    for i, job in ipairs(list) do
        codes[i] = C.ql_thread_task_post(loop, job)
    end
    return codes
end

local function state()
    local seen = ffi.new("ql_probe_thread_tasks_t")
    inject.ql_probe_thread_tasks(seen)
    return seen
end

-- A counted loop whose jobs wait at the gate.
local function gated(settings)
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    assert.equal(0, inject.ql_probe_start(loop, 300))
    inject.ql_probe_thread_task_start(0)
    return loop
end

local function until_running(loop, n)
    helper.run_until(loop, function()
        C.ql_notify(loop)
        return state().running == n
    end)
end

local function finish(loop, n)
    inject.ql_probe_thread_task_gate(1)
    helper.run_until(loop, function()
        return tonumber(inject.ql_probe_count()) == n
    end)
end

describe("the thread pool", function()
    it("runs a job and calls its handler on the loop", forked(function()
        local loop = gated()
        local job = jobs(1)[1]
        assert.equal(C.NGX_OK, C.ql_thread_task_post(loop, job))
        assert.same({ 1, 0 }, { job.event.active, job.event.complete })
        assert.equal(1, stat(loop, "pool_pending"))
        finish(loop, 1)
        assert.same({ 0, 1, 1 }, { job.event.active, job.event.complete,
            job.event.ready })
        assert.same({ 0, 1 }, { stat(loop, "pool_pending"),
            stat(loop, "pool_jobs") })
    end))

    it("starts no thread before there is a job", forked(function()
        local loop = gated()
        C.ql_process_events_and_timers(loop, 0)
        assert.equal(0, files.calls("thread_create"))
    end))

    it("starts as many threads as jobs, up to `threads`", forked(function()
        local loop = gated({ threads = 3 })
        local list = jobs(10)
        post(loop, list)
        until_running(loop, 3)
        finish(loop, 10)
        assert.same({ 3, 3 }, { state().peak,
            files.calls("thread_create") })
    end))

    it("uses an idle thread again", forked(function()
        local loop = gated({ threads = 4 })
        inject.ql_probe_thread_task_gate(1)
        local list = jobs(5)
        for i, job in ipairs(list) do
            C.ql_thread_task_post(loop, job)
            finish(loop, i)
            helper.run_until(loop, function()
                C.ql_notify(loop)
                return loop.pool.idle == loop.pool.threads
            end)
        end
        assert.equal(1, files.calls("thread_create"))
    end))

    it("is first in, first out", forked(function()
        local loop = gated({ threads = 1 })
        local list = jobs(50)
        post(loop, list)
        finish(loop, 50)
        local records, seen = inject.ql_probe_records(), state()
        for i, job in ipairs(list) do
            assert.is_true(seen.order[i - 1] == ffi.cast("void *", job))
            assert.is_true(records[i - 1].ev == job.event)
        end
    end))

    it("lets thread_queue jobs wait, then is BUSY", forked(function()
        local loop = gated({ threads = 1, thread_queue = 2 })
        local list = jobs(5)
        assert.equal(C.NGX_OK, C.ql_thread_task_post(loop, list[1]))
        until_running(loop, 1)
        assert.same({ C.NGX_OK, C.NGX_OK, C.NGX_BUSY, C.NGX_BUSY },
            post(loop, { unpack(list, 2) }))
        assert.same({ 0, 3 }, { list[4].event.active,
            stat(loop, "pool_pending") })
        finish(loop, 3)
        assert.equal(C.NGX_OK, C.ql_thread_task_post(loop, list[4]))
        finish(loop, 4)
    end))

    it("lets a patient job wait behind thread_queue of them",
        forked(function()
            local loop = gated({ threads = 1, thread_queue = 1 })
            local list = jobs(5)
            for i, job in ipairs(list) do
                job.patient = i > 2 and 1 or 0
            end
            post(loop, { list[1] })
            until_running(loop, 1)
            assert.same({ C.NGX_OK, C.NGX_OK, C.NGX_OK },
                post(loop, { list[2], list[3], list[4] }))
            assert.is_true(C.ql__thread_task_cancel(loop, list[3]))
            list[5].patient = 0
            assert.equal(C.NGX_BUSY, C.ql_thread_task_post(loop, list[5]))
            finish(loop, 3)
            local records = inject.ql_probe_records()
            for i, n in ipairs { 1, 2, 4 } do
                assert.is_true(records[i - 1].ev == list[n].event)
            end
        end))

    it("gives a waiting job back, not one that has begun",
        forked(function()
            local loop = gated({ threads = 1 })
            local list = jobs(3)
            post(loop, list)
            until_running(loop, 1)
            assert.is_false(C.ql__thread_task_cancel(loop, list[1]))
            assert.is_true(C.ql__thread_task_cancel(loop, list[2]))
            assert.is_false(C.ql__thread_task_cancel(loop, list[2]))
            assert.same({ 0, 2 }, { list[2].event.active,
                stat(loop, "pool_pending") })
            finish(loop, 2)
            assert.equal(2, state().count)
        end))

    it("does not let its threads take signals", forked(function()
        local loop = gated({ threads = 4 })
        post(loop, jobs(4))
        finish(loop, 4)
        assert.equal(0, state().unblocked)
    end))

    it("works with fewer threads when one cannot be started",
        forked(function()
            local loop = gated({ threads = 4 })
            inject.ql_inject_fail("thread_create", -1, 2, 0, errno.EAGAIN)
            local list = jobs(20)
            for i, code in ipairs(post(loop, list)) do
                assert.same({ i, C.NGX_OK }, { i, code })
            end
            finish(loop, 20)
            assert.equal(1, state().peak)
            assert.is_true(#helper.log() >= 1 and #helper.log() <= 11)
        end))

    it("says that no thread can be started, and can later",
        forked(function()
            local loop = gated()
            local list = jobs(2)
            inject.ql_inject_fail("thread_create", -1, 1, 1, errno.EAGAIN)
            assert.equal(C.NGX_ERROR, C.ql_thread_task_post(loop, list[1]))
            assert.equal(errno.EAGAIN, ffi.errno())
            assert.same({ 0, 0 }, { list[1].event.active,
                stat(loop, "pool_pending") })
            assert.equal(C.NGX_OK, C.ql_thread_task_post(loop, list[2]))
            finish(loop, 1)
        end))

    it("without memory is an error", forked(function()
        local loop = gated()
        C.ql_loop_init(loop)
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.equal(C.NGX_ERROR, C.ql_thread_task_post(loop, jobs(1)[1]))
        assert.equal(errno.ENOMEM, ffi.errno())
    end))

    it("frees by the handler what was abandoned", forked(function()
        local loop = gated()
        local list = jobs(2)
        post(loop, list)
        list[1].event.abandoned = 1
        finish(loop, 2)
        assert.equal(0, stat(loop, "posted"))
    end))
end)

describe("the end of a loop with jobs", function()
    it("waits for them", forked(function()
        local loop = C.ql_loop_create(nil, nil)
        inject.ql_probe_start(loop, 10)
        inject.ql_probe_thread_task_start(1)
        local list = jobs(10)
        post(loop, list)
        C.ql_loop_destroy(loop)
        assert.equal(10, state().count)
    end))

    it("leaves a thread behind that is late, and says so",
        forked(function()
            local loop = C.ql_loop_create(helper.conf({ drain = 50 }), nil)
            C.ql_log_set_writer(loop, inject.ql_probe_writer, nil)
            inject.ql_probe_start(loop, 10)
            inject.ql_probe_thread_task_start(0)
            local list = jobs(1)
            post(loop, list)
            local start = helper.now()
            C.ql_loop_destroy(loop)
            local took = helper.now() - start
            assert.is_true(took >= 0.04 and took < 2)
            local lines = helper.log()
            assert.same({ 1, C.QL_LOG_WARN }, { #lines, lines[1].level })
            -- By design its epoll set and eventfd stay with the process.
            inject.ql_probe_thread_task_gate(1)
            ffi.C._exit(0)
        end))
end)
