local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local core = require "quoll.core"
local quoll = require "quoll"
local run = tasks.run

describe("the tree of scopes", function()
    helper.gates()

    it("takes what a task spawns into its innermost scope", function()
        run(function()
            local order = {}
            local function note(name, s)
                quoll.spawn(function()
                    quoll.sleep(s)
                    order[#order + 1] = name
                end)
            end
            quoll.scope(function()
                note("outer", 0.02)
                quoll.deadline(nil, note, "first", 0)
                quoll.scope(function()
                    note("inner", 0.01)
                end)
                order[#order + 1] = "inner left"
            end)
            order[#order + 1] = "outer left"
            assert.same({ "first", "inner", "inner left", "outer",
                "outer left" }, order)
        end)
    end)

    it("cancels what is below a scope and nothing else", function()
        run(function()
            local beside = quoll.spawn(quoll.sleep, 0.02)
            local inside, below
            quoll.scope(function(s)
                inside = quoll.spawn(function()
                    below = quoll.spawn(quoll.sleep, 10)
                    below:wait()
                end)
                quoll.yield()
                quoll.yield()
                s:cancel()
            end)
            assert.equal("cancelled", inside:status())
            assert.equal("cancelled", below:status())
            beside:wait()
            assert.equal("done", beside:status())
        end)
    end)

    it("lets a detached task outlive the scope", function()
        run(function()
            local task
            quoll.scope(function(s)
                task = quoll.spawn(quoll.sleep, 0.02)
                task:detach()
                quoll.yield()
                s:cancel()
            end)
            assert.equal("waiting", task:status())
            task:wait()
            assert.equal("done", task:status())
        end)
    end)

    it("keeps a cancellation when the task is detached later", function()
        run(function()
            local task, why
            quoll.scope(function(s)
                local child
                task = quoll.spawn(function()
                    child = quoll.spawn(function()
                        pcall(quoll.sleep, 10)
                        quoll.shield(nil, quoll.sleep, 0.01)
                        local _, err = pcall(quoll.sleep, 10)
                        why = { quoll.iscancelled(err), err.scope }
                    end)
                    child:wait()
                end)
                quoll.yield()
                quoll.yield()
                s:cancel()
                task:detach()
            end)
            collectgarbage()
            assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
            assert.equal("cancelled", why[1])
            assert.equal(task, why[2])
        end)
    end)

    it("is left open by no error, not even a full stack", function()
        run(function()
            local function deeper()
                return (quoll.scope(deeper))
            end
            local ok, err = pcall(deeper)
            assert.is_false(ok)
            assert.matches("stack overflow", tostring(err))
            local task = quoll.spawn(quoll.sleep, 10)
            assert.equal("starting", task:status())
            task:cancel()
            assert.equal(1, quoll.deadline(5, function() return 1 end))
        end)
    end)

    it("ends the scopes of a task that is ended by force", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                local inner, task
                task = quoll.spawn(function()
                    quoll.scope(function()
                        quoll.deadline(60, function()
                            inner = quoll.spawn(quoll.shield, 0.05,
                                quoll.sleep, 0.02)
                            while true do
                                pcall(quoll.sleep, 10)
                            end
                        end)
                    end)
                end)
                quoll.yield()
                quoll.yield()
                task:cancel()
                print(task:wait())
                print(task:status(), inner:status())
            end)
        ]]
        assert.equal("nil\tended by force\tFORCED\ncancelled\tdone\n",
            result.out)
        assert.matches("swallowed 1,000", result.err)
        assert.equal(0, result.code)
    end)
end)

