local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local function results(...)
    return { n = select("#", ...), ... }
end

-- Sends single bytes, which cannot be cut, until no more fit.
local function fill(conn)
    local sent = 0
    while conn:send("x") do
        sent = sent + 1
    end
    return sent
end

describe("quoll.net.connection: send", function()
    helper.gates()

    it("says how many bytes it sent", pair.with(function(client, server)
        assert.equal(5, client:send("hello"))
        assert.equal(2, client:send(42))
        assert.equal(0, client:send(""))
        assert.equal(0, client:send({}))
        assert.equal("hello42", server:receive(7))
    end))

    it("flattens tables", pair.with(function(client, server)
        assert.equal(11, client:send { "a", { "b", { 1, 2.5 } }, "", "cdefg" })
        assert.equal("ab12.5cdefg", server:receive(11))
    end))

    it("sends tables of many pieces", pair.with(function(client, server)
        local list = {}
        for i = 1, 1000 do
            list[i] = i % 3 == 0 and i or { "<", i, ">" }
        end
        local text = {}
        for i = 1, 1000 do
            text[i] = i % 3 == 0 and i or "<" .. i .. ">"
        end
        local expected = table.concat(text)
        assert.equal(#expected, client:send(list))
        assert.equal(expected, server:receive(#expected))
    end))

    it("goes on when the peer reads", function()
        local big = ("0123456789"):rep(pair.MIB)
        for _, data in ipairs { big, { "<", big, 7, { big }, ">" } } do
            pair.with(function(client, server)
                local whole = type(data) == "table"
                    and "<" .. big .. 7 .. big .. ">" or data
                local task = quoll.spawn(function()
                    return client:send(data)
                end)
                assert.is_true(server:receive(#whole) == whole)
                assert.equal(#whole, task:wait(pair.PATIENCE))
            end)()
        end
    end)

    it("refuses what it cannot send at the caller's line",
        pair.with(function(client)
            local cycle = {}
            cycle[1] = cycle
            for _, bad in ipairs {
                true, function() end, { "a", true }, { {}, { {} , print } },
                cycle,
            } do
                pair.raises(function()
                    client:send(bad)
                end, "connection_send_spec.lua:%d+: bad argument 'data'")
            end
            assert.error_matches(function()
                client:send(nil)
            end, "bad argument 'data' to 'send'")
        end))

    it("takes one argument", pair.with(function(client, server)
        pair.raises(function()
            client:send("one", "two")
        end, "spec.lua:%d+: bad argument #2 to 'send' %(one argument expected, "
            .. "got a string too%)")
        assert.equal(2, client:send("ok", nil))
        assert.equal("ok", server:receive(2, nil))
        pair.raises(function()
            server:receive("*l", "prefix")
        end, "bad argument #2 to 'receive'")
        pair.raises(function()
            server:lines "*L"
        end, "spec.lua:%d+: bad argument #1 to 'lines' %(no argument expected")
    end))

    it("breaks when a timeout cut a message", pair.with(function(client, server)
        client:setoption("sndbuf", 4096)
        server:setoption("rcvbuf", 4096)
        client:settimeout(0.02)
        local n, err, sent, code = client:send(("x"):rep(64 * pair.MIB))
        assert.same({ nil, "timeout", "TIMEOUT" }, { n, err, code })
        assert.is_true(sent > 0)
        assert.same(results(nil, "closed", 0, "CLOSED"),
            results(client:send("more")))
    end))

    it("may be tried again when nothing of it has left",
        pair.with(function(client, server)
            if helper.injected then
                pending("every other byte is refused anyway")
                return
            end
            client:settimeout(0)
            local sent = fill(client)
            assert.same(results(nil, "timeout", 0, "TIMEOUT"),
                results(client:send("x")))
            assert.equal(sent, #server:receive(sent))
            client:settimeout(pair.PATIENCE)
            assert.equal(1, client:send("y"))
            assert.equal("y", server:receive(1))
        end, "unix:@quoll-send-" .. helper.ffi.C.getpid()))

    it("breaks when a cancellation cut a message",
        pair.with(function(client, server)
            local writer = quoll.spawn(function()
                client:send(("x"):rep(64 * pair.MIB))
            end)
            assert(server:peek(1))
            writer:cancel()
            assert.equal("cancelled", select(2, writer:wait(pair.PATIENCE)))
            assert.same(results(nil, "closed", 0, "CLOSED"),
                results(client:send("x")))
        end))

    it("refuses a second writer", pair.with(function(client, server)
        local big = ("x"):rep(64 * pair.MIB)
        local writer = quoll.spawn(function()
            return client:send(big)
        end)
        quoll.yield()
        quoll.yield()
        assert.same(results(nil, "busy writing", 0, "BUSY"),
            results(client:send("x")))
        assert.same(results(nil, "busy writing", "BUSY"),
            results(client:shutdown("send")))
        assert.equal(#big, #server:receive(#big))
        assert.equal(#big, writer:wait(pair.PATIENCE))
        assert.equal(1, client:send("x"))
    end))

    it("is woken by close", pair.with(function(client)
        local writer = quoll.spawn(function()
            return results(client:send { ("x"):rep(64 * pair.MIB), "y" })
        end)
        quoll.yield()
        quoll.yield()
        client:close()
        local got = writer:wait(pair.PATIENCE)
        assert.same({ "closed", "CLOSED" }, { got[2], got[4] })
        assert.same(results(nil, "closed", 0, "CLOSED"),
            results(client:send("x")))
    end))

    it("fails when the peer resets in mid-write",
        pair.with(function(client, server)
            local writer = quoll.spawn(function()
                return results(client:send(("x"):rep(64 * pair.MIB)))
            end)
            assert(server:peek(1))
            pair.reset(server)
            local got = writer:wait(pair.PATIENCE)
            assert.is_nil(got[1])
            assert.is_true(got[4] == "ECONNRESET" or got[4] == "EPIPE")
            assert.same(results(nil, "closed", 0, "CLOSED"),
                results(client:send("x")))
        end))

    it("goes both ways at once", pair.with(function(client, server)
        local reader = quoll.spawn(function()
            return client:receive(3)
        end)
        quoll.yield()
        assert.equal(4, client:send("ping"))
        assert.equal("ping", server:receive(4))
        server:send("abc")
        assert.equal("abc", reader:wait(pair.PATIENCE))
    end))
end)
