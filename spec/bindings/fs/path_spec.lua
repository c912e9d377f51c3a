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
        assert.same({ nil, dir .. "/from: file exists", "EEXIST" },
            { fs.copyfile(dir .. "/from", dir .. "/to", { excl = true }) })
        assert.same({ nil, "/dev/null: not a regular file", "EINVAL" },
            { fs.copyfile("/dev/null", dir .. "/to") })
    end))
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
