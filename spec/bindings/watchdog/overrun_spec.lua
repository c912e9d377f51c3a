local helper = require "spec.helper"

-- A script's output and its log. job(source): a function of chunk "job", so
-- that places are "job:LINE". overrun(fn): a task of it is run to its end.
local function run(source, opts)
    local result = helper.script([[
        io.stdout:setvbuf "line"
        local ffi = require "ffi"
        local quoll = require "quoll"
        local function watch(warn, max)
            quoll.configure { slice_warn = warn or 0, slice_max = max or 0 }
        end
        local function job(source)
            return assert(loadstring(source, "=job"))
        end
        local served = 0
        local function overrun(fn, name)
            local task = quoll.spawn(fn)
            task:name(name or "runaway")
            local before = served
            local ok, err = pcall(task.wait, task)
            while served == before do quoll.yield() end
            return ok, err
        end
        quoll.run(function()
            local neighbour = quoll.spawn(function()
                while true do served = served + 1 quoll.sleep(0) end
            end)
            ]] .. source .. [[

            neighbour:cancel()
        end)
    ]], nil, opts)
    assert.equal(0, result.code, result.err)
    return result.out, result.err
end

local function count(text, pattern)
    return select(2, text:gsub(pattern, ""))
end

-- How often the log names the task. On a loaded machine any other, put aside by
-- the kernel in mid-slice, may be named too.
local function told(log)
    return count(log, "'runaway' has kept the loop")
end

-- What keeps the loop for ever, with the line where it does.
local endless = {
    { "on one line", "local x = 0 while true do x = x + 1 end", 1 },
    { "empty", "\nwhile true do end", 2 },
    { "with goto", "::a::\ngoto a", "[12]" },
    { "on several lines", [[
        local x = 0
        while true do
            x = x + 1
            if x % 2 == 0 then
                x = x + 2
            end
        end]], "[2-7]" },
    { "of a for", "\n\nfor i = 1, 1e18 do end", 3 },
    { "of tail calls",
        "local function f(n)\n return f(n + 1)\n end\n return f(1)", "[12]" },
    { "that is not compiled",
        "jit.off(true, true)\nlocal x = 0\nwhile true do x = x + 1 end", 3 },
    { "with backtracking", [[
        local s = ("a"):rep(20) .. "b"
        while true do local _ = s:find ".-.-.-.-b.-c" end]], 2 },
    { "of calls of C", "while true do require('ffi').C.usleep(1000) end", 1 },
    { "with a comparator", [[
        local t = {}
        for i = 1, 1000 do t[i] = i end
        while true do table.sort(t, function(a, b) return a < b end) end]],
        "[23]" },
    { "inside string.gsub", [[
        (("x"):rep(100)):gsub(".", function()
            while true do end
        end)]], 2 },
    { "in a coroutine", [[
        coroutine.wrap(function()
            while true do end
        end)()]], 2 },
    { "of coroutines", [[
        local co = coroutine.wrap(function()
            while true do coroutine.yield() end
        end)
        while true do co() end]], "[24]" },
    { "of allocations", "local t\nwhile true do t = { t = {} } end", 2 },
    { "of strings", "\nwhile true do local _ = 'x' .. math.random() end", 2 },
    { "that compiles", [[
        local text = "return 1"
        while true do local _ = loadstring(text) end]], 2 },
}

local function source_of(case)
    return ("overrun(job(%q))"):format(case[2])
end

