local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local function results(...)
    return { n = select("#", ...), ... }
end

-- The pieces that f(size) gives up to its nil.
local function pieces(f, size)
    local list = {}
    for piece in f, size do
        list[#list + 1] = piece
    end
    return list
end

describe("quoll.net.connection: receiveuntil", function()
    helper.gates()

    it("gives what comes before each boundary",
        pair.with(function(client, server)
            client:send("one--two----end--")
            local f = server:receiveuntil("--")
            assert.same({ "one", "two", "", "end" }, { f(), f(), f(), f() })
        end))

    it("gives the boundary too when asked", pair.with(function(client, server)
        client:send("one--two--")
        local f = server:receiveuntil("--", { inclusive = true })
        assert.equal("one--", f())
        assert.equal("two--", f())
    end))

    it("finds boundaries that overlap themselves wherever they are cut",
        function()
            local text, boundary = "aabaabaabab|", "aabab"
            for cut = 1, #text - 1 do
                pair.with(function(client, server)
                    pair.deliver(client, server, text:sub(1, cut))
                    local task = quoll.spawn(server:receiveuntil(boundary))
                    quoll.yield()
                    client:send(text:sub(cut + 1))
                    assert.equal("aabaab", task:wait(pair.PATIENCE))
                    assert.equal("|", server:receive(1))
                end)()
            end
        end)

    it("gives pieces of a size, then nil, then begins anew",
        pair.with(function(client, server)
            client:send("hello, world! -agentzh\r\n--abcedhb more\r\n--abcedhb")
            local f = server:receiveuntil("\r\n--abcedhb")
            assert.same({ "hell", "o, w", "orld", "! -a", "gent", "zh" },
                pieces(f, 4))
            assert.equal(" more", f())
        end))

    it("gives no empty last piece", pair.with(function(client, server)
        client:send("12345678--90--")
        local f = server:receiveuntil("--")
        assert.same({ "1234", "5678" }, pieces(f, 4))
        assert.same({ "90" }, pieces(f, 4))
    end))

    it("gives the boundary with the last piece when inclusive",
        pair.with(function(client, server)
            client:send("12345--")
            local f = server:receiveuntil("--", { inclusive = true })
            assert.same({ "1234", "5--" }, pieces(f, 4))
        end))

    it("gives no byte of a boundary in a piece while it may be one",
        pair.with(function(client, server)
            pair.deliver(client, server, "abc-")
            server:settimeout(0)
            local f = server:receiveuntil("--")
            assert.equal("abc", f(3))
            assert.same(results(nil, "timeout", "", "TIMEOUT"), results(f(3)))
            server:settimeout(pair.PATIENCE)
            client:send("-")
            assert.same(results(nil, nil, nil), results(f(3)))
        end))

    it("loses nothing by a timeout in the middle of a boundary",
        pair.with(function(client, server)
            pair.deliver(client, server, "abc-")
            server:settimeout(0)
            local f = server:receiveuntil("--")
            assert.same(results(nil, "timeout", "abc", "TIMEOUT"), results(f()))
            server:settimeout(pair.PATIENCE)
            client:send("-x")
            assert.equal("", f())
            assert.equal("x", server:receive(1))
        end))

    it("gives all that is left with the end of the stream",
        pair.with(function(client, server)
            client:send("abc-")
            client:close()
            local f = server:receiveuntil("--")
            assert.same(results(nil, "closed", "abc-", "CLOSED"), results(f()))
            assert.same(results(nil, "closed", "", "CLOSED"), results(f()))
        end))

    it("refuses bad arguments", pair.with(function(_, server)
        for _, bad in ipairs { "", 5, {}, false } do
            pair.raises(function()
                server:receiveuntil(bad)
            end, "connection_until_spec.lua:%d+: bad argument "
                .. "'pattern' to 'receiveuntil'")
        end
        assert.error_matches(function()
            server:receiveuntil("x", { inclusiv = true })
        end, "no option 'inclusiv'")
        assert.error_matches(function()
            server:receiveuntil("x")(-1)
        end, "bad argument 'size'")
    end))
end)
