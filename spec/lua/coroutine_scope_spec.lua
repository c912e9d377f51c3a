local helper = require "spec.helper"
local quoll = require "quoll"
local co = quoll.coroutine

require("quoll.busted").install { deadline = helper.seconds(5) }
helper.gates()

-- A coroutine that has yielded out of an open scope of this kind.
local function left_open(open, ...)
    local args = { ... }
    args[#args + 1] = function()
        co.yield "out"
        quoll.sleep(0.001)
    end
    local generator = co.create(function()
        return open(unpack(args))
    end)
    assert.same({ true, "out" }, { co.resume(generator) })
    return generator
end

describe("a scope inside a generator", function()
    it("waits for its tasks, and gives its results", function()
        local got = {}
        for value in co.wrap(function()
            for i = 1, 3 do
                co.yield(quoll.scope(function()
                    local task = quoll.spawn(function()
                        quoll.sleep(0.001)
                        return i
                    end)
                    for _ in co.wrap(function()
                        quoll.spawn(quoll.sleep, 0.001)
                        quoll.sleep(0.001)
                        co.yield(1)
                    end) do
                        quoll.yield()
                    end
                    return task:wait()
                end))
            end
        end) do
            got[#got + 1] = value
        end
        assert.same({ 1, 2, 3 }, got)
    end)

    it("has its deadline", function()
        assert.same({ nil, "timeout", "DEADLINE" }, { co.wrap(function()
            return quoll.deadline(0.002, quoll.sleep, 100)
        end)() })
    end)
end)

describe("a scope that a generator yields out of", function()
    it("is not the consumer's, and ends", function()
        local inner
        local generator = co.create(function()
            return quoll.scope(function()
                inner = quoll.spawn(quoll.sleep, 50)
                co.yield "out"
            end)
        end)
        assert.same({ true, "out" }, { co.resume(generator) })
        local mine = quoll.spawn(function()
            quoll.sleep(0.001)
            return "mine"
        end)
        assert.equal("mine", mine:wait())
        assert.equal("cancelled", inner:status())
        local ok, err = co.resume(generator)
        assert.is_false(ok)
        assert.matches("the scope has ended: a coroutine yielded inside it",
            err)
    end)

    it("does not cut the consumer's waits by its deadline", function()
        left_open(quoll.deadline, 0.001)
        quoll.sleep(0.005)
        left_open(quoll.deadline, 0.001)
        assert.is_truthy(quoll.open(helper.root .. "/LICENSE"):read "*a")
        quoll.sleep(0.005)
    end)

    it("is not the task's in which the generator goes on", function()
        local generator = left_open(quoll.scope)
        local ok, err = quoll.spawn(co.resume, generator):wait()
        assert.is_false(ok)
        assert.matches("the scope has ended", err)
        quoll.sleep(0.001)
    end)

    it("is collected with it", function()
        for _ = 1, 100 do
            left_open(quoll.scope)
            collectgarbage "step"
        end
        quoll.sleep(0.001)
        assert.equal("fine", quoll.scope(function()
            quoll.sleep(0.001)
            return "fine"
        end))
    end)
end)
