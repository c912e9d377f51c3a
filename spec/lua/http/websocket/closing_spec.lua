local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local sockets = require "spec.support.websocket"

local CLOSE = 0x88

describe("lua/quoll/http/websocket/closing", function()
    helper.gates()

    it("closes, and hears what the peer says", sockets.with(
        function(ws, conn)
            local closing = quoll.spawn(ws.close, ws, 3001, "bye")
            assert.same({ CLOSE, sockets.close_frame(3001, "bye") },
                { sockets.read(conn) })
            conn:send { sockets.masked(0x81, "late"),
                sockets.masked(CLOSE, sockets.close_frame(1000, "ok")) }
            assert.is_true(closing:wait(pair.PATIENCE))
            assert.same({ nil, "closed", 1000, "ok" }, { ws:receive() })
            assert.same({ nil, "closed", "CLOSED" }, { ws:send "x" })
            assert.same({ nil, "closed", "CLOSED" }, { ws:close() })
        end))

    it("answers a close with its code", sockets.with(function(ws, conn)
        conn:send(sockets.masked(CLOSE, sockets.close_frame(4000, "so")))
        assert.same({ nil, "closed", 4000, "so" },
            { ws:receive(pair.PATIENCE) })
        assert.same({ { CLOSE, sockets.close_frame(4000) } },
            sockets.read_all(conn))
    end))

    it("answers one without a code", sockets.with(function(ws, conn)
        conn:send(sockets.masked(CLOSE))
        assert.same({ nil, "closed", 1005, "" }, { ws:receive(pair.PATIENCE) })
        assert.same({ { CLOSE, "" } }, sockets.read_all(conn))
    end))

    it("closes while another task receives", sockets.both(
        function(client, server)
            local receiving = quoll.spawn(client.receive, client)
            quoll.spawn(sockets.echo, server)
            quoll.yield()
            assert.is_true(client:close(1000, "enough"))
            assert.same({ nil, "closed", 1000, "" },
                { receiving:wait(pair.PATIENCE) })
        end))

    it("closes from both ends at once", sockets.both(
        function(client, server)
            local closing = quoll.spawn(client.close, client, 3000)
            assert.is_true(server:close(4000))
            assert.is_true(closing:wait(pair.PATIENCE))
            assert.equal(3000, (select(3, server:receive())))
            assert.equal(4000, (select(3, client:receive())))
        end))

    it("tells a peer that goes without an answer", sockets.with(
        function(ws, conn)
            local closing = quoll.spawn(ws.close, ws)
            sockets.read(conn)
            conn:close()
            assert.same({ nil, "closed", "CLOSED" },
                { closing:wait(pair.PATIENCE) })
            assert.same({ nil, "closed", 1006, "" }, { ws:receive() })
        end))

    it("lets the peer read why it is refused, however much it sends",
        sockets.with(function(ws, conn)
            local size = helper.injected and 3000 or 3e5
            local sending = quoll.spawn(function()
                conn:send(sockets.masked(0x82, ("x"):rep(size)))
                conn:shutdown "send"
            end)
            local refusing = quoll.spawn(ws.receive, ws)
            local found = sockets.read_all(conn)
            assert.same({ { CLOSE,
                sockets.close_frame(1009, "message too large") } }, found)
            assert.same({ nil, "message too large", "EMSGSIZE" },
                { refusing:wait(pair.PATIENCE) })
            sending:wait()
        end))

    it("does not wait for ever for who does not read", sockets.with(
        function(ws)
            local ok, err, code
            repeat
                ok, err, code = ws:send(("x"):rep(900))
            until not ok
            assert.same({ "timeout", "TIMEOUT" }, { err, code })
            assert.is_nil((ws:close()))
        end, { send_timeout = 0.02 }, pair.name()))
end)
