local helper = require "spec.helper"
local calls = require "spec.support.calls"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno

local in_directory = calls.in_child

local function create(loop, dir, flags)
    local t = C.ql_open_tempfile(loop, dir, "p-", flags or 0)
    assert.is_true(t ~= nil)
    return t
end

describe("a temporary file", function()
    it("is open, and there", in_directory(function(loop, dir)
        local t = create(loop, dir)
        assert.equal(0, calls.wait(loop, t))
        local file, name = C.ql_tempfile_take(t), ffi.string(t.name)
        C.ql_call_free(calls.of(t))
        assert.equal(5, tonumber(ffi.C.write(file.fd, "hello", 5)))
        assert.equal("hello", calls.read(name))
        assert.same({ 1, 1, 1 }, { file.readable, file.writable,
            calls.stat(loop, "files_live") })
        C.ql_file_close(file)
        assert.equal(name, dir .. "/" .. calls.names(dir))
    end))

    it("may have no name", in_directory(function(loop, dir)
        local t = create(loop, dir, C.QL_TEMPFILE_UNLINKED)
        assert.equal(0, calls.wait(loop, t))
        local file = C.ql_tempfile_take(t)
        assert.is_true(t.name == nil)
        C.ql_call_free(calls.of(t))
        assert.equal("", calls.names(dir))
        assert.equal(5, tonumber(ffi.C.write(file.fd, "hello", 5)))
        C.ql_file_close(file)
    end))

    it("that nobody takes is removed by a thread", in_directory(
        function(loop, dir)
            local t = create(loop, dir)
            assert.equal(0, calls.wait(loop, t))
            C.ql_call_free(calls.of(t))
            helper.run_until(loop, function()
                return calls.stat(loop, "calls_live") == 0
            end)
            assert.same({ "", 2 },
                { calls.names(dir), calls.stat(loop, "pool_jobs") })
        end))

    it("is removed when its waiter left while it was made", in_directory(
        function(loop, dir)
            inject.ql_inject_delay("fstatfs", -1, 1, 1, 20000)
            local t = create(loop, dir)
            calls.begin(t)
            helper.run_until(loop, function()
                C.ql_notify(loop)
                return calls.calls("fstatfs") == 1
            end)
            C.ql_call_free(calls.of(t))
            helper.run_until(loop, function()
                return calls.stat(loop, "calls_live") == 0
            end)
            assert.equal("", calls.names(dir))
        end))

    for call, err in pairs { open = errno.EMFILE, fstat = errno.EIO,
        unlinkat = errno.EIO } do
        it("fails where " .. call .. " does", in_directory(
            function(loop, dir)
                inject.ql_inject_fail(call, -1, 1, 1, err)
                local t = create(loop, dir, C.QL_TEMPFILE_UNLINKED)
                assert.same({ nil, err }, { calls.finish(loop, t) })
                assert.equal("", calls.names(dir))
            end))
    end

    it("without memory is ENOMEM", in_directory(function(loop, dir)
        for n = 1, 2 do
            inject.ql_inject_clear()
            inject.ql_inject_fail("malloc", -1, n, n, errno.ENOMEM)
            assert.is_true(C.ql_open_tempfile(loop, dir, "", 0) == nil)
            assert.equal(errno.ENOMEM, ffi.errno())
            assert.equal(0, calls.stat(loop, "calls_live"))
        end
    end))
end)
