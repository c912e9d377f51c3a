local helper = require "spec.helper"
local quoll = require "quoll"

require("quoll.busted").install { deadline = helper.seconds(5) }
helper.gates()

local function module(name, loader)
    package.preload[name] = loader
    finally(function()
        for _, each in ipairs { "spec.waits", "spec.inner" } do
            package.preload[each] = nil
            package.loaded[each] = nil
        end
    end)
end

-- What a task's require of a module with this loader returns.
local function load(loader)
    module("spec.waits", loader)
    return quoll.spawn(require, "spec.waits"):wait()
end

-- Tells what it is that the task waits for, or is.
local function waits_of(task)
    for _, each in ipairs(quoll.tasks()) do
        if each.id == task:id() then
            return each.waits or each.state
        end
    end
end

describe("a module that waits while it loads, for another task", function()
    it("gets what quoll.sync.once runs in a task of its own", function()
        assert.equal("value of k", load(function()
            return quoll.sync.once(function(k)
                quoll.sleep(0.001)
                return "value of " .. k
            end)("k")
        end))
    end)

    it("shares a run of quoll.sync.once that is under way", function()
        local runs = 0
        local get = quoll.sync.once(function()
            runs = runs + 1
            quoll.sleep(0.002)
            return runs
        end)
        local other = quoll.spawn(get, "k")
        quoll.yield()
        assert.equal(1, load(function() return get "k" end))
        assert.equal(1, other:wait())
    end)

    it("gets a mutex that others hold and wait for", function()
        local mutex, order = quoll.sync.mutex(), {}
        for i = 1, 3 do
            quoll.spawn(function()
                mutex:lock()
                quoll.sleep(0.001)
                order[#order + 1] = i
                mutex:unlock()
            end)
        end
        quoll.yield()
        quoll.yield()
        load(function()
            mutex:lock()
            mutex:unlock()
            order[#order + 1] = "module"
        end)
        assert.same({ 1, 2, 3, "module" }, order)
    end)

    it("sees the end of who waits for a third one", function()
        local third = quoll.spawn(function()
            quoll.sleep(0.001)
            return "third"
        end)
        local second = quoll.spawn(function() return third:wait() end)
        quoll.yield()
        assert.equal("third", load(function()
            return quoll.spawn(function() return second:wait() end):wait()
        end))
    end)

    it("is sent something, as nothing but a task can end its wait", function()
        local channel, event = quoll.sync.channel(), quoll.sync.event()
        quoll.spawn(function()
            channel:send "item"
            channel:send "item"
            event:set()
        end)
        assert.same({ "item", "item", true }, load(function()
            local first = channel:receive()
            quoll.sync.select { channel = channel }
            return { first, channel:receive(), event:wait() }
        end))
    end)
end)

describe("a task that is held back while a module waits", function()
    it("says by whom", function()
        local starting
        module("spec.waits", function()
            return quoll.spawn(function()
                quoll.sleep(0.001)
                return waits_of(starting)
            end):wait()
        end)
        local loader = quoll.spawn(require, "spec.waits")
        loader:name "loader"
        starting = quoll.spawn(function() end)
        assert.equal(("held back by require in task %d 'loader'")
            :format(loader:id()), loader:wait())
    end)

    it("is held back by the next one, too, though one has let it", function()
        local mutex, ticks = quoll.sync.mutex(), 0
        local ticker = quoll.spawn(function()
            mutex:lock()
            quoll.sleep(0.001)
            mutex:unlock()
            while true do
                quoll.yield()
                ticks = ticks + 1
            end
        end)
        quoll.yield()
        load(function()
            mutex:lock()
            mutex:unlock()
        end)
        package.loaded["spec.waits"] = nil
        module("spec.waits", function()
            local before = ticks
            quoll.sleep(0.002)
            return ticks - before
        end)
        assert.equal(0, quoll.spawn(require, "spec.waits"):wait())
        ticker:cancel()
    end)

    it("is counted in the log after slice_warn", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.configure { slice_warn = 0.001 }
            package.preload.slow = function() quoll.sleep(0.005) end
            quoll.run(function()
                local loader = quoll.spawn(require, "slow")
                loader:name "loader"
                quoll.spawn(function() end)
                loader:wait()
            end)
        ]]
        assert.equal(0, result.code, result.err)
        assert.matches("task 2 'loader' waits inside require at "
            .. "[^\n]+:3: 1 task held back for 0%.%d+ s so far", result.err)
        assert.is_nil(result.err:find("held back.*held back"))
    end)
end)

describe("a module that waits for who loads one further down", function()
    local outer, inner, refused

    -- outer has a mutex and loads a module that waits, for `limit` seconds, for
    -- inner, which loads one that calls fn.
    local function nested(limit, fn)
        local mutex = quoll.sync.mutex()
        module("spec.waits", function() inner:wait(limit) end)
        package.preload["spec.inner"] = function()
            refused = select(2, pcall(fn, mutex))
        end
        outer = quoll.spawn(function()
            mutex:lock()
            require "spec.waits"
            mutex:unlock()
        end)
        inner = quoll.spawn(require, "spec.inner")
        outer:wait()
        inner:wait()
        assert.matches(("hold_spec.lua:%%d+: cannot wait here: task %d runs "
            .. "the loop further down"):format(outer:id()), tostring(refused))
    end

    it("is refused to wait for that task", function()
        nested(helper.seconds(4), function() outer:wait() end)
    end)

    it("is refused to lock its mutex", function()
        nested(nil, function(mutex) mutex:lock() end)
    end)

    it("is refused to wait for one that waits for it", function()
        local between = quoll.spawn(function() outer:wait() end)
        nested(helper.seconds(4), function() between:wait() end)
        between:wait()
    end)
end)
