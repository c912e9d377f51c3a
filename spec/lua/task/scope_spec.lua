local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local DEADLINE = { nil, "timeout", "DEADLINE" }
local CANCELLED = { nil, "cancelled", "CANCELLED" }

describe("quoll.scope", function()
    helper.gates()

    it("ends when its function and its tasks have", function()
        run(function()
            local ended = {}
            local results = { quoll.scope(function(s, ...)
                s:spawn(function()
                    quoll.sleep(0.01)
                    ended[1] = true
                end)
                quoll.spawn(function()
                    quoll.sleep(0.005)
                    quoll.spawn(function()
                        quoll.sleep(0.01)
                        ended[2] = true
                    end)
                end)
                return ...
            end, 1, nil, 3) }
            assert.same({ 1, nil, 3 }, results)
            assert.same({ true, true }, ended)
        end)
    end)

    it("raises a task's error unchanged, and cancels the others", function()
        run(function()
            for _, thrown in ipairs { "text", {}, false, 5 } do
                local other, reached
                local ok, err = pcall(quoll.scope, function(s)
                    other = s:spawn(quoll.sleep, 10)
                    s:spawn(function()
                        quoll.sleep(0.001)
                        error(thrown, 0)
                    end)
                    quoll.sleep(10)
                    reached = true
                end)
                assert.is_false(ok)
                assert.is_true(rawequal(thrown, err))
                assert.is_nil(reached)
                assert.equal("cancelled", other:status())
            end
            assert.same({ false }, { pcall(quoll.scope, function(s)
                s:spawn(error)
            end) })
        end)
    end)

    it("raises its function's error once its tasks have ended", function()
        run(function()
            local thrown, cleaned = {}, nil
            local ok, err = pcall(quoll.scope, function(s)
                s:spawn(function()
                    pcall(quoll.sleep, 10)
                    quoll.shield(1, quoll.sleep, 0.005)
                    cleaned = true
                end)
                quoll.yield()
                error(thrown)
            end)
            assert.is_false(ok)
            assert.equal(thrown, err)
            assert.is_true(cleaned)
        end)
    end)

    it("raises the first of several failures and logs the others", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                print(pcall(quoll.scope, function(s)
                    for i = 1, 3 do
                        s:spawn(function()
                            pcall(quoll.sleep, i == 2 and 0 or 10)
                            error("failure " .. i, 0)
                        end)
                    end
                    pcall(quoll.sleep, 10)
                    error("of the function", 0)
                end))
            end)
        ]]
        assert.equal("false\tfailure 2\n", result.out)
        local logged = {}
        for what in result.err:gmatch "failed[^:]*: ([^\n]*)" do
            logged[#logged + 1] = what
        end
        table.sort(logged)
        assert.same({ "failure 1", "failure 3", "of the function" }, logged)
    end)

    it("logs nothing when its function passes a task's error on", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                print(pcall(quoll.scope, function(s)
                    local task = s:spawn(function() error("once", 0) end)
                    task:wait()
                end))
            end)
        ]]
        assert.equal("false\tonce\n", result.out)
        assert.equal("", result.err)
    end)

    it("that isolates is a task: its child fails alone", function()
        local result = helper.script [[
            local quoll = require "quoll"
            print(quoll.scope(function(s)
                return s:spawn(function()
                    quoll.spawn(function() error("alone", 0) end)
                    quoll.sleep(0.01)
                    return "unharmed"
                end):wait()
            end))
        ]]
        assert.equal("unharmed\n", result.out)
        assert.matches("failed: alone", result.err)
    end)

    it("works in the main chunk", function()
        local task
        assert.equal(5, quoll.scope(function(s)
            task = s:spawn(function()
                quoll.sleep(0.005)
            end)
            return 5
        end))
        assert.equal("done", task:status())
        local ok, err = pcall(quoll.scope, function(s)
            s:spawn(error, "text", 0)
            quoll.sleep(10)
        end)
        assert.same({ false, "text" }, { ok, err })
    end)

    it("keeps handles with the task that opened them", function()
        run(function()
            local lst = quoll.scope(function(s)
                local task = s:spawn(function()
                    return (assert(quoll.listen("127.0.0.1:0")))
                end)
                return task:wait()
            end)
            assert.is_string(lst:address())
            assert.is_true(lst:close())
            local mine
            quoll.scope(function()
                mine = assert(quoll.listen("127.0.0.1:0"))
            end)
            assert.is_true(mine:close())
        end)
    end)
end)

