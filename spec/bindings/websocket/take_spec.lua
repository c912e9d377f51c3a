local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local raw = require "quoll.core.websocket"
local finish = require("quoll.wait").finish
local sockets = require "spec.support.websocket"

local FIN = sockets.FIN
local masked = sockets.masked

describe("bindings/websocket/take", function()
    helper.gates()

    it("gives messages of one frame, of many, of none", sockets.with(
        function(ws, conn)
            conn:send {
                masked(FIN + 1, "one"), masked(FIN + 2, "\0\255"),
                masked(1, "a"), masked(0, "b"), masked(FIN, "c"),
                masked(FIN + 1, ""), masked(2, ""), masked(FIN, ""),
            }
            local got = {}
            for i = 1, 5 do
                got[i] = { ws:receive(pair.PATIENCE) }
            end
            assert.same({ { "one", "text" }, { "\0\255", "binary" },
                { "abc", "text" }, { "", "text" }, { "", "binary" } }, got)
        end))

    it("answers pings between fragments", sockets.with(function(ws, conn)
        conn:send { masked(1, "a"), masked(FIN + 9, "now"), masked(FIN, "b"),
            masked(FIN + 10, "unasked") }
        assert.equal("ab", (ws:receive(pair.PATIENCE)))
        assert.same({ FIN + 10, "now" }, { sockets.read(conn) })
    end))

    it("takes long messages, whole and in fragments", sockets.with(
        function(ws, conn)
            local data = {}
            for i = 1, helper.injected and 500 or 30000 do
                data[i] = ("%010d"):format(i)
            end
            data = table.concat(data)
            local sending = quoll.spawn(function()
                conn:send(masked(FIN + 2, data))
                for at = 1, #data, 1000 do
                    conn:send(masked((at == 1 and 2 or 0)
                        + (at + 1000 > #data and FIN or 0),
                        data:sub(at, at + 999)))
                end
            end)
            for _ = 1, 2 do
                assert.is_true(data == ws:receive(pair.PATIENCE))
            end
            sending:wait()
        end, { max = 2 ^ 20 }))

    it("says what is refused once, then that it is closed", sockets.with(
        function(ws, conn)
            local function receive()
                return finish(raw.receive(ws, pair.PATIENCE))
            end
            conn:send { masked(FIN + 1, "a"), masked(FIN + 3, "b") }
            assert.same({ "a", "text", false }, { receive() })
            assert.same({ nil, "reserved opcode", 1002 }, { receive() })
            assert.same({ nil, "closed", "CLOSED" }, { receive() })
        end))
end)
