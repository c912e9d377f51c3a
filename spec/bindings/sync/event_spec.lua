local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run, settle = tasks.run, tasks.settle
local event = quoll.sync.event

describe("an event", function()
    helper.gates()

    it("is waited for until it is set", function()
        run(function()
            local e, order = event(), {}
            assert.is_false(e:isset())
            assert.same({ nil, "timeout", "TIMEOUT" }, { e:wait(0) })
            assert.same({ nil, "timeout", "TIMEOUT" }, { e:wait(0.001) })
            for i = 1, 1000 do
                quoll.spawn(function()
                    assert(e:wait())
                    order[#order + 1] = i
                end)
            end
            settle()
            e:set()
            settle()
            for i = 1, 1000 do assert.equal(i, order[i]) end
            assert.is_true(e:isset())
            assert.is_true(e:wait())
        end)
    end)

    it("lets go on who waited, also when it is cleared at once", function()
        run(function()
            local e = event()
            local task = quoll.spawn(function() return e:wait() end)
            settle()
            e:set()
            e:clear()
            assert.is_true(task:wait())
            assert.same({ nil, "timeout", "TIMEOUT" }, { e:wait(0) })
        end)
    end)

    it("wakes others than those that were cancelled", function()
        run(function()
            local e = event()
            local one = quoll.spawn(function() return e:wait() end)
            local other = quoll.spawn(function() return e:wait() end)
            settle()
            one:cancel()
            e:set()
            assert.is_true(other:wait())
            assert.same({ nil, "cancelled", "CANCELLED" }, { one:wait() })
        end)
    end)

    it("tells its waiters that it is closed", function()
        run(function()
            local e = event()
            local task = quoll.spawn(function() return e:wait() end)
            settle()
            e:close()
            assert.same({ nil, "closed", "CLOSED" }, { task:wait() })
            e:set()
            assert.same({ nil, "closed", "CLOSED" }, { e:wait() })
        end)
    end)

    it("is waited for in the main chunk", function()
        local e = event()
        quoll.spawn(function() e:set() end)
        assert.is_true(e:wait())
    end)
end)
