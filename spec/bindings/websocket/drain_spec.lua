local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local raw = require "quoll.core.websocket"
local sockets = require "spec.support.websocket"

describe("bindings/websocket/drain", function()
    helper.gates()

    it("reads to the end, however much comes", sockets.with(
        function(ws, conn)
            local sending = quoll.spawn(function()
                conn:send(("x"):rep(helper.injected and 1e3 or 1e6))
                assert.equal("", conn:receive "*a")
                conn:close()
            end)
            local draining = quoll.spawn(function()
                return require("quoll.wait").finish(
                    raw.drain(ws, pair.PATIENCE))
            end)
            assert.is_true(draining:wait(pair.PATIENCE))
            sending:wait()
        end))

    it("takes a reset for an end, and gives up in time", sockets.with(
        function(ws, conn)
            assert.is_false(raw.drain(ws, 0))
            pair.reset(conn)
            quoll.yield()
            assert.is_true(require("quoll.wait").finish(
                raw.drain(ws, pair.PATIENCE)))
            raw.shut(ws)
            assert.is_false(raw.drain(ws, 1))
        end))

    it("can be cancelled", sockets.with(function(ws)
        local task = quoll.spawn(raw.drain, ws, pair.PATIENCE)
        quoll.yield()
        task:cancel()
    end))
end)
