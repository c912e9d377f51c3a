local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local raw = require "quoll.core.websocket"
local sockets = require "spec.support.websocket"

local FIN = sockets.FIN
local BIG = helper.injected and 2e4 or 2e6 -- bytes that the system never takes

-- A body for `it`, with little room in the system.
local function narrow(fn, settings)
    return sockets.with(function(ws, conn)
        raw.fields(ws)[1]:setoption("sndbuf", 4096)
        conn:setoption("rcvbuf", 4096)
        fn(ws, conn)
    end, settings, pair.name())
end

describe("bindings/websocket/send", function()
    helper.gates()

    it("sends frames of every form", sockets.with(function(ws, conn)
        for _, size in ipairs { 0, 1, 113, 114, 115, 125, 126, 1000, 65536 } do
            local data = ("x"):rep(size)
            local sending = quoll.spawn(ws.send, ws, data)
            assert.same({ FIN + 1, data }, { sockets.read(conn) })
            assert.is_true(sending:wait())
        end
    end))

    it("masks a client's, each with another mask", sockets.with(
        function(ws, conn)
            local masks = {}
            for _, size in ipairs { 5, 5, 114, 115, 1000, 70000 } do
                local data = ("y"):rep(size)
                local sending = quoll.spawn(ws.send, ws, data, "binary")
                local head = size < 126 and 2 or size < 65536 and 4 or 10
                local mask = assert(conn:peek(head + 4)):sub(-4)
                assert.is_nil(masks[mask])
                masks[mask] = true
                assert.same({ FIN + 2, data }, { sockets.read(conn) })
                assert.is_true(sending:wait())
            end
        end, { client = true }))

    it("refuses a text that is no UTF-8, and sends nothing", sockets.with(
        function(ws, conn)
            assert.same({ nil, "text is no UTF-8", "EILSEQ" },
                { ws:send "\xff" })
            assert.is_true(ws:send("\xff", "binary"))
            assert.same({ FIN + 2, "\xff" }, { sockets.read(conn) })
        end))

    it("waits for room, as long as its timeout says", narrow(
        function(ws)
            local ok, err, code
            repeat
                ok, err, code = ws:send(("z"):rep(3000))
            until not ok
            assert.same({ "timeout", "TIMEOUT" }, { err, code })
        end, { send_timeout = 0.02 }))

    it("is broken by a cut send, not by one that had not begun", narrow(
        function(ws)
            local cut = quoll.spawn(ws.send, ws, ("b"):rep(BIG))
            quoll.yield()
            local second = quoll.spawn(ws.send, ws, "second")
            quoll.yield()
            second:cancel()
            quoll.yield()
            cut:cancel()
            cut:wait()
            assert.same({ nil, "closed", "CLOSED" }, { ws:send "third" })
        end))

    it("answers pings when the send in their way is done", narrow(
        function(ws, conn)
            local sending = quoll.spawn(ws.send, ws, ("b"):rep(BIG), "binary")
            local receiving = quoll.spawn(ws.receive, ws)
            quoll.yield()
            conn:send(sockets.masked(FIN + 9, "old")
                .. sockets.masked(FIN + 9, "new")
                .. sockets.masked(FIN + 1, "both are taken"))
            assert.equal("both are taken", (receiving:wait(pair.PATIENCE)))
            local first, payload = sockets.read(conn)
            assert.same({ FIN + 2, BIG }, { first, #payload })
            assert.is_true(sending:wait())
            assert.same({ FIN + 10, "old" }, { sockets.read(conn) })
            assert.same({ FIN + 10, "new" }, { sockets.read(conn) })
        end))

    -- How many are kept depends on what the system takes at once.
    local quick = helper.injected and pending or it

    quick("answers no more pings than it can keep", narrow(function(ws, conn)
        local sending = quoll.spawn(ws.send, ws, ("b"):rep(BIG), "binary")
        local receiving = quoll.spawn(ws.receive, ws)
        for _ = 1, 100 do
            conn:send(sockets.masked(FIN + 9, ("p"):rep(100)))
        end
        conn:send(sockets.masked(FIN + 1, "end"))
        assert.equal("end", (receiving:wait(pair.PATIENCE)))
        assert.equal(FIN + 2, (sockets.read(conn)))
        assert.is_true(sending:wait())
        assert.is_true(ws:send "behind")
        local pongs = 0
        while sockets.read(conn) == FIN + 10 do
            pongs = pongs + 1
        end
        assert.truthy(pongs > 5 and pongs < 30, pongs)
    end))

    it("tells that the peer has gone", sockets.with(function(ws, conn)
        pair.reset(conn)
        ws:receive(pair.PATIENCE)
        local _, err, code = ws:send "x"
        assert.truthy(code == "EPIPE" or code == "ECONNRESET", err)
        assert.same({ nil, "closed", "CLOSED" }, { ws:send "x" })
    end))
end)
