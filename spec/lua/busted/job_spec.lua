local helper = require "spec.helper"
local quoll = require "quoll"
local job = require "quoll.busted.job"
local leaks = require "quoll.busted.leaks"

describe("a job", function()
    local test

    before_each(function()
        job.init(require "busted")
        test = job.test(leaks.measure())
    end)

    after_each(function()
        test:close(helper.seconds(5))
    end)

    helper.gates() -- afterwards: the task of the test has ended

    local function run(fn, settings)
        test:run(fn, helper.seconds(5), settings)
    end

    local function current()
        local tasks = quoll.tasks()
        for _, task in ipairs(tasks) do
            if task.state == "running" then
                return task.id
            end
        end
    end

    it("runs in the same task as the one before", function()
        local ids = {}
        for i = 1, 3 do
            run(function()
                quoll.yield()
                ids[i] = current()
            end)
        end
        assert.is_number(ids[1])
        assert.same({ ids[1], ids[1], ids[1] }, ids)
    end)

    it("has what the one before opened and spawned", function()
        local listener, ticks = nil, 0
        run(function()
            listener = quoll.listen "127.0.0.1:0"
            quoll.timer.every(0.001, function() ticks = ticks + 1 end)
        end)
        run(function()
            assert.is_truthy(listener:address())
            local seen = ticks
            while ticks < seen + 2 do
                quoll.sleep(0.001)
            end
        end, { ends = true })
        test:close(helper.seconds(5))
        assert.equal("OWNER_ENDED", select(3, listener:address()))
        local seen = ticks
        quoll.sleep(0.005)
        assert.equal(seen, ticks)
    end)

    it("waits for what it spawned itself, if asked to", function()
        local done = 0
        local function spawns()
            quoll.spawn(function()
                quoll.sleep(0.005)
                done = done + 1
            end)
        end
        run(spawns)
        assert.equal(0, done)
        run(spawns, { ends = true })
        assert.is_true(done >= 1)
    end)

    it("raises the error of its function as it is", function()
        local object = setmetatable({ message = "f.lua:1: x" }, {})
        local ok, err = pcall(run, function()
            quoll.yield()
            error(object)
        end)
        assert.is_false(ok)
        assert.equal(object, err)
        run(function() quoll.yield() end)
    end)

    it("that is late is cancelled, and the next one runs", function()
        local cancelled
        local ok, err = pcall(test.run, test, function()
            local _, why = pcall(quoll.sleep, 1000)
            cancelled = quoll.iscancelled(why)
            error(why, 0)
        end, 0.01)
        assert.is_false(ok)
        assert.matches("^%S+:%d+: no end within 0.01 s; alive are:\n"
            .. "task %d+ 'test': waiting, sleep, [%d.]+ s left",
            tostring(err))
        assert.equal("no end within 0.01 s", cancelled)
        run(function() quoll.yield() end)
    end)

    it("that is late to be cancelled does not hold the others up", function()
        local ok = pcall(test.run, test, function()
            for _ = 1, 3 do
                pcall(quoll.sleep, 1000)
            end
        end, 0.01)
        assert.is_false(ok)
        run(function() quoll.yield() end)
    end)

    it("whose task ends in it fails", function()
        local ok, err = pcall(run, function() coroutine.yield() end)
        assert.is_false(ok)
        assert.matches("coroutine.yield in a task", tostring(err))
        run(function() quoll.yield() end)
    end)
end)
