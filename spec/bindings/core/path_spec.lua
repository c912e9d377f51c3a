local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

describe("bindings/core/path", function()
    helper.gates()

    local with_path = {
        open = quoll.open,
        stat = quoll.fs.stat,
        mkdir = quoll.fs.mkdir,
        readdir = quoll.fs.readdir,
        watch = quoll.fs.watch,
        writefile = function(path) return quoll.fs.writefile(path, "x") end,
        tempfile = function(dir) return quoll.fs.tempfile { dir = dir } end,
        root = function(root) return quoll.open("x", "r", { root = root }) end,
    }

    for name, fn in pairs(with_path) do
        it("refuses a zero byte: " .. name, function()
            tasks.run(function()
                for path, text in pairs {
                    ["/no\0such"] = [[/no\0such]],
                    ["\0/no\0\0"] = [[\0/no\0\0]],
                } do
                    assert.same({ nil, text .. ": contains a zero byte",
                        "EINVAL" }, { fn(path) })
                end
            end)
        end)

        it("is what a failure is about: " .. name, function()
            tasks.run(function()
                local ok, err, code = fn "/no/such"
                assert.same({ nil, "/no/such: no such file or directory",
                    "ENOENT" }, { ok, err, code })
            end)
        end)
    end

    it("is a string, or an error at the caller's line", function()
        for _, name in ipairs { "stat", "mkdir", "readdir", "writefile" } do
            local ok, err = pcall(function()
                local result = with_path[name](12)
                return result
            end)
            assert.is_false(ok)
            assert.matches("path_spec.lua:%d+: bad argument 'path' to '" .. name
                .. "' %(a string expected, got 12%)", err)
        end
    end)
end)
