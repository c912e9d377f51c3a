local helper = require "spec.helper"
local pair = require "spec.support.pair"
local pooled = require "spec.support.pooled"
local quoll = require "quoll"

local ONE = { name = "one", size = 1, backlog = 8 }

-- A task that connects to the pool of one and says so in the list.
local function waiter(there, list, name, timeout)
    return quoll.spawn(function()
        local conn, err = there:connect(ONE, { timeout = timeout })
        list[#list + 1] = conn and name or name .. " " .. err
        if conn then
            quoll.yield()
            conn:setkeepalive()
        end
    end)
end

local function waiters(there, list, names)
    local tasks = {}
    for name in names:gmatch(".") do
        tasks[#tasks + 1] = waiter(there, list, name)
    end
    while pooled.stats("one").waiting < #tasks do
        quoll.yield()
    end
    return tasks
end

local function join(tasks)
    for _, task in ipairs(tasks) do
        task:wait(pair.PATIENCE)
    end
end

describe("a connect to a full pool", function()
    helper.gates()

    it("waits for one that is given back, first come, first served",
        pooled.with(function(there)
            local conn, list = there:connect(ONE), {}
            local _ = there:accept()
            local tasks = waiters(there, list, "abc")
            assert(conn:setkeepalive())
            join(tasks)
            assert.same({ "a", "b", "c" }, list)
            assert.equal(3, pooled.stats("one").reused)
            assert.equal(1, pooled.stats("one").created)
        end))

    it("waits for one that is closed, by whatever path",
        pooled.with(function(there)
            local holder = quoll.spawn(function()
                there:connect(ONE)
                quoll.sleep(60)
            end)
            local peer, list = there:accept(), {}
            local tasks = waiters(there, list, "a")
            holder:cancel()
            join(tasks)
            peer:close()
            peer = there:accept()
            local dropped = pooled.watch("closed")
            peer:close() -- the idle one
            dropped(1)
            assert.equal(0, assert(there:connect(ONE)):getreusedtimes())
            assert.same({ "a" }, list)
        end))

    it("loses no room when it times out or is cancelled",
        pooled.with(function(there)
            local conn, list = there:connect(ONE), {}
            local _ = there:accept()
            local late = waiter(there, list, "late", 0.001)
            local tasks = waiters(there, list, "ab")
            late:wait(pair.PATIENCE)
            assert.same({ "late timeout" }, list)
            tasks[1]:cancel()
            assert(conn:setkeepalive())
            join(tasks)
            assert.same({ "late timeout", "b" }, list)
            assert.equal(0, pooled.stats("one").waiting)
        end))

    it("loses no room when it is cancelled with its turn",
        pooled.with(function(there)
            local conn, list = there:connect(ONE), {}
            local _ = there:accept()
            local tasks = waiters(there, list, "ab")
            assert(conn:setkeepalive())
            tasks[1]:cancel()
            join(tasks)
            assert.equal("b", list[#list])
        end))

    it("loses no room when it cannot connect", pooled.with(function(there)
        there.listener:close()
        for _ = 1, 3 do
            local _, err = there:connect(ONE)
            assert.equal("connection refused", err)
        end
        assert.is_nil(pooled.stats("one"))
    end))

    it("fails when too many wait", pooled.with(function(there)
        local none = { name = "none", size = 1, backlog = 0 }
        local conn = there:connect(none)
        local _, err, code = there:connect(none)
        assert.equal("too many waiting connect operations", err)
        assert.equal("BUSY", code)
        assert.equal(1, pooled.stats("none").refused)
        conn:close()
    end))

    it("says what it waits for", pooled.with(function(there)
        local conn = there:connect(ONE)
        local tasks = waiters(there, {}, "a")
        for _, task in ipairs(quoll.tasks()) do
            if task.id == tonumber(tostring(tasks[1]):match "task (%d+)") then
                assert.matches("^connect by the pool 'one'", task.waits)
            end
        end
        tasks[1]:cancel()
        join(tasks)
        conn:close()
    end))
end)

describe("kept connections", function()
    helper.gates()

    it("keep no script from ending", function()
        local result = helper.script([[
            local quoll = require "quoll"
            quoll.run(function()
                local listener = quoll.listen("127.0.0.1:0")
                local conn = quoll.connect(listener:address(), { pool = true })
                print(conn:setkeepalive(0))
                print(quoll.stats().keepalive.idle)
            end)
        ]])
        assert.equal("true\n1\n", result.out)
        assert.equal("", result.err)
        assert.equal(0, result.code)
    end)

    it("are closed by a stop, and none is kept after it", function()
        local result = helper.script([[
            local quoll = require "quoll"
            quoll.run(function()
                local listener = quoll.listen("127.0.0.1:0")
                local opts = { pool = true }
                local a = quoll.connect(listener:address(), opts)
                local b = quoll.connect(listener:address(), opts)
                a:setkeepalive()
                quoll.stop()
                print(b:setkeepalive())
                local stats = quoll.stats().keepalive
                print(stats.idle, stats.dropped.ended, b:getfd())
            end)
        ]])
        assert.equal("true\n0\t1\tnil\tclosed\tCLOSED\n", result.out)
        assert.equal(0, result.code, result.err)
    end)
end)
