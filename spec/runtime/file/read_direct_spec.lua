local helper = require "spec.helper"
local files = require "spec.support.files"
local C, inject, errno = helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local BLOCK = 4096

local opened = files.counted

local close = files.close

local function begin(file, size, offset)
    local r = C.ql_read_create(file, size, offset or 0)
    local rc = C.ql_read_attempt(r)
    return r, rc
end

-- After which every read of the loop still works.
local function still_reads(loop, file, data)
    inject.ql_inject_clear()
    assert.is_true(files.read(loop, file, #data) == data)
end

describe("a direct read that the kernel", function()
    for _, name in ipairs { "EINVAL", "EOPNOTSUPP", "ENOSYS", "EPERM" } do
        it("answers with " .. name .. " goes another lane",
            forked(function()
                local loop, file, path, data = opened(true)
                inject.ql_inject_aio_res(1, -errno[name])
                assert.is_true(files.read(loop, file, #data) == data)
                assert.same({ 1, 1, 1 }, { file.no_direct,
                    stat(loop, "read_direct_unsupported"),
                    stat(loop, "read_pool") })
                still_reads(loop, file, data)
                assert.equal(1, stat(loop, "aio_submitted"))
                close(file, path)
            end))
    end

    it("would wait for (dirty pages) goes to the pool", forked(function()
        local loop, file, path, data = opened(true)
        inject.ql_inject_aio_res(1, -errno.EAGAIN)
        assert.is_true(files.read(loop, file, #data) == data)
        assert.same({ 1, 1, 0 }, { stat(loop, "read_dirty"),
            stat(loop, "read_pool"), file.no_direct })
        still_reads(loop, file, data)
        assert.equal(2, stat(loop, "aio_submitted"))
        close(file, path)
    end))

    -- The read is asked for again while its first event is posted.
    local function let_go_early(cut)
        local loop, file, path, data = opened(true)
        local told = 0
        inject.ql_inject_aio_res(1, cut)
        inject.ql_inject_delay("pread", -1, 1, 1, 50000)
        local r = C.ql_read_create(file, #data, 0)
        r.event.handler = helper.handler(function() told = told + 1 end)
        assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
        assert.equal("direct", helper.ffi.string(C.ql_read_lane(r)))
        repeat
            C.ql_aio_eventfd_handler(loop.aio.conn.read)
        until stat(loop, "aio_reaped") == 1
        inject.ql_inject_result("io_getevents", -1, 1, 0, 0)
        assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
        repeat until cut > 0 or files.calls("pread") == 1
        C.ql_read_free(r)
        assert.equal(1, stat(loop, "orphans"))
        C.ql_process_events_and_timers(loop, 0)
        assert.same({ 0, 1, 1 },
            { told, stat(loop, "orphans"), stat(loop, "reads_live") })
        inject.ql_inject_clear()
        helper.run_until(loop, function()
            C.ql_aio_eventfd_handler(loop.aio.conn.read)
            return stat(loop, "orphans") == 0
        end)
        still_reads(loop, file, data)
        close(file, path)
    end

    it("has in a second part when it is let go of ends once",
        forked(function() let_go_early(BLOCK) end))

    it("left to a thread, and is let go of, ends once",
        forked(function() let_go_early(-errno.EAGAIN) end))

    it("cuts short goes on from there", forked(function()
        local loop, file, path, data = opened(true)
        inject.ql_inject_aio_res(1, BLOCK + 512)
        assert.is_true(files.read(loop, file, 3 * BLOCK, 5)
            == data:sub(6, 3 * BLOCK + 5))
        inject.ql_inject_aio_res(1, 100)
        assert.is_true(files.read(loop, file, 3 * BLOCK, 5)
            == data:sub(6, 3 * BLOCK + 5))
        close(file, path)
    end))

    it("fails with EIO is an error, once in the log", forked(function()
        local loop, file, path, data = opened(true)
        inject.ql_inject_aio_res(1, -errno.EIO)
        assert.same({ nil, errno.EIO },
            { files.read(loop, file, #data) })
        assert.equal(1, #helper.log())
        still_reads(loop, file, data)
        close(file, path)
    end))

    it("makes wait never blocks the loop", forked(function()
        local loop, file, path, data = opened(true, 32)
        inject.ql_inject_fail("io_submit", -1, 1, 5, errno.EAGAIN)
        local reads = {}
        for i = 1, 32 do
            reads[i] = begin(file, BLOCK, (i - 1) * BLOCK)
        end
        for i, r in ipairs(reads) do
            assert.is_true(files.finish(loop, r)
                == data:sub((i - 1) * BLOCK + 1, i * BLOCK))
        end
        assert.same({ 0, 0 }, { files.calls("pread"),
            files.calls("preadv2") })
        close(file, path)
    end))

    it("has no room for waits its turn", forked(function()
        local loop, file, path, data = opened(true, 4, { aio_queue = 1 })
        C.ql_aio_init(loop)
        loop.aio.blocked = true
        local reads = {}
        for i = 1, 3 do
            local r, rc = begin(file, BLOCK, (i - 1) * BLOCK)
            assert.equal(C.NGX_AGAIN, rc)
            reads[i] = r
        end
        assert.equal(3, stat(loop, "aio_queued"))
        C.ql_read_free(table.remove(reads, 2))
        assert.equal(2, stat(loop, "aio_queued"))
        loop.aio.blocked = false
        assert.is_true(files.finish(loop, reads[1]) == data:sub(1, BLOCK))
        assert.is_true(files.finish(loop, reads[2])
            == data:sub(2 * BLOCK + 1, 3 * BLOCK))
        close(file, path)
    end))

    it("has no room for is busy where that is asked for",
        forked(function()
            local loop, file, path, data = opened(true, 4,
                { aio_queue = 1, overflow_error = 1 })
            C.ql_aio_init(loop)
            loop.aio.blocked = true
            local first, rc = begin(file, BLOCK)
            assert.equal(C.NGX_AGAIN, rc)
            local second
            second, rc = begin(file, BLOCK, BLOCK)
            assert.equal(C.NGX_ERROR, rc)
            assert.equal(16, second.err) -- EBUSY
            loop.aio.blocked = false
            assert.is_true(files.finish(loop, first)
                == data:sub(1, BLOCK))
            assert.is_true(files.finish(loop, second)
                == data:sub(BLOCK + 1, 2 * BLOCK))
            close(file, path)
        end))
end)

describe("a file system without direct reads", function()
    it("is read by the pool, and remembered: /proc", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local file = files.open(loop, "/proc/version", true)
        local other = files.open(loop, "/proc/version", false)
        local text = files.read(loop, file, 10000)
        assert.matches("^Linux version .*\n$", text)
        assert.equal(text, files.read(loop, other, 10000))
        assert.equal(text:sub(7, 14), files.read(loop, file, 8, 6))
        assert.same({ 1, 0, 3 }, { stat(loop, "read_direct_unsupported"),
            files.calls("io_setup"), stat(loop, "read_pool") })
        C.ql_file_close(file)
        C.ql_file_close(other)
    end))
end)

describe("a read whose misses go direct", function()
    local function reading()
        local loop, file, path, data = opened(false, 64)
        file.miss_direct = 1
        return loop, file, path, data
    end

    it("asks the page cache first", forked(function()
        local loop, file, path, data = reading()
        files.warm(path)
        assert.is_true(files.read(loop, file, 3 * BLOCK, 5)
            == data:sub(6, 3 * BLOCK + 5))
        assert.same({ 1, 0 }, { stat(loop, "read_hits"),
            stat(loop, "read_direct") })
        close(file, path)
    end))

    it("takes the AIO for what is cold", forked(function()
        local loop, file, path, data = reading()
        inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EAGAIN)
        for _, place in ipairs { { 0, 1 }, { 1, 4095 }, { 4095, 2 },
            { 5000, 100000 }, { #data - 5, 100 }, { #data, 10 } } do
            local offset, size = place[1], place[2]
            assert.is_true(files.read(loop, file, size, offset)
                == data:sub(offset + 1, offset + size))
        end
        assert.same({ 0, 0 }, { stat(loop, "read_pool"),
            files.calls("pread") })
        assert.is_true(stat(loop, "read_direct") >= 6)
        close(file, path)
    end))

    it("keeps what a partial hit gave", forked(function()
        local loop, file, path, data = reading()
        files.warm(path)
        inject.ql_inject_fail("preadv2", -1, 2, 0, errno.EAGAIN)
        inject.ql_inject_cut("preadv2", -1, 1, 1, 1000)
        assert.is_true(files.read(loop, file, 50000, 77)
            == data:sub(78, 50077))
        assert.same({ 0, 1 }, { stat(loop, "read_pool"),
            stat(loop, "read_direct") })
        close(file, path)
    end))

    it("takes a thread where there is no direct read", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local file = files.open(loop, "/proc/version", false)
        file.miss_direct = 1
        assert.matches("^Linux version .*\n$", files.read(loop, file, 10000))
        assert.equal(1, stat(loop, "read_pool"))
        C.ql_file_close(file)
    end))
end)
