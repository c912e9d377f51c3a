local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run, settle = tasks.run, tasks.settle
local topic = quoll.sync.topic

describe("a topic", function()
    helper.gates()

    it("gives each value to every subscriber, in order", function()
        run(function()
            local t, readers = topic(), {}
            assert.is_true(t:publish "nobody hears it")
            for i = 1, 5 do
                local s = t:subscribe(10)
                readers[i] = quoll.spawn(function()
                    local got = {}
                    for v in s:values() do got[#got + 1] = v end
                    return got
                end)
            end
            settle()
            for v = 1, 100 do
                t:publish(v)
                if v % 10 == 0 then settle() end
            end
            t:close()
            for i = 1, 5 do
                local got = readers[i]:wait()
                assert.equal(100, #got)
                for v = 1, 100 do assert.equal(v, got[v]) end
            end
        end)
    end)

    it("never waits: a slow subscriber is closed", function()
        local t = topic()
        local slow, other = t:subscribe(2), t:subscribe(3, "close")
        for v = 1, 3 do t:publish(v) end
        assert.same({ 1, 0 }, { slow:receive() })
        assert.same({ 2, 0 }, { slow:receive() })
        assert.same({ nil, "too slow", "SLOW" }, { slow:receive() })
        assert.same({ nil, "closed", "CLOSED" }, { slow:close() })
        local values = other:values()
        assert.same({ 1, 2, 3 }, { values(), values(), values() })
        t:publish(4)
        assert.equal(4, values())
        for v = 1, 4 do t:publish(v) end
        for _ = 1, 3 do values() end
        local ok, err = pcall(values)
        assert.is_false(ok)
        assert.matches("too slow", err)
    end)

    it("drops the oldest values of one that asks for it", function()
        local t = topic()
        local s = t:subscribe(3, "drop")
        for v = 1, 10 do t:publish(v) end
        assert.same({ 8, 7 }, { s:receive() })
        assert.same({ 9, 0 }, { s:receive() })
        t:publish(11)
        assert.same({ 10, 0 }, { s:receive() })
        assert.same({ 11, 0 }, { s:receive() })
        assert.same({ nil, "timeout", "TIMEOUT" }, { s:receive(0) })
    end)

    it("ends its subscribers, who get what they have kept", function()
        run(function()
            local t = topic()
            local s, waits = t:subscribe(2), t:subscribe(2)
            local waiter = quoll.spawn(function()
                waits:receive()
                return waits:receive()
            end)
            t:publish(1)
            settle()
            assert.is_true(t:close())
            assert.same({ nil, "closed", "CLOSED" }, { t:close() })
            assert.same({ nil, "closed", "CLOSED" }, { t:publish(2) })
            assert.equal(1, (s:receive()))
            assert.same({ nil, "closed", "CLOSED" }, { s:receive() })
            assert.same({ nil, "closed", "CLOSED" }, { waiter:wait() })
            assert.same({ nil, "closed", "CLOSED" },
                { t:subscribe(1):receive() })
        end)
    end)

    it("forgets who has left, and who is left to the collector", function()
        local t, n = topic(), 0
        local function leave()
            t:subscribe(1, "drop"):close()
            t:subscribe(1, "drop")
        end
        for i = 1, 1000 do
            leave()
            if i % 100 == 0 then
                collectgarbage()
                collectgarbage()
            end
            t:publish(i)
        end
        collectgarbage()
        collectgarbage()
        for _ in pairs(t.subscriptions) do n = n + 1 end
        assert.truthy(n < 500)
        assert.truthy(t.last < 1000)
        local s = t:subscribe(1)
        t:publish "x"
        assert.equal("x", (s:receive(0)))
    end)

    it("refuses what cannot be meant", function()
        local t = topic()
        local function fails(pattern, fn, ...)
            local ok, err = pcall(fn, ...)
            assert.is_false(ok)
            assert.matches(pattern, err)
        end
        fails("topic_spec.lua:%d+: bad argument 'v' to 'publish'",
            function() t:publish() end)
        fails("bad argument 'n' to 'subscribe'", t.subscribe, t)
        fails("bad argument 'n' to 'subscribe'", t.subscribe, t, 0)
        fails("'close' or 'drop' expected, got 'keep'", t.subscribe, t, 1,
            "keep")
        assert.is_false(pcall(t.subscribe, t, 1.5))
    end)
end)
