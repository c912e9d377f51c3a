local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local function sum(lengths)
    local n = 0
    for _, count in ipairs(lengths) do
        n = n + count
    end
    return n
end

describe("quoll.stats().loop", function()
    helper.gates()

    it("counts every turn by its length", function()
        local before = quoll.stats().loop
        run(function()
            for _ = 1, 20 do
                quoll.yield()
            end
            local within = quoll.stats().loop
            assert.equal(within.turns, sum(within.turn_lengths) + 1)
        end)
        local after = quoll.stats().loop
        assert.equal(24, #after.turn_lengths)
        assert.equal(after.turns, sum(after.turn_lengths))
        assert.is_true(after.turns >= before.turns + 20)
        assert.is_true(after.turn_time > before.turn_time)
        assert.equal(after.events / after.turns, after.events_per_turn)
    end)

    it("names who ran longest in the longest turn, until reset", function()
        quoll.stats { reset = true }
        assert.is_nil(quoll.stats().loop.longest)
        local line, id
        run(function()
            local task = quoll.spawn(function()
                local start = quoll.now()
                repeat until quoll.now() > start + 0.05
                line = debug.getinfo(1, "l").currentline + 1
                quoll.yield()
            end)
            id = task:id()
            task:name "busy"
        end, 30)
        local longest = quoll.stats { reset = true }.loop.longest
        assert.equal(("task %d 'busy'"):format(id), longest.task)
        assert.matches("turns_spec.lua:" .. line .. "$", longest.where)
        assert.is_true(longest.ran >= 0.049 and longest.s >= longest.ran * 0.99)
        assert.is_true(longest.ago >= 0)
        assert.is_nil(quoll.stats().loop.longest)
    end)

    it("names one that has returned by where it was spawned", function()
        quoll.stats { reset = true }
        local line
        run(function()
            line = debug.getinfo(1, "l").currentline + 1
            quoll.spawn(function()
                local start = quoll.now()
                repeat until quoll.now() > start + 0.02
            end)
        end, 30)
        local longest = quoll.stats { reset = true }.loop.longest
        assert.matches("^spawned at .*turns_spec.lua:" .. line .. "$",
            longest.where)
    end)

    it("refuses options that it does not know", function()
        local ok, err = pcall(quoll.stats, { rest = true })
        assert.is_false(ok)
        assert.matches("no option 'rest'", err)
    end)
end)
