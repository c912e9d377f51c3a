local helper = require "spec.helper"
local udp = require "spec.support.udp"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/udp/receive", function()
    helper.gates()

    for _, bind in ipairs { "127.0.0.1:0", "[::1]:0", "unix:" } do
        it("gives data and sender: " .. bind, udp.with(function(client, server)
            local address, port = client:getsockname()
            client:send "one"
            client:send ""
            client:send "three"
            assert.same({ "one", address, port }, { server:receivefrom() })
            assert.same({ "", address, port }, { server:receivefrom() })
            assert.equal("three", server:receive())
            local task = quoll.spawn(server.receivefrom, server)
            quoll.yield()
            client:send "four"
            local data, from, theirs = task:wait()
            assert.same({ "four", address, port }, { data, from, theirs })
        end, bind))
    end

    it("cuts what is longer, and says so", udp.with(function(client, server)
        client:send "0123456789"
        client:send "0123456789"
        client:send "0123456789"
        client:send "next"
        assert.same({ "01234", 10 }, { server:receive(5) })
        assert.same({ "", 10 }, { server:receive(0) })
        assert.equal(10, select(4, server:receivefrom(9)))
        assert.same({ "next" }, { server:receive(4) })
    end))

    it("gives the longest whole", udp.with(function(client, server)
        local long = ("q"):rep(65507)
        for _ = 1, 2 do
            assert.equal(#long, client:send(long))
        end
        assert.is_true(long == server:receive())
        assert.is_true(long == server:receivefrom())
    end))

    it("cuts at 64 KiB what only a unix socket can send", udp.with(
        function(client, server)
            client:send(("q"):rep(70000))
            local data, size = server:receive()
            assert.same({ 65536, 70000 }, { #data, size })
        end, "unix:"))

    it("does not know a sender without a name", function()
        quoll.run(function()
            local server = udp.open { bind = "unix:" }
            local client = udp.open { family = "unix" }
            client:sendto("who?", (server:getsockname()))
            local data, address, port = server:receivefrom()
            assert.same({ "who?" }, { data, address, port })
        end)
    end)

    it("takes many at once", udp.with(function(client, server)
        local address, port = client:getsockname()
        for i = 1, 40 do
            client:send("d" .. i)
        end
        assert.equal("d1", server:receive())
        assert.same({ { "d2", address, port }, { "d3", address, port } },
            server:receivemany(2))
        local got = {}
        while #got < 37 do
            for _, d in ipairs(server:receivemany()) do
                got[#got + 1] = d[1]
            end
        end
        assert.equal("d4", got[1])
        assert.equal("d40", got[37])
        client:setpeername "*"
    end))

    it("tells that nobody listens, and goes on", function()
        quoll.run(function()
            local client = udp.refused()
            client:send "x"
            assert.same({ nil, "connection refused", "ECONNREFUSED" },
                { client:receive() })
            client:settimeout(0)
            assert.same({ nil, "timeout", "TIMEOUT" }, { client:receive() })
            local address, port = client:getpeername()
            local server = udp.open { bind = address .. ":" .. port }
            assert.equal(5, client:send "again")
            assert.equal("again", server:receive())
        end)
    end)

    it("lets one task wait", udp.with(function(client, server)
        local task = quoll.spawn(server.receive, server)
        quoll.yield()
        assert.same({ nil, "busy reading", "BUSY" }, { server:receivefrom() })
        assert.same({ nil, "busy reading", "BUSY" },
            { quoll.sync.select { server } })
        client:send "x"
        assert.equal("x", task:wait())
    end))

    it("loses nothing by a cancellation or a timeout", udp.with(
        function(client, server)
            local task = quoll.spawn(server.receive, server)
            quoll.yield()
            client:send "kept"
            task:cancel()
            task:wait()
            server:settimeout(0)
            assert.equal("kept", server:receive())
            server:settimeout(0.001)
            assert.same({ nil, "timeout", "TIMEOUT" }, { server:receive() })
            client:send "later"
            assert.equal("later", server:receive())
        end))

    it("keeps no memory for what has been taken", udp.with(
        function(client, server)
            for _ = 1, 100 do
                client:send(("x"):rep(1000))
                server:receive()
            end
            for i = 1, 30 do
                client:send(("x"):rep(1000 + i))
            end
            server:receive()
            server:close()
            assert.same({ nil, "closed", "CLOSED" }, { server:receive() })
        end))

    it("refuses what is no number", udp.with(function(_, server)
        for _, method in ipairs { "receive", "receivefrom", "receivemany" } do
            pair.raises(function() server[method](server, "much") end,
                "bad argument 'n' to '" .. method .. "'")
            pair.raises(function() server[method](server, -1) end, method)
        end
        pair.raises(function() server:receivemany(0) end, "receivemany")
    end))
end)
