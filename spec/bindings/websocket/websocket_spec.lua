local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local raw = require "quoll.core.websocket"
local sockets = require "spec.support.websocket"

-- What is sent only if the system takes it at once.
local at_once = helper.injected and pending or it

describe("bindings/websocket/websocket", function()
    helper.gates()

    it("answers a key as RFC 6455 does", function()
        assert.equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            raw.accept "dGhlIHNhbXBsZSBub25jZQ==")
    end)

    it("makes keys of 16 bytes, each time another", function()
        local seen = {}
        for _ = 1, 50 do
            local key = raw.key()
            assert.truthy(key:find("^" .. ("[%w+/]"):rep(21) .. "[AQgw]==$"),
                key)
            assert.is_nil(seen[key])
            seen[key] = true
        end
    end)

    it("has the connection alone, with what it has received", pair.with(
        function(client, server)
            pair.deliver(client, server, sockets.masked(0x81, "early"))
            local ws = assert(raw.open(server, false, 100, false))
            assert.same({ nil, "busy reading", "", "BUSY" },
                { server:receive(1) })
            assert.same({ nil, "busy writing", 0, "BUSY" },
                { server:send "x" })
            assert.equal("early", (ws:receive(pair.PATIENCE)))
            assert.same({ nil, "busy writing", "BUSY" },
                { raw.open(server, false, 100, false) })
        end))

    it("refuses what it cannot take", pair.with(function(client, server)
        server:close()
        assert.same({ nil, "closed", "CLOSED" },
            { raw.open(server, false, 1, false) })
        pair.raises(function() raw.open(client, false, 0, false) end,
            "bad argument 'max' to 'websocket'")
        pair.raises(function() raw.open(io.stdout, false, 1, false) end,
            "a connection")
        assert.truthy(client:getpeername())
    end))

    at_once("closes the connection, and says so once", sockets.with(
        function(ws, conn)
            assert.is_true(raw.shut(ws))
            assert.same({ nil, "closed", "CLOSED" }, { raw.shut(ws) })
            assert.same({ { 0x88, sockets.close_frame(1001) } },
                sockets.read_all(conn))
            assert.truthy(tostring(ws):find "^websocket %(closed%)")
        end))

    at_once("goes away with its owner: 1001", pair.with(function(client, server)
        quoll.spawn(function()
            server:own()
            return (raw.open(server, false, 100, false):receive(0))
        end):wait()
        assert.same({ { 0x88, sockets.close_frame(1001) } },
            sockets.read_all(client))
    end))

    at_once("is closed by the collector, its connection too", pair.with(
        function(client, server)
            raw.open(server, false, 100, false):disown()
            server = nil -- luacheck: ignore
            collectgarbage()
            collectgarbage()
            assert.equal(1, #sockets.read_all(client))
        end))

    it("moves with who is given it", pair.with(function(_, server)
        local ws = quoll.spawn(function()
            server:own()
            return (raw.open(server, false, 100, false))
        end):wait()
        assert.same({ nil, "timeout", "TIMEOUT" }, { raw.receive(ws, 0) })
    end))

    it("keeps what scripts note on it", sockets.with(function(ws)
        ws.name = "anna"
        assert.equal("anna", ws.name)
        assert.equal("chat", ws.protocol)
        assert.is_nil(ws.other)
    end, { protocol = "chat" }))

    it("knows UTF-8 and close codes", function()
        assert.is_true(raw.utf8 "\xe2\x82\xac")
        assert.is_false(raw.utf8 "\xe2\x82")
        assert.is_true(raw.closable(1000))
        for _, code in ipairs { 999, 1005, 1006, 1015, 5000, 1000.5, -1,
            2 ^ 40 }
        do
            assert.is_false(raw.closable(code))
        end
    end)
end)
