local helper = require "spec.helper"

local function count(text, what)
    local _, n = text:gsub(what, "")
    return n
end

describe("a failure for which nobody waits", function()
    it("is logged once, with both tracebacks", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local function deep() error "broken" end
            local function child() deep() end
            quoll.run(function()
                quoll.spawn(function()
                    quoll.spawn(child):detach()
                end)
            end)
            print "end"
        ]]
        assert.equal("end\n", result.out)
        assert.equal(0, result.code)
        assert.equal(1, count(result.err, "broken"))
        assert.equal(1, count(result.err, "%[error%]"))
        assert.matches("task 3 failed: %S+:2: broken\n\tstack traceback:\n",
            result.err)
        assert.matches(":2: in function 'deep'", result.err)
        assert.matches("spawned at %S+:6\n\tspawned at %S+:5\n\tspawned at "
            .. "%S+:4\n", result.err)
    end)

    it("has the task's name", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.spawn(error, "x", 0):name "reader"
            quoll.run()
        ]]
        assert.matches("task 1 'reader' failed: x\n", result.err)
    end)

    it("lets no __tostring wait in the stead of who waits already", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local function bad()
                error(setmetatable({}, { __tostring = function()
                    local _, err = pcall(quoll.sleep, 1)
                    return err
                end }))
            end
            quoll.spawn(bad)
            local function main() quoll.sleep(0.01) return "slept" end
            print(quoll.spawn(main):wait(5))
        ]]
        assert.equal("slept\n", result.out)
        assert.equal(0, result.code)
        assert.matches("task 1 failed: %S+:4: cannot wait here: the main chunk "
            .. "waits already\n", result.err)
    end)

    it("shows an error object by its __tostring, or what it is", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.spawn(error, setmetatable({}, {
                __tostring = function() return "an object" end }))
            quoll.spawn(error, {})
            quoll.spawn(error)
            quoll.spawn(error, setmetatable({}, {
                __tostring = function() error "again" end }))
            quoll.spawn(error, setmetatable({}, {
                __tostring = function() return {} end }))
            quoll.run()
            print "end"
        ]]
        assert.equal("end\n", result.out)
        assert.matches("task 1 failed: an object", result.err)
        assert.matches("task 2 failed: %(error object is a table value%)",
            result.err)
        assert.matches("task 3 failed: %(error object is a nil value%)",
            result.err)
        assert.matches("task 4 failed: %(error object cannot be shown%)\n",
            result.err)
        assert.matches("task 5 failed: %(error object is a table value%)",
            result.err)
        assert.equal(5, count(result.err, "%[error%]"))
    end)

    it("does not flood the log", function()
        local result = helper.script [[
            local quoll = require "quoll"
            for _ = 1, 1000 do
                quoll.spawn(error, "x", 0)
            end
            quoll.run()
            print(quoll.stats().tasks.failed)
        ]]
        assert.equal("1000\n", result.out)
        local lines = count(result.err, "%[error%]")
        assert.is_true(lines >= 1 and lines <= 11, lines .. " lines")
    end)
end)

describe("a failure for which somebody waits", function()
    it("is not logged", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                local task = quoll.spawn(error, "x", 0)
                print(pcall(task.wait, task))
            end)
        ]]
        assert.equal("false\tx\n", result.out)
        assert.equal("", result.err)
    end)

    it("is raised by run, once", function()
        local result = helper.script [[
            local quoll = require "quoll"
            print(pcall(quoll.run, error, "x", 0))
            quoll.run(error, "unhandled", 0)
        ]]
        assert.equal("false\tx\n", result.out)
        assert.equal(1, count(result.err, "unhandled"))
        assert.equal(0, count(result.err, "%[error%]"))
        assert.equal(1, result.code)
    end)
end)
