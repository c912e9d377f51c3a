local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local function results(...)
    return { n = select("#", ...), ... }
end

describe("bindings/stream/idle", function()
    helper.gates()

    it("sees bytes in the buffer and bytes to come", pair.with(
        function(client, server)
            client:send("one\ntwo\n")
            assert.equal("one", server:receive())
            assert.is_true(server:idle())
            assert.equal("two", server:receive())
            local waiting = quoll.spawn(server.idle, server)
            quoll.yield()
            client:send("x")
            assert.is_true(waiting:wait(pair.PATIENCE))
            assert.equal("x", server:receive(1))
        end))

    it("ends with the stream, and tells it once more to a read", pair.with(
        function(client, server)
            client:send("x")
            client:close()
            assert.is_true(server:idle())
            assert.equal("x", server:receive(1))
            assert.same(results(nil, "closed", "CLOSED"),
                results(server:idle()))
            assert.same(results(nil, "closed", "", "CLOSED"),
                results(server:receive(1)))
        end))

    it("tells a failure", pair.with(function(client, server)
        pair.reset(client)
        assert.same(results(nil, "connection reset by peer", "ECONNRESET"),
            results(server:idle()))
        assert.equal("CLOSED", select(3, server:idle()))
    end))

    it("keeps to the timeout, and the connection goes on", pair.with(
        function(client, server)
            server:settimeout(0.01)
            assert.same(results(nil, "timeout", "TIMEOUT"),
                results(server:idle()))
            client:send("x")
            server:settimeout(pair.PATIENCE)
            assert.equal("x", server:receive(1))
        end))

    it("is the connection's reader", pair.with(function(_, server)
        local waiting = quoll.spawn(function()
            return results(server:idle())
        end)
        quoll.yield()
        assert.same(results(nil, "busy reading", "BUSY"),
            results(server:idle()))
        assert.equal("BUSY", select(4, server:receive(1)))
        assert.matches("^idle, from 127%.0%.0%.1:%d+ %(fd %d+%)",
            quoll.tasks()[2].waits)
        server:close()
        assert.same(results(nil, "closed", "CLOSED"), waiting:wait())
        assert.same(results(nil, "closed", "CLOSED"), results(server:idle()))
    end))

    it("may be cancelled", pair.with(function(client, server)
        local waiting = quoll.spawn(server.idle, server)
        quoll.yield()
        waiting:cancel()
        assert.equal("cancelled", select(2, waiting:wait()))
        client:send("x")
        assert.equal("x", server:receive(1))
    end))

    it("leaves other reads to themselves when a stop comes", pair.with(
        function(client, server)
            server:settimeout(0.01)
            server:idle()
            server:settimeout(pair.PATIENCE)
            local reading = quoll.spawn(server.receive, server, 1)
            quoll.yield()
            quoll.stop()
            client:send("x")
            assert.equal("x", reading:wait(pair.PATIENCE))
            assert.same(results(nil, "stopping", "STOPPING"),
                results(server:idle()))
        end))
end)
