-- Tasks that do at random whatever tasks can (scopes, races, locks, channels,
-- generators, connections, cancels), against what must hold whatever comes:
-- every task ends and nothing is left; a channel keeps its order, permits come
-- back, a mutex has one holder; each deferred call runs once; a result that
-- tells of a deadline or a cancellation had one.
-- QUOLL_TEST_SEED=n makes other choices, QUOLL_TEST_SEEDS=n more of them.
local helper = require "spec.helper"
local steps = require "spec.support.tasks_acts"
local tasks = require "spec.support.tasks"
local world = require "spec.support.tasks_world"
local quoll = require "quoll"
local check = world.check

local SEED = tonumber(os.getenv "QUOLL_TEST_SEED") or 20221124
local SEEDS = tonumber(os.getenv "QUOLL_TEST_SEEDS") or 5

local function fuzz(seed)
    world.reset(seed)
    world.alive = quoll.stats().tasks.live
    local workers = {}
    for i = 1, 12 do
        workers[i] = quoll.spawn(function()
            for _ = 1, 6 do
                pcall(steps, 4, 2)
            end
        end)
    end
    for _, worker in ipairs(workers) do
        worker:wait()
    end
    while quoll.stats().tasks.live > world.alive do
        quoll.sleep(0.001)
    end
    check(not world.wrong, world.wrong)
    check(world.semaphore:permits() == world.PERMITS, "permits are lost")
    check(world.mutex:lock(0), "the mutex is held")
    for _, ch in ipairs(world.channels) do
        while ch.raw:receive(0) do
            ch.kept = ch.kept - 1
        end
        check(ch.kept == 0, "items are lost")
    end
    for id, n in ipairs(world.deferred) do
        check(n == 1, "deferred call " .. id .. " ran " .. n .. " times")
    end
end

describe("tasks that do whatever they can", function()
    helper.gates()
    helper.silent()

    for seed = SEED, SEED + SEEDS - 1 do
        it("end, and leave everything in order, seed " .. seed, function()
            tasks.run(function() fuzz(seed) end, 20)
        end)
    end
end)
