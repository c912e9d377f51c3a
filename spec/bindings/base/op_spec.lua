local tasks = require "spec.support.tasks"
local helper = require "spec.helper"
local quoll = require "quoll"
local sync = require "quoll.sync"

-- The two ends of a stream.
local function pair()
    local listener = assert(quoll.listen "127.0.0.1:0")
    local client = assert(quoll.connect(listener:address()))
    local server = assert(listener:accept())
    listener:close()
    return client, server
end

describe("a wait", function()
    helper.gates()

    it("is ended from elsewhere with an error", function()
        tasks.run(function()
            local client = pair()
            local reader = quoll.spawn(client.receive, client, 1)
            quoll.yield()
            client:close()
            assert.same({ nil, "closed", "", "CLOSED" }, { reader:wait() })
        end)
    end)

    it("loses a result that is there and not taken to that error", function()
        tasks.run(function()
            local client, server = pair()
            assert(client:send(("x"):rep(10000)))
            assert.equal(10000, #server:peek(10000))
            local n = 0
            local reader = quoll.spawn(function()
                while true do
                    local got, _, _, code = server:receive(1)
                    if not got then
                        return code
                    end
                    n = n + 1
                end
            end)
            quoll.yield() -- until its slice is spent, a byte in its hand
            local before = n
            server:close()
            assert.equal("CLOSED", reader:wait())
            assert.is_true(before > 0 and before < 9999)
            assert.equal(before, n)
        end)
    end)

    it("is told of in words: its type's own, or its name", function()
        tasks.run(function()
            local client = pair()
            local channel = sync.channel()
            local reader = quoll.spawn(client.receive, client, 1)
            local sleeper = quoll.spawn(channel.receive, channel)
            quoll.yield()
            local waits = {}
            for _, task in ipairs(quoll.tasks()) do
                waits[task.id] = task.waits
            end
            assert.matches("^receive from 127%.0%.0%.1:%d+ %(fd %d+%)$",
                waits[reader:id()])
            assert.matches("channel", waits[sleeper:id()])
            client:close()
            channel:close()
        end)
    end)
end)
