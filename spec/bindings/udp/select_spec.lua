local helper = require "spec.helper"
local udp = require "spec.support.udp"
local quoll = require "quoll"

local select = quoll.sync.select

describe("a select on a datagram socket", function()
    helper.gates()

    it("ends when there is one, and leaves it", udp.with(
        function(client, server)
            local set = { here = server, never = quoll.sync.event() }
            assert.same({ nil, "timeout", "TIMEOUT" }, { select(set, 0) })
            assert.same({ nil, "timeout", "TIMEOUT" }, { select(set, 0.001) })
            local waiter = quoll.spawn(select, set)
            quoll.yield()
            assert.same({ nil, "busy reading", "BUSY" }, { server:receive() })
            client:sendmany { "", "two" }
            assert.equal("here", waiter:wait())
            assert.equal("here", select(set, 0))
            assert.equal("", server:receive())
            assert.equal("here", select(set, 0))
            assert.equal("two", server:receive())
            assert.same({ nil, "timeout", "TIMEOUT" }, { select(set, 0) })
        end))

    it("ends by a failure, which the receive tells once", function()
        quoll.run(function()
            local client = udp.refused()
            client:send "x"
            assert.equal(1, select { client })
            assert.equal(1, select { client })
            assert.same({ nil, "connection refused", "ECONNREFUSED" },
                { client:receive() })
            assert.same({ nil, "timeout", "TIMEOUT" },
                { select({ client }, 0) })
        end)
    end)

    it("ends when it is closed", udp.with(function(_, server)
        local waiter = quoll.spawn(select, { server })
        quoll.yield()
        server:close()
        assert.equal(1, waiter:wait())
        assert.equal(1, select { server })
    end))
end)
