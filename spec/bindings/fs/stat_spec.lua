local helper = require "spec.helper"
local calls = require "spec.support.calls"
local quoll = require "quoll"
local fs = quoll.fs

local in_directory = calls.in_task

describe("stat", function()
    helper.gates()

    it("tells what stat(1) tells", in_directory(function(dir)
        local path = dir .. "/file"
        calls.write(path, ("x"):rep(5000))
        os.execute("chmod 4640 " .. path)
        local s = fs.stat(path)
        assert.equal(calls.shell("stat -c '%%s %%b %%i %%a %%h %%u %%g %%d' "
            .. "%s", path), ("%d %d %d %o %d %d %d %d"):format(s.size,
            s.blocks, s.ino, s.mode, s.nlink, s.uid, s.gid, s.dev))
    end))

    it("has times in seconds with their fraction", in_directory(
        function(dir)
            local path = dir .. "/file"
            calls.write(path, "x")
            os.execute("touch -d @1500000000.25 " .. path)
            local s = fs.stat(path)
            assert.same({ 1500000000.25, 1500000000.25 },
                { s.mtime, s.atime })
            assert.is_true(math.abs(s.ctime - quoll.time()) < 60)
            assert.is_true(s.birthtime == nil
                or math.abs(s.birthtime - s.ctime) < 60)
        end))

    it("knows the types", in_directory(function(dir)
        local socket = assert(quoll.listen("unix:" .. dir .. "/socket"))
        calls.write(dir .. "/file", "")
        os.execute("mkfifo " .. dir .. "/fifo")
        assert(fs.symlink("file", dir .. "/link"))
        for name, kind in pairs { file = "file", [""] = "directory",
            fifo = "fifo", socket = "socket", link = "file" } do
            assert.equal(kind, fs.stat(dir .. "/" .. name).type)
        end
        assert.equal("char", fs.stat("/dev/null").type)
        assert.equal("link", fs.lstat(dir .. "/link").type)
        assert.equal(4, fs.lstat(dir .. "/link").size)
        socket:close()
    end))

    it("needs no thread for what is cached", in_directory(function(dir)
        fs.stat(dir)
        local before = quoll.stats().pool.jobs
        for _ = 1, 100 do
            assert(fs.stat(dir))
            assert.is_nil((fs.stat(dir .. "/none")))
        end
        assert.is_true(quoll.stats().pool.jobs - before <= 1)
    end))
end)
