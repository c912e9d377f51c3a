local helper = require "spec.helper"
local udp = require "spec.support.udp"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/udp/send", function()
    helper.gates()

    it("takes strings, numbers and tables", udp.with(function(client, server)
        local address, port = server:getsockname()
        assert.equal(2, client:send(42))
        assert.equal(6, client:send { "a", { 1, { "b" } }, 2.5 })
        assert.equal(0, client:send "")
        assert.equal(0, client:send {})
        assert.equal(3, client:sendto({ "x", "yz" }, address, port))
        assert.equal(1, client:sendto(7, address .. ":" .. port))
        for _, data in ipairs { "42", "a1b2.5", "", "", "xyz", "7" } do
            assert.equal(data, server:receive())
        end
    end))

    it("fails with what is too long, and goes on", udp.with(
        function(client, server)
            assert.same({ nil, "message too long", "EMSGSIZE" },
                { client:send(("x"):rep(65508)) })
            assert.equal(1, client:send "x")
            assert.equal("x", server:receive())
        end))

    it("tells of ICMP, once", function()
        quoll.run(function()
            local client = udp.refused()
            client:send "x"
            assert.same({ nil, "connection refused", "ECONNREFUSED" },
                { client:send "y" })
            assert.equal(1, client:send "z")
        end)
    end)

    for _, connected in ipairs { true, false } do
        it("waits for a full unix queue" .. (connected and "" or
            " that no event tells of"), udp.with(function(client, server)
            local address = (server:getsockname())
            if not connected then
                client = udp.open { family = "unix" }
            end
            local function send(data)
                return connected and client:send(data)
                    or client:sendto(data, address)
            end
            client:settimeout(0)
            local n = 0
            while send "fill" do
                n = n + 1
            end
            client:settimeout(0.01)
            local task = quoll.spawn(connected and client.send or client.sendto,
                client, "late", address)
            assert.same({ nil, "timeout", "TIMEOUT" }, { task:wait() })
            client:settimeout(udp.PATIENCE)
            task = quoll.spawn(send, "late")
            quoll.yield()
            assert.same({ nil, "busy writing", "BUSY" }, { client:send "x" })
            for _ = 1, n do
                assert.equal("fill", server:receive())
            end
            assert.equal(4, task:wait())
            assert.equal("late", server:receive())
        end, "unix:"))
    end

    it("that is cancelled has sent nothing", udp.with(function(client, server)
        client:settimeout(0)
        while client:send "fill" do end
        client:settimeout(udp.PATIENCE)
        local task = quoll.spawn(client.send, client, "never")
        quoll.yield()
        task:cancel()
        task:wait()
        server:settimeout(0)
        while true do
            local data = server:receive()
            assert.not_equal("never", data)
            if not data then
                break
            end
        end
    end, "unix:"))

    it("meets each fault of the system", function()
        assert.equal("1\n1\nnil\tno buffer space available\tENOBUFS\n1\nabc\n",
            udp.printed [[
            local client, server = udp.pair()
            fail("sendmmsg", -1, 1, 1, 4)
            print(client:send "a")
            fail("sendmmsg", -1, 1, 1, 11)
            print(client:send "b")
            fail("sendmmsg", -1, 1, 1, 105)
            print(client:send "lost")
            print(client:send "c")
            print(server:receive() .. server:receive() .. server:receive())
        ]])
    end)

    it("refuses what is no data", udp.with(function(client)
        pair.raises(function() client:send() end, "'data' to 'send'")
        pair.raises(function() client:send { true } end, "'send'")
        pair.raises(function() client:sendto(nil, "127.0.0.1", 9) end,
            "'data' to 'sendto'")
    end))
end)
