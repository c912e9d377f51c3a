-- task_counted.lua WHAT N: does it N times, for bench/counts; without arguments
-- prints what there is.
local quoll = require "quoll"

local sync = quoll.sync

-- N messages of 64 bytes there and back, over one connection.
local function echo(n)
    local name = ("unix:@quoll-counted-%d"):format(quoll.now() * 1e6)
    local listener = assert(quoll.listen(name))
    local server = quoll.spawn(function()
        local conn = listener:accept()
        for _ = 1, n do
            conn:send(conn:receiveany(4096))
        end
    end)
    local conn, message = assert(quoll.connect(name)), ("x"):rep(64)
    for _ = 1, n do
        conn:send(message)
        conn:receive(64)
    end
    server:wait()
end

local function repeated(fn, ...)
    local args = { n = select("#", ...), ... }
    return function(n)
        for _ = 1, n do
            fn(unpack(args, 1, args.n))
        end
    end
end

local function semaphore(n)
    local mine, others = sync.semaphore(1), sync.semaphore(1)
    mine:acquire()
    others:acquire()
    local other = quoll.spawn(function()
        for _ = 1, n / 2 do
            others:acquire()
            mine:release()
        end
    end)
    for _ = 1, n / 2 do
        others:release()
        mine:acquire()
    end
    other:wait()
end

local function channel(n)
    local ch = sync.channel(0)
    local other = quoll.spawn(function()
        for i = 1, n / 2 do
            ch:send(i)
        end
    end)
    for _ = 1, n / 2 do
        ch:receive()
    end
    other:wait()
end

local WHAT = {
    { "echo", echo },
    { "echo in a scope", function(n) quoll.scope(function() echo(n) end) end },
    { "echo under a timer", function(n)
        local timer = quoll.timer.after(3600, print)
        echo(n)
        timer:cancel()
    end },
    { "echo under a deadline", function(n) quoll.deadline(3600, echo, n) end },
    { "echo, watched", function(n)
        quoll.configure { slice_warn = 60 }
        echo(n)
    end },
    { "spawn and join", function(n)
        for _ = 1, n do
            quoll.spawn(quoll.now):wait()
        end
    end },
    { "scope", repeated(quoll.scope, quoll.now) },
    { "deadline", repeated(quoll.deadline, 3600, quoll.now) },
    { "yield", repeated(quoll.yield) },
    { "wake, semaphore", semaphore },
    { "wake, channel", channel },
    { "new channel", repeated(sync.channel, 1) },
}

for _, what in ipairs(WHAT) do
    if not arg[1] then
        print(what[1])
    elseif what[1] == arg[1] then
        quoll.run(what[2], tonumber(arg[2]))
    end
end
