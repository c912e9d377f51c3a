-- A file whose misses of the page cache have held the loop up.
local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls, stat = helper.forked, files.calls, files.stat

local KIB = files.KIB
local PAGE = 4 * KIB
local PAGES = 64

-- cachestat is of Linux 6.5.
local function counts()
    local sys = C.ql_sys_default
    local fd = sys.open("/proc/self/exe", 0, 0)
    local n = tonumber(sys.cachestat(fd, 0, 1))
    sys.close(fd)
    return n >= 0
end

local exact = counts() and it or pending

local function cached(file, size, offset)
    return tonumber(C.ql_file_read_cached(file, ffi.new("char[?]", size),
        size, offset))
end

-- A cold file of which one miss has taken 1.5 ms.
local function stalled()
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local path = files.make(files.bytes(PAGES * PAGE))
    local file = files.open(loop, path)
    inject.ql_inject_delay("preadv2", -1, 1, 1, 1500)
    inject.ql_inject_fail("preadv2", -1, 1, 1, errno.EAGAIN)
    assert(cached(file, PAGE, 0) == C.NGX_AGAIN)
    assert(file.slow_miss == 1 and calls("cachestat") == 0)
    return { loop = loop, path = path, file = file }
end

local function close(self)
    C.ql_file_close(self.file)
    os.remove(self.path)
end

describe("a file with a slow miss", function()
    exact("is not asked for what is not there, and a thread reads it",
        forked(function()
            local self = stalled()
            files.evict(self.path)
            local before = calls("preadv2")
            assert.equal(files.bytes(PAGES * PAGE):sub(1, 100),
                files.read(self.loop, self.file, 100, 0))
            assert.same({ before, 1 }, { calls("preadv2"), calls("pread") })
            assert.same({ ["slow misses"] = 1 }, files.fallbacks(self.loop))
            assert.same({ 1, 1 }, { stat(self.loop, "read_misses"),
                stat(self.loop, "read_pool") })
            close(self)
        end))

    exact("is read as any other where all is there", forked(function()
        local self = stalled()
        files.warm(self.path)
        for _, case in ipairs { { PAGE, 0 }, { 100, PAGE - 50 }, { 1, 7 },
            { PAGES * PAGE, 0 }, { 3 * PAGE, (PAGES - 2) * PAGE },
            { PAGE, PAGES * PAGE - 1 } } do
            local size, offset = case[1], case[2]
            assert.equal(math.min(size, PAGES * PAGE - offset),
                cached(self.file, size, offset))
        end
        assert.same({}, files.fallbacks(self.loop))
        close(self)
    end))

    it("is not asked for what is there in part", forked(function()
        local self = stalled()
        inject.ql_inject_result("cachestat", -1, 1, 0, 1)
        assert.equal(C.NGX_AGAIN, cached(self.file, 2 * PAGE, 0))
        assert.equal(C.NGX_AGAIN, cached(self.file, 2, PAGE - 1))
        assert.equal(1, calls("preadv2"))
        assert.same({ ["slow misses"] = 2 }, files.fallbacks(self.loop))
        close(self)
    end))

    exact("is not sent from where it is cold", forked(function()
        local self = stalled()
        files.evict(self.path)
        assert.equal(0, tonumber(C.ql__file_resident(self.file, 0, PAGE)))
        assert.equal(1, calls("preadv2"))
        files.warm(self.path)
        assert.equal(2 * PAGE,
            tonumber(C.ql__file_resident(self.file, 0, 2 * PAGE)))
        close(self)
    end))

    it("is asked as before without the call: ENOSYS, of any file",
        forked(function()
            local self = stalled()
            inject.ql_inject_fail("cachestat", -1, 1, 0, errno.ENOSYS)
            files.warm(self.path)
            for _ = 1, 2 do
                assert.equal(PAGE, cached(self.file, PAGE, 0))
            end
            local other = files.open(self.loop, self.path)
            other.slow_miss = 1
            assert.equal(PAGE, cached(other, PAGE, 0))
            assert.equal(1, calls("cachestat"))
            C.ql_file_close(other)
            close(self)
        end))

    it("is asked as before without the right: EPERM, of this file",
        forked(function()
            local self = stalled()
            inject.ql_inject_fail("cachestat", -1, 1, 0, errno.EPERM)
            files.warm(self.path)
            for _ = 1, 2 do
                assert.equal(PAGE, cached(self.file, PAGE, 0))
            end
            assert.equal(1, calls("cachestat"))
            assert.is_false(self.loop.no_cachestat)
            close(self)
        end))
end)

describe("a slow hit", function()
    it("is none", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make(files.bytes(PAGE))
        local file = files.open(loop, path)
        files.warm(path)
        inject.ql_inject_delay("preadv2", -1, 1, 1, 1500)
        assert.equal(PAGE, cached(file, PAGE, 0))
        assert.same({ 1, 0 }, { tonumber(C.ql_slow_cached(loop).count),
            file.slow_miss })
        C.ql_file_close(file)
        os.remove(path)
    end))
end)
