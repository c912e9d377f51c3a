local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local function results(...)
    return { n = select("#", ...), ... }
end

describe("quoll.net.connection", function()
    helper.gates()

    describe("receiveany", function()
        it("gives what is there", pair.with(function(client, server)
            pair.deliver(client, server, "abcdef")
            assert.equal("abcd", server:receiveany(4))
            assert.equal("ef", server:receiveany(4))
        end))

        it("ends with closed", pair.with(function(client, server)
            client:close()
            assert.same(results(nil, "closed", "", "CLOSED"),
                results(server:receiveany(4)))
        end))

        it("refuses a bad max", pair.with(function(_, server)
            for _, bad in ipairs { 0, -1, 1.5, "x", {} } do
                pair.raises(function()
                    server:receiveany(bad)
                end, "connection_spec.lua:%d+: bad argument 'max'")
            end
        end))
    end)

    describe("peek", function()
        it("leaves the bytes unread", pair.with(function(client, server)
            client:send("abcdef")
            assert.equal("abc", server:peek(3))
            assert.equal("abcde", server:peek(5))
            assert.equal("abcdef", server:receive(6))
        end))

        it("leaves partial bytes unread", pair.with(function(client, server)
            client:send("ab")
            client:close()
            assert.same(results(nil, "closed", "ab", "CLOSED"),
                results(server:peek(3)))
            assert.equal("ab", server:receive("*a"))
        end))
    end)

    describe("lines and chunks", function()
        it("refuse bad sizes at the caller's line",
            pair.with(function(_, server)
                for _, bad in ipairs { 0, -1, 1.5, "x", {} } do
                    pair.raises(function()
                        server:chunks(bad)
                    end, "connection_spec.lua:%d+: bad argument 'n' to "
                        .. "'chunks'")
                end
            end))

        it("end at the end of the stream", pair.with(function(client, server)
            client:send("one\r\n\ntwo\nlast")
            client:close()
            local list = {}
            for line in server:lines() do
                list[#list + 1] = line
            end
            assert.same({ "one", "", "two", "last" }, list)
        end))

        it("give every byte", pair.with(function(client, server)
            client:send("abcdefg")
            client:close()
            local all = ""
            for chunk in server:chunks(3) do
                assert.is_true(#chunk <= 3)
                all = all .. chunk
            end
            assert.equal("abcdefg", all)
        end))

        it("raise on failure, at the loop's line",
            pair.with(function(client, server)
                pair.reset(client)
                pair.raises(function()
                    for _ in server:lines() do end
                end, "^[^:]*connection_spec.lua:%d+: connection reset by peer$")
                local first, second = pair.connect()
                second:settimeout(0)
                pair.raises(function()
                    for _ in second:chunks() do end
                end, "connection_spec.lua:%d+: timeout$")
                first:close()
            end))
    end)

    describe("shutdown", function()
        it("ends one half", pair.with(function(client, server)
            assert.is_true(client:shutdown("send"))
            assert.equal("", server:receive("*a"))
            server:send("still there")
            assert.equal("still there", client:receive(11))
            assert.same(results(nil, "closed", 0, "CLOSED"),
                results(client:send("x")))
        end))

        it("of receive wakes the reader", pair.with(function(_, server)
            local reader = quoll.spawn(function()
                return results(server:receive(1))
            end)
            quoll.yield()
            assert.is_true(server:shutdown("receive"))
            assert.same(results(nil, "closed", "", "CLOSED"),
                reader:wait(pair.PATIENCE))
        end))

        it("refuses other directions", pair.with(function(_, server)
            assert.error_matches(function()
                server:shutdown("up")
            end, "bad argument 'direction' to 'shutdown'")
        end))
    end)

    it("closes once", pair.with(function(_, server)
        assert.is_true(server:close())
        assert.same(results(nil, "closed", "CLOSED"), results(server:close()))
        assert.same(results(nil, "closed", "CLOSED"), results(server:getfd()))
        assert.same(results(nil, "closed", "CLOSED"),
            results(server:getpeername()))
    end))

    it("refuses bad timeouts", pair.with(function(_, server)
        for _, bad in ipairs { -1, "1", {}, 0 / 0 } do
            pair.raises(function()
                server:settimeout(bad)
            end, "connection_spec.lua:%d+: bad argument 'timeout'")
        end
        server:settimeout(math.huge)
        server:settimeouts(1, nil)
    end))
end)
