local helper = require "spec.helper"
local files = require "spec.support.files"
local C, inject, errno = helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local BLOCK = 4096

local function opened(direct, n, settings)
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    local data = files.bytes((n or 4) * BLOCK)
    local path = files.make(data)
    return loop, files.open(loop, path, direct), path, data
end

local function close(file, path)
    C.ql_file_close(file)
    os.remove(path)
end

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

    it("has no room for is busy, and can be tried again",
        forked(function()
            local loop, file, path, data = opened(true, 4,
                { aio_queue = 1 })
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

describe("a cached read", function()
    it("goes on in the pool after a partial hit", forked(function()
        local loop, file, path, data = opened(false, 64)
        files.warm(path)
        inject.ql_inject_fail("preadv2", -1, 3, 0, errno.EAGAIN)
        inject.ql_inject_cut("preadv2", -1, 2, 2, 1000)
        assert.is_true(files.read(loop, file, #data) == data)
        assert.equal(1, stat(loop, "read_pool"))
        assert.equal(1, files.calls("pread"))
        close(file, path)
    end))

    it("without NOWAIT goes to the pool, counted", forked(function()
        local loop, file, path, data = opened(false)
        inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EOPNOTSUPP)
        for i = 1, 3 do
            assert.is_true(files.read(loop, file, #data) == data)
            assert.equal(i, stat(loop, "read_pool"))
        end
        assert.equal(1, stat(loop, "read_nowait_unsupported"))
        close(file, path)
    end))

    it("of a disk that fails is EIO, and the loop goes on",
        forked(function()
            local loop, file, path, data = opened(false)
            inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EAGAIN)
            inject.ql_inject_fail("pread", -1, 1, 1, errno.EIO)
            assert.same({ nil, errno.EIO },
                { files.read(loop, file, #data) })
            inject.ql_inject_fail("pread", -1, 2, 2, errno.EINTR)
            assert.is_true(files.read(loop, file, #data) == data)
            inject.ql_inject_clear()
            inject.ql_inject_fail("preadv2", -1, 1, 1, errno.EIO)
            assert.same({ nil, errno.EIO },
                { files.read(loop, file, #data) })
            assert.equal(2, #helper.log())
            still_reads(loop, file, data)
            close(file, path)
        end))

    it("that no thread can be had for is an error", forked(function()
        local loop, file, path, data = opened(false)
        inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EAGAIN)
        inject.ql_inject_fail("thread_create", -1, 1, 0, errno.EAGAIN)
        assert.same({ nil, errno.EAGAIN },
            { files.read(loop, file, #data) })
        still_reads(loop, file, data)
        close(file, path)
    end))
end)

describe("a read that its waiter lets go", function()
    -- Freed in this state; its handler is never called.
    local function freed(direct, prepare)
        local loop, file, path = opened(direct)
        local r = C.ql_read_create(file, BLOCK, 0)
        r.event.handler = helper.handler(function()
            error("called")
        end)
        prepare(loop, r)
        C.ql_read_free(r)
        close(file, path)
        helper.run_until(loop, function()
            return stat(loop, "reads_live") + stat(loop, "files_live") == 0
        end)
        C.ql_process_events_and_timers(loop, 0)
    end

    local states = {
        ["before it was attempted"] = function() end,
        ["while it is gathered"] = function(loop, r)
            C.ql_aio_init(loop)
            loop.aio.blocked = true
            assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
            loop.aio.blocked = false
        end,
        ["while the kernel has it"] = function(loop, r)
            assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
            assert.equal(1, stat(loop, "aio_in_flight"))
        end,
        ["with its timer armed"] = function(loop, r)
            assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
            C.ql_add_timer(loop, r.event, 60000)
        end,
    }

    for name, prepare in pairs(states) do
        it(name .. " is freed by the last to let go", forked(function()
            freed(true, prepare)
        end))
    end

    it("while a thread has it is freed later", forked(function()
        local started = 0
        freed(false, function(loop, r)
            inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EAGAIN)
            inject.ql_inject_delay("pread", -1, 1, 0, 50000)
            assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
            helper.run_until(loop, function()
                C.ql_notify(loop)
                started = files.calls("pread")
                return started > 0
            end)
        end)
        assert.equal(1, started)
    end))

    it("while it waits for a thread is freed at once", forked(function()
        local loop, file, path = opened(false, 4, { threads = 1 })
        inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EAGAIN)
        inject.ql_inject_delay("pread", -1, 1, 1, 50000)
        local first = begin(file, BLOCK)
        helper.run_until(loop, function()
            C.ql_notify(loop)
            return files.calls("pread") > 0
        end)
        local second = begin(file, BLOCK)
        C.ql_read_free(second)
        assert.equal(1, stat(loop, "reads_live"))
        assert.equal(BLOCK, #files.finish(loop, first))
        assert.equal(1, files.calls("pread"))
        close(file, path)
    end))

    it("when it is complete but not looked at", forked(function()
        local loop, file, path = opened(true)
        local r = begin(file, BLOCK)
        local called = false
        r.event.handler = helper.handler(function() called = true end)
        helper.run_until(loop, function() return called end)
        C.ql_read_free(r)
        assert.equal(0, stat(loop, "reads_live"))
        close(file, path)
    end))
end)