describe("a scope in a plain coroutine of the main chunk", function()
    helper.gates()

    local function generator(ended)
        return coroutine.create(function()
            local ok, err = pcall(quoll.scope, function(s)
                s:spawn(quoll.sleep, 10)
                coroutine.yield(s)
            end)
            ended[1], ended[2] = ok, err
        end)
    end

    it("that yields inside it ends, with what was started in it", function()
        local ended = {}
        local co = generator(ended)
        local _, s = coroutine.resume(co)
        assert.matches("scope %(open%)", tostring(s))
        quoll.yield() -- the main chunk's, outside the scope
        assert.matches("scope %(closed%)", tostring(s))
        assert.equal(0, core.task_stats().live)
        assert.is_true((coroutine.resume(co)))
        assert.is_false(ended[1])
        assert.matches("the scope has ended: a coroutine yielded inside it",
            ended[2])
    end)

    it("does not take what is spawned outside it", function()
        local co = generator {}
        local _, s = coroutine.resume(co)
        local task = quoll.spawn(quoll.sleep, 0)
        assert.matches("closed", tostring(s))
        task:wait()
        assert.equal("done", task:status())
    end)

    it("that is dropped leaves nothing", function()
        for _ = 1, 10 do
            coroutine.resume(generator {})
        end
        quoll.scope(function() quoll.sleep(0) end)
        collectgarbage()
        quoll.yield()
        assert.equal(0, core.task_stats().live)
    end)

    it("that an outer scope leaves open is ended with that", function()
        local ended = {}
        local co
        quoll.scope(function()
            co = generator(ended)
            coroutine.resume(co)
        end)
        assert.equal(0, core.task_stats().live)
        coroutine.resume(co)
        assert.matches("the scope has ended", ended[2])
    end)
end)

describe("a scope that a generator of a task has left by yielding", function()
    helper.gates()

    local co = quoll.coroutine

    it("no longer reaches the task: its deadline, its tasks' failure",
        function()
            run(function()
                local function leave(fn)
                    return co.wrap(function()
                        quoll.deadline(0.002, function()
                            quoll.sleep(0)
                            fn()
                            co.yield "left"
                        end)
                    end)()
                end
                assert.equal("left", leave(function() end))
                quoll.sleep(0.01)
                assert.equal("left", leave(function()
                    quoll.spawn(function()
                        quoll.sleep(0)
                        error("alone", 0)
                    end):name "alone"
                end))
                quoll.sleep(0.001)
                assert.equal(1, quoll.deadline(1, function() return 1 end))
            end)
        end)

    it("no longer reaches it with a cancellation that had come", function()
        run(function()
            assert.equal("left", co.wrap(function()
                quoll.deadline(0.001, function()
                    pcall(quoll.sleep, 10)
                    co.yield "left"
                end)
            end)())
            quoll.sleep(0)
        end)
    end)

    it("shields nothing", function()
        run(function()
            local next_value
            local task = quoll.spawn(function()
                next_value = co.wrap(function()
                    quoll.shield(nil, co.yield)
                end)
                next_value()
                quoll.sleep(10)
            end)
            quoll.yield()
            task:cancel()
            assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
            assert.is_function(next_value)
        end)
    end)

    it("cuts what waits inside it", function()
        run(function()
            local values = co.wrap(function()
                for i = 1, 3 do
                    co.yield(i, quoll.deadline(0.001, quoll.sleep, 10))
                end
            end)
            for i = 1, 3 do
                assert.same({ i, nil, "timeout", "DEADLINE" }, { values() })
            end
        end)
    end)
end)

describe("cancelling many tasks", function()
    helper.gates()

    -- How much longer for 8 times as many; best of three, so that what else
    -- the machine does counts little.
    local function growth(measure)
        local function best(n)
            local s = math.huge
            for _ = 1, 3 do
                s = math.min(s, run(function() return measure(n) end, 60))
            end
            return s
        end
        return best(helper.collecting and 160 or 16000)
            / best(helper.collecting and 20 or 2000)
    end

    -- 8 where it is linear, 64 where it is quadratic.
    local limit = helper.collecting and math.huge or 32

    local function cancel(task)
        local before = quoll.now()
        task:cancel("all")
        task:wait()
        return quoll.now() - before
    end

    it("is linear in their number", function()
        assert.is_true(growth(function(n)
            local parent = quoll.spawn(function()
                for _ = 1, n do
                    quoll.spawn(quoll.sleep, 1000)
                end
            end)
            quoll.yield()
            quoll.yield()
            return cancel(parent)
        end) < limit)
    end)

    it("is linear in their depth", function()
        assert.is_true(growth(function(n)
            local last
            local function deeper(left)
                if left > 0 then
                    quoll.spawn(deeper, left - 1)
                end
                last = left == 0
                quoll.sleep(1000)
            end
            local first = quoll.spawn(deeper, n)
            while not last do
                quoll.yield()
            end
            return cancel(first)
        end) < limit)
    end)
end)
