local helper = require "spec.helper"
local calls = require "spec.support.calls"
local quoll = require "quoll"
local fs = quoll.fs

local in_directory = calls.in_task

describe("tempfile", function()
    helper.gates()

    it("makes a file for nobody else", in_directory(function(dir)
        local file, path = fs.tempfile { dir = dir, prefix = "mine." }
        assert.equal(0, file:size())
        assert.matches("^mine%.[a-z2-7]+$", calls.names(dir))
        assert.equal(dir .. "/" .. calls.names(dir), path)
        assert.equal(tonumber("600", 8), fs.stat(path).mode)
        calls.write(path, "hello")
        assert.equal("hello", file:read "*a")
        file:close()
    end))

    it("is in /tmp or $TMPDIR by default", in_directory(function()
        local file, path = fs.tempfile()
        local expected = (os.getenv "TMPDIR" or "/tmp") .. "/quoll-"
        assert.equal(expected, path:sub(1, #expected))
        file:close()
        assert.is_true(fs.unlink(path))
    end))

    it("may have no name", in_directory(function(dir)
        local file, path = fs.tempfile { dir = dir, unlinked = true }
        assert.is_nil(path)
        assert.equal("", calls.names(dir))
        assert.equal(0, file:size())
        file:close()
    end))

    it("names the directory in failures", function()
        assert.same({ nil, "/no/such: no such file or directory", "ENOENT" },
            { fs.tempfile { dir = "/no/such" } })
        assert.same({ nil, ": no such file or directory", "ENOENT" },
            { fs.tempfile { dir = "" } })
        assert.same({ nil, "a\\0b: contains a zero byte", "EINVAL" },
            { fs.tempfile { dir = "a\0b" } })
    end)

    it("that is cancelled leaves nothing", in_directory(function(dir)
        for i = 1, 20 do
            local task = quoll.spawn(fs.tempfile, { dir = dir })
            for _ = 1, i % 3 do
                quoll.yield()
            end
            task:cancel()
            local file, path = task:wait()
            if file then
                file:close()
                os.remove(path)
            end
        end
        while quoll.stats().pool.calls > 0 do
            quoll.sleep(0.001)
        end
        assert.equal("", calls.names(dir))
    end))

    it("does not double the slash behind its directory",
        in_directory(function(dir)
            for _, slashes in ipairs { "/", "//" } do
                local file, path = fs.tempfile { dir = dir .. slashes }
                assert.equal(dir .. "/quoll-", path:sub(1, #dir + 7))
                file:close()
            end
        end))

    it("does not leave its directory", function()
        for _, prefix in ipairs { "../x", "/", "a/b", "x\0y" } do
            local ok, err = pcall(fs.tempfile, { prefix = prefix })
            assert.is_false(ok)
            assert.truthy(err:find("bad argument 'prefix' to 'tempfile' (a "
                .. 'string without "/" and zero bytes expected', 1, true), err)
        end
    end)

    it("checks its options", function()
        local ok, err = pcall(fs.tempfile, { dir = 1 })
        assert.is_false(ok)
        assert.matches("bad argument 'dir' to 'tempfile'", err)
    end)
end)
