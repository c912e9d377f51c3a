local helper = require "spec.helper"
local calls = require "spec.support.calls"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local fs = quoll.fs

local MIB = 2 ^ 20

local function in_directory(fn)
    return function()
        calls.in_directory(function(dir)
            tasks.run(function() fn(dir .. "/file", dir) end)
        end)
    end
end

local function message(...)
    local ok, err = pcall(...)
    assert.is_false(ok)
    return err
end

describe("readfile", function()
    helper.gates()

    for _, size in ipairs { 0, 1, 65535, 65536, MIB - 1, MIB, 3 * MIB + 7 } do
        it("reads all of " .. size .. " bytes", in_directory(function(path)
            local data = ("0123456789abcdef"):rep(size / 16 + 1):sub(1, size)
            calls.write(path, data)
            assert.is_true(data == fs.readfile(path))
        end))
    end

    it("reads a file of /proc, whose size is 0", in_directory(function()
        local text = fs.readfile "/proc/self/smaps"
        assert.is_true(#text > 4096)
        assert.matches("^%x+%-%x+ ", text)
    end))

    it("reads no more than it may", in_directory(function(path)
        calls.write(path, "12345")
        assert.equal("12345", fs.readfile(path, 5))
        assert.same({ nil, path .. ": file too large", "EFBIG" },
            { fs.readfile(path, 4) })
        assert.same({ nil, "/proc/cpuinfo: file too large", "EFBIG" },
            { fs.readfile("/proc/cpuinfo", 10) })
    end))

    it("stays below a root", in_directory(function(path, dir)
        calls.write(path, "12345")
        local root = { root = dir, max = 5 }
        assert.equal("12345", fs.readfile("file", root))
        assert.same({ nil, "../x: outside of its root", "EXDEV" },
            { fs.readfile("../x", root) })
        root.max = 4
        assert.same({ nil, "file: file too large", "EFBIG" },
            { fs.readfile("file", root) })
        assert.is_false(pcall(fs.readfile, "file", { rot = dir }))
    end))

    it("refuses what is no regular file", in_directory(function(path, dir)
        os.execute("mkfifo " .. path)
        assert.same({ nil, path .. ": not a regular file", "EINVAL" },
            { fs.readfile(path) })
        assert.same({ nil, dir .. ": is a directory", "EISDIR" },
            { fs.readfile(dir) })
    end))

    it("closes the file when it is cancelled", in_directory(function(path)
        calls.write(path, ("x"):rep(8 * MIB))
        os.execute("sync " .. path)
        for i = 1, 20 do
            local task = quoll.spawn(function()
                local ok, err = pcall(fs.readfile, path)
                assert(ok or quoll.iscancelled(err))
                return quoll.stats().files.live
            end)
            for _ = 1, i do
                quoll.yield()
            end
            task:cancel()
            local live = task:wait()
            assert.equal(0, live or 0)
        end
    end))

    it("checks its arguments", function()
        assert.matches("content_spec.lua:%d+: bad argument 'max' to "
            .. "'readfile' %(bytes, 0 or more, expected, got %-1%)", message(
            function()
                local data = fs.readfile("/x", -1)
                return data
            end))
    end)
end)

describe("writefile and append", function()
    helper.gates()

    it("take what conn:send takes", in_directory(function(path)
        for _, data in ipairs { "text", 12.5, { "a", { 1, { "b", 2.5 } }, "c" },
            {}, "" } do
            assert.is_true(fs.writefile(path, data))
            assert.is_true(fs.append(path, data))
        end
        assert.equal("", calls.read(path))
        fs.writefile(path, { "a", { 1, { "b", 2.5 } }, "c" })
        fs.append(path, 7)
        assert.equal("a1b2.5c7", calls.read(path))
    end))

    it("refuse anything else", function()
        for _, method in ipairs { "writefile", "append" } do
            for text, data in pairs {
                ["a string, a number or a table of these expected, got boolean"]
                    = true,
                ["strings and numbers expected, got function at index 2"] =
                    { "a", print } } do
                local err = message(function()
                    local done = fs[method]("/no/such", data)
                    return done
                end)
                assert.matches("content_spec.lua:%d+: bad argument 'data' to '"
                    .. method .. "' %(" .. text, err)
            end
            local deep = {}
            deep[1] = deep
            assert.matches("nested more than 100 deep",
                message(fs[method], "/no/such", deep))
        end
    end)
end)
