local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local raw = require "quoll.core.websocket"
local sending = require "quoll.http.websocket.sending"
local sockets = require "spec.support.websocket"

describe("lua/quoll/http/websocket/sending", function()
    helper.gates()

    it("lets the others on when a sender is cancelled", sockets.with(
        function(ws, conn)
            raw.fields(ws)[1]:setoption("sndbuf", 4096)
            local big = quoll.spawn(sending.frame, ws, ("b"):rep(1e5), 0x82)
            local tasks = {}
            for i = 1, 4 do
                quoll.yield()
                tasks[i] = quoll.spawn(sending.frame, ws, tostring(i), 0x81)
            end
            quoll.yield()
            tasks[2]:cancel()
            assert.same({ 0x82, ("b"):rep(1e5) }, { sockets.read(conn) })
            for _, i in ipairs { "1", "3", "4" } do
                assert.same({ 0x81, i }, { sockets.read(conn) })
            end
            assert.is_true(big:wait(pair.PATIENCE))
        end, {}, pair.name()))

    it("tells all of them that the socket was closed", sockets.with(
        function(ws)
            raw.fields(ws)[1]:setoption("sndbuf", 4096)
            local tasks = {}
            for i = 1, 3 do
                tasks[i] = quoll.spawn(sending.frame, ws, ("b"):rep(1e5), 0x82)
                quoll.yield()
            end
            raw.shut(ws)
            for i = 1, 3 do
                assert.same({ nil, "closed", "CLOSED" },
                    { tasks[i]:wait(pair.PATIENCE) })
            end
        end, {}, pair.name()))
end)
