local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked

local KIB = files.KIB

local function opened(size, direct)
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local path = files.make(files.bytes(size))
    return loop, files.open(loop, path, direct), path
end

local close = files.close

local function name(slow)
    return ffi.string(slow.file)
end

describe("a slow call", function()
    it("of the page cache is counted, with its time and file",
        forked(function()
            local loop, file, path = opened(100 * KIB)
            files.warm(path)
            local slow = C.ql_slow_cached(loop)
            files.read(loop, file, 20 * KIB)
            assert.same({ 0, "" }, { tonumber(slow.count), name(slow) })
            inject.ql_inject_delay("preadv2", -1, 1, 1, 1500)
            files.read(loop, file, 20 * KIB)
            assert.same({ 1, path }, { tonumber(slow.count), name(slow) })
            assert.is_true(slow.ns > 1500000 and slow.ns < 1e9)
            close(file, path)
        end))

    it("of 16 KiB and less is timed until 15 in a row were hits",
        forked(function()
            local loop, file, path = opened(100 * KIB)
            local buf = ffi.new("char[?]", 16 * KIB)
            local function clocks()
                local before = files.calls("clock_gettime")
                C.ql_file_read_cached(file, buf, 16 * KIB, 0)
                return files.calls("clock_gettime") - before
            end
            files.warm(path)
            for _ = 1, 15 do
                assert.equal(2, clocks())
            end
            inject.ql_inject_delay("preadv2", -1, 1, 1, 1500)
            assert.equal(0, clocks())
            inject.ql_inject_fail("preadv2", -1, 1, 1, errno.EAGAIN)
            assert.equal(0, clocks()) -- it could not be known
            assert.equal(2, clocks())
            assert.equal(0, tonumber(C.ql_slow_cached(loop).count))
            close(file, path)
        end))

    it("of io_submit is counted, with its first file", forked(function()
        local loop, file, path = opened(100 * KIB, true)
        inject.ql_inject_delay("io_submit", -1, 1, 1, 1500)
        files.read(loop, file, 4 * KIB)
        local slow = C.ql_slow_submit(loop)
        assert.same({ 1, path, 1 }, { tonumber(slow.count), name(slow),
            files.stat(loop, "aio_slow") })
        close(file, path)
    end))

    it("keeps the errno of its failure", forked(function()
        local loop, file, path = opened(100 * KIB)
        inject.ql_inject_delay("preadv2", -1, 1, 1, 1500)
        inject.ql_inject_fail("preadv2", -1, 1, 1, errno.EIO)
        inject.ql_inject_fail("readlinkat", -1, 1, 0, errno.ENOENT)
        assert.equal(C.NGX_ERROR, tonumber(C.ql_file_read_cached(file,
            ffi.new("char[?]", 20 * KIB), 20 * KIB, 0)))
        assert.same({ errno.EIO, 1 },
            { ffi.errno(), tonumber(C.ql_slow_cached(loop).count) })
        close(file, path)
    end))

    it("has device and inode where there is no /proc", forked(function()
        local loop, file, path = opened(100 * KIB, true)
        inject.ql_inject_delay("io_submit", -1, 1, 1, 1500)
        inject.ql_inject_fail("readlinkat", -1, 1, 0, errno.ENOENT)
        files.read(loop, file, 4 * KIB)
        assert.matches("^%d+:%d+ %d+$", name(C.ql_slow_submit(loop)))
        close(file, path)
    end))
end)
