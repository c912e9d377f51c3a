local guard = require "quoll.guard"
local quoll = require "quoll"

describe("quoll.guard", function()
    it("reports an error with its traceback, and returns", function()
        local reported
        guard.call(function(text) reported = text end, function(...)
            error(table.concat({ ... }, " "))
        end, "a", "b")
        assert.matches("a b\n.*traceback", reported)
    end)

    it("reports what cannot be shown", function()
        local texts = {}
        guard.call(function(text)
            texts[#texts + 1] = text
            if #texts == 1 then error "full" end
        end, error, "x")
        assert.equal("its error cannot be shown", texts[2])
    end)

    it("passes a cancellation on", function()
        quoll.run(function()
            local task = quoll.spawn(guard.call, error, quoll.sleep, 60)
            quoll.yield()
            task:cancel()
            assert.equal("cancelled", (select(2, task:wait(1))))
        end)
    end)
end)
