local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local function truncate(loop, file, size)
    local call = C.ql_truncate_create(file, size)
    assert(call ~= nil)
    local rc = files.await(loop, call)
    local err = call.err
    C.ql_call_free(call)
    return rc, err
end

describe("truncate", function()
    it("makes a file shorter and longer, on a thread", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make("0123456789")
        local file = files.writable(loop, path)
        inject.ql_inject_fail("ftruncate", -1, 1, 1, errno.EINTR)
        for _, size in ipairs { 4, 0, 2 ^ 33 } do
            assert.same({ C.NGX_OK, 0 }, { truncate(loop, file, size) })
            assert.equal(size, tonumber(C.ql_file_size(file)))
        end
        assert.same({ 3, 0 }, { stat(loop, "pool_jobs"),
            stat(loop, "calls_live") })
        C.ql_file_close(file)
        os.remove(path)
    end))

    it("tells why not", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make("0123456789")
        local file = files.writable(loop, path)
        inject.ql_inject_fail("ftruncate", -1, 1, 1, errno.EIO)
        assert.same({ C.NGX_ERROR, errno.EIO }, { truncate(loop, file, 4) })
        assert.same({ C.NGX_ERROR, errno.EINVAL },
            { truncate(loop, file, -1) })
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.is_true(C.ql_truncate_create(file, 4) == nil)
        assert.equal(errno.ENOMEM, ffi.errno())
        assert.equal(10, tonumber(C.ql_file_size(file)))
        C.ql_file_close(file)
        os.remove(path)
    end))
end)
