local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run = tasks.run
local waitgroup = quoll.sync.waitgroup

describe("a wait group", function()
    helper.gates()

    it("waits until all are done", function()
        run(function()
            local group, done = waitgroup(), 0
            assert.is_true(group:wait())
            group:add(10)
            for _ = 1, 10 do
                quoll.spawn(function()
                    quoll.sleep(0.0005)
                    done = done + 1
                    group:done()
                end)
            end
            assert.same({ nil, "timeout", "TIMEOUT" }, { group:wait(0) })
            assert.equal("waitgroup (10)", tostring(group))
            assert.is_true(group:wait())
            assert.equal(10, done)
        end)
    end)

    it("is used again", function()
        run(function()
            local group = waitgroup()
            for _ = 1, 3 do
                group:add()
                assert.is_nil((group:wait(0)))
                group:done()
                assert.is_true(group:wait(0))
            end
        end)
    end)

    it("refuses more done than were added", function()
        local group = waitgroup()
        group:add(2)
        local ok, err = pcall(function() group:add(-3) end)
        assert.is_false(ok)
        assert.matches("waitgroup_spec.lua:%d+: a wait group of 2 has no 3",
            err)
        group:add(-2)
        ok, err = pcall(function() group:done() end)
        assert.is_false(ok)
        assert.matches("a wait group of 0 has no 1 to be done", err)
        for _, n in ipairs { "1", 0.5, {} } do
            assert.is_false(pcall(group.add, group, n))
        end
        assert.is_true(group:wait(0))
    end)
end)
