local helper = require "spec.helper"
local calls = require "spec.support.calls"
local files = require "spec.support.files"
local C, inject, errno = helper.C, helper.inject, helper.errno
local finish = calls.finish

local MIB = 2 ^ 20

local function in_directory(fn)
    return helper.forked(function()
        calls.in_directory(function(dir)
            fn(calls.loop(), dir, dir .. "/file")
        end)
    end)
end

local kept -- the content of which C has the address

local function save(loop, path, data, flags, permissions)
    kept = data
    return finish(loop, C.ql_save_file(loop, path, kept, #kept,
        permissions or 420, flags or 0, nil))
end

describe("a saved content", function()
    for _, size in ipairs { 0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 5 } do
        it("of " .. size .. " bytes is whole", in_directory(
            function(loop, _, path)
                local data = files.bytes(1009):rep(size / 1009 + 1)
                    :sub(1, size)
                assert.equal(0, save(loop, path, data))
                assert.is_true(data == calls.read(path))
                assert.equal(math.max(1, math.ceil(size / MIB)),
                    calls.stat(loop, "pool_jobs"))
            end))
    end

    it("is written whole by short and interrupted writes", in_directory(
        function(loop, _, path)
            local data = files.bytes(5000)
            inject.ql_inject_cut("write", -1, 1, 0, 700)
            inject.ql_inject_fail("write", -1, 2, 3, errno.EINTR)
            inject.ql_inject_fail("fsync", -1, 1, 1, errno.EINTR)
            inject.ql_inject_fail("open", -1, 1, 1, errno.EINTR)
            assert.equal(0, save(loop, path, data, C.QL_SAVE_SYNC))
            assert.is_true(data == calls.read(path))
            assert.equal(2, calls.calls("fsync"))
        end))

    it("goes to the disk when asked so", in_directory(
        function(loop, _, path)
            save(loop, path, "x")
            assert.equal(0, calls.calls("fsync"))
            save(loop, path, "x", C.QL_SAVE_SYNC)
            assert.equal(1, calls.calls("fsync"))
        end))

    local faults = { open = errno.EMFILE, write = errno.ENOSPC,
        fsync = errno.EIO, renameat2 = errno.EACCES, fchmod = errno.EPERM,
        statx = errno.EIO, realpath = 40, getrandom = errno.ENOSYS }
    for call, err in pairs(faults) do
        it("is the old one where " .. call .. " fails", in_directory(
            function(loop, dir, path)
                calls.write(path, "old")
                inject.ql_inject_fail(call, -1, 1, 1, err)
                local res, code = save(loop, path, ("new"):rep(MIB),
                    C.QL_SAVE_SYNC)
                assert.same({ nil, err }, { res, code })
                assert.same({ "old", "file" },
                    { calls.read(path), calls.names(dir) })
            end))
    end

    it("is the old one where a later piece fails", in_directory(
        function(loop, dir, path)
            calls.write(path, "old")
            inject.ql_inject_fail("write", -1, 3, 3, 122)
            local _, err = save(loop, path, ("x"):rep(4 * MIB))
            assert.equal(122, err)
            assert.same({ "old", "file" },
                { calls.read(path), calls.names(dir) })
        end))

    it("without memory is ENOMEM", in_directory(function(loop, _, path)
        for n = 1, 2 do
            inject.ql_inject_clear()
            inject.ql_inject_fail("malloc", -1, n, n, errno.ENOMEM)
            assert.is_true(
                C.ql_save_file(loop, path, "x", 1, 420, 0, nil) == nil)
            assert.equal(errno.ENOMEM, helper.ffi.errno())
            assert.equal(0, calls.stat(loop, "calls_live"))
        end
    end))

    it("says what stands in its way", in_directory(
        function(loop, dir, path)
            helper.ffi.C.mkfifo(path, 420)
            for flags = 0, C.QL_SAVE_APPEND do
                local call = C.ql_save_file(loop, path, "x", 1, 420, flags, nil)
                local _, err = calls.wait(loop, call)
                assert.equal(errno.EINVAL, err)
                assert.equal("not a regular file",
                    helper.ffi.string(call.why))
                C.ql_call_free(call.call)
                _, err = save(loop, dir, "x", flags)
                assert.equal(errno.EISDIR, err)
            end
        end))
end)

