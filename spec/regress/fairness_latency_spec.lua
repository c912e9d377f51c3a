-- What somebody who waits sees of a busy task: a timer that is due and a peer
-- that asks are served between two of its slices, not after it.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local SLICE = 64 -- immediate completions of one resume: SLICE_BUDGET
local ROUNDS = 50

-- What the busy task completes without ever waiting, and how that is ended.
local BUSY = {
    ["a fast peer"] = function()
        local client, server = pair.connect()
        local data = ("x"):rep(65536)
        client:settimeout(nil)
        local peer = quoll.spawn(function()
            while client:send(data) do end
        end)
        return function() assert(server:receive(100)) end, function()
            server:close()
            peer:wait()
            client:close()
        end
    end,
    ["semaphores"] = function()
        local s = quoll.sync.semaphore(1)
        return function()
            s:acquire()
            s:release()
        end
    end,
    ["closed connections"] = function()
        local client, server = pair.connect()
        client:close()
        server:close()
        return function() server:receive(1) end
    end,
    ["cached reads"] = function()
        local path = tasks.file(("x"):rep(4096))
        local file = assert(quoll.open(path))
        os.remove(path)
        return function() assert(file:pread(100, 7)) end
    end,
    ["yields"] = function() return quoll.yield end,
}

-- Runs served(state) beside a task that does it all the time: state.done counts
-- how often.
local function beside(make, served)
    tasks.run(function()
        local state = { done = 0 }
        local busy, finish = make()
        local task = quoll.spawn(function()
            while not state.stop do
                busy()
                state.done = state.done + 1
            end
        end)
        served(state)
        state.stop = true
        task:wait()
        if finish then
            finish()
        end
    end, 30)
end

-- How much the busy task did during a call of fn: half of many calls saw less.
local function meanwhile(state, fn)
    local done = {}
    for i = 1, ROUNDS do
        local before = state.done
        fn()
        done[i] = state.done - before
    end
    table.sort(done)
    return done[ROUNDS / 2]
end

describe("beside a task that is busy with", function()
    helper.gates()

    for name, make in pairs(BUSY) do
        it(name .. " a timer comes a few slices after it is due", function()
            beside(make, function(state)
                -- 16 us, in which two short slices have room.
                local done = meanwhile(state, function() quoll.sleep(1e-6) end)
                assert.is_true(done <= 8 * SLICE, done)
            end)
        end)

        it(name .. " a peer has its answer after a few slices", function()
            beside(make, function(state)
                local client, server = pair.connect(pair.name())
                local echo = quoll.spawn(function()
                    while server:send(server:receive(1)) do end
                end)
                local done = meanwhile(state, function()
                    client:send "x"
                    assert(client:receive(1))
                end)
                client:close()
                echo:cancel()
                echo:wait()
                server:close()
                assert.is_true(done <= 8 * SLICE, done)
            end)
        end)
    end
end)