describe("slice_warn", function()
    for _, case in ipairs(endless) do
        it("names a loop " .. case[1], function()
            local _, log = run("ffi.cdef 'int usleep(unsigned)' "
                .. "watch(0.02, 0.04) " .. source_of(case))
            assert.matches("%[warn%] %d+: task 3 'runaway' has kept the loop "
                .. "for %d+%.%d+ s, [%l C]+ job:" .. case[3], log)
            assert.equal(1, told(log), log)
        end)
    end

    it("says where a C function was called that took too long", function()
        local _, log = run [[
            watch(0.02)
            overrun(job "local function f()\nos.execute 'sleep 0.1'\nend\nf()")
        ]]
        assert.matches("has kept the loop for %d+%.%d+ s, by a C function "
            .. "called at or before job:3 < job:4; seen in [^\n]+\n", log)
    end)

    for name, how in pairs {
        ["that ends its task"] = "",
        ["in a coroutine"] = "quoll.coroutine.wrap",
    } do
        it("names a task whose last call is a C function " .. name, function()
            local out, log = run([[
                watch(0.02)
                local text = ("a"):rep(12000)
                print(overrun(]] .. how .. [[(function()
                    return text:find ".-b"
                end)))
                print(quoll.stats().tasks.overruns > 0)
            ]])
            assert.equal("true\tnil\ntrue\n", out)
            assert.matches("task %d+ 'runaway' has kept the loop for %d+%.%d+ "
                .. "s, by a C function called ", log)
            assert.equal(1, told(log), log)
        end)
    end

    it("names each slice once, and lets it go on", function()
        local out, log = run [[
            watch(0.02)
            print(overrun(function()
                for _ = 1, 3 do
                    local t = os.clock()
                    while os.clock() - t < 0.06 do end
                    quoll.sleep(0)
                end
            end))
            print(quoll.stats().tasks.overruns >= 3)
        ]]
        assert.equal("true\tnil\ntrue\n", out)
        assert.equal(3, told(log), log)
    end)

    it("shows five functions of the stack, out of a coroutine", function()
        local _, log = run [[
            watch(0.01, 0.02)
            overrun(job("local function f(n)\n"
                .. "if n > 0 then return (f(n - 1)) end\nwhile true do end\n"
                .. "end\ncoroutine.wrap(function() f(2) end)()"))
        ]]
        assert.matches("[%l C]+ job:3 < job:2 < job:2 < job:5 < job:5[;\n]",
            log)
    end)

    it("counts a slice from where the task came back", function()
        local _, log = run [[
            watch(0.1)
            overrun(function()
                for _ = 1, 40 do
                    local t = os.clock()
                    while os.clock() - t < 0.005 do end
                    quoll.yield()
                end
            end)
        ]]
        assert.equal("", log)
    end)
end)

describe("the slice in which a failure is shown", function()
    local FAIL = [[
        local function fail(text)
            local task = quoll.spawn(error,
                setmetatable({}, { __tostring = job(text) }))
            task:name "runaway"
            repeat quoll.sleep(0) until task:status() == "failed"
        end
    ]]
    local HIDDEN = "task 3 'runaway' failed: %(error object cannot be shown%)\n"

    it("is named", function()
        local _, log = run(FAIL .. [[
            watch(0.02)
            fail("local t = os.clock()\nwhile os.clock() - t < 0.3 do end\n"
                .. "return 'x'")
        ]])
        assert.matches("%[warn%] %d+: task 3 'runaway' has kept the loop "
            .. "for %d+%.%d+ s, [%l C]+ job:2", log)
        assert.matches("task 3 'runaway' failed: x\n", log)
        assert.equal(1, told(log), log)
    end)

    it("is stopped, also when it swallows that", function()
        local out, log = run(FAIL .. [[
            watch(0, 0.02)
            fail "while true do end"
            fail "while true do pcall(function() while true do end end) end"
            print(quoll.stats().tasks.overruns >= 2)
        ]])
        assert.equal("true\n", out)
        assert.matches(HIDDEN, log)
        assert.matches((HIDDEN:gsub("3", "4")), log)
    end)

    it("is stopped where a function is told of the failure", function()
        local out, log = run [[
            watch(0, 0.02)
            require("quoll.core").on_failure(function() while true do end end)
            local task = quoll.spawn(error, "x", 0)
            repeat quoll.sleep(0) until task:status() == "failed"
            print(quoll.stats().tasks.overruns >= 1)
        ]]
        assert.equal("true\n", out)
        assert.matches("task 3 failed; its error cannot be shown\n", log)
    end)
end)