describe("s:spawn", function()
    helper.gates()

    it("may be called from other tasks while the scope is open", function()
        run(function()
            local scope, added
            local outsider = quoll.spawn(function()
                quoll.yield()
                added = scope:spawn(quoll.sleep, 0.01)
            end)
            quoll.scope(function(s)
                scope = s
                s:spawn(quoll.sleep, 0.005)
            end)
            assert.equal("done", added:status())
            outsider:wait()
        end)
    end)

    it("into a cancelled scope starts nothing", function()
        run(function()
            local called, task = false, nil
            assert.same(CANCELLED, { quoll.scope(function(s)
                s:cancel()
                task = s:spawn(function() called = true end)
            end) })
            assert.is_false(called)
            assert.equal("cancelled", task:status())
        end)
    end)
end)

describe("s:background", function()
    helper.gates()

    it("is cancelled when the others have ended", function()
        run(function()
            local order = {}
            local _, why = nil, nil
            local result = quoll.scope(function(s)
                s:background(function()
                    local _, err = pcall(quoll.sleep, 10)
                    why = quoll.iscancelled(err)
                    order[#order + 1] = "background"
                end)
                s:spawn(function()
                    quoll.sleep(0.01)
                    order[#order + 1] = "task"
                end)
                return "result"
            end)
            assert.equal("result", result)
            assert.same({ "task", "background" }, order)
            assert.equal("the other tasks of the scope have ended", why)
        end)
    end)

    it("may be many, and may come late", function()
        run(function()
            local n = 0
            local function serve()
                pcall(quoll.sleep, 10)
                n = n + 1
            end
            quoll.scope(function(s)
                for _ = 1, 100 do
                    s:background(serve)
                end
                s:background(function()
                    pcall(quoll.sleep, 10)
                    s:background(serve)
                    n = n + 1
                end)
                quoll.yield()
            end)
            assert.equal(101, n)
        end)
    end)

    it("fails the scope as any task", function()
        run(function()
            local ok, err = pcall(quoll.scope, function(s)
                s:background(error, "broken", 0)
                quoll.sleep(10)
            end)
            assert.same({ false, "broken" }, { ok, err })
        end)
    end)
end)

describe("s:cancel", function()
    helper.gates()

    it("ends the scope with a result that says so", function()
        run(function()
            local why, err
            assert.same(CANCELLED, { quoll.scope(function(s)
                s:spawn(function()
                    quoll.sleep(0.001)
                    assert.is_true(s:cancel("enough"))
                    assert.is_true(s:cancel("twice"))
                end)
                err = select(2, pcall(quoll.sleep, 10))
                why = quoll.iscancelled(err)
                assert.equal(s, err.scope)
                error(err, 0)
            end) })
            assert.equal("enough", why)
            assert.is_nil(quoll.iscancelled(err.scope))
        end)
    end)

    it("that cuts nothing leaves the results", function()
        run(function()
            assert.equal(7, quoll.scope(function(s)
                s:cancel()
                return 7
            end))
        end)
    end)

    it("while the scope is left cuts its tasks", function()
        run(function()
            local task
            quoll.spawn(function()
                quoll.sleep(0.005)
                task:cancel()
            end)
            quoll.scope(function(s)
                task = s:spawn(quoll.sleep, 10)
                s:spawn(function()
                    task:wait()
                    s:cancel()
                end)
            end)
            assert.equal("cancelled", task:status())
        end)
    end)
end)

describe("quoll.deadline", function()
    helper.gates()

    it("returns the results in time", function()
        run(function()
            assert.same({ 1, nil, 3 }, { quoll.deadline(5, function(...)
                quoll.sleep(0.001)
                return ...
            end, 1, nil, 3) })
        end)
    end)

    it("cuts its function, its tasks, and what swallows it", function()
        run(function()
            local child
            assert.same(DEADLINE, { quoll.deadline(0.005, quoll.sleep, 10) })
            assert.same(DEADLINE, { quoll.deadline(0.005, function()
                child = quoll.spawn(quoll.sleep, 10)
                return "unseen"
            end) })
            assert.equal("cancelled", child:status())
            assert.same(DEADLINE, { quoll.deadline(0.005, function()
                return pcall(quoll.sleep, 10)
            end) })
        end)
    end)

    it("tells that it was a deadline", function()
        run(function()
            quoll.deadline(0.001, function()
                local _, err = pcall(quoll.sleep, 10)
                assert.equal("deadline", quoll.iscancelled(err))
                assert.equal("cancelled: deadline", tostring(err))
            end)
        end)
    end)

    it("of 0 does what need not wait", function()
        run(function()
            local done = quoll.spawn(function() return "there" end)
            quoll.yield()
            assert.equal("there", quoll.deadline(0, done.wait, done))
            assert.same(DEADLINE, { quoll.deadline(0, quoll.sleep, 10) })
        end)
    end)

    it("that is earlier wins, inside and outside", function()
        run(function()
            local inner
            assert.same(DEADLINE, { quoll.deadline(0.005, function()
                inner = { quoll.deadline(10, quoll.sleep, 20) }
            end) })
            assert.is_nil(inner)
            local after
            assert.same({ "outer", "inner" }, { quoll.deadline(10, function()
                inner = { quoll.deadline(0.005, quoll.sleep, 20) }
                quoll.sleep(0)
                after = "inner"
                return "outer", after
            end) })
            assert.same(DEADLINE, inner)
        end)
    end)

    it("reaches tasks that were started inside", function()
        run(function()
            local why
            quoll.deadline(0.005, function()
                quoll.spawn(function()
                    local _, err = pcall(quoll.deadline, 10, quoll.sleep, 20)
                    why = quoll.iscancelled(err)
                end)
            end)
            assert.equal("deadline", why)
        end)
    end)

    it("raises an error rather than the timeout", function()
        run(function()
            local ok, err = pcall(quoll.deadline, 0.002, function()
                pcall(quoll.sleep, 10)
                error("cannot finish", 0)
            end)
            assert.same({ false, "cannot finish" }, { ok, err })
        end)
    end)

    it("used 2,000 times is no swallowing", function()
        run(function()
            for _ = 1, 2000 do
                assert.same(DEADLINE, { quoll.deadline(0, quoll.sleep, 10) })
            end
        end, 20)
    end)

    it("does not hide a swallower", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                local task = quoll.spawn(function()
                    while true do
                        pcall(quoll.deadline, 1, quoll.sleep, 10)
                        pcall(quoll.shield, 1, function() end)
                    end
                end)
                quoll.yield()
                task:cancel()
                task:wait()
                print(task:status())
            end)
        ]]
        assert.equal("cancelled\n", result.out)
        assert.matches("swallowed 1,000", result.err)
    end)
