local handshake = require "quoll.http.websocket.handshake"
local pair = require "spec.support.pair"

describe("lua/quoll/http/websocket/handshake", function()
    it("has defaults, and leaves what it is given as it is", function()
        local given = { protocols = { "a" } }
        local opts = handshake.check(given, {}, "spec")
        assert.same({ 2 ^ 20, 30, 60 },
            { opts.max, opts.ping, opts.send_timeout })
        assert.same({ protocols = { "a" } }, given)
        assert.is_false(handshake.check({ ping = false }, {}, "spec").ping)
        assert.is_nil(handshake.check({ compress = false }, {}, "spec").deflate)
    end)

    it("refuses bad options", function()
        for _, given in ipairs { { max = 0 }, { max = 2 ^ 31 }, { max = 1.5 },
            { ping = 0 }, { ping = "1" }, { send_timeout = -1 },
            { protocols = { "a b" } }, { protocols = { 1 } }, { other = 1 },
            { headers = { ["a b"] = "x" } }, { headers = { a = "x\r\ny: z" } },
            { headers = { [1] = "x" } }, { compress = { level = 11 } } }
        do
            pair.raises(function()
                handshake.check(given, {}, "spec")
            end, "'spec'")
        end
    end)

    it("makes lines of headers", function()
        local opts = handshake.check({ headers = { B = { 1, 2 }, A = "x" } },
            {}, "spec")
        assert.same({ "A: x", "B: 1", "B: 2" }, opts.lines)
    end)
end)
