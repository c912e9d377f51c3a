local helper = require "spec.helper"
local drain = require("spec.support.tasks").drain
local quoll = require "quoll"

local channel = quoll.sync.channel

describe("the ring of a channel", function()
    helper.gates()

    it("goes round with a window that never empties", function()
        local ch = channel(7)
        local sent, received = 0, 0
        for round = 1, 400 do
            for _ = 1, round % 6 do
                if ch:send(sent + 1, 0) then sent = sent + 1 end
            end
            for _ = 1, (round + 3) % 6 do
                if #ch > 1 then
                    received = received + 1
                    assert.equal(received, ch:receive(0))
                end
            end
        end
        assert.truthy(received > 500)
        assert.equal(sent - received, #ch)
    end)

    it("gives a large ring back", function()
        local ch = channel(100000)
        collectgarbage()
        collectgarbage()
        local before = collectgarbage "count"
        for i = 1, 100000 do ch:send(i, 0) end
        assert.equal(100000, #drain(ch))
        collectgarbage()
        collectgarbage()
        assert.truthy(collectgarbage "count" - before < 64)
        ch:send("again", 0)
        assert.equal("again", ch:receive(0))
    end)
end)
