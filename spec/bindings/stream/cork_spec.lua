local grandchild = require "spec.support.grandchild"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

local function results(...)
    return { n = select("#", ...), ... }
end

-- Of unix sockets: there is no window whose opening takes its time.
local ADDRESS = "unix:@quoll-cork-" .. helper.ffi.C.getpid()

-- Gathers until neither the kernel nor the cork takes more, turn by turn, so
-- that no send is cut; returns how many bytes were sent.
local function stall(client)
    client:setoption("sndbuf", 4096)
    client:cork(4096)
    client:settimeout(0)
    local all = 0
    while true do
        local n, _, part = client:send(("s"):rep(1000))
        if not n then
            assert.equal(0, part)
            break
        end
        all = all + n
        quoll.sleep(0)
    end
    client:settimeout(pair.PATIENCE)
    return all
end

describe("bindings/stream/cork", function()
    helper.gates()

    it("gathers until uncork", pair.with(function(client, server)
        assert.is_true(client:cork())
        assert.equal(3, client:send("one"))
        assert.equal(4, client:send { "t", { "w", 0 }, "!" })
        server:settimeout(0)
        assert.same(results(nil, "timeout", "", "TIMEOUT"),
            results(server:receive(1)))
        server:settimeout(pair.PATIENCE)
        assert.is_true(client:uncork())
        assert.equal("onetw0!", server:receive(7))
        assert.equal(1, client:send("x"))
        assert.equal("x", server:receive(1))
    end))

    it("lets nothing wait for want of an uncork",
        pair.with(function(client, server)
            client:cork()
            client:send("a")
            assert.equal("a", server:receive(1))
            client:send("b")
            quoll.sleep(0)
            assert.equal("b", server:receive(1))
            client:send("c")
            client:uncork()
            client:close()
            assert.equal("c", server:receive("*a"))
        end))

    it("is not sent by a forked child's copy too",
        pair.with(function(client, server)
            client:cork()
            client:send("once")
            grandchild(function() client:close() end)
            client:uncork()
            client:close()
            assert.equal("once", server:receive("*a"))
        end))

    it("is not sent by a forked child's loop either",
        pair.with(function(client, server)
            client:cork()
            client:send("once")
            grandchild(function()
                for _ = 1, 3 do
                    quoll.sleep(0)
                end
                assert(client:send("child's "))
                assert(client:uncork())
            end)
            client:uncork()
            client:close()
            assert.equal("child's once", server:receive("*a"))
        end))

    it("sends what is gathered when its task ends",
        pair.with(function(client, server)
            if helper.injected then
                pending("one byte is all that the system takes at once")
                return
            end
            quoll.spawn(function()
                client:own()
                client:cork()
                client:send("bye")
            end):wait(pair.PATIENCE)
            assert.equal("bye", server:receive("*a"))
        end))

    it("sends what is gathered before the end of the stream",
        pair.with(function(client, server)
            client:cork()
            client:send("bye")
            assert.is_true(client:shutdown("send"))
            assert.equal("bye", server:receive("*a"))
            assert.same(results(nil, "closed", 0, "CLOSED"),
                results(client:send("x")))
        end))

    it("sends with what finds no room", pair.with(function(client, server)
        client:cork(10)
        client:send("01234567")
        server:settimeout(0)
        assert.is_nil((server:receive(1)))
        server:settimeout(pair.PATIENCE)
        assert.equal(3, client:send("abc"))
        assert.equal("01234567abc", server:receive(11))
        assert.equal(20, client:send(("x"):rep(20)))
        assert.equal(("x"):rep(20), server:receive(20))
    end))

    it("keeps the order of whatever is sent",
        pair.with(function(client, server)
        local expected, seed = {}, 7
        local reader = quoll.spawn(function()
            return server:receive("*a")
        end)
        client:cork(3000)
        for i = 1, 200 do
            seed = (seed * 1103515245 + 12345) % 2 ^ 31
            local piece = string.char(65 + i % 26):rep(seed % 2000)
            expected[i] = piece
            assert.equal(#piece, client:send(i % 3 == 0 and { piece } or piece))
            if i % 17 == 0 then
                quoll.yield()
            elseif i % 40 == 0 then
                client:uncork()
                client:cork(3000)
            end
        end
        client:uncork()
        client:close()
        assert.is_true(table.concat(expected) == reader:wait(pair.PATIENCE))
    end))

    it("sends what is gathered before a file",
        pair.with(function(client, server)
        local path = os.tmpname()
        assert(quoll.fs.writefile(path, "file"))
        local file = assert(quoll.open(path))
        client:cork()
        client:send("head ")
        assert.equal(4, client:sendfile(file))
        client:send(" tail")
        assert.equal("head file tail", server:receive(14))
        file:close()
        os.remove(path)
    end))

    it("is bounded, and goes on when the peer reads",
        pair.with(function(client, server)
            local sent = stall(client)
            assert.same(results(nil, "timeout", "TIMEOUT"), (function()
                client:settimeout(0)
                local got = results(client:uncork())
                client:settimeout(pair.PATIENCE)
                return got
            end)())
            assert.equal(sent, #server:receive(sent))
            assert.equal(4, client:send("more"))
            assert.equal("more", server:receive(4))
        end, ADDRESS))

    it("refuses bad sizes and closed connections",
        pair.with(function(client)
            for _, bad in ipairs { 0, -1, 1.5, "x", 2 ^ 25, {} } do
                pair.raises(function()
                    client:cork(bad)
                end, "cork_spec.lua:%d+: bad argument 'n' to 'cork'")
            end
            assert.is_true(client:uncork())
            client:close()
            assert.same(results(nil, "closed", "CLOSED"),
                results(client:cork()))
            assert.same(results(nil, "closed", "CLOSED"),
                results(client:uncork()))
        end))
end)

describe("bindings/stream/cork: faults", function()
    helper.gates()

    it("tells of a late failure once, then is closed",
        pair.with(function(client, server)
            client:cork()
            pair.reset(server)
            assert.equal("ECONNRESET", select(4, client:receive(1)))
            assert.equal(1, client:send("x"))
            quoll.sleep(0)
            local got = results(client:send("y"))
            assert.same({ 0, "EPIPE" }, { got[3], got[4] })
            assert.same(results(nil, "closed", 0, "CLOSED"),
                results(client:send("y")))
            assert.same(results(nil, "closed", "CLOSED"),
                results(client:uncork()))
        end))

    it("has uncork tell of it, too", pair.with(function(client, server)
        client:cork()
        pair.reset(server)
        client:receive(1)
        client:send("x")
        assert.same({ "broken pipe", "EPIPE" }, { select(2, client:uncork()) })
        assert.same(results(nil, "closed", 0, "CLOSED"),
            results(client:send("y")))
    end))

    it("keeps what is gathered when a send is cancelled",
        pair.with(function(client, server)
            local sent = stall(client)
            local writer = quoll.spawn(function()
                client:send(("x"):rep(5000))
            end)
            quoll.yield()
            quoll.yield()
            writer:cancel()
            writer:wait(pair.PATIENCE)
            client:settimeout(0)
            client:uncork()
            client:settimeout(pair.PATIENCE)
            assert.equal(("s"):rep(sent), server:receive(sent))
            assert.equal(1, client:send("y"))
            assert.equal("y", server:receive(1))
        end, ADDRESS))

    it("tells of a peer that does not read within a send's timeout",
        pair.with(function(client)
            stall(client)
            quoll.sleep(0)
            client:settimeout(0.01)
            assert.same(results(nil, "timeout", 0, "TIMEOUT"),
                results(client:send(("x"):rep(5000))))
            assert.same(results(nil, "timeout", "TIMEOUT"),
                results(client:uncork()))
        end, ADDRESS))

    it("keeps what is gathered, begun as a TLS record, when a send is cut",
        pair.with(function(client, server)
            assert(tls.shake(client, server)[1])
            client:setoption("sndbuf", 4096)
            client:cork(20000) -- more than a record
            assert.equal(20000, client:send(("a"):rep(20000)))
            quoll.sleep(0)
            client:settimeout(0.01)
            assert.same(results(nil, "timeout", 0, "TIMEOUT"),
                results(client:send(("b"):rep(20000))))
            client:settimeout(pair.PATIENCE)
            assert.equal(("a"):rep(20000), server:receive(20000))
            assert.equal(3, client:send("end"))
            assert.equal("end", server:receive(3))
        end, ADDRESS))

    it("loses with TLS what shares a record with a send that is cut",
        pair.with(function(client, server)
            assert(tls.shake(client, server)[1])
            client:setoption("sndbuf", 4096)
            client:cork(10000)
            client:send(("a"):rep(6000))
            client:settimeout(0.01)
            assert.same(results(nil, "timeout", 0, "TIMEOUT"),
                results(client:send(("b"):rep(20000))))
            assert.same(results(nil, "closed", 0, "CLOSED"),
                results(client:send("c")))
            client:close()
            assert.equal("ETRUNCATED", select(4, server:receive(6000)))
        end, ADDRESS))

    it("says how much a close could not send", function()
        local run = helper.script [[
            local pair = require "spec.support.pair"
            local quoll = require "quoll"
            quoll.run(function()
                local client, server = pair.connect()
                client:setoption("sndbuf", 4096)
                server:setoption("rcvbuf", 4096)
                client:settimeout(0.02)
                client:cork(4096)
                repeat until not client:send(("s"):rep(1000))
                client:close()
            end)
        ]]
        assert.matches("closed with %d+ gathered bytes that were not sent",
            run.err)
        assert.equal(0, run.code)
    end)

    it("costs one call a turn, however many messages", function()
        if helper.injected then
            pending("more calls, of a byte each")
            return
        end
        local run = helper.script [[
            local inject = require "spec.support.scripted"
            local pair = require "spec.support.pair"
            local quoll = require "quoll"
            quoll.run(function()
                local client, server = pair.connect()
                client:cork()
                for _ = 1, 5 do
                    for _ = 1, 16 do
                        client:send(("x"):rep(64))
                    end
                    server:receive(1024)
                end
                print(inject.ql_inject_calls "send",
                    inject.ql_inject_calls "sendmsg")
            end)
        ]]
        assert.same({ "5ULL\t0ULL\n", "" }, { run.out, run.err })
    end)
end)
