-- gates.lua: for specs that use `require "quoll"` in busted's own state: after
-- each test nothing may be left over.
local native = require "spec.support.native"
local scripts = require "spec.support.scripts"

-- Dotted names in quoll.stats() of what must be 0.
local gauges = {
    "tasks.live", "connections.live", "loop.timers", "loop.posted",
    "aio.in_flight", "files.queued", "files.live", "files.reads",
    "pool.pending", "pool.calls", "files.orphans", "processes.live",
}

-- The loop keeps its own descriptors once it has them.
local function of_the_loop(text)
    return text:find("^anon_inode:") ~= nil
end

local function gauge(stats, name)
    local value = stats
    for part in name:gmatch("[^.]+") do
        value = type(value) == "table" and value[part] or nil
    end
    return assert(tonumber(value), "quoll.stats() has no " .. name)
end

local function left_over(quoll)
    local stats = quoll.stats()
    for _, name in ipairs(gauges) do
        local value = gauge(stats, name)
        if value ~= 0 then
            return ("%s = %d"):format(name, value)
        end
    end
end

-- What ends by itself (a read that was abandoned, a close in the pool) ends
-- in some turns of the loop.
local function settle(quoll)
    require("quoll.core").keepalive.drop()
    local deadline = native.now() + 2
    repeat
        quoll.run() -- what was spawned and cancelled comes to its end
        collectgarbage()
        collectgarbage() -- what the first one's finalizers let go
        local left = left_over(quoll)
        if left then
            quoll.sleep(0.001)
        end
    until not left or native.now() > deadline
    return left_over(quoll)
end

-- before(): what to compare with; after(that): raises when something is left.
local gates = {}

function gates.before()
    collectgarbage()
    return {
        descriptors = native.descriptors(of_the_loop),
        alerts = require("quoll").stats().alerts,
    }
end

function gates.after(before)
    local quoll = require "quoll"
    local running = scripts.stop_all()
    assert(running == 0, running .. " scripts left running")
    local left = settle(quoll)
    assert(not left, left and "left over: " .. left)
    local changed = native.descriptors_changed(before.descriptors,
        native.descriptors(of_the_loop))
    assert(not changed, changed)
    local alerts = quoll.stats().alerts - before.alerts
    assert(alerts == 0, alerts .. " ALERT lines")
end

return gates