describe("where no hook runs", function()
    local DEAF = " has kept the loop for %d+ ms, where it can neither be asked "
        .. "nor stopped: in a C function, a finaliser or a hook; seen in "

    it("the task is told of on stderr, with where it was spawned", function()
        local _, log = run [[
            watch(0.005)
            overrun(function() os.execute "sleep 0.3" end)
        ]]
        assert.matches("^quoll: task 3 'runaway' %(spawned at %S+:%d+%)" .. DEAF
            .. "[^\n]+\n[^\n]+by a C function called at or before", log)
    end)

    it("the C function is told of, then and when it has returned", function()
        local _, log = run [[
            local inject = require("spec.support.native").inject
            watch(0.005)
            overrun(function() inject.ql_probe_spin(1e8) end)
        ]]
        local code = "ql_probe_spin %(/%S+/libquoll%-inject%.so%+0x%x+%)\n"
        assert.matches("^quoll: task 3 'runaway' %(spawned at %S+:%d+%)" .. DEAF
            .. code .. "[^\n]+by a C function called at or before [^\n]+; seen "
            .. "in " .. code, log)
    end)

    it("the task is told of by the name that it has", function()
        local _, log = run [[
            watch(0.005)
            overrun(function()
                quoll.current():name "first"
                quoll.sleep(0)
                quoll.current():name(("a\nb"):rep(100))
                os.execute "sleep 0.3"
            end)
            overrun(function()
                quoll.current():name "search"
                quoll.spawn(quoll.sleep, 0)
                quoll.sleep(0.001)
                os.execute "sleep 0.3"
            end)
        ]]
        for _, name in ipairs { "a", "search" } do
            assert.matches("quoll: task %d+ '" .. name
                .. "' %(spawned at %S+:%d+%)" .. DEAF, log)
        end
    end)

    it("a task that ends with the C function has done its work", function()
        local out, log = run [[
            watch(0.005, 0.01)
            print(overrun(function() return os.execute "sleep 0.3" end))
        ]]
        assert.equal("true\t0\n", out)
        assert.matches("called last of all; spawned at", log)
    end)
end)

describe("slice_max", function()
    for _, case in ipairs(endless) do
        it("stops a loop " .. case[1], function()
            local out = run("ffi.cdef 'int usleep(unsigned)' watch(nil, 0.02) "
                .. "print(" .. source_of(case) .. ")")
            assert.matches("^false\tjob:%d+: time slice exceeded "
                .. "%(slice_max = 0%.02 s%)\n$", out)
        end)
    end

    it("raises a value that can be told apart", function()
        local out = run [[
            watch(nil, 0.02)
            local _, e = overrun(job "while true do end")
            print(type(e), e.code, e.slice_max, e.where,
                quoll.iscancelled(e) == nil)
        ]]
        assert.equal("table\tSLICE\t0.02\tjob:1\ttrue\n", out)
    end)

    it("lets the task go on that catches it and waits", function()
        local out = run [[
            watch(nil, 0.02)
            print(overrun(function()
                for _ = 1, 5 do
                    local ok, e = pcall(job "while true do end")
                    assert(not ok and e.code == "SLICE")
                    quoll.sleep(0)
                end
                return "through"
            end))
        ]]
        assert.equal("true\tthrough\n", out)
    end)

    for _, case in ipairs {
        { "pcall",
            "while true do pcall(function() while true do end end) end" },
        { "pcalls in pcalls",
            "while true do pcall(pcall, pcall, function() "
            .. "while true do pcall(error) end end) end" },
        { "xpcall", "while true do xpcall(function() while true do end end, "
            .. "debug.traceback) end" },
        { "coroutines", "while true do coroutine.resume(coroutine.create("
            .. "function() while true do end end)) end" },
    } do
        it("ends by force what swallows it by " .. case[1], function()
            local out, log
            repeat -- an error that comes between two calls ends the loop
                out, log = run(([[
                    watch(nil, 0.02)
                    print(overrun(job %q))
                ]]):format(case[2]))
            until not out:find("time slice exceeded", 1, true)
            assert.equal("true\tnil\n", out)
            assert.matches("%[error%] %d+: task 3 '?runaway'? failed: exceeded "
                .. "slice_max, swallowed the error 3 times and was ended by "
                .. "force\n\tstack traceback:\n.-\tjob:1:", log)
        end)
    end

    it("gets through a C function that cannot yield", function()
        local out = run [[
            watch(nil, 0.02)
            print(overrun(job("local t = {} for i = 1, 100 do t[i] = i end\n"
                .. "table.sort(t, function() while true do pcall(function() "
                .. "while true do end end) end end)")))
        ]]
        assert.matches("^false\tjob:2: time slice exceeded", out)
    end)

    it("stops what a finaliser began once that has ended", function()
        local out = run [[
            watch(nil, 0.02)
            print(overrun(job("local p = newproxy(true)\n"
                .. "getmetatable(p).__gc = function()\n"
                .. "local t = os.clock()\n"
                .. "while os.clock() - t < 0.1 do end\nend\n"
                .. "p = nil\ncollectgarbage()\nwhile true do end")))
        ]]
        assert.matches("^false\tjob:[78]: time slice exceeded", out)
    end)
end)
