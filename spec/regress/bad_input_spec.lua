-- What a script can do wrong in a task: the one that does it fails, or is
-- told; the process goes on, and so do its other tasks.
local helper = require "spec.helper"

-- Runs the script with a task beside it that must go on to the end of the
-- run, and with `bad(fn, ...)`: fn(...) as a task, its pcall'ed results.
local function beside(script, opts)
    local result = helper.script([[
        local quoll = require "quoll"
        local done, ticks
        function bad(fn, ...)
            local task = quoll.spawn(fn, ...)
            return pcall(task.wait, task)
        end
        local ticker = quoll.spawn(function()
            ticks = 0
            repeat
                ticks = ticks + 1
                quoll.sleep(0.001)
            until done
            return ticks
        end)
        quoll.run(function()
            ]] .. script .. [[

            done = true
        end)
        print("goes on", ticker:status(), ticker:wait() > 0)
        local stats = quoll.stats()
        print(stats.tasks.live, stats.loop.timers, stats.connections.live)
    ]], { helper.root .. "/LICENSE" }, opts)
    assert.is_nil(result.signal, result.err)
    assert.equal(0, result.code, result.err)
    local out, rest = result.out:match "^(.*)(goes on.*)$"
    assert.equal("goes on\tdone\ttrue\n0\t0\t0\n", rest, result.err)
    return out, result.err
end

describe("the process goes on after", function()
    it("a task is cancelled twice, and after its end", function()
        assert.equal("true\ttrue\nnil\tcancelled\tCANCELLED\nfalse\n",
            (beside [[
                local task = quoll.spawn(quoll.sleep, 10)
                quoll.yield()
                print(task:cancel(), task:cancel "again")
                print(task:wait())
                print(task:cancel())
            ]]))
    end)

    it("a task cancels itself, running or closing", function()
        assert.equal("nil\tcancelled\tCANCELLED\nresult\n", (beside [[
            local task
            task = quoll.spawn(function()
                task:cancel()
                task:cancel()
                quoll.sleep(10)
            end)
            print(task:wait())
            task = quoll.spawn(function()
                quoll.spawn(function() task:cancel() quoll.sleep(10) end)
                return "result"
            end)
            print(task:wait())
        ]]))
    end)

    it("tasks wait for themselves or each other", function()
        local out = beside [[
            local a, b
            a = quoll.spawn(function() return pcall(a.wait, a) end)
            print(a:wait())
            a = quoll.spawn(function() return b:wait() end)
            b = quoll.spawn(function() return a:wait() end)
            a:name "a"
            b:name "b"
            print(pcall(a.wait, a))
            print(pcall(b.wait, b))
        ]]
        local words = "a task cannot wait for itself: "
        assert.matches("^false\t.-" .. words .. "task 3 %-> task 3\n"
            .. "false\t.-" .. words .. "task 5 'b' %-> task 4 'a' %-> "
            .. "task 5 'b'\nfalse\t.-" .. words, out)
    end)

    it("a finaliser yields or waits", function()
        local out = beside [[
            for _, fn in ipairs { coroutine.yield, quoll.yield,
                function() quoll.sleep(0.001) end,
                function() quoll.spawn(quoll.yield):wait() end,
                function() quoll.open(arg[1]) end } do
                print(bad(function()
                    getmetatable(newproxy(true)).__gc = fn
                    collectgarbage()
                    collectgarbage()
                    return "none"
                end))
            end
        ]]
        local _, yields = out:gsub("false\tattempt to yield across", "")
        local _, waits = out:gsub("false\t[^\n]*cannot wait inside "
            .. "collectgarbage: a C function that cannot yield", "")
        assert.same({ 1, 4 }, { yields, waits }, out)
    end)

    it("tasks fail with objects, nil and what cannot be shown", function()
        local out, err = beside [[
            local bad = setmetatable({}, {
                __tostring = function() error "no words" end })
            local object = {}
            for _, value in ipairs { object, bad, false, 5 } do
                local task = quoll.spawn(error, value, 0)
                local ok, got = pcall(task.wait, task)
                print(ok, rawequal(got, value))
                quoll.spawn(error, value, 0)
            end
            print(pcall(function() quoll.spawn(error):wait() end))
            quoll.spawn(error):detach()
        ]]
        assert.equal(("false\ttrue\n"):rep(4) .. "false\tnil\n", out)
        for _, words in ipairs { "object is a table value",
            "object cannot be shown", "object is a boolean value",
            "object is a nil value", "failed: 5\n" } do
            assert.truthy(err:find(words, 1, true), words .. "\n" .. err)
        end
    end)

    it("an error in __gc, and one in __tostring of that", function()
        local out, err = beside [[
            local thrown = setmetatable({}, {
                __tostring = function() error "no words" end })
            local function garbage(value)
                getmetatable(newproxy(true)).__gc = function()
                    error(value, 0)
                end
                collectgarbage()
                collectgarbage()
            end
            print(select(2, bad(garbage, "text")))
            print(rawequal(select(2, bad(garbage, thrown)), thrown))
            quoll.spawn(garbage, thrown)
        ]]
        assert.equal("text\ntrue\n", out)
        assert.matches("failed: %(error object cannot be shown%)", err)
    end)

    it("a stack overflow, waited for, logged and explained", function()
        local out, err = beside [[
            local function over() return 1 + over() end
            local function waiting() quoll.yield() return 1 + waiting() end
            local function chain(n)
                return n == 0 and over() or quoll.spawn(chain, n - 1):wait()
            end
            print(bad(over))
            print(bad(waiting))
            print(bad(chain, 5))
            print((select(2, bad(function()
                return select(2, xpcall(over, quoll.traceback))
            end)):match "stack overflow.-\n?[^\n]*"))
            quoll.spawn(over)
        ]]
        local _, times = out:gsub("stack overflow", "")
        assert.equal(4, times, out)
        -- With a hook LuaJIT leaves a message handler no room.
        assert.is_true(helper.collecting
            or out:find("stack traceback:", 1, true) ~= nil, out)
        assert.matches("task %d+ failed: [^\n]*stack overflow\n\tstack "
            .. "traceback:\n", err)
    end)

    it("a task has used all memory", function()
        local out = beside([[
            collectgarbage()
            limit_memory(16 * 1024 * 1024)
            local function hoard()
                local all = {}
                while true do
                    all[#all + 1] = ("x"):rep(100000) .. #all
                    quoll.yield()
                end
            end
            for _ = 1, 3 do
                print(bad(hoard))
                collectgarbage()
            end
            local hoarder = quoll.spawn(hoard)
            repeat
                quoll.sleep(0.001)
            until hoarder:status() == "failed"
            collectgarbage()
            limit_memory(0)
        ]], { lua = helper.build .. "/bin/quoll-host" })
        assert.equal(("false\tnot enough memory\n"):rep(3), out)
    end)

    it("a task yields to nobody", function()
        local words = "coroutine.yield in a task yields to nobody"
        local out, err = beside [[
            print(bad(coroutine.yield, 1, {}))
            quoll.spawn(coroutine.yield)
        ]]
        assert.matches("^false\t" .. words, out)
        assert.matches(words .. ".-\n\tspawned at", err)
    end)

    it("a hook raises between and during waits", function()
        local out = beside [[
            print(bad(function()
                debug.sethook(function()
                    debug.sethook()
                    error("in a hook", 0)
                end, "", 100)
                for _ = 1, 1e5 do quoll.yield() end
            end))
        ]]
        assert.equal("false\tin a hook\n", out)
    end)
end)
