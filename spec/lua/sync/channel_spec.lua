local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run = tasks.run
local channel = quoll.sync.channel

describe("channel:values", function()
    helper.gates()

    it("gives what is sent until the channel is closed", function()
        run(function()
            for size = 0, 2 do
                local ch, got = channel(size), {}
                quoll.spawn(function()
                    for i = 1, 10 do ch:send(i) end
                    ch:close()
                end)
                for v in ch:values() do got[#got + 1] = v end
                assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, got)
                assert.is_nil(ch:values()())
            end
        end)
    end)

    it("ends when the owner of the channel does", function()
        run(function()
            local ch = channel(5)
            quoll.spawn(function()
                ch:own():send(1)
            end):wait()
            local n = 0
            for _ in ch:values() do n = n + 1 end
            assert.equal(1, n)
        end)
    end)

    it("is closed early, and leaves the channel open", function()
        local ch = channel(3)
        for i = 1, 3 do ch:send(i) end
        local values = ch:values()
        assert.equal(1, values())
        values:close()
        assert.is_false(pcall(values))
        assert.equal(2, ch:receive())
    end)
end)

describe("a wait for a channel inside require", function()
    helper.gates()

    it("is for what the task spawned", function()
        run(function()
            local ch = channel()
            package.preload["spec.channel"] = function()
                quoll.spawn(function() ch:send "within" end)
                local got = ch:receive()
                quoll.spawn(function() ch:receive() end)
                ch:send "out"
                return got
            end
            local got = require "spec.channel"
            package.loaded["spec.channel"] = nil
            package.preload["spec.channel"] = nil
            assert.equal("within", got)
        end)
    end)
end)
