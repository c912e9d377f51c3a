-- tasks_world.lua: what tasks of spec/regress/tasks_fuzz_spec.lua share, and
-- their choices. The module is the world; reset(seed) makes it anew.
local pair = require "spec.support.pair"
local sync = require("quoll").sync

local world = { PERMITS = 3 }

function world.upto(n)
    world.state = (world.state * 16807) % 2147483647
    return world.state % n + 1
end

function world.pick(list)
    return list[world.upto(#list)]
end

-- What is wrong is kept: many errors are only logged.
function world.check(ok, text)
    if not ok then
        world.wrong = world.wrong or debug.traceback(text)
        error(text, 0)
    end
end

-- Seconds.
function world.brief()
    return world.upto(4) / 2000
end

local thrown = setmetatable({}, { __tostring = function() return "thrown" end })

function world.reset(seed)
    world.state, world.wrong = seed % 2147483646 + 1, nil
    world.tasks, world.deferred, world.channels = {}, {}, {}
    world.thrown = thrown
    world.semaphore, world.permits = sync.semaphore(world.PERMITS), 0
    world.mutex, world.held, world.event = sync.mutex(), false, sync.event()
    for i = 1, 3 do
        world.channels[i] = {
            raw = sync.channel(i - 1), sent = 0, last = 0, kept = 0,
            ordered = i < 3,
        }
    end
    local a, b = pair.connect()
    a:settimeout(0.002)
    b:settimeout(0.002)
    world.ends = { { conn = a, bytes = "a" }, { conn = b, bytes = "b" } }
    world.ends[1].peer, world.ends[2].peer = world.ends[2], world.ends[1]
end

return world
