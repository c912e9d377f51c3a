local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local ffi = helper.ffi
pcall(ffi.cdef,
    "ssize_t send(int fd, const char *buf, size_t size, int flags);")

-- What a call returned, nils and all.
local function results(...)
    return { n = select("#", ...), ... }
end

describe("quoll.net.connection: receive", function()
    helper.gates()

    it("gives exactly n bytes", pair.with(function(client, server)
        client:send("hello world")
        assert.equal("hello", server:receive(5))
        assert.equal(" world", server:receive("6"))
    end))

    it("gives an empty string for 0 bytes at once",
        pair.with(function(_, server)
            assert.equal("", server:receive(0))
        end))

    it("gives a line without LF and without any CR",
        pair.with(function(client, server)
            client:send("one\r\ntwo\nth\rree\r\r\n\n")
            assert.equal("one", server:receive())
            assert.equal("two", server:receive("*l"))
            assert.equal("three", server:receive("*l"))
            assert.equal("", server:receive("*l"))
        end))

    it("finds a line's end wherever it was cut", function()
        local text = "first\r\nsecond\n"
        for cut = 1, #text - 1 do
            pair.with(function(client, server)
                pair.deliver(client, server, text:sub(1, cut))
                local task = quoll.spawn(function()
                    return server:receive("*l"), server:receive("*l")
                end)
                quoll.yield()
                client:send(text:sub(cut + 1))
                assert.same(results("first", "second"),
                    results(task:wait(pair.PATIENCE)))
            end)()
        end
    end)

    it("gives all up to the end, once", pair.with(function(client, server)
        client:send("all of it")
        client:close()
        assert.equal("all of it", server:receive("*a"))
        assert.same(results(nil, "closed", "", "CLOSED"),
            results(server:receive("*a")))
    end))

    it("gives an empty string for all of nothing, once",
        pair.with(function(client, server)
            client:close()
            assert.equal("", server:receive("*a"))
            assert.same(results(nil, "closed", "", "CLOSED"),
                results(server:receive("*a")))
        end))

    it("gives what is left with the end of the stream",
        pair.with(function(client, server)
            client:send("abc")
            client:close()
            assert.same(results(nil, "closed", "abc", "CLOSED"),
                results(server:receive(5)))
            assert.same(results(nil, "closed", "", "CLOSED"),
                results(server:receive(5)))
        end))

    it("uses the partial data of a timeout up and keeps the connection",
        pair.with(function(client, server)
            pair.deliver(client, server, "abc")
            server:settimeout(0.01)
            assert.same(results(nil, "timeout", "abc", "TIMEOUT"),
                results(server:receive(5)))
            server:settimeout(pair.PATIENCE)
            client:send("defgh")
            assert.equal("defgh", server:receive(5))
        end))

    it("tries once with a timeout of 0", pair.with(function(client, server)
        server:settimeout(0)
        assert.same(results(nil, "timeout", "", "TIMEOUT"),
            results(server:receive(1)))
        server:settimeout(pair.PATIENCE)
        pair.deliver(client, server, "x")
        server:settimeout(0)
        assert.equal("x", server:receive(1))
    end))

    it("does not time out while bytes come", pair.with(function(client, server)
        server:settimeout(0.3)
        local task = quoll.spawn(function()
            return server:receive(8)
        end)
        for _ = 1, 8 do
            quoll.sleep(0.1)
            client:send("x")
        end
        assert.equal("xxxxxxxx", task:wait(pair.PATIENCE))
    end))

    it("gives long data whole", pair.with(function(client, server)
        local data = ("0123456789abcdef"):rep(pair.MIB / 4)
        quoll.spawn(function()
            client:send(data)
            client:close()
        end)
        assert.equal("0123456789abcdef", server:receive(16))
        assert.is_true(server:receive(#data - 26) == data:sub(17, -11))
        assert.equal("6789abcdef", server:receive("*a"))
    end))

    it("breaks on a reset", pair.with(function(client, server)
        pair.reset(client)
        assert.same(results(nil, "connection reset by peer", "", "ECONNRESET"),
            results(server:receive(1)))
        assert.same(results(nil, "closed", "", "CLOSED"),
            results(server:receive(1)))
    end))

    it("goes past an urgent byte, or reads it inline", function()
        if helper.injected then
            pending("the injector asks FIONREAD, which ends at the byte")
            return
        end
        for _, inline in ipairs { false, true } do
            pair.with(function(client, server)
                server:setoption("oobinline", inline)
                local reader = quoll.spawn(function()
                    return server:receive(3), server:receive(3)
                end)
                quoll.yield()
                for text, flags in ("abc0d1efg0"):gmatch("(%a+)(%d)") do
                    ffi.C.send(client:getfd(), text, #text, tonumber(flags))
                end
                assert.same(inline and { "abc", "def" } or { "abc", "efg" },
                    { reader:wait(pair.PATIENCE) })
            end)()
        end
    end)

    it("refuses a second reader and leaves the first alone",
        pair.with(function(client, server)
            local first = quoll.spawn(function()
                return server:receive(3)
            end)
            quoll.yield()
            assert.same(results(nil, "busy reading", "", "BUSY"),
                results(server:receive(1)))
            assert.same(results(nil, "busy reading", "", "BUSY"),
                results(server:peek(1)))
            client:send("abc")
            assert.equal("abc", first:wait(pair.PATIENCE))
        end))

    it("is woken by close", pair.with(function(_, server)
        local reader = quoll.spawn(function()
            return results(server:receive(3))
        end)
        quoll.yield()
        assert.is_true(server:close())
        assert.same(results(nil, "closed", "", "CLOSED"),
            reader:wait(pair.PATIENCE))
        assert.same(results(nil, "closed", "", "CLOSED"),
            results(server:receive(3)))
    end))

    it("leaves its bytes unread when it is cancelled",
        pair.with(function(client, server)
            pair.deliver(client, server, "abc")
            local reader = quoll.spawn(function()
                return server:receive(5)
            end)
            quoll.yield()
            reader:cancel()
            assert.same(results(nil, "cancelled", "CANCELLED"),
                results(reader:wait(pair.PATIENCE)))
            assert.equal("abc", server:receive(3))
        end))

    it("says OWNER_ENDED when the owner's end closed it",
        pair.with(function(_, server)
            quoll.spawn(function()
                server:own()
            end):wait(pair.PATIENCE)
            assert.same(results(nil, "closed", "", "OWNER_ENDED"),
                results(server:receive(1)))
        end))

    it("refuses bad patterns at the caller's line",
        pair.with(function(_, server)
            for _, bad in ipairs { -1, 1.5, 0 / 0, "*x", "l", {}, true } do
                pair.raises(function()
                    server:receive(bad)
                end, "connection_receive_spec.lua:%d+: bad argument "
                    .. "'pattern' to 'receive'")
            end
        end))

    -- In a small heap of its own: there a collection fits into one string.
    it("gives the right bytes though a finaliser closes it meanwhile",
        function()
            local run = helper.script [[
                local quoll = require "quoll"
                local data, wrong = ("abcdefgh"):rep(200), 0
                jit.off()
                collectgarbage("setpause", 0)
                collectgarbage("setstepmul", 10000)
                quoll.run(function()
                    local listener = assert(quoll.listen("127.0.0.1:0"))
                    for _ = 1, 100 do
                        local client = quoll.connect(listener:address())
                        local server = listener:accept()
                        server:send(data)
                        getmetatable(newproxy(true)).__gc = function()
                            client:close()
                        end
                        local got = client:receive(1000)
                        if got and got ~= data:sub(1, 1000) then
                            wrong = wrong + 1
                        end
                    end
                end)
                print(wrong)
            ]]
            assert.same({ "0\n", "" }, { run.out, run.err })
        end)
end)
