local helper = require "spec.helper"
local calls = require "spec.support.calls"
local fs = require("quoll").fs

local in_directory = calls.in_task

describe("paths", function()
    helper.gates()

    it("are made and removed", in_directory(function(dir)
        assert.is_true(fs.mkdir(dir .. "/a"))
        assert.same({ nil, dir .. "/a: file exists", "EEXIST" },
            { fs.mkdir(dir .. "/a") })
        assert.is_true(fs.mkdir(dir .. "/a/b/c", { parents = true }))
        assert.is_true(fs.mkdir(dir .. "/a/b/c", { parents = true }))
        assert.same({ nil, dir .. "/a: directory not empty", "ENOTEMPTY" },
            { fs.rmdir(dir .. "/a") })
        assert.is_true(fs.rmdir(dir .. "/a/b/c"))
        assert.is_true(fs.mkdir(dir .. "/p",
            { permissions = tonumber("700", 8) }))
        assert.equal(tonumber("700", 8), fs.stat(dir .. "/p").mode)
        assert.is_true(fs.mkdir(dir .. "/q//r//",
            { parents = true, permissions = tonumber("700", 8) }))
        assert.equal(tonumber("700", 8), fs.stat(dir .. "/q/r").mode)
    end))

    it("are renamed and unlinked", in_directory(function(dir)
        calls.write(dir .. "/from", "x")
        assert.is_true(fs.rename(dir .. "/from", dir .. "/to"))
        assert.equal("to", calls.names(dir))
        assert.is_true(fs.unlink(dir .. "/to"))
        assert.equal("", calls.names(dir))
    end))

    it("lead elsewhere", in_directory(function(dir)
        local target = ("../"):rep(200) .. "x"
        assert.is_true(fs.symlink(target, dir .. "/link"))
        assert.equal(target, fs.readlink(dir .. "/link"))
        assert.same({ nil, dir .. "/link: file exists", "EEXIST" },
            { fs.symlink("x", dir .. "/link") })
        assert.is_true(fs.symlink(".", dir .. "/here"))
        assert.equal(fs.realpath(dir), fs.realpath(dir .. "/here/here"))
        assert.same({ nil, dir .. ": invalid argument", "EINVAL" },
            { fs.readlink(dir) })
    end))

    it("are copied", in_directory(function(dir)
        calls.write(dir .. "/from", "content")
        assert.equal(7, fs.copyfile(dir .. "/from", dir .. "/to"))
        assert.equal("content", calls.read(dir .. "/to"))
        assert.same({ nil, dir .. "/to: file exists", "EEXIST" },
            { fs.copyfile(dir .. "/from", dir .. "/to", { excl = true }) })
        assert.same({ nil, "/dev/null: not a regular file", "EINVAL" },
            { fs.copyfile("/dev/null", dir .. "/to") })
    end))
end)

describe("paths below a root", function()
    helper.gates()

    it("are where an operation does its work", in_directory(function(dir)
        local root = { root = dir }
        assert.is_true(fs.mkdir("a/b", { root = dir, parents = true }))
        assert.is_true(fs.writefile("a/x", "data", { root = dir }))
        assert.is_true(fs.append("a/x", "!", { root = dir }))
        assert.equal(5, fs.copyfile("a/x", "a/b/y", root))
        assert.is_true(fs.rename("a/b/y", "z", root))
        assert.is_true(fs.symlink("z", "link", root))
        assert.equal("z", fs.readlink("link", root))
        assert.equal(fs.realpath(dir) .. "/z", fs.realpath("link", root))
        assert.equal("link", fs.lstat("link", root).type)
        assert.equal(5, fs.stat("link", root).size)
        assert.is_true(fs.rmdir("a/b", root))
        assert.is_true(fs.unlink("link", root))
        assert.equal("a z", calls.names(dir))
        assert.equal("data!", calls.read(dir .. "/z"))
    end))

    -- name = paths; the last one leads out of the root
    local ways = {
        stat = {}, lstat = {}, unlink = {}, rmdir = {}, readlink = {},
        realpath = {}, mkdir = {}, readdir = {}, rename = { "file" },
        copyfile = { "file" }, symlink = { "target" },
    }
    for name, arguments in pairs(ways) do
        it("do not lead out of it: " .. name, in_directory(function(dir)
            assert(fs.mkdir(dir .. "/site"))
            assert(fs.writefile(dir .. "/site/file", "x"))
            assert(fs.writefile(dir .. "/secret", "x"))
            local list = { unpack(arguments) }
            list[#list + 1] = "../secret"
            list[#list + 1] = { root = dir .. "/site" }
            assert.same({ nil, "../secret: outside of its root", "EXDEV" },
                { fs[name](unpack(list)) })
            list[#list] = { root = dir .. "/none" }
            assert.same({ nil, dir .. "/none: no such file or directory",
                "ENOENT" }, { fs[name](unpack(list)) })
            list[#list] = { root = "a\0b" }
            assert.same({ nil, "a\\0b: contains a zero byte", "EINVAL" },
                { fs[name](unpack(list)) })
        end))
    end

    for _, name in ipairs { "writefile", "append" } do
        it("do not lead out of it: " .. name, in_directory(function(dir)
            assert.same({ nil, "../x: outside of its root", "EXDEV" },
                { fs[name]("../x", "data", { root = dir }) })
            assert.same({ nil, "a\\0b: contains a zero byte", "EINVAL" },
                { fs[name]("x", "data", { root = "a\0b" }) })
        end))
    end

    it("are an option, and no other is taken", function()
        for name, arguments in pairs(ways) do
            local list = { unpack(arguments) }
            list[#list + 1] = "x"
            for _, bad in ipairs { { rot = "x" }, { root = 1 }, "x" } do
                list[#arguments + 2] = bad
                local ok, err = pcall(fs[name], unpack(list))
                assert.is_false(ok)
                assert.matches("to '" .. name .. "'", err)
            end
        end
    end)
end)

describe("options of operations on paths", function()
    helper.gates()

    local function message(...)
        local ok, err = pcall(...)
        assert.is_false(ok)
        return err
    end

    it("are checked", function()
        assert.matches("bad argument 'options' to 'mkdir' %(no option 'x'",
            message(function() return fs.mkdir("/x", { x = 1 }) end))
        assert.matches("bad argument 'parents' to 'mkdir' %(a boolean",
            message(function() return fs.mkdir("/x", { parents = 1 }) end))
        for _, permissions in ipairs { -1, 4096, 1.5 } do
            assert.matches("path_spec.lua:%d+: bad argument 'permissions' to "
                .. "'mkdir' %(a whole number from 0 to 4095", message(
                function()
                    local ok = fs.mkdir("/x", { permissions = permissions })
                    return ok
                end))
        end
        assert.matches("bad argument 'excl' to 'copyfile'", message(
            function() return fs.copyfile("/x", "/y", { excl = 1 }) end))
    end)
end)
