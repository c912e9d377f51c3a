local helper = require "spec.helper"
local udp = require "spec.support.udp"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/udp/udp", function()
    helper.gates()

    it("counts as a connection", function()
        quoll.run(function()
            local before = quoll.stats().connections
            local u = udp.open()
            assert.equal(before.live + 1, quoll.stats().connections.live)
            u:close()
            local after = quoll.stats().connections
            assert.equal(before.live, after.live)
            assert.equal(before.opened + 1, after.opened)
        end)
    end)

    it("is closed with its owner", function()
        local u
        quoll.run(function()
            u = udp.open()
        end)
        assert.same({ nil, "closed", "OWNER_ENDED" }, { u:receive() })
        assert.same({ nil, "closed", "OWNER_ENDED" }, { u:send "x" })
        assert.same({ nil, "closed", "OWNER_ENDED" },
            { u:sendto("x", "127.0.0.1", 1) })
        for _, method in ipairs { "getsockname", "getpeername", "getfd" } do
            assert.same({ nil, "closed", "OWNER_ENDED" }, { u[method](u) })
        end
        assert.same({ nil, "closed", "OWNER_ENDED" },
            { u:setpeername("127.0.0.1", 1) })
        assert.same({ nil, "closed", 0, "OWNER_ENDED" }, { u:sendmany { "x" } })
        assert.same({ nil, "closed", "OWNER_ENDED" }, { u:getoption "ttl" })
        assert.same({ nil, "closed", "OWNER_ENDED" },
            { u:setoption("ttl", 1) })
        assert.same({ nil, "closed", "OWNER_ENDED" }, { u:join "224.0.0.251" })
    end)

    it("is of the family of the first address that it meets", udp.with(
        function(client, server)
            local c = udp.open()
            assert(c:sendto("six", server:getsockname()))
            assert.equal("six", server:receive())
            assert.same({ nil, "address family not supported by protocol",
                "EAFNOSUPPORT" }, { udp.open { ttl = 9 }:sendto("x",
                server:getsockname()) })
            client:close()
        end, "[::1]:0"))

    it("has no peer any more", udp.with(function(client, server)
        assert(client:setpeername "*")
        assert.same({ nil, "destination address required", "EDESTADDRREQ" },
            { client:send "x" })
        assert.same({ nil, "transport endpoint is not connected", "ENOTCONN" },
            { client:getpeername() })
        assert(client:sendto("y", server:getsockname()))
        assert.equal("y", server:receive())
    end))

    it("takes the file of a unix name away", function()
        local path = os.tmpname()
        os.remove(path)
        quoll.run(function()
            local u = udp.open { bind = "unix:" .. path }
            assert.equal(0, os.execute("test -S " .. path))
            assert.same({ nil, "address already in use", "EADDRINUSE" },
                { quoll.udp { bind = "unix:" .. path } })
            u:close()
            assert.is_nil(io.open(path))
        end)
    end)

    it("wakes who waits when it is closed", udp.with(function(_, server)
        local task = quoll.spawn(server.receive, server)
        quoll.yield()
        assert.matches("^receive on 127.0.0.1:%d+ %(fd %d+%), ",
            quoll.tasks()[#quoll.tasks()].waits)
        server:close()
        assert.same({ nil, "closed", "CLOSED" }, { task:wait() })
    end))

    it("refuses what is no argument", function()
        quoll.run(function()
            local u = udp.open()
            pair.raises(function() u:bind() end, "bind")
            pair.raises(function() u:settimeout(-1) end, "settimeout")
            pair.raises(function() u:setpeername(1) end, "setpeername")
            pair.raises(function() quoll.udp { family = "ipx" } end,
                "bad argument 'family' to 'udp'")
        end)
    end)

    it("says why no socket can be had", function()
        assert.equal("too many open files\nno buffer space available\n",
            udp.printed [[
            fail("socket", -1, 1, 1, 24)
            print((select(2, quoll.udp())))
            fail("bind", -1, 1, 1, 105)
            print((select(2, quoll.udp { bind = "127.0.0.1:0" })))
        ]])
    end)
end)
