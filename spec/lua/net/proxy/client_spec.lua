local handshake = require "quoll.tls.handshake"
local helper = require "spec.helper"
local header = require "quoll.net.proxy.header"
local pair = require "spec.support.pair"
local quoll = require "quoll"

-- What a server gets first, and the address that the client has.
local function sent(proxy, address)
    local data, ours
    quoll.run(function()
        local listener = assert(quoll.listen(address or "127.0.0.1:0"))
        local conn = assert(quoll.connect(listener:address(),
            { proxy = proxy, timeout = pair.PATIENCE }))
        local ip, port = conn:getsockname()
        ours = ("%s %s"):format(ip, port)
        conn:close()
        local peer = listener:accept(pair.PATIENCE)
        peer:settimeout(pair.PATIENCE)
        data = assert(peer:receive("*a"))
    end)
    return data, ours
end

describe("quoll.connect with proxy", function()
    helper.gates()

    it("tells the addresses of the connection", function()
        local data, ours = sent("v1")
        local source, destination, port =
            data:match "^PROXY TCP4 (%S+) (%S+) (%d+) %d+\r\n$"
        assert.equal(ours, source .. " " .. port)
        assert.equal("127.0.0.1", destination)
        data, ours = sent("v2", "[::1]:0")
        local info = header.parse_v2(data)
        assert.equal(ours, info.source .. " " .. info.sourceport)
        assert.equal("inet6", info.family)
    end)

    it("tells nothing of a unix socket", function()
        local name = "unix:@spec-proxy-" .. quoll.now()
        assert.equal("PROXY UNKNOWN\r\n", (sent("v1", name)))
        assert.is_nil(header.parse_v2((sent("v2", name))).family)
    end)

    it("tells what it is given", function()
        assert.equal("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n", (sent {
            version = "v1", source = "1.2.3.4:9", destination = "5.6.7.8:10",
        }))
        local info = header.parse_v2((sent {
            version = "v2", source = "[::1]:9", destination = "5.6.7.8:10",
            alpn = "h2", tlvs = { [224] = "mine" },
        }))
        assert.same({ "::1", 9, "::ffff:5.6.7.8", 10, "h2", "mine" },
            { info.source, info.sourceport, info.destination,
                info.destinationport, info.alpn, info.tlvs[224] })
        assert.equal("LOCAL", header.parse_v2((sent {
            version = "v2", command = "LOCAL",
        })).command)
        info = header.parse_v2((sent { version = "v2", source = "unix:/a",
            destination = "unix:/b" }))
        assert.equal("unix:/b", info.destination)
    end)

    it("goes before the handshake", function()
        local start = handshake.start
        handshake.start = function(conn) return conn:send("hello") end
        quoll.run(function()
            quoll.defer(function() handshake.start = start end)
            local listener = quoll.listen("127.0.0.1:0")
            quoll.connect(listener:address(), { proxy = "v1", tls = true })
            local peer = listener:accept(pair.PATIENCE)
            peer:settimeout(pair.PATIENCE)
            assert.matches("^PROXY ", peer:receive())
            assert.equal("hello", peer:receive(5))
        end)
    end)

    it("refuses bad options", function()
        for text, proxy in pairs {
            ["'v1', 'v2' or a table"] = 5,
            ["the version is 'v1' or 'v2'"] = {},
            ["bad argument 'source'"] = { version = "v1", source = "x:1",
                destination = "1.2.3.4:1" },
            ["bad argument 'destination'"] = { version = "v1",
                source = "1.2.3.4:1", destination = "1.2.3.4:65536" },
            ["source and destination go together"] = { version = "v1",
                source = "1.2.3.4:1" },
            ["of two kinds"] = { version = "v2", source = "1.2.3.4:1",
                destination = "unix:/a" },
            ["the command is"] = { version = "v2", command = "x" },
            ["no option 'x'"] = { version = "v2", x = 1 },
        } do
            assert.error_matches(function() sent(proxy) end, text)
        end
    end)
end)
