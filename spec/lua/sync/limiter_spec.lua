local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run, settle = tasks.run, tasks.settle
local limiter = quoll.sync.limiter

describe("a rate limiter", function()
    helper.gates()

    it("lets a burst through, and then so many a second", function()
        run(function()
            local l = limiter(1000, 5)
            local begun = quoll.now()
            for _ = 1, 5 do assert.is_true(l:take(1, 0)) end
            for _ = 1, 20 do assert.is_true(l:take()) end
            assert.truthy(quoll.now() - begun >= 0.02)
        end)
    end)

    it("fills no more than its bucket", function()
        run(function()
            local l = limiter(2000, 3)
            l:take(3)
            quoll.sleep(0.01)
            local begun = quoll.now()
            for _ = 1, 3 do l:take() end
            l:take(2)
            assert.truthy(quoll.now() - begun >= 0.001)
        end)
    end)

    it("serves first who came first, also one that wants more", function()
        run(function()
            local l, order, takers = limiter(10000, 20), {}, {}
            l:take(20)
            for i = 1, 20 do
                takers[i] = quoll.spawn(function()
                    l:take(i == 1 and 20 or 1)
                    order[#order + 1] = i
                end)
                settle()
            end
            assert.same({ nil, "timeout", "TIMEOUT" }, { l:take(1, 0) })
            for i = 1, 20 do takers[i]:wait() end
            for i = 1, 20 do assert.equal(i, order[i]) end
        end)
    end)

    it("gives what a cancelled or late one waited for to others", function()
        run(function()
            local l = limiter(500, 10)
            l:take(10)
            local first = quoll.spawn(function() l:take(10) end)
            settle()
            local second = quoll.spawn(function() return l:take(10, 0.001) end)
            local third = quoll.spawn(function() return l:take(2) end)
            settle()
            assert.same({ nil, "timeout", "TIMEOUT" }, { second:wait() })
            first:cancel()
            local begun = quoll.now()
            assert.is_true(third:wait())
            assert.truthy(quoll.now() - begun < 1)
            assert.same({ nil, "timeout", "TIMEOUT" }, { l:take(10, 0.001) })
        end)
    end)

    it("refuses what cannot be meant", function()
        local l = limiter(1, 2)
        for _, args in ipairs { { 0 }, { "1" }, { 1, 0 }, { 0 / 0 } } do
            assert.is_false(pcall(limiter, unpack(args)))
        end
        for _, args in ipairs { { 3 }, { 0 }, { "1" }, { 1, -1 },
            { 1, "1" } } do
            local ok, err = pcall(function() l:take(unpack(args)) end)
            assert.is_false(ok)
            assert.matches("limiter_spec.lua:%d+: bad argument '[ks]' to "
                .. "'take'", err)
        end
    end)
end)
