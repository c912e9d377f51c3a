local helper = require "spec.helper"
local files = require "spec.support.files"
local C, inject, errno = helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local opened = files.counted

local close = files.close

-- After which every read of the loop still works.
local function still_reads(loop, file, data)
    inject.ql_inject_clear()
    assert.is_true(files.read(loop, file, #data) == data)
end

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

describe("a large read by a thread", function()
    local PART, CALL = files.MIB, 64 * files.KIB

    -- Every pread brings CALL bytes, so that their number tells how many.
    local function large(size, settings)
        local loop = helper.loop(settings, inject.ql_inject_new(nil))
        local data = files.bytes(size)
        local path = files.make(data)
        inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EAGAIN)
        inject.ql_inject_cut("pread", -1, 1, 0, CALL)
        return loop, files.open(loop, path), path, data
    end

    local function begun(file, size)
        local r = C.ql_read_create(file, size, 0)
        assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
        return r
    end

    it("takes a task a MiB, and is counted once", forked(function()
        for _, extra in ipairs { 0, 5 } do
            local loop, file, path, data = large(3 * PART + extra)
            assert.is_true(files.read(loop, file, #data) == data)
            assert.is_true(files.read(loop, file, 4 * PART) == data)
            assert.same({ 2, extra > 0 and 8 or 7 },
                { stat(loop, "read_pool"), stat(loop, "pool_jobs") })
            close(file, path)
            helper.finish(loop)
        end
    end))

    it("ends with its part when it is cancelled", forked(function()
        local loop, file, path, data = large(4 * PART, { threads = 1 })
        local r = begun(file, #data)
        helper.run_until(loop, function()
            C.ql_notify(loop)
            return files.calls("pread") > 0
        end)
        C.ql_read_free(r)
        assert.equal(data:sub(1, 10), files.read(loop, file, 10))
        assert.equal(PART / CALL + 1, files.calls("pread"))
        assert.same({ 0, 0 }, { stat(loop, "reads_live"),
            stat(loop, "orphans") })
        close(file, path)
    end))

    it("that was begun is not refused a thread", forked(function()
        local loop, file, path, data =
            large(3 * PART, { overflow_error = 1 })
        local r = begun(file, #data)
        loop.conf.thread_queue = 0
        assert.is_true(files.finish(loop, r) == data)
        assert.same({ nil, 16 }, { files.read(loop, file, 10) }) -- EBUSY
        close(file, path)
    end))
end)
