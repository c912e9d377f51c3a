local helper = require "spec.helper"
local udp = require "spec.support.udp"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/udp/name", function()
    helper.gates()

    it("takes addresses in one piece and in two", function()
        quoll.run(function()
            local server = udp.open { bind = "127.0.0.1:0" }
            local port = select(2, server:getsockname())
            for _, to in ipairs { { "127.0.0.1", port },
                { "127.0.0.1:" .. port }, { "localhost", port },
                { "localhost:" .. port } } do
                assert.equal(1, udp.open():sendto("x", unpack(to)))
                assert.equal("x", server:receive())
            end
            local six = udp.open { bind = "[::1]:0" }
            port = select(2, six:getsockname())
            for _, to in ipairs { { "::1", port }, { "[::1]", port },
                { "[::1]:" .. port }, { "::1%lo", port } } do
                assert.equal(1, udp.open():sendto("x", unpack(to)))
                assert.equal("x", six:receive())
            end
        end)
    end)

    it("says what is wrong with others", function()
        quoll.run(function()
            local u = udp.open()
            for address, code in pairs { ["example.invalid"] = "ENOTFOUND",
                ["1.2.3.4.5"] = "EINVAL", [":::"] = "EINVAL",
                ["::1%nothing"] = "EINVAL", ["a\0b"] = "EINVAL" } do
                assert.equal(code, select(3, u:sendto("x", address, 53)))
            end
            assert.equal("EINVAL", select(3, u:sendto("x", "unix:")))
            pair.raises(function() u:sendto("x", "::1", 65536) end, "'port'")
            pair.raises(function() u:sendto("x", "::1", {}) end, "'port'")
        end)
    end)

    it("reaches IPv4 from an IPv6 socket, and answers", function()
        quoll.run(function()
            local four = udp.open { bind = "127.0.0.1:0" }
            local both = udp.open { bind = "[::]:0", v6only = false }
            both:sendto("x", four:getsockname())
            local _, address, port = four:receivefrom()
            assert.equal("127.0.0.1", address)
            four:sendto("y", address, port)
            local data, from, theirs = both:receivefrom()
            assert.same({ "y", "::ffff:127.0.0.1" }, { data, from })
            both:sendto("z", from, theirs)
            assert.equal("z", four:receive())
        end)
    end)

    it("chooses a unix name, and takes paths and abstract ones", function()
        quoll.run(function()
            local named = udp.open { bind = "unix:@quoll-" .. os.tmpname() }
            local auto = udp.open { bind = "unix:" }
            assert.matches("^unix:@%x+$", (auto:getsockname()))
            assert.equal(1, auto:sendto("x", (named:getsockname())))
            local _, address = named:receivefrom()
            assert.equal(address, (auto:getsockname()))
            assert.same({ nil, "connection refused", "ECONNREFUSED" },
                { auto:sendto("x", "unix:@quoll-nobody-is-here") })
        end)
    end)

    it("knows its descriptor", udp.with(function(client)
        assert.is_number(client:getfd())
    end))
end)
