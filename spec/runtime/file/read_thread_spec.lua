local helper = require "spec.helper"
local files = require "spec.support.files"
local inject, errno = helper.inject, helper.errno
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
