local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run
local path = helper.root .. "/LICENSE"

-- How a task may end, its function's body behind what it deferred.
local ends = {
    ["return"] = function() return "result" end,
    error = function() error("failed", 0) end,
    cancel = function() quoll.sleep(10) end,
    force = function()
        while true do
            pcall(quoll.sleep, 10)
        end
    end,
    yield = function() coroutine.yield() end,
    child = function()
        quoll.spawn(quoll.sleep, 10)
        error("failed", 0)
    end,
    scope = function()
        quoll.scope(function(s)
            s:spawn(error, "failed", 0)
            quoll.sleep(10)
        end)
    end,
    deadline = function() return quoll.deadline(0.001, quoll.sleep, 10) end,
}

-- Runs prepare and then body as a task, which is cancelled when body would not
-- end; what it ended with: status, then pcall'ed results of wait.
local function ended(prepare, body)
    local prepared = quoll.sync.event()
    local task = quoll.spawn(function()
        prepare()
        prepared:set()
        return body()
    end)
    prepared:wait()
    if body == ends.cancel or body == ends.force then
        task:cancel()
    end
    local result = { pcall(task.wait, task) }
    return task:status(), unpack(result, 1, 3)
end

describe("quoll.defer", function()
    helper.gates()

    it("runs by whatever path the task ends, which keeps its result",
        function()
            local expected = {
                ["return"] = { "done", true, "result" },
                error = { "failed", false, "failed" },
                cancel = { "cancelled", true, nil, "cancelled" },
                force = { "cancelled", true, nil, "ended by force" },
                yield = { "failed", false,
                    "coroutine.yield in a task yields to nobody: "
                        .. "use quoll.yield" },
                child = { "failed", false, "failed" },
                scope = { "failed", false, "failed" },
                deadline = { "done", true, nil, "timeout" },
            }
            for name, body in pairs(ends) do
                local got
                run(function()
                    assert.same(expected[name], { ended(function()
                        quoll.defer(function(...) got = { ... } end, 1, name)
                    end, body) }, name)
                end)
                assert.same({ 1, name }, got)
            end
        end)

    it("runs in one order with the handles, newest first", function()
        for name, body in pairs(ends) do
            local steps, first, second = {}, nil, nil
            local function note(what)
                steps[#steps + 1] = ("%s %s %s"):format(what,
                    first:size() and "open" or "closed",
                    second:size() and "open" or "closed")
            end
            run(function()
                ended(function()
                    quoll.defer(note, "oldest")
                    first = assert(quoll.open(path))
                    quoll.defer(note, "middle")
                    second = assert(quoll.open(path))
                    quoll.defer(note, "newest")
                end, body)
            end)
            assert.same({ "newest open open", "middle open closed",
                "oldest closed closed" }, steps, name)
        end
    end)

    it("may wait, spawn and open, and is not cancelled", function()
        local steps = {}
        run(function()
            local task = quoll.spawn(function()
                quoll.defer(function()
                    steps[#steps + 1] = "second"
                end)
                quoll.defer(function()
                    local file = assert(quoll.open(path))
                    quoll.spawn(function()
                        quoll.sleep(0.002)
                        steps[#steps + 1] = "child " .. file:pread(1, 0)
                    end)
                    quoll.sleep(0.001)
                    steps[#steps + 1] = "first"
                end)
                quoll.sleep(10)
            end)
            quoll.yield()
            task:cancel()
            quoll.yield()
            quoll.yield()
            assert.equal("closing", task:status())
            assert.is_true(task:cancel())
            assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
        end)
        assert.same({ "first", "child M", "second" }, steps)
    end)

    it("runs after the task's children have ended", function()
        local steps = {}
        run(function()
            quoll.spawn(function()
                quoll.defer(table.insert, steps, "deferred")
                quoll.spawn(function()
                    quoll.sleep(0.002)
                    steps[#steps + 1] = "child"
                end)
            end):wait()
        end)
        assert.same({ "child", "deferred" }, steps)
    end)

    it("may defer, and what it defers comes next", function()
        local steps = {}
        run(function()
            quoll.spawn(function()
                quoll.defer(table.insert, steps, "last")
                quoll.defer(function()
                    quoll.defer(table.insert, steps, "nested")
                    steps[#steps + 1] = "first"
                end)
            end):wait()
        end)
        assert.same({ "first", "nested", "last" }, steps)
    end)

    it("passes nil and many arguments, and calls what has a __call", function()
        local n, args
        local object = setmetatable({}, {
            __call = function(_, ...) n, args = select("#", ...), { ... } end })
        run(function()
            quoll.spawn(function() quoll.defer(object, nil, 2, nil) end):wait()
            assert.same({ 3, 2 }, { n, args[2] })
            quoll.spawn(function()
                quoll.defer(object, unpack(args, 1, 3000))
            end):wait()
            assert.equal(3000, n)
        end)
    end)

    it("of a task cancelled before it starts there is none", function()
        run(function()
            local called = false
            local task = quoll.spawn(function()
                quoll.defer(function() called = true end)
            end)
            task:cancel()
            task:wait()
            assert.is_false(called)
        end)
    end)

    it("leaves a returned handle open, to the parent", function()
        run(function()
            local deferred
            local file = quoll.spawn(function()
                local mine = assert(quoll.open(path))
                quoll.defer(function() deferred = mine:pread(1, 0) end)
                return mine
            end):wait()
            assert.equal("M", deferred)
            assert.equal("M", file:pread(1, 0))
        end)
    end)

    it("survives collections, and lets go of what it was given", function()
        local weak = setmetatable({}, { __mode = "k" })
        local called = 0
        run(function()
            quoll.spawn(function()
                for _ = 1, 10 do
                    local object = {}
                    weak[object] = true
                    quoll.defer(function() called = called + #object + 1 end)
                end
                collectgarbage()
                collectgarbage()
            end):wait()
        end)
        collectgarbage()
        collectgarbage()
        assert.equal(10, called)
        assert.is_nil(next(weak))
    end)

    it("is refused in the main chunk and without a function", function()
        local ok, err = pcall(quoll.defer, print)
        assert.is_false(ok)
        assert.matches("quoll.defer in the main chunk", err)
        run(function()
            local wrong
            ok, wrong = pcall(function() quoll.defer(5) end)
            assert.is_false(ok)
            assert.matches("defer_spec.lua:%d+: bad argument 'fn' to 'defer' "
                .. "%(a function expected, got 5", wrong)
        end)
    end)

    it("works in a coroutine within the task, and inside require", function()
        local steps = {}
        package.preload["spec.deferring"] = function()
            quoll.defer(table.insert, steps, "require")
            quoll.yield()
            return true
        end
        finally(function()
            package.preload["spec.deferring"] = nil
            package.loaded["spec.deferring"] = nil
        end)
        run(function()
            quoll.spawn(function()
                coroutine.wrap(quoll.defer)(table.insert, steps, "plain")
                require "spec.deferring"
                steps[#steps + 1] = "end"
            end):wait()
        end)
        assert.same({ "end", "require", "plain" }, steps)
    end)
end)

describe("a deferred call that fails", function()
    it("is logged with its traceback, and the others run", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local function deep() error "broken" end
            local function stubborn()
                quoll.scope(function(s)
                    s:cancel()
                    while true do pcall(quoll.sleep, 1) end
                end)
            end
            local task = quoll.spawn(function()
                quoll.defer(print, "oldest")
                quoll.defer(function() deep() end)
                quoll.defer(coroutine.yield)
                quoll.defer(error, {})
                quoll.defer(stubborn)
                quoll.defer(function() local x = nil; x() end)
                quoll.defer(print, "newest")
                error("its own", 0)
            end)
            task:name "worker"
            print(pcall(task.wait, task))
            quoll.run()
        ]]
        assert.equal("newest\noldest\nfalse\tits own\n", result.out,
            result.err)
        local failed = "task 1 'worker': a deferred function failed: "
        local from = 1
        for _, text in ipairs { "[^\n]*attempt to call", "swallowed 1,000",
            "%(error object is a table value%)", "coroutine.yield in a task",
            "[^\n]*:2: broken\n\tstack traceback:\n.-in function 'deep'" } do
            local _, last = result.err:find(failed .. text, from)
            assert.truthy(last, text .. " is not in\n" .. result.err)
            from = last
        end
        assert.equal(0, result.code)
    end)
end)

describe("deferred calls of tasks that are alive", function()
    it("at the end of the script are not run", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.spawn(function()
                quoll.defer(print, "not run")
                quoll.sleep(10)
            end)
            quoll.spawn(function()
                quoll.defer(print, "not reached")
                quoll.defer(quoll.sleep, 10)
            end)
            quoll.sleep(0.001)
        ]]
        assert.equal("", result.out)
        assert.matches("2 tasks were alive", result.err)
        assert.equal(0, result.code)
    end)

    it("run when a signal cancels them", function()
        local child = helper.start [[
            io.stdout:setvbuf "line"
            local quoll = require "quoll"
            print(quoll.run(function()
                quoll.defer(function()
                    quoll.sleep(0.001)
                    print "deferred"
                end)
                print "ready"
                quoll.sleep(10)
            end))
        ]]
        assert.equal("ready", child:line())
        child:kill(15)
        local result = helper.finish_script(child)
        assert.equal("deferred\nnil\tcancelled\tCANCELLED\n", result.out)
    end)
end)

describe("lack of Lua memory at any point of a deferred call", function()
    it("is an error, and nothing is left over", function()
        local result = helper.script([[
            local quoll = require "quoll"
            jit.off()
            quoll.configure { log_level = "crit" }
            local called, wrong, points = 0, 0, 0
            local function call()
                quoll.yield()
                called = called + 1
            end
            local function work() quoll.defer(call) end
            local n, left = 0, 0
            repeat
                n, called = n + 1, 0
                local task = quoll.spawn(work)
                fail_allocation(n)
                local ok = pcall(task.wait, task)
                left = fail_allocation(0)
                quoll.run()
                points = points + (called == 0 and 1 or 0)
                wrong = wrong + (called > 1 and 1 or 0)
            until left > 0
            local stats = quoll.stats()
            print(called, wrong, points > 3, stats.tasks.live,
                stats.loop.posted)
        ]], {}, { lua = helper.build .. "/bin/quoll-host" })
        assert.equal("1\t0\ttrue\t0\t0\n", result.out, result.err)
        assert.equal(0, result.code)
    end)
end)
