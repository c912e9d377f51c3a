local helper = require "spec.helper"
local files = require "spec.support.files"
local C, inject, errno = helper.C, helper.inject, helper.errno
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
