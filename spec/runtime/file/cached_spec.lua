local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked
local mounted = files.mounting(it, pending)

-- Lane 1 alone: text, or nil and the code.
local function cached(file, size, offset)
    local buf = ffi.new("char[?]", math.max(1, size))
    local n = tonumber(C.ql_file_read_cached(file, buf, size, offset or 0))
    if n < 0 then
        return nil, n
    end
    return ffi.string(buf, n)
end

local function opened(data)
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local path = files.make(data)
    return loop, files.open(loop, path), path
end

local close = files.close

describe("ql_file_read_cached", function()
    it("gives what the page cache has", forked(function()
        local data = files.bytes(20000)
        local loop, file, path = opened(data)
        files.warm(path)
        assert.equal(data:sub(5001, 5100), cached(file, 100, 5000))
        assert.equal(data, cached(file, 30000, 0))
        assert.equal(data:sub(19991), cached(file, 100, 19990))
        -- What is short may be a part: the end is asked for.
        assert.equal("", cached(file, 100, 20000))
        assert.same({ 2, 0 }, { files.stat(loop, "read_hits"),
            files.stat(loop, "read_misses") })
        close(file, path)
    end))

    it("is AGAIN for what it has not, without a wait", forked(function()
        local loop, file, path = opened(files.bytes(2 * files.MIB))
        assert.same({ nil, C.NGX_AGAIN }, { cached(file, 4096, 0) })
        assert.equal(1, files.stat(loop, "read_misses"))
        assert.equal(0, files.calls("pread"))
        close(file, path)
    end))

    it("gives the front of what is there in part", forked(function()
        local data = files.bytes(200 * files.KIB)
        local loop, file, path = opened(data)
        files.warm(path)
        inject.ql_inject_fail("preadv2", -1, 2, 2, errno.EAGAIN)
        assert.equal(64 * files.KIB, #cached(file, #data, 0))
        inject.ql_inject_cut("preadv2", -1, 1, 1, 100)
        assert.equal(data:sub(1, 100), cached(file, #data, 0))
        assert.equal(0, files.stat(loop, "read_hits"))
        close(file, path)
    end))

    it("asks for at most 64 KiB a call", forked(function()
        local data = files.bytes(200 * files.KIB)
        local _, file, path = opened(data)
        files.warm(path)
        assert.is_true(data == cached(file, #data, 0))
        assert.equal(4, files.calls("preadv2"))
        close(file, path)
    end))

    it("is 0 at the end and past it", forked(function()
        local _, file, path = opened("short")
        files.warm(path)
        for _, offset in ipairs { 5, 6, 4096, 2 ^ 33, 2 ^ 50 } do
            assert.equal("", cached(file, 10, offset))
        end
        assert.equal("", cached(file, 0, 0))
        close(file, path)
    end))

    it("is 0 for an empty file", forked(function()
        local _, file, path = opened("")
        assert.equal("", cached(file, 10, 0))
        close(file, path)
    end))

    it("retries EINTR", forked(function()
        local _, file, path = opened("text")
        files.warm(path)
        inject.ql_inject_fail("preadv2", -1, 1, 3, errno.EINTR)
        assert.equal("text", cached(file, 10))
        close(file, path)
    end))

    it("fails with errno", forked(function()
        local loop, file, path = opened("text")
        inject.ql_inject_fail("preadv2", -1, 1, 1, errno.EIO)
        assert.same({ nil, C.NGX_ERROR }, { cached(file, 10) })
        assert.equal(errno.EIO, ffi.errno())
        assert.equal(0, files.stat(loop, "read_hits"))
        close(file, path)
    end))

    for _, name in ipairs { "EOPNOTSUPP", "ENOSYS" } do
        it("gives up where there is no NOWAIT: " .. name,
            forked(function()
                local loop, file, path = opened("text")
                inject.ql_inject_fail("preadv2", -1, 1, 0, errno[name])
                for _ = 1, 3 do
                    assert.same({ nil, C.NGX_AGAIN }, { cached(file, 10) })
                end
                assert.equal(1, files.calls("preadv2"))
                assert.equal(1,
                    files.stat(loop, "read_nowait_unsupported"))
                assert.equal(0, files.stat(loop, "read_misses"))
                close(file, path)
            end))
    end

    it("is not asked for a direct file", forked(function()
        local loop, file, path = opened("text")
        close(file, path)
        path = files.make("text")
        file = files.open(loop, path, true)
        assert.same({ nil, C.NGX_AGAIN }, { cached(file, 10) })
        assert.equal(0, files.calls("preadv2"))
        close(file, path)
    end))

    mounted("reads tmpfs plainly", forked(function()
        files.on_tmpfs(function(dir)
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local data = files.bytes(100000)
            local path = files.make(data, dir)
            for _, direct in ipairs { false, true } do
                local file = files.open(loop, path, direct)
                assert.equal(1, file.memory)
                assert.is_true(data == files.read(loop, file, 200000))
                C.ql_file_close(file)
            end
            assert.same({ 0, 0, 0 }, { files.calls("preadv2"),
                files.stat(loop, "read_pool"),
                files.stat(loop, "read_direct") })
        end)
    end))
end)

describe("what is known to be in the page cache", function()
    local PAGE = 4096

    local function warmed(pages)
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make(files.bytes(pages * PAGE - 10))
        files.warm(path)
        return files.open(loop, path), path
    end

    local function resident(file, offset, size)
        return tonumber(C.ql__file_resident(file, offset, size))
    end

    it("is all of a file that was read, at a probe for two pages",
        forked(function()
            local file, path = warmed(9)
            for _, case in ipairs { { 0, 1, 1 }, { 0, PAGE, 1 },
                { 0, PAGE + 1, 1 }, { 0, 2 * PAGE, 1 }, { 1, 2 * PAGE, 2 },
                { PAGE - 1, 2, 1 }, { 4000, 4 * PAGE, 3 },
                { 0, 9 * PAGE - 10, 5 } } do
                local offset, size, probes = unpack(case)
                local before = files.calls("preadv2")
                assert.equal(size, resident(file, offset, size))
                assert.equal(probes, files.calls("preadv2") - before)
            end
            close(file, path)
        end))

    it("ends before the first page that is not", forked(function()
        local file, path = warmed(9)
        for probe = 1, 4 do
            for known = 0, 1 do -- pages of the probe that fails
                inject.ql_inject_clear()
                if known == 0 then
                    inject.ql_inject_fail("preadv2", -1, probe, 0,
                        errno.EAGAIN)
                else
                    inject.ql_inject_cut("preadv2", -1, probe, 0, 1)
                end
                assert.equal(((probe - 1) * 2 + known) * PAGE,
                    resident(file, 0, 9 * PAGE - 10))
            end
        end
        close(file, path)
    end))

    it("is nothing of a page that is only being read",
        forked(function()
            local file, path = warmed(9)
            files.evict(path)
            assert.equal(0, resident(file, 0, PAGE))
            assert.equal(0, resident(file, 9 * PAGE, PAGE))
            close(file, path)
        end))

    it("is nothing of a file without NOWAIT", forked(function()
        local file, path = warmed(9)
        inject.ql_inject_fail("preadv2", -1, 1, 1, errno.EOPNOTSUPP)
        assert.equal(0, resident(file, 0, PAGE))
        assert.equal(0, resident(file, 0, PAGE))
        assert.equal(1, files.calls("preadv2"))
        close(file, path)
    end))
end)
