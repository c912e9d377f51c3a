local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

-- The error with which fn fails, in quoll.traceback's words; as a message
-- handler.
local function explained(fn, ...)
    local ok, text = xpcall(fn, quoll.traceback, ...)
    assert.is_false(ok)
    return text
end

-- Where the patterns are found, one behind the other.
local function in_order(text, patterns)
    local from = 1
    for _, pattern in ipairs(patterns) do
        local first, last = text:find(pattern, from)
        assert.truthy(first, pattern .. " is not in, or not in order:\n"
            .. text)
        from = last + 1
    end
end

local function deep(err) error(err) end
local function child(err) deep(err) end

describe("quoll.traceback", function()
    helper.gates()

    it("tells where a task failed, was spawned and was waited for", function()
        for _, err in ipairs { "broken", {}, print } do
            local text = explained(quoll.run, function()
                local task = quoll.spawn(child, err)
                task:name "child"
                task:wait()
            end)
            in_order(text, {
                type(err) == "string" and "^%S+traceback_spec.lua:%d+: broken\n"
                    or "^%(error object is a " .. type(err) .. " value%)\n",
                "^stack traceback:\n", "in function 'deep'\n",
                "\n\tin task %d+ 'child'\n\tspawned at %S+traceback_spec",
                "\nraised again\nstack traceback:\n",
                "\n\tin task %d+\n\tspawned at", "\nraised again\n",
                "'xpcall'",
            })
        end
    end)

    it("is debug.traceback where no task was waited for", function()
        local text = explained(child, "not in a task")
        in_order(text, { "^%S+traceback_spec.lua:%d+: not in a task\n",
            "^stack traceback:\n",
            "in function 'deep'", "'xpcall'" })
        assert.is_nil(text:find("raised again", 1, true))
        assert.is_nil(text:find("in task", 1, true))
    end)

    it("tells the running task", function()
        run(function()
            in_order(explained(child, "x"), { "'xpcall'", "\n\tin task %d+",
                "\n\tspawned at" })
        end)
    end)

    it("works later, in another task, for an error object", function()
        run(function()
            local thrown = setmetatable({}, {
                __tostring = function() return "its words" end })
            local task = quoll.spawn(child, thrown)
            local ok, err = pcall(task.wait, task)
            assert.is_false(ok)
            assert.equal(thrown, err)
            collectgarbage()
            in_order(quoll.spawn(quoll.traceback, err):wait(),
                { "^its words\nstack traceback:\n", "in function 'deep'",
                    "raised again" })
        end)
    end)

    it("keeps no error object alive", function()
        run(function()
            local weak = setmetatable({}, { __mode = "v" })
            weak[1] = { "an error" }
            local task = quoll.spawn(child, weak[1])
            assert.is_false(pcall(task.wait, task))
            task = nil -- luacheck: ignore
            collectgarbage()
            collectgarbage()
            assert.is_nil(weak[1])
        end)
    end)

    it("keeps the last 16 strings, for the task that got them", function()
        run(function()
            local function fail(name)
                local task = quoll.spawn(error, name, 0)
                assert.same({ false, name }, { pcall(task.wait, task) })
            end
            for i = 1, 17 do
                fail("error " .. i)
            end
            for i = 1, 17 do
                local text = quoll.traceback("error " .. i)
                assert.equal(i > 1, text:find("raised again", 1, true) ~= nil)
            end
            local other = quoll.spawn(quoll.traceback, "error 17"):wait()
            assert.is_nil(other:find("raised again", 1, true))
        end)
    end)

    it("shows any value, and does not fail for one", function()
        local bad = setmetatable({}, {
            __tostring = function() error "again" end })
        for value, words in pairs {
            [5] = "5", [false] = "%(error object is a boolean value%)",
            [bad] = "%(error object cannot be shown%)",
        } do
            assert.matches("^" .. words .. "\nstack traceback:\n",
                quoll.traceback(value))
        end
        assert.matches("^%(error object is a nil value%)\n",
            quoll.traceback())
        assert.matches("\nraised again\n", explained(quoll.run, error))
    end)

    it("returns a cancellation as it is", function()
        run(function()
            local task = quoll.spawn(function()
                local ok, err = xpcall(quoll.sleep, quoll.traceback, 10)
                return ok, quoll.iscancelled(err)
            end)
            quoll.yield()
            task:cancel "why"
            assert.same({ false, "why" }, { task:wait() })
        end)
    end)

    it("does not grow without end", function()
        run(function()
            local function nest(n)
                if n == 0 then
                    error("deep", 0)
                end
                quoll.spawn(nest, n - 1):wait()
            end
            local text = explained(nest, 200)
            in_order(text, { "^deep\nstack traceback:\n", "\nraised again\n" })
            assert.is_true(#text < 16384, #text)
        end)
    end)
end)

describe("task:traceback", function()
    helper.gates()

    it("tells where a live task is", function()
        run(function()
            local task
            local own
            task = quoll.spawn(function()
                own = task:traceback()
                quoll.sleep(0.001)
            end)
            task:name "sleeper"
            assert.matches("^stack traceback:\n\tin task %d+ 'sleeper'\n"
                .. "\tspawned at %S+traceback_spec.lua:%d+\n", task:traceback())
            quoll.yield()
            assert.matches("^stack traceback:\n\t%S+traceback_spec.lua", own)
            in_order(task:traceback(), { "'sleep'", "traceback_spec.lua",
                "'sleeper'", "spawned at" })
            task:wait()
            assert.matches("^stack traceback:\n\tin task", task:traceback())
            local later = quoll.timer.after(10, print)
            assert.matches("^stack traceback:\n\tin task", later:traceback())
            later:cancel()
        end)
    end)

    it("tells of a failed one what failed, and where", function()
        run(function()
            local task = quoll.spawn(child, "broken")
            pcall(task.wait, task)
            in_order(task:traceback(), { "^%S+traceback_spec.lua:%d+: broken\n",
                "in function 'deep'", "in task" })
        end)
    end)
end)

describe("the log", function()
    it("has every task that an error came through", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local function deep() error "broken" end
            quoll.spawn(function()
                quoll.spawn(function() deep() end):wait()
            end):name "outer"
            quoll.run()
        ]]
        assert.matches("task 1 'outer' failed: %S+:2: broken\n\tstack "
            .. "traceback:\n.-in function 'deep'.-\tin task 2\n.-\n\traised "
            .. "again\n.-\tin task 1 'outer'\n\tspawned at %S+:3\n",
            result.err)
    end)
end)

describe("lack of Lua memory at any point of a failure", function()
    it("raises the failure, or that, and no other", function()
        local result = helper.script([[
            local quoll = require "quoll"
            jit.off()
            quoll.configure { log_level = "crit" }
            local thrown, plain, points = {}, 0, 0
            local function fail(err) error(err, 0) end
            local function wait(task) return task:wait() end
            for _, err in ipairs { thrown, "text" } do
                local n, left = 0, 0
                repeat
                    n = n + 1
                    quoll.run(function()
                        local task = quoll.spawn(fail, err)
                        quoll.yield()
                        fail_allocation(n)
                        local ok, got = pcall(wait, task)
                        local text = quoll.traceback(got)
                        left = fail_allocation(0)
                        assert(not ok)
                        if got ~= err then
                            assert(got == "not enough memory", got)
                            plain = plain + 1
                        elseif text ~= err then
                            assert(text:find "stack traceback:\n", text)
                        end
                    end)
                until left > 0
                points = points + n
            end
            print(points > 10, plain)
        ]], {}, { lua = helper.build .. "/bin/quoll-host" })
        assert.matches("^true\t[0-2]\n$", result.out, result.err)
        assert.equal(0, result.code)
    end)
end)
