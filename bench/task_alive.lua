-- task_alive.lua [N]: what N tasks that sleep keep in memory, bytes each, and
-- what it costs to cancel and join them, CPU ns each.
local quoll = require "quoll"
local usage = require "bench.lib.usage"

local N = tonumber(arg[1] or 1000000)

local function sleepers(n)
    return quoll.spawn(function()
        for _ = 1, n do
            quoll.spawn(quoll.sleep, 3600)
        end
    end)
end

-- When those that were spawned have run.
local function settle()
    for _ = 1, 3 do
        quoll.yield()
    end
end

quoll.run(function()
    sleepers(1):cancel()
    settle()
    collectgarbage()
    local before = usage.rss()
    local group = sleepers(N)
    settle()
    assert(quoll.stats().tasks.live > N)
    local bytes = (usage.rss() - before) / N
    local start = usage.cpu()
    group:cancel()
    group:wait()
    print(string.format("bytes %.0f cancel %.0f", bytes,
        (usage.cpu() - start) / N * 1e9))
end)
