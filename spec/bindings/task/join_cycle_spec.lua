local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

-- Starts one named task per function; each may refer to the table of them.
local function start(functions)
    local of = {}
    for _, entry in ipairs(functions) do
        local name, fn = entry[1], entry[2]
        of[name] = quoll.spawn(function() return fn(of) end)
        of[name]:name(name)
    end
    return of
end

-- What the error of a wait in a cycle says, ids left out.
local function cycle(task, ...)
    local ok, err = pcall(task.wait, task, ...)
    assert.is_false(ok)
    return (tostring(err):gsub("^.-: a task cannot wait for itself: ", "")
        :gsub("task %d+ ?", ""))
end

describe("a wait in a cycle", function()
    helper.gates()

    it("of two tasks is refused to the second, by both names", function()
        run(function()
            local got
            local of = start {
                { "a", function(all) return all.b:wait() end },
                { "b", function(all)
                    got = cycle(all.a)
                    return "b went on"
                end },
            }
            assert.equal("b went on", of.a:wait())
            assert.equal("'b' -> 'a' -> 'b'", got)
        end)
    end)

    it("of three tasks is refused", function()
        run(function()
            local got
            start {
                { "a", function(all) all.b:wait() end },
                { "b", function(all) all.c:wait() end },
                { "c", function(all) got = cycle(all.a) end },
            }.c:wait()
            assert.equal("'c' -> 'a' -> 'b' -> 'c'", got)
        end)
    end)

    it("of a task for itself or what spawned it is refused", function()
        run(function()
            local got = {}
            start {
                { "a", function(all)
                    got[1] = cycle(all.a)
                    got[2] = cycle(all.a, 0)
                    quoll.spawn(function()
                        got[3] = cycle(all.a)
                    end):name "child"
                end },
            }.a:wait()
            assert.same({ "'a' -> 'a'", "'a' -> 'a'",
                "'child' -> 'a' -> 'child'" }, got)
        end)
    end)

    it("is found through the children of those who wait", function()
        run(function()
            local got
            start {
                { "a", function(all)
                    quoll.spawn(function() all.b:wait() end):name "child"
                end },
                { "b", function(all)
                    quoll.yield()
                    quoll.yield()
                    got = cycle(all.a)
                end },
            }.b:wait()
            assert.equal("'b' -> 'a' -> 'child' -> 'b'", got)
        end)
    end)

    it("is found through what spawned the one that waits", function()
        run(function()
            local got
            start {
                { "b", function(all) all.a:wait() end },
                { "a", function(all)
                    quoll.spawn(function()
                        got = cycle(all.b)
                    end):name "child"
                end },
            }.b:wait()
            assert.equal("'child' -> 'b' -> 'a' -> 'child'", got)
        end)
    end)

    it("is found through a select of one task alone", function()
        run(function()
            local got
            start {
                { "a", function(all) quoll.sync.select { all.b } end },
                { "b", function(all) got = cycle(all.a) end },
            }.b:wait()
            assert.equal("'b' -> 'a' -> 'b'", got)
        end)
    end)

    it("is refused to a select of one task alone", function()
        run(function()
            local got
            start {
                { "a", function(all) all.b:wait() end },
                { "b", function(all)
                    got = select(2, pcall(quoll.sync.select, { all.a }))
                end },
            }.b:wait()
            assert.matches(
                "itself: task %d+ 'b' %-> task %d+ 'a' %-> task %d+ 'b'$", got)
        end)
    end)

    it("is none where a select has more, or a timeout", function()
        run(function()
            local event = quoll.sync.event()
            local of = start {
                { "a", function(all)
                    return quoll.sync.select { b = all.b, event = event }
                end },
                { "b", function(all) return all.a:wait() end },
                { "c", function(all)
                    return quoll.sync.select({ all.d }, 0.001)
                end },
                { "d", function(all) return select(2, all.c:wait()) end },
            }
            tasks.settle()
            event:set()
            assert.equal("event", of.b:wait())
            assert.equal("timeout", of.d:wait())
        end)
    end)

    it("ends by a timeout, and is allowed with one", function()
        run(function()
            local got
            local of = start {
                { "a", function(all) return all.b:wait(0.005) end },
                { "b", function(all)
                    got = { all.a:wait() }
                    return "b"
                end },
            }
            assert.same({ nil, "timeout", "TIMEOUT" }, { of.a:wait() })
            assert.equal("b", of.b:wait())
            assert.same({ nil, "timeout", "TIMEOUT" }, got)
            local parent = quoll.spawn(function()
                local task
                task = quoll.spawn(quoll.yield)
                task:wait()
            end)
            local child = start { { "p", function(all)
                return quoll.spawn(function()
                    return all.p:wait(0)
                end):wait()
            end } }
            assert.same({ nil, "timeout", "TIMEOUT" }, { child.p:wait() })
            parent:wait()
        end)
    end)

    it("is none when a task has ended, or many wait for one", function()
        run(function()
            local ended = quoll.spawn(function() return 1 end)
            ended:wait()
            local one = quoll.spawn(function()
                quoll.sleep(0.01)
                return ended:wait()
            end)
            local all = {}
            for i = 1, 2000 do
                all[i] = quoll.spawn(function() return one:wait() end)
            end
            for i = 1, 2000 do
                assert.equal(1, all[i]:wait())
            end
        end)
    end)
end)
