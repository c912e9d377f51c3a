local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local BLOCK = 4096

local function levels()
    local list = {}
    for i, line in ipairs(helper.log()) do
        list[i] = line.level
    end
    return list
end

local function opened(n, settings)
    return files.counted(true, n, settings)
end

local close = files.close

-- n reads of one block each, begun.
local function begin(file, n)
    local reads = {}
    for i = 1, n do
        reads[i] = files.aio(file, BLOCK, (i - 1) * BLOCK)
        assert.equal(C.NGX_AGAIN, reads[i].rc)
    end
    return reads
end

local function check(loop, reads, data)
    for i, read in ipairs(reads) do
        local text = files.result(loop, read)
        assert.is_true(text == data:sub((i - 1) * BLOCK + 1, i * BLOCK))
    end
end

-- Wakes the bridge's eventfd by hand.
local function wake(loop, count)
    local value = ffi.new("uint64_t[1]", count or 1)
    assert(ffi.C.write(loop.aio.eventfd, value, 8) == 8)
end

describe("the AIO bridge", function()
    it("is made at the first need, once", forked(function()
        local loop = helper.loop({ worker_aio_requests = 7 },
            inject.ql_inject_new(nil))
        C.ql_loop_init(loop)
        local eventfds = files.calls("eventfd")
        for _ = 1, 2 do
            assert.equal(C.NGX_OK, C.ql_aio_init(loop))
        end
        assert.same({ 1, 1 }, { files.calls("io_setup"),
            files.calls("eventfd") - eventfds })
        assert.equal(7, loop.aio.requests)
        assert.equal(1, loop.aio.conn.pseudo)
        assert.equal(1, loop.aio.conn.read.active)
        assert.equal(0, stat(loop, "live"))
    end))

    for _, name in ipairs { "EAGAIN", "ENOSYS", "EPERM" } do
        it("refused with " .. name .. " is said once; reads go on",
            forked(function()
                local loop, file, path, data = opened(4)
                inject.ql_inject_fail("io_setup", -1, 1, 0, errno[name])
                for _ = 1, 3 do
                    assert.equal(C.NGX_DECLINED, C.ql_aio_init(loop))
                    assert.is_true(data == files.read(loop, file, #data))
                end
                assert.same({ C.QL_LOG_WARN }, levels())
                assert.equal(1, files.calls("io_setup"))
                assert.same({ 3, 0 }, { stat(loop, "read_pool"),
                    stat(loop, "read_direct") })
                close(file, path)
            end))
    end

    for call, name in pairs { eventfd = "EMFILE", memalign = "ENOMEM",
        epoll_ctl = "ENOSPC", malloc = "ENOMEM" } do
        it("that cannot be made for " .. call .. " leaves nothing",
            forked(function()
                local loop = helper.loop({}, inject.ql_inject_new(nil))
                C.ql_loop_init(loop)
                local held = {}
                for i = 1, call == "memalign" and 63 or 0 do
                    held[i] = C.ql_get_connection(loop, 1000000 + i)
                end
                inject.ql_inject_fail(call, -1, 1, 1, errno[name])
                assert.equal(C.NGX_ERROR, C.ql_aio_init(loop))
                assert.same({ -1, true, true }, { loop.aio.eventfd,
                    loop.aio.conn == nil, loop.aio.batch == nil })
                assert.equal(files.calls("io_setup"),
                    files.calls("io_destroy"))
                assert.equal(C.NGX_OK, C.ql_aio_init(loop))
                for _, c in ipairs(held) do
                    C.ql_free_connection(c)
                end
            end))
    end

    it("whose making fails leaves the other lanes", forked(function()
        local loop, file, path, data = opened(4)
        C.ql_loop_init(loop)
        inject.ql_inject_fail("eventfd", -1, 1, 1, errno.EMFILE)
        assert.is_true(data == files.read(loop, file, #data))
        assert.equal(1, stat(loop, "read_pool"))
        close(file, path)
    end))
end)

describe("the harvest", function()
    it("marks, posts and counts what is complete", forked(function()
        local loop, file, path, data = opened(3)
        assert.equal(0, inject.ql_probe_start(loop, 10))
        local reads = begin(file, 3)
        local ev = reads[1].aio.event
        assert.same({ 1, 0, 0 }, { ev.active, ev.complete, ev.ready })
        helper.run_until(loop, function()
            return tonumber(inject.ql_probe_count()) == 3
        end)
        assert.same({ 0, 1, 1 }, { ev.active, ev.complete, ev.ready })
        assert.same({ BLOCK, 0 }, { tonumber(reads[1].aio.res),
            reads[1].aio.err })
        assert.same({ 3, 3, 0 }, { stat(loop, "aio_submitted"),
            stat(loop, "aio_reaped"), stat(loop, "aio_in_flight") })
        check(loop, reads, data)
        close(file, path)
    end))

    it("goes on after 64, whatever the count said", forked(function()
        local loop, file, path, data = opened(200)
        inject.ql_inject_result("io_getevents", -1, 1, 0, 0)
        local reads = begin(file, 200)
        helper.run_until(loop, function()
            return stat(loop, "aio_in_flight") == 200
        end)
        inject.ql_inject_clear()
        wake(loop)
        check(loop, reads, data)
        assert.equal(200, stat(loop, "aio_reaped"))
        close(file, path)
    end))

    it("takes fewer than the count says", forked(function()
        local loop, file, path, data = opened(4)
        local reads = begin(file, 4)
        C.ql_process_events_and_timers(loop, 0)
        wake(loop, 1000)
        check(loop, reads, data)
        assert.equal(4, stat(loop, "aio_reaped"))
        close(file, path)
    end))

    it("after a wake for nothing goes on", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        assert.equal(C.NGX_OK, C.ql_aio_init(loop))
        wake(loop)
        local before = files.calls("io_getevents")
        assert.equal(C.NGX_OK, C.ql_process_events_and_timers(loop, 1000))
        assert.equal(before + 1, files.calls("io_getevents"))
        assert.same({}, levels())
    end))

    it("of a saturated eventfd goes on", forked(function()
        local loop, file, path, data = opened(2)
        local reads = begin(file, 2)
        C.ql_aio_submit(loop)
        -- The most that write(2) may add; completions then overflow it.
        local max = ffi.new("uint64_t[1]", ffi.cast("uint64_t", -2))
        ffi.C.write(loop.aio.eventfd, max, 8)
        check(loop, reads, data)
        local more = begin(file, 2)
        check(loop, more, data)
        assert.same({}, levels())
        close(file, path)
    end))

    it("retries EINTR", forked(function()
        local loop, file, path, data = opened(2)
        inject.ql_inject_fail("io_getevents", -1, 1, 2, errno.EINTR)
        check(loop, begin(file, 2), data)
        close(file, path)
    end))

    it("gives errors in res to who asked", forked(function()
        local loop, file, path, data = opened(3)
        inject.ql_inject_aio_res(2, -errno.EIO)
        local reads = begin(file, 3)
        local failed = 0
        for i = 1, 3 do
            local text, err = files.result(loop, reads[i])
            if text then
                assert.is_true(text == data:sub((i - 1) * BLOCK + 1,
                    i * BLOCK))
            else
                assert.equal(errno.EIO, err)
                failed = failed + 1
            end
        end
        assert.equal(1, failed)
        assert.same({ C.QL_LOG_ERR }, levels())
        close(file, path)
    end))
end)
