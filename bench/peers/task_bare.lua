-- Bare coroutines of LuaJIT: made and run to their end, and one resume with
-- its yield.
local load = require "bench.lib.task_load"

local create, resume = coroutine.create, coroutine.resume
local yield = coroutine.yield

local function nothing() end

local function spawn(n)
    for _ = 1, n do
        resume(create(nothing))
    end
end

local function switch(n)
    local co = create(function()
        while true do
            yield()
        end
    end)
    for _ = 1, n do
        resume(co)
    end
end

load {
    { "spawn", 200000, spawn },
    { "switch", 1000000, switch },
}
