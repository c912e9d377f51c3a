local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local core = require "quoll.core"
local sync = require "quoll.sync"
local run = tasks.run

describe("task:status", function()
    helper.gates()

    it("tells each state", function()
        run(function()
            local goes_on, child_ends = sync.channel(), sync.channel()
            local inner
            local task
            task = quoll.spawn(function()
                inner = task:status()
                goes_on:receive()
                quoll.spawn(child_ends.receive, child_ends)
            end)
            assert.equal("starting", task:status())
            quoll.yield()
            assert.equal("running", inner)
            assert.equal("waiting", task:status())
            goes_on:close()
            quoll.yield()
            quoll.yield()
            assert.equal("closing", task:status())
            child_ends:close()
            task:wait()
            assert.equal("done", task:status())
            local failed = quoll.spawn(error, "x", 0)
            pcall(failed.wait, failed)
            assert.equal("failed", failed:status())
        end)
    end)
end)

describe("task:name", function()
    helper.gates()

    it("is set and told", function()
        local task = quoll.spawn(function() end)
        assert.is_nil(task:name())
        assert.equal("reader", task:name "reader")
        assert.equal("reader", task:name())
        local ok, err = pcall(function() task:name {} end)
        assert.is_false(ok)
        assert.matches("task_spec.lua:%d+: bad argument 'name' to 'name'", err)
    end)
end)

describe("task:id", function()
    helper.gates()

    it("counts in the order of spawning", function()
        local a = quoll.spawn(function() end)
        local b = quoll.spawn(function() end)
        assert.equal(a:id() + 1, b:id())
    end)
end)

describe("current", function()
    helper.gates()

    it("is the task that runs, within scopes and coroutines too", function()
        assert.same({ n = 1 }, { n = select("#", quoll.current()),
            quoll.current() })
        local found = {}
        local function note()
            found[#found + 1] = quoll.current()
        end
        local task
        run(function()
            task = quoll.spawn(function()
                note()
                quoll.defer(note)
                quoll.scope(note)
                coroutine.wrap(note)()
                quoll.spawn(function() quoll.sleep(0) end):wait()
                note()
            end)
            task:wait()
        end)
        assert.same({ task, task, task, task, task }, found)
        for _, one in ipairs(found) do
            assert.equal(task, one)
        end
        assert.is_nil(quoll.current())
    end)
end)

describe("task:detach", function()
    helper.gates()

    it("lets the task outlive its parent", function()
        run(function()
            local child
            local parent = quoll.spawn(function()
                child = quoll.spawn(function()
                    quoll.sleep(0.005)
                    return "alive"
                end):detach()
                error("x", 0)
            end)
            pcall(parent.wait, parent)
            assert.equal("alive", child:wait())
        end)
    end)

    it("of an ended task does nothing", function()
        run(function()
            local task = quoll.spawn(function() end)
            task:wait()
            assert.equal(task, task:detach())
        end)
    end)
end)

describe("the counters of tasks", function()
    helper.gates()

    it("add up: spawned = ended + live", function()
        local before = quoll.stats().tasks
        run(function()
            quoll.spawn(quoll.sleep, 0.001)
            local failed = quoll.spawn(error, "x")
            quoll.spawn(quoll.sleep, 10):cancel()
            local stats = quoll.stats().tasks
            assert.equal(stats.spawned, stats.ended + stats.live)
            assert.is_true(stats.live >= 3)
            pcall(failed.wait, failed)
        end)
        local after = quoll.stats().tasks
        assert.equal(0, after.live)
        assert.equal(after.spawned, after.ended)
        assert.equal(1, after.failed - before.failed)
    end)
end)

describe("is_root", function()
    helper.gates()

    it("is true in the main chunk only", function()
        assert.is_true(core.is_root())
        assert.is_false(run(core.is_root))
    end)
end)
