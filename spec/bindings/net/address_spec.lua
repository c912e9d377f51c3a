local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/net/address", function()
    helper.gates()

    it("is refused when it is none", function()
        for address, why in pairs {
            ["127.0.0.1"] = "bad address '127.0.0.1'",
            ["1.2.3.4:65536"] = "bad address '1.2.3.4:65536'",
            ["1.2.3.4:1\0x"] = "it has a zero byte",
        } do
            for _, open in ipairs { quoll.connect, quoll.listen } do
                local conn, err, code = open(address)
                assert.is_nil(conn)
                assert.matches(why, err, 1, true)
                assert.equal("EINVAL", code)
            end
        end
        pair.raises(function() quoll.connect(5) end, "an address")
    end)

    it("is told with its port, of a unix socket without", function()
        pair.with(function(client, server)
            local address, port = client:getpeername()
            assert.equal("127.0.0.1", address)
            assert.equal(port, select(2, server:getsockname()))
        end)()
        local unix = "unix:@quoll-address-" .. helper.ffi.C.getpid()
        pair.with(function(client)
            assert.same({ unix }, { client:getpeername() })
        end, unix)()
        local udp = quoll.udp { bind = unix .. "-udp" }
        assert.same({ unix .. "-udp" }, { udp:getsockname() })
        udp:close()
    end)
end)
