-- What quoll's tasks cost: to start one and wait for it, and to wake one
-- through a semaphore or a channel. CPU ns each.
local quoll = require "quoll"
local load = require "bench.lib.task_load"

local sync = quoll.sync

local function nothing() end

local function spawn(n)
    for _ = 1, n do
        quoll.spawn(nothing):wait()
    end
end

-- n wakes: each step of one task lets the other one go on, and waits.
local function ping_pong(n, step)
    local other = quoll.spawn(function()
        for _ = 1, n / 2 do
            step(2, 1)
        end
    end)
    for _ = 1, n / 2 do
        step(1, 2)
    end
    other:wait()
end

local function semaphore(n)
    local s = { sync.semaphore(1), sync.semaphore(1) }
    s[1]:acquire()
    s[2]:acquire()
    ping_pong(n, function(mine, others)
        s[others]:release()
        s[mine]:acquire()
    end)
end

local function channel(size)
    return function(n)
        local ch = { sync.channel(size), sync.channel(size) }
        local other = quoll.spawn(function()
            for i = 1, n / 2 do
                ch[1]:receive()
                ch[2]:send(i)
            end
        end)
        for i = 1, n / 2 do
            ch[1]:send(i)
            ch[2]:receive()
        end
        other:wait()
    end
end

local function stream(n)
    local ch = sync.channel(100)
    quoll.spawn(function()
        for i = 1, n do
            ch:send(i)
        end
        ch:close()
    end)
    for _ in ch:values() do
        nothing()
    end
end

quoll.run(load, {
    { "spawn", 200000, spawn },
    { "semaphore", 1000000, semaphore },
    { "channel", 1000000, channel(1) },
    { "unbuffered", 1000000, channel(0) },
    { "stream", 1000000, stream },
})
