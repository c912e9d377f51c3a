local helper = require "spec.helper"
local calls = require "spec.support.calls"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno

local in_directory = calls.in_child

-- The call's info, or nil and errno.
local function info(loop, call)
    local res, err = calls.wait(loop, call)
    local copy = res and ffi.new("ql_file_info_t", call.info)
    C.ql_call_free(call.p.call)
    return copy, err
end

local function threads(loop)
    return calls.stat(loop, "pool_jobs")
end

local function described(i)
    return ("%d %d %d %o %d %d %d %d %.0f"):format(tonumber(i.size),
        tonumber(i.blocks), tonumber(i.ino), i.mode, i.nlink, i.uid, i.gid,
        tonumber(i.dev), tonumber(i.mtime / 1000000000LL))
end

local function expected(path)
    local fields = calls.shell("stat -c '%%s %%b %%i %%f %%h %%u %%g %%d %%Y' "
        .. "%s", path)
    return (fields:gsub("^(%d+ %d+ %d+) (%x+)", function(head, mode)
        return ("%s %o"):format(head, tonumber(mode, 16))
    end))
end

describe("what a path leads to", function()
    it("is what stat(1) says, from the cache without a thread",
        in_directory(function(loop, dir)
            calls.write(dir .. "/file", ("x"):rep(12345))
            for _, path in ipairs { dir, "/dev", "/" } do
                files.known(loop, path)
            end
            for _, path in ipairs { dir .. "/file", dir, "/dev/null", "/" } do
                os.execute("stat " .. path .. " >/dev/null")
                assert.equal(expected(path),
                    described(info(loop, C.ql_file_info(loop, path, nil))))
            end
            assert.equal(0, threads(loop))
        end))

    it("is the same by a thread", in_directory(function(loop, dir)
        calls.write(dir .. "/file", "xy")
        inject.ql_inject_fail("openat2", -1, 1, 0, errno.EAGAIN)
        local i = info(loop, C.ql_file_info(loop, dir .. "/file", nil))
        assert.equal(expected(dir .. "/file"), described(i))
        assert.equal(1, threads(loop))
    end))

    it("is told through links or of the link", in_directory(
        function(loop, dir)
            calls.write(dir .. "/file", "xyz")
            ffi.C.symlink("file", dir .. "/link")
            ffi.C.symlink("gone", dir .. "/dangling")
            for round = 1, 2 do
                local through = info(loop,
                    C.ql_file_info(loop, dir .. "/link", nil))
                local itself = info(loop,
                    C.ql_link_info(loop, dir .. "/dangling", nil))
                local _, err = info(loop,
                    C.ql_file_info(loop, dir .. "/dangling", nil))
                assert.same({ 3, 4, errno.ENOENT }, { tonumber(through.size),
                    tonumber(itself.size), err }, "round " .. round)
                inject.ql_inject_fail("openat2", -1, 1, 0, errno.ENOSYS)
            end
        end))

    it("is told though no descriptor is left", in_directory(
        function(loop, dir)
            inject.ql_inject_fail("openat2", -1, 1, 1, errno.EMFILE)
            assert.truthy(info(loop, C.ql_file_info(loop, dir, nil)))
            assert.equal(1, threads(loop))
        end))

    it("is asked of a thread when the loop's own look fails", in_directory(
        function(loop, dir)
            inject.ql_inject_fail("statx", -1, 1, 1, errno.EIO)
            assert.truthy(info(loop, C.ql_file_info(loop, dir, nil)))
            assert.equal(1, threads(loop))
        end))

    it("has times to the nanosecond and a birth time", in_directory(
        function(loop, dir)
            local path = dir .. "/file"
            calls.write(path, "x")
            os.execute("touch -d @1234567890.123456789 " .. path)
            local i = info(loop, C.ql_file_info(loop, path, nil))
            assert.equal(1234567890123456789LL, i.mtime)
            assert.equal(1234567890123456789LL, i.atime)
            if i.birthtime_known ~= 0 then
                assert.is_true(i.birthtime > i.mtime)
            end
        end))

    for name, err in pairs { EIO = 5, ENOTDIR = 20, ELOOP = 40,
        ENAMETOOLONG = 36, EACCES = 13 } do
        it("fails with " .. name, in_directory(function(loop, dir)
            inject.ql_inject_fail("openat2", -1, 1, 1, errno.EAGAIN)
            inject.ql_inject_fail("statx", -1, 1, 1, err)
            assert.same({ nil, err },
                { info(loop, C.ql_file_info(loop, dir, nil)) })
        end))
    end

    it("fails as it does without injection", in_directory(
        function(loop, dir)
            calls.write(dir .. "/file", "x")
            ffi.C.symlink("loop", dir .. "/loop")
            for tail, err in pairs { ["/file/x"] = errno.ENOTDIR,
                ["/loop"] = 40, ["/gone/x"] = errno.ENOENT,
                ["/" .. ("n"):rep(256)] = 36 } do
                assert.same({ nil, err },
                    { info(loop, C.ql_file_info(loop, dir .. tail, nil)) },
                    tail)
            end
        end))

    it("is known of a FIFO, which is not opened", in_directory(
        function(loop, dir)
            ffi.C.mkfifo(dir .. "/fifo", 420)
            local i = info(loop, C.ql_file_info(loop, dir .. "/fifo", nil))
            assert.equal(tonumber("10644", 8), i.mode)
            assert.equal(0, files.calls("open"))
        end))
end)

describe("what is known of an open file", function()
    local function opened(loop, dir)
        calls.write(dir .. "/file", ("x"):rep(12345))
        local file = C.ql_file_open(loop, dir .. "/file", 0)
        assert(file ~= nil)
        return file
    end

    it("is what stat(1) says of its path, also without one, at once where "
        .. "nobody has to be asked", in_directory(function(loop, dir)
            local file = opened(loop, dir)
            local said = expected(dir .. "/file")
            for is_local, jobs in pairs { [1] = 0, [0] = 1 } do
                file["local"] = is_local
                local before = threads(loop)
                assert.equal(said, described(info(loop,
                    C.ql_open_file_info(file))))
                assert.equal(jobs, threads(loop) - before)
            end
            os.remove(dir .. "/file")
            assert.equal(0, info(loop, C.ql_open_file_info(file)).nlink)
            C.ql_file_close(file)
        end))

    it("may not be told, or want for memory", in_directory(
        function(loop, dir)
            local file = opened(loop, dir)
            for is_local = 0, 1 do
                file["local"] = is_local
                inject.ql_inject_clear()
                inject.ql_inject_fail("statx", -1, 1, 1, errno.EIO)
                assert.same({ nil, errno.EIO },
                    { info(loop, C.ql_open_file_info(file)) })
            end
            inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
            assert.is_true(C.ql_open_file_info(file) == nil)
            assert.equal(1, file.refs)
            C.ql_file_close(file)
        end))
end)