end)

describe("quoll.shield", function()
    helper.gates()

    it("keeps a cancellation out until it is left", function()
        run(function()
            local inside, after
            local task = quoll.spawn(function()
                inside = quoll.shield(nil, function(x)
                    quoll.sleep(0.01)
                    return x
                end, "whole")
                quoll.yield()
                after = true
            end)
            quoll.yield()
            task:cancel()
            assert.same(CANCELLED, { task:wait() })
            assert.same({ "whole" }, { inside, after })
        end)
    end)

    it("lets it in after s seconds", function()
        run(function()
            local why
            local task = quoll.spawn(function()
                quoll.shield(0.005, function()
                    local _, err = pcall(quoll.sleep, 10)
                    why = quoll.iscancelled(err)
                    error(err, 0)
                end)
            end)
            quoll.yield()
            task:cancel("late")
            assert.same(CANCELLED, { task:wait() })
            assert.equal("late", why)
        end)
    end)

    it("that ends without a cancellation changes nothing", function()
        run(function()
            assert.equal("ok", quoll.shield(0.001, function()
                quoll.sleep(0.005)
                return "ok"
            end))
        end)
    end)

    it("between two deadlines keeps out only the outer one", function()
        run(function()
            local inner
            assert.same(DEADLINE, { quoll.deadline(0.001, function()
                quoll.shield(nil, function()
                    inner = { quoll.deadline(0.01, quoll.sleep, 10) }
                end)
                quoll.yield()
            end) })
            assert.same(DEADLINE, inner)
        end)
    end)
end)

describe("a cancellation from outside", function()
    helper.gates()

    it("that cuts a scope's tasks is raised where the scope is left",
        function()
            run(function()
                local reached
                local task = quoll.spawn(function()
                    quoll.scope(function()
                        quoll.spawn(quoll.sleep, 10)
                        return "unseen"
                    end)
                    reached = true
                end)
                quoll.yield()
                quoll.yield()
                task:cancel()
                assert.same(CANCELLED, { task:wait() })
                assert.is_nil(reached)
            end)
        end)

    it("that cuts nothing in a scope leaves its results", function()
        run(function()
            local got
            local task
            task = quoll.spawn(function()
                got = quoll.scope(function()
                    task:cancel()
                    return "result"
                end)
                quoll.yield()
            end)
            assert.same(CANCELLED, { task:wait() })
            assert.equal("result", got)
        end)
    end)
end)
