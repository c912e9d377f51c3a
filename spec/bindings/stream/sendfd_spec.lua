local helper = require "spec.helper"
local pair = require "spec.support.pair"
local passing = require "spec.support.passing"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

describe("bindings/stream/sendfd", function()
    helper.gates()

    it("passes what scripts hold", passing.with(function(client, server)
        local path = os.tmpname()
        local file = quoll.open(path)
        os.remove(path)
        local udp = quoll.udp { bind = "127.0.0.1:0" }
        local listener = quoll.listen "127.0.0.1:0"
        assert.equal(1, client:sendfd { client, udp, listener, file, 0 })
        for _ = 1, 5 do
            local fd = server:receivefd()
            assert.is_number(fd)
            passing.close(fd)
        end
    end))

    it("sends data in order around it", passing.with(function(client, server)
        server:keepfds()
        client:send "one\n"
        assert.equal(4, client:sendfd(0, { "t", "wo\n" }))
        client:send "three\n"
        assert.equal("one", server:receive())
        assert.equal("two", server:receive())
        local fd, data = server:receivefd()
        passing.close(fd)
        assert.equal("three\n", data .. server:receive(6 - #data))
    end))

    it("sends what is corked before", passing.with(function(client, server)
        server:keepfds()
        client:cork()
        client:send "first "
        client:sendfd(0, "with it")
        assert.equal("first with it", server:receive(13))
        passing.close((server:receivefd()))
    end))

    it("waits, and keeps the descriptor open meanwhile", passing.with(
        function(client, server)
            client:settimeout(0)
            local filled = 0
            repeat
                local sent, _, part = client:send(("x"):rep(50000))
                filled = filled + (sent or part)
            until not sent
            local other = quoll.udp()
            local task = quoll.spawn(function()
                client = quoll.adopt(client:getfd(), { dup = true })
                client:settimeout(pair.PATIENCE)
                return client:sendfd(other, ("y"):rep(100000))
            end)
            quoll.yield()
            quoll.yield()
            other:close()
            server:keepfds()
            assert(server:receive(filled))
            assert.is_true(("y"):rep(100000) == server:receive(100000))
            local udp = assert(quoll.udp { fd = (server:receivefd()) })
            assert.is_true(udp:setpeername("127.0.0.1", 9))
            assert.equal(100000, task:wait())
        end))

    it("lets go of what it holds when it is cut off", passing.with(
        function(client, server)
            if helper.injected then
                pending("sends are refused before the socket is full")
                return
            end
            client:settimeout(0)
            while client:send(("x"):rep(50000)) do end
            local copy = quoll.adopt(client:getfd(), { dup = true })
            local before = passing.count()
            local task = quoll.spawn(copy.sendfd, copy, { 0, 0 })
            quoll.yield()
            quoll.yield()
            task:cancel()
            task:wait()
            copy:settimeout(0.001)
            assert.same({ nil, "timeout", 0, "TIMEOUT" },
                { copy:sendfd { 0, 0 } })
            assert.equal(before, passing.count())
            copy:settimeout()
            task = quoll.spawn(copy.sendfd, copy, { 0, 0 })
            quoll.yield()
            assert.equal(before + 2, passing.count())
            copy:close()
            task:wait()
            assert.equal(before - 1, passing.count())
            client:close() -- not before: the collector would
            server:close()
        end))

    it("refuses what cannot be passed", passing.with(function(client, peer)
        assert.same({ nil, "bad file descriptor", 0, "EBADF" },
            { client:sendfd(9999) })
        local udp = quoll.udp()
        udp:close()
        assert.same({ nil, "closed", 0, "CLOSED" }, { client:sendfd(udp) })
        pair.raises(function() client:sendfd {} end, "'what' to 'sendfd'")
        pair.raises(function() client:sendfd "x" end, "'what' to 'sendfd'")
        pair.raises(function() client:sendfd(-1) end, "'what' to 'sendfd'")
        pair.raises(function() client:sendfd(0, "") end, "'data' to 'sendfd'")
        local many = {}
        for i = 1, 65 do
            many[i] = 0
        end
        pair.raises(function() client:sendfd(many) end, "1 to 64")
        assert.equal(1, client:send "x")
        peer:close() -- not before: the collector would
    end))

    it("is of unix sockets only", pair.with(function(client, server)
        assert.same({ nil, "operation not supported", 0, "EOPNOTSUPP" },
            { client:sendfd(0) })
        assert.same({ nil, "operation not supported", "EOPNOTSUPP" },
            { server:receivefd() })
        assert.same({ nil, "operation not supported", "EOPNOTSUPP" },
            { server:keepfds() })
    end))

    it("is refused under TLS, where plain bytes would go out", passing.with(
        function(client, server)
            server:keepfds()
            client:sendfd(0, "a")
            assert.equal("a", server:receive(1))
            local mine, theirs = tls.shake(client, server)
            assert.same({ { true }, { true } }, { mine, theirs })
            client:cork()
            client:send "before "
            assert.same({ nil, "operation not supported", 0, "EOPNOTSUPP" },
                { client:sendfd(0, "plain") })
            client:uncork()
            assert.same({ nil, "operation not supported", "EOPNOTSUPP" },
                { server:receivefd() })
            assert.equal(5, client:send "after")
            assert.equal("before after", server:receive(12))
        end))
end)
