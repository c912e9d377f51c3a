local helper = require "spec.helper"
local pair = require "spec.support.pair"
local passing = require "spec.support.passing"
local quoll = require "quoll"

describe("bindings/stream/receivefd", function()
    helper.gates()

    it("waits for one, and gives what came in front of it", passing.with(
        function(client, server)
            local task = quoll.spawn(server.receivefd, server)
            quoll.yield()
            assert.same({ nil, "busy reading", "", "BUSY" },
                { server:receive() })
            client:send "in front "
            client:sendfd(0, "with")
            client:send " behind"
            local fd, data = task:wait()
            passing.close(fd)
            assert.equal("in front w", data:sub(1, 10))
            assert.equal("in front with behind",
                data .. server:receive(20 - #data))
        end))

    it("makes handles that work", passing.with(function(client, server)
        local listener = quoll.listen "127.0.0.1:0"
        local dialled = quoll.connect(listener:address())
        local accepted = listener:accept(pair.PATIENCE)
        local ear = quoll.udp { bind = "127.0.0.1:0" }
        client:sendfd { accepted, ear }
        accepted:close()
        local conn = assert(quoll.adopt((server:receivefd())))
        conn:send "hello\n"
        assert.equal("hello", dialled:receive())
        local udp = assert(quoll.udp { fd = (server:receivefd()) })
        udp:sendto("to itself", udp:getsockname())
        assert.equal("to itself", udp:receive())
    end))

    it("closes what nobody takes", passing.with(function(client, server)
        local before = passing.count()
        server:keepfds()
        client:sendfd({ 0, 0, 0 }, "abc")
        assert.equal("abc", server:receive(3))
        assert.equal(before + 3, passing.count())
        server:close()
        assert.equal(before - 1, passing.count())
    end))

    it("has room for 64, and says where some were lost", passing.with(
        function(client, server)
            local many = {}
            for i = 1, 64 do
                many[i] = 0
            end
            server:keepfds()
            client:sendfd(many, "x")
            client:sendfd({ 0, 0 }, "y")
            assert.equal("xy", server:receive(2))
            for _ = 1, 64 do
                passing.close((server:receivefd()))
            end
            assert.same({ nil, "too many open files", "EMFILE" },
                { server:receivefd() })
            client:sendfd(0, "z")
            local fd, data = server:receivefd()
            passing.close(fd)
            assert.equal("z", data)
        end))

    it("ends with the stream, its timeout and its bound", passing.with(
        function(client, server)
            server:settimeout(0.001)
            assert.same({ nil, "timeout", "TIMEOUT" }, { server:receivefd() })
            client:send "0123456789"
            server:settimeout(pair.PATIENCE)
            assert.same({ nil, "message too long", "EMSGSIZE" },
                { server:receivefd(5) })
            client:close()
            assert.same({ nil, "closed", "CLOSED" }, { server:receivefd() })
            assert.equal("0123456789", server:receive(10))
            pair.raises(function() server:receivefd(0) end, "'receivefd'")
            server:close()
            assert.same({ nil, "closed", "CLOSED" }, { server:receivefd() })
            assert.same({ nil, "closed", "CLOSED" }, { server:keepfds() })
        end))

    it("not wanted does not hold up the bytes behind it", passing.with(
        function(client, server)
            local task = quoll.spawn(server.receive, server, 6)
            quoll.yield()
            quoll.yield()
            client:sendfd(0, "one")
            client:send "two"
            assert.equal("onetwo", task:wait())
        end))

    it("loses none by a cancellation", passing.with(function(client, server)
        local task = quoll.spawn(server.receivefd, server)
        quoll.yield()
        client:sendfd(0)
        task:cancel()
        task:wait()
        passing.close((server:receivefd()))
    end))
end)
