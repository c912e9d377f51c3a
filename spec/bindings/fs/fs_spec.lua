local helper = require "spec.helper"
local calls = require "spec.support.calls"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local fs = quoll.fs

-- {name, arguments}: each argument that is a path is "P".
local operations = {
    { "stat", "P" }, { "lstat", "P" }, { "readdir", "P" }, { "mkdir", "P" },
    { "unlink", "P" }, { "rmdir", "P" }, { "readlink", "P" },
    { "realpath", "P" }, { "rename", "P", "P" }, { "symlink", "P", "P" },
    { "copyfile", "P", "P" }, { "readfile", "P" },
    { "writefile", "P", "data" }, { "append", "P", "data" },
}

local function arguments(operation, n, value)
    local list = {}
    for i = 2, #operation do
        list[i - 1] = operation[i] == "P"
            and (i - 1 == n and value or "/no/such/path") or operation[i]
    end
    return unpack(list)
end

describe("an operation on paths", function()
    helper.gates()

    for _, operation in ipairs(operations) do
        local name = operation[1]

        for n = 1, #operation - 1 do
            if operation[n + 1] == "P" then
                it(("%s: a NUL in path %d is EINVAL"):format(name, n),
                    function()
                        tasks.run(function()
                            local ok, err, code =
                                fs[name](arguments(operation, n, "a\0b"))
                            assert.same({ nil, "a\\0b: contains a zero byte",
                                "EINVAL" }, { ok, err, code })
                        end)
                    end)

                it(("%s: path %d must be a string"):format(name, n),
                    function()
                        for _, value in ipairs { 7, true, {} } do
                            local ok, err = pcall(function()
                                local result = fs[name](arguments(operation,
                                    n, value))
                                return result
                            end)
                            assert.is_false(ok)
                            assert.matches("^[^\n]*fs_spec.lua:%d+: bad "
                                .. "argument '%a+' to '" .. name .. "' %(",
                                err)
                        end
                    end)
            end
        end

        if name ~= "writefile" and name ~= "append" and name ~= "mkdir"
            and name ~= "symlink" then
            it(name .. " names the path, its words and its code", function()
                tasks.run(function()
                    local ok, err, code = fs[name](arguments(operation))
                    assert.same({ nil,
                        "/no/such/path: no such file or directory",
                        "ENOENT" }, { ok, err, code })
                end)
            end)
        end
    end

    it("names what is wrong with a copy's target", function()
        calls.in_directory(function(dir)
            calls.write(dir .. "/file", "x")
            local to = dir .. "/none/copy"
            assert.same({ nil, to .. ": no such file or directory", "ENOENT" },
                { fs.copyfile(dir .. "/file", to) })
        end)
    end)

    it("works in the main chunk", function()
        calls.in_directory(function(dir)
            assert.is_true(fs.mkdir(dir .. "/sub"))
            assert.is_true(fs.writefile(dir .. "/sub/file", "x"))
            assert.equal("x", fs.readfile(dir .. "/sub/file"))
            assert.equal("file", fs.readdir(dir .. "/sub")())
        end)
    end)
end)
