local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked

describe("a device's hint", function()
    it("is one for each device, empty at first", forked(function()
        local loop = helper.loop()
        local one = C.ql__device(loop, 1)
        assert.same({ false, false }, { one.no_nowait, one.no_direct })
        one.no_direct = true
        assert.is_false(C.ql__device(loop, 2).no_direct)
        assert.is_true(C.ql__device(loop, 1).no_direct)
    end))

    it("of the oldest makes room for a new one", forked(function()
        local loop = helper.loop()
        for dev = 1, C.QL__DEVICES do
            C.ql__device(loop, dev).no_nowait = true
        end
        assert.is_true(C.ql__device(loop, 1).no_nowait)
        assert.is_false(C.ql__device(loop, 1000).no_nowait)
        assert.is_true(C.ql__device(loop, 2).no_nowait)
        assert.is_false(C.ql__device(loop, 1).no_nowait)
    end))

    it("spares the next file the call that fails", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make("hinted")
        local first = files.open(loop, path)
        inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EOPNOTSUPP)
        assert.equal("hinted", files.read(loop, first, 10))
        assert.equal(1, first.no_nowait)
        local second = files.open(loop, path)
        assert.equal(1, second.no_nowait)
        assert.equal("hinted", files.read(loop, second, 10))
        assert.equal(1, files.calls("preadv2"))
        assert.equal(2, files.stat(loop, "read_nowait_unsupported"))
        C.ql_file_close(first)
        C.ql_file_close(second)
        os.remove(path)
    end))

    it("spares the next file the open that fails", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make("hinted")
        local first = files.open(loop, path, true)
        inject.ql_inject_fail("open", -1, 1, 1, errno.EINVAL)
        assert.equal("hinted", files.read(loop, first, 10))
        local second = files.open(loop, path, true)
        assert.same({ 1, 1 }, { first.no_direct, second.no_direct })
        assert.equal("hinted", files.read(loop, second, 10))
        assert.equal(3, files.calls("open"))
        assert.equal(2, files.stat(loop, "read_direct_unsupported"))
        C.ql_file_close(first)
        C.ql_file_close(second)
        os.remove(path)
    end))
end)

-- { "device reason count", ... }
local function fallbacks(loop)
    local list, f = {}, ffi.new("ql_fallback_t")
    while C.ql_fallback(loop, #list, f) == C.NGX_OK do
        list[#list + 1] = ("%s %s %d"):format(ffi.string(f.device),
            ffi.string(f.reason), tonumber(f.count))
    end
    return list
end

describe("a device's fallbacks", function()
    it("are counted by reason", forked(function()
        local loop = helper.loop()
        local file = ffi.new("ql_file_t", { loop = loop,
            dev = 0x801 + 0xef53 * 2 ^ 32 })
        assert.same({}, fallbacks(loop))
        C.ql__fallback(file, C.QL__FALLBACK_DIRTY)
        C.ql__fallback(file, C.QL__FALLBACK_NOWAIT)
        C.ql__fallback(file, C.QL__FALLBACK_DIRTY)
        file.dev = 7
        C.ql__fallback(file, C.QL__FALLBACK_REFUSED)
        assert.same({ "ext4 8:1 nowait unsupported 1",
            "ext4 8:1 dirty pages 2", "0 0:7 aio refused 1" },
            fallbacks(loop))
    end))

    it("of one that made room are kept", forked(function()
        local loop = helper.loop()
        local file = ffi.new("ql_file_t", { loop = loop })
        for dev = 1, C.QL__DEVICES + 2 do
            file.dev = dev
            C.ql__fallback(file, C.QL__FALLBACK_DIRECT)
        end
        local list = fallbacks(loop)
        assert.equal(C.QL__DEVICES + 1, #list)
        assert.equal("others direct unsupported 2", list[#list])
    end))
end)
