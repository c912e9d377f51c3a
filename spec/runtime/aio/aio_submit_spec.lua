local helper = require "spec.helper"
local files = require "spec.support.files"
local C, inject, errno = helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local BLOCK = 4096

local function opened(n, settings)
    return files.counted(true, n, settings)
end

local close = files.close

local function begin(file, n)
    local reads = {}
    for i = 1, n do
        reads[i] = files.aio(file, BLOCK, (i - 1) * BLOCK)
    end
    return reads
end

-- The same, held back until all of them are there.
local function gather(loop, file, n)
    C.ql_aio_init(loop)
    loop.aio.blocked = true
    local reads = begin(file, n)
    assert.equal(n, stat(loop, "aio_queued"))
    loop.aio.blocked = false
    return reads
end

local function right(loop, read, data)
    local text = files.result(loop, read)
    return text == data:sub(read.offset + 1, read.offset + BLOCK)
end

local function check(loop, reads, data)
    for _, read in ipairs(reads) do
        assert.is_true(right(loop, read, data))
    end
end

describe("reads that are gathered", function()
    it("go out in one io_submit, when the turn begins", forked(function()
        local loop, file, path, data = opened(10)
        local reads = gather(loop, file, 10)
        assert.equal(0, files.calls("io_submit"))
        C.ql_process_events_and_timers(loop, 0)
        assert.same({ 0, 1 }, { stat(loop, "aio_queued"),
            files.calls("io_submit") })
        check(loop, reads, data)
        assert.same({ 1, 10 }, { stat(loop, "aio_submits"),
            stat(loop, "aio_submitted") })
        close(file, path)
    end))

    it("do not leave the disk idle: the first, then two together",
        forked(function()
            local loop, file, path, data = opened(20)
            local reads = begin(file, 20)
            assert.same({ 10, 19, 1 }, { files.calls("io_submit"),
                stat(loop, "aio_in_flight"), stat(loop, "aio_queued") })
            C.ql_process_events_and_timers(loop, 0)
            assert.equal(11, files.calls("io_submit"))
            check(loop, reads, data)
            close(file, path)
        end))

    it("do not let the loop sleep", forked(function()
        local loop, file, path, data = opened(1)
        local reads = gather(loop, file, 1)
        local start = helper.now()
        C.ql_process_events_and_timers(loop, 5000)
        assert.is_true(helper.now() - start < 4)
        check(loop, reads, data)
        close(file, path)
    end))

    it("carry NOWAIT, all of them", forked(function()
        local loop, file, path, data = opened(8)
        local reads = gather(loop, file, 8)
        for _, read in ipairs(reads) do
            assert.equal(files.RWF_NOWAIT, read.aio.aiocb.aio_rw_flags)
        end
        C.ql_process_events_and_timers(loop, 0)
        for i = 0, 7 do
            assert.equal(files.RWF_NOWAIT, loop.aio.batch[i].aio_rw_flags)
        end
        check(loop, reads, data)
        close(file, path)
    end))

    it("that the kernel takes in part follow", forked(function()
        local loop, file, path, data = opened(3)
        inject.ql_inject_cut("io_submit", -1, 1, 1, 1)
        local reads = gather(loop, file, 3)
        C.ql_process_events_and_timers(loop, 0)
        assert.same({ 2, 0 }, { files.calls("io_submit"),
            stat(loop, "aio_queued") })
        check(loop, reads, data)
        assert.equal(3, stat(loop, "aio_submitted"))
        close(file, path)
    end))

    it("fail alone: a bad one in the middle", forked(function()
        local loop, file, path, data = opened(3)
        local reads = gather(loop, file, 3)
        reads[2].aio.aiocb.aio_fildes = 1000000
        C.ql_process_events_and_timers(loop, 0)
        assert.is_true(right(loop, reads[1], data))
        assert.is_true(right(loop, reads[3], data))
        assert.same({ nil, errno.EBADF },
            { files.result(loop, reads[2]) })
        assert.equal(2, stat(loop, "aio_submitted"))
        close(file, path)
    end))

    it("fail alone: the first and the last", forked(function()
        local loop, file, path, data = opened(4)
        local reads = gather(loop, file, 4)
        reads[1].aio.aiocb.aio_fildes = 1000000
        reads[4].aio.aiocb.aio_fildes = 1000000
        assert.is_true(right(loop, reads[2], data))
        assert.is_true(right(loop, reads[3], data))
        for _, i in ipairs { 1, 4 } do
            assert.same({ nil, errno.EBADF },
                { files.result(loop, reads[i]) })
        end
        close(file, path)
    end))

    it("call no handler inside the submit", forked(function()
        local loop, file, path = opened(1)
        local within, called = true, 0
        local read = gather(loop, file, 1)[1]
        read.aio.handler = helper.handler(function()
            assert(not within)
            called = called + 1
        end)
        read.aio.aiocb.aio_fildes = 1000000
        C.ql_aio_submit(loop)
        within = false
        helper.run_until(loop, function() return called == 1 end)
        assert.same({ nil, errno.EBADF }, { files.result(loop, read) })
        close(file, path)
    end))
end)

