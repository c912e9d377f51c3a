local helper = require "spec.helper"
local quoll = require "quoll"

-- What a script of its own prints.
local function printed(source)
    local result = helper.script("local quoll = require 'quoll'\n" .. source)
    assert.equal(0, result.code, result.err)
    return result.out, result.err
end

describe("log", function()
    it("writes one line: time, level, pid, text", function()
        local _, err = printed [[
            quoll.log("warn", "a", 1, nil, true, {} ~= nil)
            quoll.log("error")
        ]]
        assert.matches("^%d+/%d+/%d+ %d+:%d+:%d+ %[warn%] %d+: a1niltruetrue\n"
            .. "%S+ %S+ %[error%] %d+: \n$", err)
    end)

    it("calls __tostring, and raises what it raises", function()
        local out, err = printed [[
            local function object(fn)
                return setmetatable({}, { __tostring = fn })
            end
            quoll.log("error", object(function() return "text" end))
            print(pcall(quoll.log, "error", object(function()
                error("no", 0)
            end)))
            print(pcall(quoll.log, "info", object(error)))
        ]]
        assert.matches("text\n$", err)
        assert.equal("false\tno\ntrue\n", out)
    end)

    it("drops what is above its level", function()
        local _, err = printed [[
            quoll.log("info", "dropped")
            quoll.log("notice", "default")
            quoll.configure { log_level = "error" }
            quoll.log("warn", "dropped")
            quoll.log("error", "kept")
            quoll.configure { log_level = "debug" }
            quoll.log("debug", "all")
        ]]
        assert.not_matches("dropped", err)
        assert.matches("default\n.*kept\n.*all\n$", err)
    end)

    it("of a script has no limit", function()
        local _, err = printed [[
            for i = 1, 50 do quoll.log("error", i) end
        ]]
        local _, lines = err:gsub("\n", "")
        assert.equal(50, lines)
    end)

    it("refuses what is no level", function()
        for _, level in ipairs { "", "loud", 1, {} } do
            local ok, err = pcall(quoll.log, level, "x")
            assert.is_false(ok)
            assert.matches("bad argument 'level' to 'log'", err)
        end
        assert.is_false(pcall(quoll.log))
    end)

    it("escapes newlines, control characters and zeros", function()
        local _, err = printed [[
            quoll.log("notice", "a\n2026/11/23 07:00:00 [alert] 1: forged\r",
                "\0\27[31m\127", "\tb\255\xc3\xa4")
        ]]
        assert.matches("^%S+ %S+ %[notice%] %d+: a\\n2026/11/23 07:00:00 "
            .. "%[alert%] 1: forged\\x0D\\x00\\x1B%[31m\\x7F"
            .. "\tb\255\xc3\xa4\n$", err)
    end)

    it("of an error keeps its lines, which begin with a tab", function()
        local _, err = printed [[
            quoll.run(function()
                quoll.spawn(error, "bad\nforged\n\tx\27", 0)
            end)
        ]]
        assert.matches("failed: bad\n\tforged\n\tx\\x1B\n\tstack "
            .. "traceback:\n", err)
        for line in err:gmatch "[^\n]+" do
            assert.truthy(line:find "^%S+ %S+ %[error%]" or line:find "^\t")
        end
    end)
end)
