local helper = require "spec.helper"
local udp = require "spec.support.udp"

describe("bindings/udp/datagrams", function()
    helper.gates()

    it("come 32 by one system call", function()
        assert.equal("1\t2\t2\t3\n", udp.printed [[
            local client, server = udp.pair()
            for i = 1, 40 do client:send("d" .. i) end
            local before, seen = calls "recvmmsg", {}
            for i = 1, 40 do
                assert(server:receive() == "d" .. i)
                seen[i] = calls "recvmmsg" - before
            end
            server:settimeout(0)
            server:receive()
            print(seen[32], seen[33], seen[40], calls "recvmmsg" - before)
        ]])
    end)

    it("that came short are all there are, without a further call", function()
        assert.equal("1\n", udp.printed [[
            local client, server = udp.pair()
            local waiter = quoll.spawn(server.receive, server)
            quoll.yield()
            local before = calls "recvmmsg"
            client:send "one"
            waiter:wait()
            server:settimeout(0.001)
            for i = 1, 5 do assert(select(2, server:receive()) == "timeout") end
            print(calls "recvmmsg" - before)
        ]])
    end)

    it("survive EINTR, EAGAIN and a batch that is cut", function()
        assert.equal("one\ttwo\tthree\n", udp.printed [[
            local client, server = udp.pair()
            client:send "one" client:send "two" client:send "three"
            fail("recvmmsg", -1, 1, 2, 4)
            fail("recvmmsg", -1, 3, 3, 11)
            cut("recvmmsg", -1, 4, 4, 2)
            print((server:receive()), (server:receive()), (server:receive()))
        ]])
    end)

    it("are not there when the kernel fails, and come afterwards", function()
        assert.equal("nil\tcannot allocate memory\tENOMEM\none\n",
            udp.printed [[
            local client, server = udp.pair()
            client:send "one"
            fail("recvmmsg", -1, 1, 1, 12)
            print(server:receive())
            print((server:receive()))
        ]])
    end)
end)