describe("a full file system", function()
    files.mounting(it, pending)("keeps the old content", helper.forked(
        function()
            files.on_tmpfs(function(dir)
                os.execute("mount -o remount,size=4m " .. dir)
                local loop, path = calls.loop(), dir .. "/file"
                assert.equal(0, save(loop, path, ("a"):rep(3 * MIB)))
                local _, err = save(loop, path, ("b"):rep(3 * MIB))
                assert.equal(errno.ENOSPC, err)
                assert.equal("file", calls.names(dir))
                assert.is_true(("a"):rep(3 * MIB) == calls.read(path))
                helper.finish(loop)
            end)
        end))
end)

describe("a save that is let go", function()
    -- After `when` pieces, each of which takes 20 ms.
    local function let_go(loop, path, when)
        local data = ("x"):rep(8 * MIB)
        inject.ql_inject_delay("write", -1, 1, 0, 20000)
        local call = C.ql_save_file(loop, path, data, #data, 420, 0, nil)
        calls.begin(call, function()
            C.ql_call_attempt(call.call)
        end)
        helper.run_until(loop, function()
            return calls.stat(loop, "pool_jobs") >= when
        end)
        C.ql_call_free(call.call)
        helper.run_until(loop, function()
            return calls.stat(loop, "calls_live") == 0
        end)
    end

    for when = 0, 3 do
        it("leaves the old content and no other file: " .. when,
            in_directory(function(loop, dir, path)
                calls.write(path, "old")
                let_go(loop, path, when)
                assert.same({ "old", "file" },
                    { calls.read(path), calls.names(dir) })
                -- one that was under way, and the undoing
                assert.is_true(calls.stat(loop, "pool_jobs") <= when + 2)
            end))
    end
end)

describe("a save that is let go while it is synced", function()
    it("leaves the old content", in_directory(function(loop, dir, path)
        calls.write(path, "old")
        inject.ql_inject_delay("fsync", -1, 1, 1, 20000)
        local call = C.ql_save_file(loop, path, "new", 3, 420,
            C.QL_SAVE_SYNC, nil)
        calls.begin(call, function() C.ql_call_attempt(call.call) end)
        helper.run_until(loop, function()
            C.ql_notify(loop)
            return calls.calls("fsync") == 1
        end)
        C.ql_call_free(call.call)
        helper.run_until(loop, function()
            return calls.stat(loop, "calls_live") == 0
        end)
        assert.same({ "old", "file" }, { calls.read(path), calls.names(dir) })
    end))
end)

describe("an appended content", function()
    it("is behind what is there, in one write", in_directory(
        function(loop, _, path)
            calls.write(path, "old")
            local data = files.bytes(MIB)
            assert.equal(0, save(loop, path, data, C.QL_SAVE_APPEND))
            assert.is_true("old" .. data == calls.read(path))
            -- one, and the thread's word to the loop
            assert.is_true(calls.calls("write") <= 2)
        end))

    it("makes the file, with its permissions", in_directory(
        function(loop, _, path)
            assert.equal(0, save(loop, path, "x", C.QL_SAVE_APPEND, 384))
            assert.equal("600", calls.shell("stat -c %%a %s", path))
        end))

    it("goes on after short and interrupted writes", in_directory(
        function(loop, _, path)
            local data = files.bytes(2 * MIB)
            inject.ql_inject_cut("write", -1, 1, 3, 1000)
            inject.ql_inject_fail("write", -1, 4, 4, errno.EINTR)
            assert.equal(0, save(loop, path, data, C.QL_SAVE_APPEND
                + C.QL_SAVE_SYNC))
            assert.is_true(data == calls.read(path))
        end))

    for call, err in pairs { open = errno.EACCES, fstat = errno.EIO,
        write = errno.ENOSPC, fsync = errno.EIO, close = 122 } do
        it("fails where " .. call .. " does", in_directory(
            function(loop, _, path)
                inject.ql_inject_fail(call, -1, 1, 1, err)
                assert.same({ nil, err }, { save(loop, path, "x",
                    C.QL_SAVE_APPEND + C.QL_SAVE_SYNC) })
            end))
    end
end)
