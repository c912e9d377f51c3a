-- One task that never waits long cannot starve others: between two steps of
-- any of 1,000 modest tasks it gets a few of its slices and no more.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local core = require "quoll.core"
local ffi, C = helper.ffi, helper.C

local MODEST, PAIRS, STEPS = 900, 50, 4
local SLICE = 64 -- immediate completions of one resume: SLICE_BUDGET
local TURNS = 100 -- a modest task's step takes fewer

local function turn()
    return tonumber(C.ql_loop_turn(ffi.cast("ql_loop_t *", core.loop())))
end

-- What happened during one step, at most: greedy completions, turns.
local function measured(state, step)
    local done, began = state.done, turn()
    step()
    state.most = math.max(state.most, state.done - done)
    state.turns = math.max(state.turns, turn() - began)
end

local function yielding(state)
    for _ = 1, STEPS do
        measured(state, quoll.yield)
    end
end

local function pinging(state, client, server)
    local echo = quoll.spawn(function()
        for _ = 1, STEPS do
            server:send(assert(server:receive(1)))
        end
    end)
    for _ = 1, STEPS do
        measured(state, function()
            client:send "x"
            assert(client:receive(1))
        end)
    end
    echo:wait()
    client:close()
    server:close()
end

-- greedy() is called again and again by one task until all others are done;
-- then stop().
local function beside(greedy, stop)
    local state = { done = 0, most = 0, turns = 0 }
    tasks.run(function()
        local modest = {}
        local glutton = quoll.spawn(function()
            while not state.stop do
                greedy()
                state.done = state.done + 1
            end
        end)
        for i = 1, MODEST do
            modest[i] = quoll.spawn(yielding, state)
        end
        for i = 1, PAIRS do
            local client, server = pair.connect "unix:@quoll-fairness-spec"
            client:own()
            modest[MODEST + i] = quoll.spawn(pinging, state, client, server)
        end
        for _, task in ipairs(modest) do
            task:wait()
        end
        state.stop = true
        glutton:wait()
        stop()
    end, 60)
    return state
end

local function fair(greedy, stop)
    local state = beside(greedy, stop or function() end)
    assert.is_true(state.done > 0)
    assert.is_true(state.most <= 10 * SLICE, state.most .. " completions")
    -- A turn is bounded by time, and little runs in it under these two.
    if not (helper.collecting or helper.sanitized) then
        assert.is_true(state.turns <= TURNS, state.turns .. " turns")
    end
end

describe("1,000 modest tasks are not starved by a hot loop of", function()
    helper.gates()

    it("receive from a fast peer", function()
        local client, server = pair.connect()
        local data = ("x"):rep(65536)
        client:settimeout(nil)
        local peer = quoll.spawn(function()
            while client:send(data) do end
        end)
        fair(function() assert(server:receive(100)) end, function()
            server:close()
            peer:wait()
            client:close()
        end)
    end)

    it("cached reads", function()
        local path = tasks.file(("x"):rep(4096))
        finally(function() os.remove(path) end)
        local file = assert(quoll.open(path))
        fair(function() assert(file:pread(100, 7)) end)
        file:close()
    end)

    it("yields", function()
        fair(quoll.yield)
    end)

    it("semaphores and channels that need no wait", function()
        local semaphore = quoll.sync.semaphore(1)
        local channel = quoll.sync.channel(1)
        fair(function()
            semaphore:acquire()
            semaphore:release()
        end)
        fair(function()
            channel:send(1)
            channel:receive()
        end)
    end)

    it("waits for tasks that have ended", function()
        local ended = quoll.spawn(function() return 1 end)
        ended:wait()
        fair(function() ended:wait() end)
    end)

    it("tasks that spawn their successors", function()
        local live = true
        local function successor()
            if live then
                quoll.spawn(successor):detach()
            end
        end
        successor()
        fair(quoll.yield, function() live = false end)
    end)

    it("receives and sends that fail at once", function()
        local client, server = pair.connect()
        client:close()
        fair(function() client:receive(1) end)
        fair(function() client:send "x" end)
        server:receive "*a"
        fair(function() server:receive(1) end)
        fair(function() server:receive(0) end)
        server:close()
    end)

    it("accepts, connects and opens that fail at once", function()
        local listener = assert(quoll.listen "127.0.0.1:0")
        listener:close()
        fair(function() listener:accept() end)
        fair(function() quoll.connect "nowhere" end)
        fair(function() quoll.open "/no/such/file" end)
    end)

    it("calls of a closed file", function()
        local path = tasks.file "x"
        finally(function() os.remove(path) end)
        local file = assert(quoll.open(path, "r+"))
        file:close()
        fair(function() file:read(1) end)
        fair(function() file:pread(1, 0) end)
    end)
end)
