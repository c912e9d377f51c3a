local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local raw = require "quoll.core.websocket"
local sockets = require "spec.support.websocket"

local FIN = sockets.FIN
local masked, frame = sockets.masked, sockets.frame

describe("bindings/websocket/receive", function()
    helper.gates()

    it("keeps what a timeout found half", sockets.with(function(ws, conn)
        local data = masked(FIN + 1, "hello")
        for at = 1, #data - 1 do
            conn:send(data:sub(at, at))
            assert.same({ nil, "timeout", "TIMEOUT" },
                { ws:receive(at % 2 * 0.0005) })
        end
        conn:send(data:sub(-1))
        assert.equal("hello", (ws:receive(pair.PATIENCE)))
    end))

    it("takes nothing when it is cancelled", sockets.with(function(ws, conn)
        for _ = 1, 20 do
            local task = quoll.spawn(ws.receive, ws)
            quoll.yield()
            conn:send(masked(FIN + 1, "kept"))
            task:cancel()
            local message = task:wait()
            assert.equal("kept", message or (ws:receive(pair.PATIENCE)))
        end
    end))

    it("has one reader", sockets.with(function(ws)
        local task = quoll.spawn(ws.receive, ws)
        quoll.yield()
        assert.same({ nil, "busy reading", "BUSY" }, { ws:receive() })
        task:cancel()
    end))

    it("wakes its reader when it is closed", sockets.with(function(ws)
        local task = quoll.spawn(ws.receive, ws)
        quoll.yield()
        raw.shut(ws)
        assert.same({ nil, "closed", 1006, "" }, { task:wait() })
    end))

    it("tells the end without a close", sockets.with(function(ws, conn)
        conn:send(masked(FIN + 1, "last") .. masked(1, "half"))
        conn:close()
        assert.equal("last", (ws:receive(pair.PATIENCE)))
        for _ = 1, 2 do
            assert.same({ nil, "closed", 1006, "" },
                { ws:receive(pair.PATIENCE) })
        end
    end))

    it("tells a reset", sockets.with(function(ws, conn)
        pair.reset(conn)
        assert.same({ nil, "connection reset by peer", "ECONNRESET" },
            { ws:receive(pair.PATIENCE) })
    end))

    it("is a client's, too", sockets.with(function(ws, conn)
        conn:send { frame(FIN + 1, "plain"), frame(FIN + 9, "p") }
        assert.equal("plain", (ws:receive(pair.PATIENCE)))
        local receiving = quoll.spawn(ws.receive, ws, pair.PATIENCE)
        assert.same({ FIN + 10, "p" }, { sockets.read(conn) })
        conn:send(frame(FIN + 1, "more"))
        assert.equal("more", (receiving:wait(pair.PATIENCE)))
    end, { client = true }))
end)

describe("bindings/websocket/receive, keep-alive", function()
    helper.gates()

    it("pings a silent peer, and goes on when it answers", sockets.with(
        function(ws, conn)
            local receiving = quoll.spawn(ws.receive, ws)
            for _ = 1, 4 do
                assert.same({ FIN + 9, "" }, { sockets.read(conn) })
                conn:send(masked(FIN + 10, ""))
            end
            conn:send(masked(FIN + 1, "here"))
            assert.equal("here", (receiving:wait(pair.PATIENCE)))
        end, { ping = 0.02 }))

    it("notices a dead one after two", sockets.with(function(ws, conn)
        assert.same({ nil, "connection timed out", "ETIMEDOUT" },
            { ws:receive() })
        local found = sockets.read_all(conn)
        assert.same({ FIN + 9, FIN + 9 }, { found[1][1], found[2][1] })
    end, { ping = 0.02 }))

    it("pings also between short receives", sockets.with(function(ws, conn)
        local err, code
        repeat
            err, code = select(2, ws:receive(0.005))
        until code ~= "TIMEOUT"
        assert.equal("connection timed out", err)
        assert.equal(FIN + 9, (sockets.read(conn)))
    end, { ping = 0.02 }))
end)
