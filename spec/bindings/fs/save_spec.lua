local helper = require "spec.helper"
local calls = require "spec.support.calls"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local fs = quoll.fs

local MIB = 2 ^ 20

local function in_directory(fn)
    return function()
        calls.in_directory(function(dir)
            tasks.run(function() fn(dir, dir .. "/file") end, 20)
        end)
    end
end

describe("writefile and append", function()
    helper.gates()

    it("write all of it", in_directory(function(_, path)
        local data = ("0123456789abcdef"):rep(3 * MIB / 16 + 1)
        assert.is_true(fs.writefile(path, data, { sync = false }))
        assert.is_true(data == calls.read(path))
        assert.is_true(fs.append(path, data, { sync = true }))
        assert.is_true(data .. data == calls.read(path))
    end))

    it("make a file with permissions and keep an old one's", in_directory(
        function(_, path)
            assert.is_true(fs.writefile(path, "a", { permissions = 384 }))
            assert.equal(384, fs.stat(path).mode)
            assert.is_true(fs.writefile(path, "b", { permissions = 420 }))
            assert.equal(384, fs.stat(path).mode)
            assert.is_true(fs.append(path .. "2", "c", { permissions = 256 }))
            assert.equal(256, fs.stat(path .. "2").mode)
        end))

    it("keep the data while the task waits", in_directory(function(_, path)
        local writes = {}
        for i = 1, 20 do
            writes[i] = quoll.spawn(function()
                return fs.writefile(path .. i, ("%02d"):format(i)
                    :rep(MIB), { sync = false })
            end)
        end
        collectgarbage()
        for i = 1, 20 do
            assert.is_true(writes[i]:wait())
            collectgarbage()
            assert.is_true(("%02d"):format(i):rep(MIB)
                == calls.read(path .. i))
        end
    end))

    it("that are cancelled leave the old content alone", in_directory(
        function(dir, path)
            calls.write(path, "old")
            local data = ("x"):rep(16 * MIB)
            local done = 0
            for i = 1, 30 do
                local task = quoll.spawn(fs.writefile, path, data)
                quoll.sleep(i % 10 / 1000)
                task:cancel()
                done = done + (task:wait() and 1 or 0)
                local content = calls.read(path)
                assert.is_true(content == (done > 0 and data or "old"))
            end
            while quoll.stats().pool.calls > 0 do
                quoll.sleep(0.001)
            end
            assert.equal("file", calls.names(dir))
        end))

    it("say what went wrong", in_directory(function(dir)
        assert.same({ nil, dir .. ": is a directory", "EISDIR" },
            { fs.writefile(dir, "x") })
        assert.same({ nil, dir .. ": is a directory", "EISDIR" },
            { fs.append(dir, "x") })
        assert.same({ nil, "/dev/null: not a regular file", "EINVAL" },
            { fs.writefile("/dev/null", "x") })
        assert.same({ nil, "/dev/null: not a regular file", "EINVAL" },
            { fs.append("/dev/null", "x") })
        assert.same({ nil, "/no/x: no such file or directory", "ENOENT" },
            { fs.writefile("/no/x", "x") })
    end))

    it("check their options", function()
        for _, method in ipairs { "writefile", "append" } do
            local ok, err = pcall(function()
                local done = fs[method]("/x", "x", { permissions = 0.5 })
                return done
            end)
            assert.is_false(ok)
            assert.matches("save_spec.lua:%d+: bad argument 'permissions' to '"
                .. method .. "'", err)
            ok, err = pcall(fs[method], "/x", "x", { sync = 1 })
            assert.is_false(ok)
            assert.matches("bad argument 'sync' to '" .. method .. "'", err)
        end
    end)
end)
