local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local sockets = require "spec.support.websocket"

local FIN = sockets.FIN

describe("lua/quoll/http/websocket", function()
    helper.gates()

    it("carries messages both ways, several tasks sending", sockets.both(
        function(client, server)
            local echo = quoll.spawn(sockets.echo, server)
            for i = 1, 20 do
                quoll.spawn(function()
                    for j = 1, 10 do
                        assert(client:send(("%d %d"):format(i, j)))
                    end
                end)
            end
            local last = {}
            for _ = 1, 200 do
                local i, j = assert(client:receive(pair.PATIENCE))
                    :match "(%d+) (%d+)"
                assert.equal((last[i] or 0) + 1, tonumber(j))
                last[i] = tonumber(j)
            end
            assert.is_true(client:close())
            assert.same({ "closed", 1000, "" }, { echo:wait(pair.PATIENCE) })
        end))

    it("serialises long messages, first come, first served", sockets.both(
        function(client, server)
            local size = helper.injected and 2000 or 400000
            local sending = {}
            for i = 1, 5 do
                sending[i] = quoll.spawn(client.send, client,
                    tostring(i):rep(size), "binary")
                quoll.yield()
            end
            for i = 1, 5 do
                local data, kind = server:receive(pair.PATIENCE)
                assert.is_true(data == tostring(i):rep(size))
                assert.equal("binary", kind)
                assert.is_true(sending[i]:wait(pair.PATIENCE))
            end
        end))

    it("iterates over messages up to the close", sockets.both(
        function(client, server)
            client:send "a"
            client:send("b", "binary")
            local closing = quoll.spawn(client.close, client)
            local got = {}
            for message, kind in server:messages() do
                got[#got + 1] = { message, kind }
            end
            assert.same({ { "a", "text" }, { "b", "binary" } }, got)
            assert.is_true(closing:wait(pair.PATIENCE))
        end))

    it("raises from the iterator what is no close", sockets.with(
        function(ws, conn)
            conn:send(sockets.masked(FIN + 3, ""))
            conn:shutdown "send"
            pair.raises(function()
                for _ in ws:messages() do end
            end, "reserved opcode")
        end))

    it("sends pings of its own", sockets.with(function(ws, conn)
        assert.is_true(ws:ping "now")
        assert.same({ FIN + 9, "now" }, { sockets.read(conn) })
        assert.is_true(ws:ping())
        assert.same({ FIN + 9, "" }, { sockets.read(conn) })
    end))

    it("takes numbers, refuses what is no message", sockets.with(
        function(ws, conn)
            assert.is_true(ws:send(42))
            assert.same({ FIN + 1, "42" }, { sockets.read(conn) })
            pair.raises(function() ws:send {} end, "message.*'send'")
            pair.raises(function() ws:send(nil) end, "message.*'send'")
            pair.raises(function() ws:send("x", "json") end, "kind.*'send'")
            pair.raises(function() ws:ping(("x"):rep(126)) end, "'ping'")
            pair.raises(function() ws:receive(-1) end, "'receive'")
            pair.raises(function() ws:close(1005) end, "code.*'close'")
            pair.raises(function() ws:close(1000, "\xff") end, "'close'")
            pair.raises(function() ws:close(1000, ("x"):rep(124)) end,
                "'close'")
        end))

    it("knows its peer", sockets.with(function(ws, conn)
        assert.same({ conn:getsockname() }, { ws:getpeername() })
    end))

    it("tells that quoll stops, between two messages", function()
        local result = helper.script([[
            local quoll = require "quoll"
            local websocket = require "quoll.http.websocket"
            quoll.run(function()
                local l = quoll.listen "127.0.0.1:0"
                local client = quoll.connect(l:address())
                local ws = websocket.open(l:accept(), { max = 10 })
                quoll.spawn(function()
                    print(ws:receive())
                    client:send "\x81\x80\0\0\0\0"
                    print(ws:receive())
                    print(ws:receive())
                    client:close()
                    l:close()
                end)
                quoll.yield()
                quoll.stop(5)
            end)
        ]], {}, { timeout = 10 })
        assert.equal("", result.err)
        assert.equal("nil\tstopping\tSTOPPING\n\ttext\n"
            .. "nil\tstopping\tSTOPPING\n", result.out)
    end)
end)
