local helper = require "spec.helper"
local udp = require "spec.support.udp"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local function receive(server, n)
    local got = {}
    for i = 1, n do
        got[i] = server:receive()
    end
    return got
end

describe("bindings/udp/sendmany", function()
    helper.gates()

    it("sends to the peer and to others", udp.with(function(client, server)
        local address, port = server:getsockname()
        local other = udp.open { bind = "127.0.0.1:0" }
        local theirs = select(2, other:getsockname())
        assert.equal(6, client:sendmany { "one", { "two" }, 3, { { "f", 4 } },
            { "other", "127.0.0.1", theirs }, { "", address .. ":" .. port } })
        assert.same({ "one", "two", "3", "f4", "" }, receive(server, 5))
        assert.equal("other", other:receive())
        assert.equal(0, client:sendmany {})
        assert.equal(1, client:sendmany({ "not", "last" }, 2))
        assert.equal("last", server:receive())
        assert.equal(0, client:sendmany({ "x" }, 5))
    end))

    it("sends back what receivemany gave", udp.with(function(client, server)
        client:sendmany { "a", "b", "c" }
        server:sendmany(server:receivemany())
        assert.same({ "a", "b", "c" }, receive(client, 3))
    end))

    it("ends at what fails, and can go on behind it", udp.with(
        function(client, server)
            local list = { "one", ("x"):rep(65508), "three" }
            assert.same({ nil, "message too long", 1, "EMSGSIZE" },
                { client:sendmany(list) })
            assert.same({ nil, "message too long", 0, "EMSGSIZE" },
                { client:sendmany(list, 2) })
            assert.equal(1, client:sendmany(list, 3))
            assert.same({ "one", "three" }, receive(server, 2))
        end))

    it("sends nothing where an address is none", udp.with(
        function(client, server)
            local address, port = server:getsockname()
            local list = { { "x", address, port }, { "y", "1.2.3" } }
            assert.same({ nil,
                'bad address \'1.2.3\': no port from 0 to 65535 after ":"',
                0, "EINVAL" }, { client:sendmany(list) })
            server:settimeout(0)
            assert.equal("timeout", select(2, server:receive()))
        end))

    it("waits, and keeps the data meanwhile", udp.with(function(client, server)
        client:settimeout(0)
        local list = {}
        for i = 1, 2000 do
            list[i] = { { "datagram ", i } }
        end
        local ok, err, sent, code = client:sendmany(list)
        assert.same({ nil, "timeout", "TIMEOUT" }, { ok, err, code })
        assert.is_true(sent > 0 and sent < 2000)
        client:settimeout(udp.PATIENCE)
        local task = quoll.spawn(client.sendmany, client, list, sent + 1)
        quoll.yield()
        for i = 1, 2000 do
            list[i] = nil
        end
        collectgarbage()
        for i = 1, 2000 do
            assert.equal("datagram " .. i, server:receive())
        end
        assert.equal(2000 - sent, task:wait())
    end, "unix:"))

    it("tells of ICMP on the next call", function()
        quoll.run(function()
            local client = udp.refused()
            client:sendmany { "a", "b", "c", "d" }
            assert.same({ nil, "connection refused", "ECONNREFUSED" },
                { client:receive() })
        end)
    end)

    it("goes on after a partial call, and counts calls", function()
        assert.equal("6\t3\nnil\tno buffer space available\t2\tENOBUFS\n",
            udp.printed [[
            local client = udp.pair()
            local list = { "1", "2", "3", "4", "5", "6" }
            cut("sendmmsg", -1, 1, 1, 2)
            fail("sendmmsg", -1, 2, 2, 4)
            local before = calls "sendmmsg"
            print(client:sendmany(list), calls "sendmmsg" - before)
            inject.ql_inject_clear()
            cut("sendmmsg", -1, 1, 1, 2)
            fail("sendmmsg", -1, 2, 2, 105)
            print(client:sendmany(list))
        ]])
    end)

    it("refuses what is no list of datagrams", udp.with(function(client)
        pair.raises(function() client:sendmany "x" end,
            "bad argument 'list' to 'sendmany'")
        pair.raises(function() client:sendmany { true } end, "'sendmany'")
        pair.raises(function() client:sendmany { { "x", 5 } } end,
            "bad argument 'address' to 'sendmany'")
        pair.raises(function() client:sendmany({ "x" }, 0) end, "'first'")
    end))
end)
