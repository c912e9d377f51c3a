local helper = require "spec.helper"
local deflate = require "quoll.http.websocket.deflate"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local sockets = require "spec.support.websocket"

local set = deflate.check(true, "spec")
local kept = deflate.check({ context = true, threshold = 0 }, "spec")

-- Compression of both ends of a connection.
local function agreed(of, bits, reset)
    return deflate.new(of or kept, { bits = bits or 15, reset = reset or false,
        peer_bits = bits or 15, peer_reset = reset or false })
end

local function hex(text)
    return (text:gsub("%s", ""):gsub("..", function(digits)
        return string.char(tonumber(digits, 16))
    end))
end

describe("lua/quoll/http/websocket/deflate", function()
    helper.gates()

    it("checks its options", function()
        for _, wrong in ipairs { { level = 10 }, { bits = 8 }, { bits = 9.5 },
            { window = 1 }, { level = "9" } }
        do
            pair.raises(function() deflate.check(wrong, "spec") end, "spec")
        end
        assert.is_nil(deflate.check(false, "spec"))
    end)

    it("reads the examples of RFC 7692, 7.2.3", function()
        for _, data in ipairs { "f248cdc9c90700", "000500faff48656c6c6f00",
            "f348cdc9c90700 00", "f248050000 00ffffcac9c90700" }
        do
            assert.equal("Hello", agreed():inflate(hex(data), 100), data)
        end
        local d = agreed()
        assert.equal("Hello", d:inflate(hex "f248cdc9c90700", 100))
        assert.equal("Hello", d:inflate(hex "f200110000", 100))
        d = agreed(kept, 15, true)
        assert.equal("Hello", d:inflate(hex "f248cdc9c90700", 100))
        assert.same({ nil, "bad compressed data", 1007 },
            { d:inflate(hex "f200110000", 100) })
    end)

    it("inflates what it compresses, with every window", function()
        quoll.run(function()
            math.randomseed(7692)
            for bits = 9, 15 do
                local out, into = agreed(kept, bits), agreed(kept, bits)
                for _ = 1, 10 do
                    local words = {}
                    for i = 1, math.random(2000) do
                        words[i] = ("word%d "):format(math.random(50))
                    end
                    local data = table.concat(words)
                    assert.is_true(data == into:inflate(out:compress(data),
                        #data))
                end
            end
        end)
    end)

    it("does not compress with a window of 8 bits, but inflates", function()
        assert.is_false(agreed(kept, 8):worth "Hello, Hello")
        assert.is_true(agreed():worth "Hello, Hello")
        assert.is_false(agreed():worth "")
        assert.is_false(agreed(set):worth(("x"):rep(1023)))
        assert.equal("Hello", agreed(kept, 8):inflate(hex "f248cdc9c90700", 9))
    end)

    it("gives no more than max, whatever a bomb holds", function()
        quoll.run(function()
            local bomb = agreed():compress(("\0"):rep(2e7))
            assert.truthy(#bomb < 30000)
            collectgarbage()
            local before, d = collectgarbage "count", agreed()
            assert.same({ nil, "message too large", 1009 },
                { d:inflate(bomb, 10000) })
            assert.truthy(collectgarbage "count" - before < 1000)
            local exact = agreed():compress(("\0"):rep(10000))
            assert.equal(10000, #agreed():inflate(exact, 10000))
            assert.is_nil((agreed():inflate(exact, 9999)))
        end)
    end)

    it("refuses what is no deflate", function()
        for _, data in ipairs { "\255\255\255", "\6" } do
            local message, why, code = agreed():inflate(data, 1000)
            assert.same({ nil, "bad compressed data", 1007 },
                { message, why, code })
        end
    end)

    it("is used between two sockets, small messages not compressed",
        sockets.both(function(client, server)
            local echo = quoll.spawn(sockets.echo, server)
            for _, data in ipairs { "small", ("large "):rep(300), "",
                ("\xe2\x82\xac"):rep(500) }
            do
                assert.is_true(client:send(data))
                assert.equal(data, (client:receive(pair.PATIENCE)))
            end
            assert.same({ nil, "text is no UTF-8", "EILSEQ" },
                { client:send(("\xff"):rep(2000)) })
            client:close()
            echo:wait()
        end, { deflate = agreed(set, 15, true) }))

    it("checks the text that comes out", sockets.with(function(ws, conn)
        local first = sockets.FIN + sockets.RSV1 + 1
        conn:send(sockets.masked(first, agreed():compress(("\xff"):rep(50))))
        conn:shutdown "send"
        assert.same({ nil, "text is no UTF-8", "EILSEQ" },
            { ws:receive(pair.PATIENCE) })
        assert.equal(1007, select(2, sockets.read(conn)):byte(1) * 256 + 239)
    end, { deflate = agreed(set, 15, true) }))
end)
