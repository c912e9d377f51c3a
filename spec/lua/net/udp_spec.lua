local helper = require "spec.helper"
local udp = require "spec.support.udp"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("lua/quoll/net/udp", function()
    helper.gates()

    it("binds where it is told", function()
        quoll.run(function()
            for bind, address in pairs { ["127.0.0.1:0"] = "127.0.0.1",
                [":0"] = "0.0.0.0", ["[::]:0"] = "::",
                ["localhost:0"] = "127.0.0.1" } do
                local ours, port = udp.open { bind = bind }:getsockname()
                assert.equal(address, ours)
                assert.is_true(port > 0)
            end
        end)
    end)

    it("shares a port with reuseport only", function()
        quoll.run(function()
            local one = udp.open { bind = "127.0.0.1:0", reuseport = true }
            local address = "127.0.0.1:" .. select(2, one:getsockname())
            assert.same({ nil, "address already in use", "EADDRINUSE" },
                { quoll.udp { bind = address } })
            assert(quoll.udp { bind = address, reuseport = true })
        end)
    end)

    it("sets options before it binds", function()
        quoll.run(function()
            local u = udp.open { bind = "[::]:0", v6only = true, ttl = 5,
                broadcast = true, reuseaddr = true, sndbuf = 50000 }
            assert.is_true(u:getoption "v6only")
            assert.equal(5, u:getoption "ttl")
            assert.is_true(u:getoption "broadcast")
            assert.is_true(u:getoption "reuseaddr")
            assert.is_true(u:getoption "sndbuf" >= 50000)
        end)
    end)

    it("may broadcast only when it is told so", function()
        quoll.run(function()
            assert.same({ nil, "permission denied", "EACCES" },
                { udp.open():sendto("x", "255.255.255.255", 9) })
        end)
    end)

    it("leaves nothing behind when it cannot be opened", function()
        quoll.run(function()
            local live = quoll.stats().connections.live
            assert.equal("EINVAL", select(3, quoll.udp { bind = "nonsense" }))
            assert.equal("ENOTFOUND", select(3, quoll.udp { bind = "a.b:1" }))
            assert.equal("ENOPROTOOPT",
                select(3, quoll.udp { bind = "127.0.0.1:0", v6only = true }))
            assert.equal(live, quoll.stats().connections.live)
        end)
    end)

    it("takes a datagram socket that was opened elsewhere", function()
        quoll.run(function()
            local other = quoll.connect(quoll.listen "127.0.0.1:0":address())
            assert.same({ nil, "invalid argument", "EINVAL" },
                { quoll.udp { fd = other:getfd() } })
            assert.equal("EBADF", select(3, quoll.udp { fd = 9999 }))
            pair.raises(function() quoll.udp { fd = 0, ttl = 1 } end,
                "'fd' is not alone")
            pair.raises(function() quoll.udp { fd = -1 } end, "'fd' to 'udp'")
        end)
    end)

    it("refuses what it does not know", function()
        pair.raises(function() quoll.udp { port = 1 } end, "no option 'port'")
        pair.raises(function() quoll.udp { bind = 1 } end, "'bind' to 'udp'")
    end)

    it("sends and receives at the same time", udp.with(
        function(client, server)
            local echo = quoll.spawn(function()
                for _ = 1, 500 do
                    server:sendto(server:receivefrom())
                end
            end)
            for i = 1, 500 do
                client:send(tostring(i))
                assert.equal(tostring(i), client:receive())
            end
            echo:wait()
        end))

    it("waits in the main chunk", function()
        local client, server = udp.pair()
        client:send "x"
        assert.equal("x", server:receive())
        client:close()
        server:close()
    end)
end)
