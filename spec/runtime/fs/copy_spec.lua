local helper = require "spec.helper"
local calls = require "spec.support.calls"
local files = require "spec.support.files"
local C, inject, errno = helper.C, helper.inject, helper.errno

local MIB = 2 ^ 20

local function in_directory(fn)
    return helper.forked(function()
        calls.in_directory(function(dir)
            fn(calls.loop(), dir, dir .. "/from", dir .. "/to")
        end)
    end)
end

local function copy(loop, from, to, flags)
    return calls.finish(loop, C.ql_copy_file(loop, from, to, flags or 0, nil))
end

describe("a copy", function()
    for _, size in ipairs { 0, 1, 100000, 20 * MIB + 3 } do
        it("of " .. size .. " bytes is whole, with its permissions",
            in_directory(function(loop, dir, from, to)
                local data = files.bytes(1009):rep(size / 1009 + 1)
                    :sub(1, size)
                calls.write(from, data)
                os.execute("chmod 751 " .. from)
                assert.equal(size, copy(loop, from, to))
                assert.is_true(data == calls.read(to))
                assert.equal("751", calls.shell("stat -c %%a %s", to))
                assert.equal("from to", calls.names(dir))
            end))
    end

    it("is made in pieces, each behind what waits", in_directory(
        function(loop, _, from, to)
            calls.write(from, ("x"):rep(20 * MIB))
            copy(loop, from, to)
            assert.equal(4, calls.stat(loop, "pool_jobs"))
        end))

    for name, err in pairs { EXDEV = 18, EINVAL = 22, EOPNOTSUPP = 95,
        ENOSYS = 38 } do
        it("is read and written after " .. name, in_directory(
            function(loop, _, from, to)
                local data = files.bytes(700000)
                calls.write(from, data)
                inject.ql_inject_fail("copy_file_range", -1, 1, 0, err)
                inject.ql_inject_cut("read", -1, 1, 2, 1000)
                inject.ql_inject_cut("write", -1, 1, 9, 300)
                inject.ql_inject_fail("read", -1, 2, 2, errno.EINTR)
                assert.equal(#data, copy(loop, from, to))
                assert.is_true(data == calls.read(to))
                assert.equal(1, calls.calls("copy_file_range"))
            end))
    end

    it("has what a file of /proc has, whose size is 0", in_directory(
        function(loop, _, _, to)
            local data = calls.read("/proc/cpuinfo")
            assert.equal(#data, copy(loop, "/proc/cpuinfo", to))
        end))

    it("is whole where the kernel copies less than asked for",
        in_directory(function(loop, _, from, to)
            local data = files.bytes(100000)
            calls.write(from, data)
            inject.ql_inject_cut("copy_file_range", -1, 1, 0, 30000)
            inject.ql_inject_fail("copy_file_range", -1, 2, 2, errno.EINTR)
            assert.equal(#data, copy(loop, from, to))
            assert.is_true(data == calls.read(to))
        end))

    it("replaces what is there, or fails with EEXIST", in_directory(
        function(loop, dir, from, to)
            calls.write(from, "new")
            calls.write(to, "old")
            local _, err = copy(loop, from, to, C.QL_COPY_EXCL)
            assert.equal(errno.EEXIST, err)
            assert.equal(0, calls.calls("copy_file_range"))
            assert.equal(3, copy(loop, from, to))
            assert.equal("new", calls.read(to))
            assert.equal(3, copy(loop, from, dir .. "/other", C.QL_COPY_EXCL))
        end))

    local faults = { copy_file_range = errno.EIO, renameat2 = errno.EACCES,
        fchmod = errno.EPERM, fstat = errno.EIO, open = errno.EMFILE }
    for call, err in pairs(faults) do
        it("changes nothing where " .. call .. " fails", in_directory(
            function(loop, dir, from, to)
                calls.write(from, ("x"):rep(MIB))
                calls.write(to, "old")
                inject.ql_inject_fail(call, -1, 1, 1, err)
                assert.same({ nil, err }, { copy(loop, from, to) })
                assert.same({ "old", "from to" },
                    { calls.read(to), calls.names(dir) })
            end))
    end

    it("changes nothing where a later piece fails", in_directory(
        function(loop, dir, from, to)
            calls.write(from, ("x"):rep(20 * MIB))
            inject.ql_inject_fail("copy_file_range", -1, 2, 2, errno.EINVAL)
            assert.same({ nil, errno.EINVAL }, { copy(loop, from, to) })
            assert.equal("from", calls.names(dir))
            inject.ql_inject_clear()
            inject.ql_inject_fail("copy_file_range", -1, 1, 1, 18)
            inject.ql_inject_fail("write", -1, 1, 1, errno.ENOSPC)
            assert.same({ nil, errno.ENOSPC }, { copy(loop, from, to) })
            assert.equal("from", calls.names(dir))
        end))

    it("of what is no regular file fails", in_directory(
        function(loop, dir, from, to)
            helper.ffi.C.mkfifo(from, 420)
            assert.same({ nil, errno.EINVAL }, { copy(loop, from, to) })
            assert.same({ nil, errno.EISDIR }, { copy(loop, dir, to) })
            assert.same({ nil, errno.ENOENT },
                { copy(loop, dir .. "/gone", to) })
            assert.equal("from", calls.names(dir))
        end))

    it("without memory fails", in_directory(function(loop, dir, from, to)
        calls.write(from, "x")
        inject.ql_inject_fail("copy_file_range", -1, 1, 1, 18)
        local call = C.ql_copy_file(loop, from, to, 0, nil)
        inject.ql_inject_fail("malloc", -1, 2, 0, errno.ENOMEM)
        calls.begin(call)
        helper.run_until(loop, function()
            return C.ql_call_attempt(call.call) ~= C.NGX_AGAIN
        end)
        inject.ql_inject_clear()
        assert.equal(errno.ENOMEM, call.call.err)
        C.ql_call_free(call.call)
        assert.equal("from", calls.names(dir))
    end))
end)

describe("a copy that is let go", function()
    it("ends between two pieces and leaves nothing", in_directory(
        function(loop, dir, from, to)
            calls.write(from, ("x"):rep(40 * MIB))
            inject.ql_inject_delay("copy_file_range", -1, 1, 0, 10000)
            local call = C.ql_copy_file(loop, from, to, 0, nil)
            calls.begin(call, function()
                C.ql_call_attempt(call.call)
            end)
            helper.run_until(loop, function()
                C.ql_notify(loop)
                return calls.calls("copy_file_range") == 2
            end)
            C.ql_call_free(call.call)
            helper.run_until(loop, function()
                return calls.stat(loop, "calls_live") == 0
            end)
            assert.equal("from", calls.names(dir))
            assert.is_true(calls.calls("copy_file_range") <= 3)
        end))
end)
