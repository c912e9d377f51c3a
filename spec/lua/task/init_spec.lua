local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

describe("run", function()
    helper.gates()

    it("returns main's results, nil among them", function()
        local n, a, b, c = (function(...)
            return select("#", ...), ...
        end)(quoll.run(function(...)
            quoll.sleep(0)
            return nil, ..., nil
        end, "x"))
        assert.same({ 3, nil, "x", nil }, { n, a, b, c })
    end)

    it("raises main's error unchanged", function()
        local thrown = {}
        local ok, err = pcall(quoll.run, error, thrown)
        assert.is_false(ok)
        assert.equal(thrown, err)
    end)

    it("refuses a main that is no function, by its name", function()
        for _, case in ipairs { { 5, "5" }, { false, "boolean" },
            { "x", "'x'" } } do
            local ok, err = pcall(function() quoll.run(case[1]) end)
            assert.is_false(ok)
            assert.matches("init_spec.lua:%d+: bad argument 'main' to 'run' "
                .. "%(a function expected, got " .. case[2] .. "%)$", err)
        end
    end)

    it("runs every task to its end", function()
        local done = {}
        quoll.spawn(function()
            quoll.sleep(0.002)
            done[#done + 1] = "before"
        end)
        quoll.run(function()
            quoll.spawn(function()
                quoll.sleep(0.001)
                done[#done + 1] = "within"
            end):detach()
        end)
        table.sort(done)
        assert.same({ "before", "within" }, done)
        assert.equal(0, select("#", quoll.run()))
    end)

    it("raises inside a task", function()
        local ok, err = pcall(tasks.run, function()
            local result = quoll.run(print)
            return result
        end)
        assert.is_false(ok)
        assert.matches("init_spec.lua:%d+: quoll.run inside a task: "
            .. "quoll.spawn starts another one", err)
    end)

    it("refuses what is no function", function()
        assert.is_false(pcall(quoll.run, 1))
        assert.is_false(pcall(quoll.run, false))
    end)

    it("may be called again and again", function()
        for i = 1, 50 do
            assert.equal(i, quoll.run(function()
                quoll.yield()
                return i
            end))
        end
    end)
end)

describe("many tasks", function()
    helper.gates()

    it("each wait for their turn", function()
        local sum = 0
        tasks.run(function()
            for i = 1, 10000 do
                quoll.spawn(function()
                    quoll.yield()
                    sum = sum + i
                end)
            end
        end, 20)
        assert.equal(10000 * 10001 / 2, sum)
    end)
end)

describe("an error in a finaliser during waits", function()
    it("does not end the loop", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local raised, rounds = 0, 0
            local function garbage()
                local proxy = newproxy(true)
                getmetatable(proxy).__gc = function()
                    raised = raised + 1
                    error("in a finaliser", 0)
                end
            end
            -- The error comes out of whatever allocates next.
            local function round()
                garbage()
                collectgarbage("step", 100)
                local file = quoll.open(arg[0])
                local got = file and file:pread(5, 0)
                assert(not got or got == "     ", "no bytes of this file")
                quoll.yield()
            end
            local function work()
                for _ = 1, 200 do
                    local ok, err = pcall(round)
                    assert(ok or err == "in a finaliser", err)
                    rounds = rounds + 1
                end
                repeat until pcall(collectgarbage) -- no garbage is left
            end
            quoll.run(function()
                for _ = 1, 4 do
                    quoll.spawn(work)
                end
            end)
            print(rounds, raised > 100)
        ]]
        assert.is_nil(result.signal, result.err)
        assert.equal("800\ttrue\n", result.out, result.err)
    end)
end)
