local helper = require "spec.helper"
local nameserver = require "spec.support.nameserver"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local dns = quoll.dns

local function results(...)
    return { n = select("#", ...), ... }
end

describe("bindings/dns/lookup", function()
    helper.gates()
    local with = nameserver.with

    local function query(name, kind)
        return dns.query(name, kind or "A", { timeout = pair.PATIENCE })
    end

    it("shares one question among all who ask it", function()
        with(nameserver.says(60, "10.0.0.1"), function(server)
            local before = dns.stats()
            local tasks = {}
            for i = 1, 50 do
                tasks[i] = quoll.spawn(query, "one.test")
            end
            for i = 1, 50 do
                assert.equal("10.0.0.1", tasks[i]:wait()[1].address)
            end
            assert.equal(1, #server.asked)
            assert.equal(49, dns.stats().shared - before.shared)
        end)
    end)

    it("lets a cancelled one go, and only that one", function()
        local gate = quoll.sync.event()
        with(function(q)
            gate:wait()
            return nameserver.says(60, "10.0.0.1")(q)
        end, function(server)
            local first = quoll.spawn(query, "one.test")
            local second = quoll.spawn(query, "one.test")
            quoll.yield()
            first:cancel()
            assert.equal("cancelled", select(2, first:wait(pair.PATIENCE)))
            assert.equal("waiting", second:status())
            gate:set()
            assert.equal("10.0.0.1",
                second:wait(pair.PATIENCE)[1].address)
            assert.equal(1, #server.asked)
        end)
    end)

    it("leaves nothing when the last one has gone", function()
        with(function() end, function()
            local before = dns.stats().cancelled
            quoll.yield() -- the server waits now
            local live = quoll.stats().connections.live
            local task = quoll.spawn(query, "one.test")
            quoll.yield()
            assert.equal(live + 1, quoll.stats().connections.live)
            task:cancel()
            task:wait(pair.PATIENCE)
            assert.equal(live, quoll.stats().connections.live)
            assert.equal(before + 1, dns.stats().cancelled)
        end)
    end)

    it("times out", function()
        with(function() end, function()
            assert.same(results(nil, "timeout", "TIMEOUT"),
                results(dns.query("one.test", "A", { timeout = 0.02 })))
            assert.same(results(nil, "timeout", "TIMEOUT"),
                results(dns.query("one.test", "A", { timeout = 0 })))
            assert.same(results(nil, "timeout", "TIMEOUT"),
                results(query "two.test"))
        end, { timeout = 0.01 })
    end)

    it("says what it waits for", function()
        with(function() end, function()
            local task = quoll.spawn(query, "one.test")
            quoll.yield()
            for _, shown in ipairs(quoll.tasks()) do
                if shown.id == task:id() then
                    assert.matches("^resolve one%.test, ", shown.waits)
                end
            end
            task:cancel()
            task:wait()
        end)
    end)
end)
