local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

-- The coroutine in which fn has run as a task.
local function ran_in(fn)
    local co
    local task = quoll.spawn(function()
        co = coroutine.running()
        if fn then
            return fn()
        end
    end)
    pcall(task.wait, task)
    return co, task
end

describe("the coroutine of a task that has returned", function()
    helper.gates()

    it("serves the next one", function()
        tasks.run(function()
            local first = ran_in()
            assert.equal(first, (ran_in(quoll.yield)))
            assert.equal(first, (ran_in(function() return 1 end)))
        end)
    end)

    it("is its own when it failed, was cancelled or has results", function()
        tasks.run(function()
            local function not_again(fn)
                local co, task = ran_in(fn)
                assert.not_equal(co, (ran_in()))
                return task
            end
            not_again(function() error("failed", 0) end)
            not_again(function() return 1, 2 end)
            local task = not_again(function() return "text" end)
            assert.equal("text", task:wait())
            local co
            task = quoll.spawn(function()
                co = coroutine.running()
                quoll.sleep(60)
            end)
            quoll.yield()
            task:cancel()
            task:wait()
            assert.not_equal(co, (ran_in()))
        end)
    end)

    it("begins with the globals of its spawner", function()
        tasks.run(function()
            local first = ran_in(function() setfenv(0, {}) end)
            local second = ran_in(function()
                assert(getfenv(0) == _G, "other globals")
            end)
            assert.equal(first, second)
        end)
    end)

    it("shows nothing of the next task", function()
        tasks.run(function()
            local _, first = ran_in()
            local second = quoll.spawn(quoll.sleep, 60)
            quoll.yield()
            second:name "second"
            assert.is_nil(first:name())
            assert.equal("first", first:name "first")
            assert.equal("second", second:name())
            assert.equal("first", first:name())
            assert.equal("done", first:status())
            second:cancel()
        end)
    end)

    it("leaves every kind of result to any number of waits", function()
        tasks.run(function()
            local values = { 0, -1.5, math.huge, true, false, "text" }
            for _, value in ipairs(values) do
                local task = quoll.spawn(function() return value end)
                assert.equal(value, task:wait())
                quoll.spawn(function() return {} end):wait()
                assert.same({ value }, { task:wait() })
            end
            local none = quoll.spawn(function() return nil end)
            assert.equal(1, select("#", none:wait()))
            assert.equal(1, select("#", none:wait()))
            assert.equal(0, select("#", quoll.spawn(print):wait()))
        end)
    end)

    it("serves as many as are spawned at once", function()
        tasks.run(function()
            for _ = 1, 3 do
                local sum, list = 0, {}
                for i = 1, 500 do
                    list[i] = quoll.spawn(function()
                        quoll.yield()
                        sum = sum + i
                        if i % 7 == 0 then
                            return {}
                        end
                    end)
                end
                for _, task in ipairs(list) do
                    task:wait()
                end
                assert.equal(500 * 501 / 2, sum)
            end
        end)
    end)
end)
