local helper = require "spec.helper"
local nameserver = require "spec.support.nameserver"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local dns = quoll.dns
local with, says = nameserver.with, nameserver.says

describe("bindings/dns/flight", function()
    helper.gates()

    local function query(name, kind)
        return dns.query(name, kind or "A", { timeout = pair.PATIENCE })
    end

    it("keeps names and types apart", function()
        with(function(q)
            if q.type == "AAAA" then
                return says(60, "::1")(q)
            end
            return says(60, "10.0.0." .. q.name:match "%d+")(q)
        end, function()
            local tasks = {}
            for i = 1, 50 do
                tasks[i] = quoll.spawn(query, i .. ".test")
                tasks[-i] = quoll.spawn(query, i .. ".test", "AAAA")
            end
            for i = 1, 50 do
                assert.equal("10.0.0." .. i, tasks[i]:wait()[1].address)
                assert.equal("::1", tasks[-i]:wait()[1].address)
            end
        end)
    end)

    it("goes on beside others when nobody waits for it", function()
        local gate = quoll.sync.event()
        with(function(q)
            if q.name == "late.test" then
                gate:wait()
            end
            return says(60, "10.0.0.1")(q)
        end, function()
            local late = quoll.spawn(query, "late.test")
            local lost = quoll.spawn(query, "lost.test")
            quoll.yield()
            lost:cancel()
            gate:set()
            assert.equal("10.0.0.1", late:wait(pair.PATIENCE)[1].address)
        end)
    end)

    it("can be asked again by who was told", function()
        with(says(0, "10.0.0.1"), function(server)
            for i = 1, 5 do
                assert(query "one.test")
                assert.equal(i, #server.asked)
            end
        end)
    end)

    it("survives cancellations at every moment", function()
        with(says(0, "10.0.0.1"), function()
            for turns = 0, 6 do
                local tasks = {}
                for i = 1, 8 do
                    tasks[i] = quoll.spawn(query, (i % 3) .. ".test")
                end
                for _ = 1, turns do
                    quoll.yield()
                end
                for i = 1, 8, 2 do
                    tasks[i]:cancel()
                end
                for i = 2, 8, 2 do
                    assert.equal("10.0.0.1",
                        tasks[i]:wait(pair.PATIENCE)[1].address)
                end
            end
        end)
    end)

    it("ends with the script", function()
        local result = helper.script [[
            local nameserver = require "spec.support.nameserver"
            local quoll = require "quoll"
            local raw = require "quoll.core.dns"
            quoll.run(function()
                local server = nameserver.start(function() end)
                quoll.dns.configure { servers = { server.address } }
                quoll.spawn(quoll.dns.query, "one.test", "A")
                quoll.spawn(quoll.dns.resolve, "one.test")
                quoll.sleep(0.01)
                os.exit(0, true)
            end)
        ]]
        assert.equal(0, result.code, result.err)
    end)
end)
