local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local core = require "quoll.core"
local sync = require "quoll.sync"

local BERTHS = 64 -- coroutines that are kept; further tasks have their own

-- n tasks that nobody was given, each with a handle of its own, parked until
-- go is closed; then fn(i) runs in the i-th.
local function start(n, go, fn)
    for i = 1, n do
        core.serve_one(function()
            go:receive()
            fn(i)
        end, sync.channel())
    end
    tasks.settle()
end

-- The live tasks, by their ids.
local function by_id()
    local list = {}
    for _, task in ipairs(quoll.tasks()) do
        list[task.id] = task
    end
    return list
end

-- A program in which two more such tasks run than there are berths: body, for i
-- from 1 to 66.
local function program(body)
    return helper.script([[
            local quoll = require "quoll"
            local core = require "quoll.core"
            local sync = require "quoll.sync"
            quoll.run(function()
                for i = 1, 66 do
                    core.serve_one(function()
                        ]] .. body .. [[

                    end, sync.channel())
                end
            end)
        ]])
end

describe("a task that nobody was given", function()
    helper.gates()

    it("is what quoll.current gives, the same each time", function()
        tasks.run(function()
            local go, held, same = sync.channel(), {}, 0
            start(2 * BERTHS, go, function(i)
                held[i] = quoll.current()
                collectgarbage()
                same = same + (quoll.current() == held[i] and 1 or 0)
                held[i]:name("handler " .. i)
                quoll.yield()
            end)
            collectgarbage()
            go:close()
            quoll.yield()
            quoll.yield()
            assert.equal(2 * BERTHS, same)
            for i, task in ipairs(held) do
                assert.equal("handler " .. i, task:name())
                task:wait()
                assert.equal("done", task:status())
                assert.matches("^task %d+ 'handler " .. i .. "' %(done%)$",
                    tostring(task))
            end
        end)
    end)

    it("is listed with the chain of who serves", function()
        tasks.run(function()
            local go, own = sync.channel(), quoll.current()
            local before = by_id()
            start(2 * BERTHS, go, function() end)
            local n = 0
            for id, task in pairs(by_id()) do
                if not before[id] then
                    n = n + 1
                    assert.equal("waiting", task.state)
                    assert.equal(own:id(), task.parent)
                    assert.matches("outcome_spec", task.where)
                end
            end
            assert.equal(2 * BERTHS, n)
            for _ = 1, 3 do -- with their userdata by now
                collectgarbage()
                quoll.yield()
            end
            go:close()
        end)
    end)

    it("has children, which know where they come from", function()
        local result = program [[if i > 64 then
                            quoll.spawn(error, "broken " .. i, 0):name "child"
                        end]]
        assert.equal(0, result.code)
        for i = 65, 66 do
            assert.matches("'child' failed: broken " .. i .. "\n"
                .. "\tstack traceback:\n[^\n]+\n"
                .. "\tin task %d+ 'child'\n\tspawned at %S+:8\n"
                .. "\tspawned at %S+:4\n", result.err)
        end
    end)

    it("is told of in the log when it fails", function()
        local result = program [[quoll.yield()
                        assert(i > 1 and i < 66, "broken")]]
        for _, id in ipairs { 2, 67 } do -- 1 is quoll.run's
            assert.matches(("task %d failed: %%S+ broken\n\tstack traceback:\n"
                .. "[^\n]+\n[^\n]+\n\tin task %d\n\tspawned at %%S+:4\n")
                :format(id, id), result.err)
        end
    end)

    it("has the locals of who serves", function()
        tasks.run(function()
            local go, got = sync.channel(), {}
            quoll.locals.who = "server"
            start(2, go, function(i)
                got[i] = quoll.locals.who
                quoll.locals.who = i
                got[i + 2] = quoll.locals.who
            end)
            quoll.locals.who = nil
            start(1, go, function()
                quoll.locals.own = 7
                got[5] = quoll.locals.own
            end)
            go:close()
            quoll.yield()
            assert.same({ "server", "server", 1, 2, 7 }, got)
        end)
    end)

    it("ends its handle, and is cancelled with its parent", function()
        tasks.run(function()
            local handle, other = sync.channel(), sync.channel()
            core.serve_one(function() end, handle)
            local parent = quoll.spawn(function()
                core.serve_one(function() quoll.sleep(9) end, other)
                quoll.sleep(9)
            end)
            quoll.yield()
            assert.equal("OWNER_ENDED", select(3, handle:receive()))
            parent:cancel()
            pcall(parent.wait, parent)
            assert.equal("OWNER_ENDED", select(3, other:receive()))
        end)
    end)

    it("may be ended by a finaliser while it is listed", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local core = require "quoll.core"
            local sync = require "quoll.sync"
            collectgarbage "setpause" collectgarbage("setstepmul", 10000)
            local n, ended = 0, 0
            local function wait() quoll.sleep(9) end
            quoll.run(function()
                for round = 1, 40 do
                    local scope = quoll.spawn(function()
                        for _ = 1, 70 do
                            core.serve_one(wait, sync.channel())
                        end
                        quoll.sleep(9)
                    end)
                    quoll.yield()
                    local proxy = newproxy(true)
                    getmetatable(proxy).__gc = function()
                        ended = ended + 1
                        scope:cancel()
                    end
                    proxy = nil
                    n = n + #quoll.tasks()
                    scope:cancel()
                    pcall(scope.wait, scope)
                end
            end)
            print(n > 40, ended > 0)
        ]]
        assert.equal("", result.err)
        assert.equal("true\ttrue\n", result.out)
    end)

    it("is no task without a handle", function()
        assert.has_error(function()
            core.serve_one(function() end, {})
        end, "bad argument 'conn' to 'serve' (a handle expected, got table)")
    end)
end)
