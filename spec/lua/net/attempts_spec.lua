local attempts = require "quoll.net.attempts"
local helper = require "spec.helper"
local nameserver = require "spec.support.nameserver"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local function results(...)
    return { n = select("#", ...), ... }
end

describe("quoll.net.attempts", function()
    helper.gates()

    it("lets families take turns", function()
        assert.same({ "::1", "1.1.1.1", "::2", "::3" },
            attempts.alternate { "::1", "::2", "::3", "1.1.1.1" })
        assert.same({ "1.1.1.1", "::1", "1.1.1.2" },
            attempts.alternate { "1.1.1.1", "1.1.1.2", "::1" })
        assert.same({ "1.1.1.1" }, attempts.alternate { "1.1.1.1" })
    end)

    -- Each address is its behaviour; one that connects does so really.
    local function first(list)
        local listener = assert(quoll.listen "127.0.0.1:0")
        local begun = {}
        local outcome = results(attempts.first(list, function(address)
            begun[#begun + 1] = address
            if address == "hangs" then
                quoll.sleep(60)
            elseif address:find "^E" then
                return nil, address:lower(), address
            end
            return quoll.connect(listener:address())
        end))
        listener:close()
        return outcome, begun
    end

    it("goes on at once when one fails", function()
        quoll.run(function()
            local start = quoll.now()
            local outcome, begun = first { "EONE", "ETWO", "good", "good" }
            assert.is_string((outcome[1]:getpeername()))
            assert.same({ "EONE", "ETWO", "good" }, begun)
            assert.truthy(quoll.now() - start < 0.2)
            outcome[1]:close()
        end)
    end)

    it("goes on after a while when one hangs, and ends it", function()
        quoll.run(function()
            local start = quoll.now()
            local outcome, begun = first { "hangs", "good", "good" }
            assert.is_string((outcome[1]:getpeername()))
            assert.same({ "hangs", "good" }, begun)
            assert.truthy(quoll.now() - start >= 0.25)
            assert.equal(1, quoll.stats().tasks.live)
            outcome[1]:close()
        end)
    end)

    it("reports the failure that tells most", function()
        quoll.run(function()
            assert.same(results(nil, "etwo", "ETWO"), (first {
                "EONE", "ETWO", "ENETUNREACH" }))
            assert.same(results(nil, "ehostunreach", "EHOSTUNREACH"),
                (first { "ENETUNREACH", "EHOSTUNREACH" }))
            assert.same(results(nil, "eone", "EONE"), (first { "EONE" }))
        end)
    end)

    it("leaves nothing when it is cancelled", function()
        quoll.run(function()
            local task = quoll.spawn(first, { "hangs", "hangs" })
            quoll.yield()
            task:cancel()
            assert.equal("cancelled", select(2, task:wait(pair.PATIENCE)))
        end)
    end)

    it("connects to a name that has one good address", function()
        nameserver.with(function(query)
            return nameserver.says(60, query.type == "A" and "127.0.0.1"
                or "::1")(query)
        end, function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local port = listener:address():match ":(%d+)$"
            local conn = assert(quoll.connect("one.test:" .. port,
                { timeout = pair.PATIENCE }))
            assert.equal("127.0.0.1", (conn:getpeername()))
            conn:close()
            conn = assert(quoll.connect("one.test:" .. port,
                { timeout = pair.PATIENCE, bind = "127.0.0.2:0" }))
            assert.equal("127.0.0.2", (conn:getsockname()))
            conn:close()
            listener:close()
            assert.same(results(nil, "connection refused", "ECONNREFUSED"),
                results(quoll.connect("one.test:" .. port)))
        end)
    end)

    it("has one timeout for the name and the connection", function()
        nameserver.with(function() end, function()
            assert.same(results(nil, "timeout", "TIMEOUT"),
                results(quoll.connect("one.test:80", { timeout = 0.02 })))
            assert.same(results(nil, "timeout", "TIMEOUT"), results(
                quoll.deadline(5, quoll.connect, "one.test:80",
                    { timeout = 0.02 })))
        end)
    end)
end)
