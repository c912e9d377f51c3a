local helper = require "spec.helper"
local quoll = require "quoll"

local sync = quoll.sync

describe("select refuses", function()
    helper.gates()

    local function fails(pattern, ...)
        local args = { ... }
        local ok, err = pcall(function() return (sync.select(unpack(args))) end)
        assert.is_false(ok)
        assert.matches("select_spec.lua:%d+: .*" .. pattern, err)
    end

    it("what is no table, or empty", function()
        fails("bad argument 'set' to 'select' %(a table expected, got nil%)")
        fails("bad argument 'set' to 'select' %(it is empty%)", {})
    end)

    it("what cannot be waited for, and says where it is", function()
        fails("bad argument 'set' to 'select' %(at key 'k': .* got string",
            { k = "x" })
        fails("at key '3': .* got table", { [3] = {} })
        fails("at key 'boolean': .* got userdata", { [true] = sync.mutex() })
        fails("got userdata", { newproxy(true) })
        fails("got thread", { coroutine.create(print) })
    end)

    it("what is no time", function()
        fails("bad argument 's' to 'select'", { sync.event() }, -1)
    end)
end)

describe("select", function()
    helper.gates()

    it("returns the key itself", function()
        local e, key = sync.event(), {}
        e:set()
        assert.equal(key, sync.select { [key] = e })
        assert.equal(true, sync.select { [true] = e })
        assert.equal(1.5, sync.select { [1.5] = e })
    end)

    it("keeps what it waits for from the collector", function()
        quoll.run(function()
            local topic = sync.topic()
            local waiter = quoll.spawn(function()
                return sync.select { s = topic:subscribe(1) }
            end)
            quoll.yield()
            collectgarbage()
            collectgarbage()
            topic:publish(1)
            assert.equal("s", waiter:wait(5))
        end)
    end)
end)