describe("a full context", function()
    it("is not asked for more than it holds", forked(function()
        local loop, file, path, data = opened(50,
            { worker_aio_requests = 4 })
        local reads = begin(file, 50)
        local most = 0
        helper.run_until(loop, function()
            most = math.max(most, stat(loop, "aio_in_flight"))
            return stat(loop, "aio_queued") == 0
        end)
        assert.is_true(most >= 1 and most <= 4)
        check(loop, reads, data)
        assert.same({ 0, 50 }, { stat(loop, "aio_eagain"),
            stat(loop, "aio_submitted") })
        assert.equal(0, files.calls("pread"))
        close(file, path)
    end))

    it("of others' making is waited for, in order", forked(function()
        local loop, file, path, data = opened(6)
        inject.ql_inject_fail("io_submit", -1, 1, 3, errno.EAGAIN)
        local reads = begin(file, 6)
        local start = helper.stats(loop).turns
        check(loop, reads, data)
        assert.equal(3, stat(loop, "aio_eagain"))
        assert.is_true(helper.stats(loop).turns - start < 30)
        assert.same({ 0, 0 }, { files.calls("pread"),
            stat(loop, "read_pool") })
        close(file, path)
    end))

    it("of ours is waited for until a completion", forked(function()
        local loop, file, path, data = opened(6)
        inject.ql_inject_cut("io_submit", -1, 1, 1, 2)
        inject.ql_inject_fail("io_submit", -1, 2, 2, errno.EAGAIN)
        local reads = begin(file, 6)
        C.ql_process_events_and_timers(loop, 0)
        check(loop, reads, data)
        assert.same({ 1, 6 }, { stat(loop, "aio_eagain"),
            stat(loop, "aio_submitted") })
        close(file, path)
    end))

    it("that takes nothing and says nothing is no spin", forked(function()
        local loop, file, path, data = opened(2)
        inject.ql_inject_result("io_submit", -1, 1, 2, 0)
        check(loop, begin(file, 2), data)
        assert.is_true(files.calls("io_submit") <= 4)
        close(file, path)
    end))

    it("leaves a queue of aio_queue reads, then BUSY", forked(function()
        local loop, file, path, data = opened(4, { aio_queue = 3 })
        inject.ql_inject_fail("io_submit", -1, 1, 1, errno.EAGAIN)
        local reads = begin(file, 4)
        assert.equal(C.NGX_BUSY, table.remove(reads).rc)
        assert.equal(3, stat(loop, "aio_queued"))
        check(loop, reads, data)
        close(file, path)
    end))

    it("lets the rest of the loop go on", forked(function()
        local loop, file, path, data = opened(1)
        inject.ql_inject_fail("io_submit", -1, 1, 0, errno.EAGAIN)
        local reads = begin(file, 1)
        local fired = 0
        for i = 1, 5 do
            C.ql_add_timer(loop, helper.event(loop, helper.handler(
                function() fired = fired + 1 end)), i * 5)
        end
        helper.run_until(loop, function() return fired == 5 end)
        assert.is_true(files.calls("io_submit") < 20)
        inject.ql_inject_clear()
        check(loop, reads, data)
        close(file, path)
    end))
end)

describe("a slow io_submit", function()
    it("is counted", forked(function()
        local loop, file, path, data = opened(1)
        inject.ql_inject_delay("io_submit", -1, 1, 1, 3000)
        check(loop, begin(file, 1), data)
        assert.equal(1, stat(loop, "aio_slow"))
        close(file, path)
    end))
end)
