local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

describe("task:cancel", function()
    helper.gates()

    it("before the start keeps the function from being called", function()
        run(function()
            local called = false
            local task = quoll.spawn(function() called = true end)
            assert.equal("starting", task:status())
            assert.is_true(task:cancel())
            assert.equal("cancelled", task:status())
            quoll.yield()
            assert.is_false(called)
        end)
    end)

    it("raises where the task waits, with the reason", function()
        run(function()
            local why, caught
            local task = quoll.spawn(function()
                local ok, err = pcall(quoll.sleep, 10)
                caught, why = not ok, quoll.iscancelled(err)
                error(err, 0)
            end)
            quoll.yield()
            assert.is_true(task:cancel("no more need"))
            assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
            assert.is_true(caught)
            assert.equal("no more need", why)
        end)
    end)

    it("takes any value for a reason", function()
        run(function()
            local reason, why = {}, nil
            local task = quoll.spawn(function()
                local _, err = pcall(quoll.sleep, 10)
                why = quoll.iscancelled(err)
            end)
            quoll.yield()
            task:cancel(reason)
            task:wait()
            assert.equal(reason, why)
        end)
    end)

    it("raises at each further wait", function()
        run(function()
            local raised = 0
            local task = quoll.spawn(function()
                for _ = 1, 5 do
                    local _, err = pcall(quoll.sleep, 0)
                    raised = raised + (quoll.iscancelled(err) and 1 or 0)
                end
                return "swallowed"
            end)
            quoll.yield()
            task:cancel()
            assert.equal("swallowed", task:wait())
            assert.equal(5, raised)
            assert.equal("done", task:status())
        end)
    end)

    it("reaches a task that waits for a child, and the child", function()
        run(function()
            local child
            local task = quoll.spawn(function()
                child = quoll.spawn(quoll.sleep, 10)
                child:wait()
            end)
            quoll.yield()
            quoll.yield()
            task:cancel()
            assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
            assert.equal("cancelled", child:status())
        end)
    end)

    it("twice keeps the first reason", function()
        run(function()
            local why
            local task = quoll.spawn(function()
                local _, err = pcall(quoll.sleep, 10)
                why = quoll.iscancelled(err)
            end)
            quoll.yield()
            assert.is_true(task:cancel("first"))
            assert.is_true(task:cancel("second"))
            task:wait()
            assert.equal("first", why)
        end)
    end)

    it("after the end is false", function()
        run(function()
            local task = quoll.spawn(function() return 1 end)
            task:wait()
            assert.is_false(task:cancel())
            assert.equal("done", task:status())
        end)
    end)

    it("of itself raises at the next wait", function()
        run(function()
            local task
            local reached, after = false, false
            task = quoll.spawn(function()
                task:cancel("enough")
                reached = true
                quoll.yield()
                after = true
            end)
            assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
            assert.same({ true, false }, { reached, after })
        end)
    end)

    it("does not take a result that has come already", function()
        run(function()
            local got
            local child = quoll.spawn(function() return "result" end)
            local task = quoll.spawn(function()
                got = child:wait()
                quoll.yield()
            end)
            quoll.yield()
            child:wait()
            task:cancel()
            task:wait()
            assert.equal("result", got)
        end)
    end)

    it("of a parent that has returned cancels its children", function()
        run(function()
            local child, why
            local parent = quoll.spawn(function()
                child = quoll.spawn(function()
                    local _, err = pcall(quoll.sleep, 10)
                    why = quoll.iscancelled(err)
                    error(err, 0)
                end)
                return "returned"
            end)
            quoll.yield()
            quoll.yield()
            assert.equal("closing", parent:status())
            parent:cancel("all of you")
            assert.equal("returned", parent:wait())
            assert.equal("cancelled", child:status())
            assert.equal("all of you", why)
        end)
    end)

    it("reaches a read under way", function()
        local path = tasks.file(("x"):rep(100000))
        finally(function() os.remove(path) end)
        run(function()
            local got
            local file = assert(quoll.open(path, "rd"))
            local task = quoll.spawn(function() got = file:pread(4096, 1) end)
            tasks.settle()
            task:cancel()
            task:wait()
            assert.is_nil(got)
            assert.equal("xx", file:pread(2, 5))
        end)
    end)
end)

describe("a cancellation", function()
    helper.gates()

    it("is told from other errors", function()
        for _, e in ipairs { "cancelled", {}, 1, false } do
            assert.is_nil(quoll.iscancelled(e))
        end
        assert.is_nil(quoll.iscancelled(nil))
        assert.is_nil(quoll.iscancelled())
    end)

    it("without a why, or with false, tells a why that is true", function()
        for _, method in ipairs { "task", "scope" } do
            for _, why in ipairs { nil, false } do
                local told
                run(function()
                    local _, _, code = quoll.scope(function(s)
                        local task = s:spawn(function()
                            local _, err = pcall(quoll.sleep, 10)
                            told = quoll.iscancelled(err)
                        end)
                        quoll.yield();
                        (method == "task" and task or s):cancel(why)
                    end)
                    assert.equal(method == "scope" and "CANCELLED" or nil, code)
                end)
                assert.equal("cancelled", told)
            end
        end
    end)

    it("has a text", function()
        local text
        run(function()
            local task = quoll.spawn(function()
                local _, err = pcall(quoll.sleep, 10)
                text = tostring(err)
            end)
            quoll.yield()
            task:cancel("why")
        end)
        assert.equal("cancelled: why", text)
    end)

    it("swallowed 1,000 times ends the task by force and names it",
        function()
            local result = helper.script [[
                local quoll = require "quoll"
                quoll.run(function()
                    local n = 0
                    local task = quoll.spawn(function()
                        while true do
                            pcall(quoll.sleep, 10)
                            n = n + 1
                        end
                    end)
                    task:name "stubborn"
                    quoll.yield()
                    task:cancel()
                    print(task:wait())
                    print(n, task:status())
                end)
            ]]
            assert.equal("nil\tended by force\tFORCED\n1000\tcancelled\n",
                result.out)
            assert.matches("task 2 'stubborn' failed: swallowed 1,000 "
                .. "cancellations and was ended by force", result.err)
            assert.equal(0, result.code)
        end)
end)
