local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local exec = quoll.process.exec
local ffi = helper.ffi
pcall(ffi.cdef, "int kill(int pid, int signo);")

local TRAP = "trap '' TERM; echo; while :; do sleep 0.01; done"

local function in_task(fn)
    return function() tasks.run(fn) end
end

local function alive(pid)
    return ffi.C.kill(pid, 0) == 0
end

-- Until the loop has reaped it.
local function reaped(pid)
    local late = quoll.now() + pair.PATIENCE
    while alive(pid) and quoll.now() < late do
        quoll.sleep(0.001)
    end
    return not alive(pid)
end

describe("bindings/process/process", function()
    helper.gates()

    it("tells every task that waits", in_task(function()
        local p = assert(exec({ "cat" }, { stdin = "pipe" }))
        local waiting = {}
        for i = 1, 3 do
            waiting[i] = quoll.spawn(p.wait, p)
        end
        quoll.yield()
        p.stdin:close()
        for i = 1, 3 do
            assert.same({ true, "exit", 0 },
                { waiting[i]:wait(pair.PATIENCE) })
        end
        assert.same({ true, "exit", 0 }, { p:wait(0) })
    end))

    it("ends with its task", in_task(function()
        local task = quoll.spawn(function()
            return exec({ "sleep", "100" }):pid()
        end)
        local pid = task:wait(pair.PATIENCE)
        assert.is_true(reaped(pid))
    end))

    it("gets SIGKILL after the grace", in_task(function()
        local task = quoll.spawn(function()
            local p = assert(exec(TRAP, { shell = true, grace = 0.02,
                stdout = "pipe" }))
            p.stdout:receive "*l"
            return p:pid()
        end)
        assert.is_true(reaped(task:wait(pair.PATIENCE)))
    end))

    it("is stopped by its timeout", in_task(function()
        local p = assert(exec({ "sleep", "100" }, { timeout = 0.005 }))
        assert.same({ false, "signal", 15, "TIMEOUT" },
            { p:wait(pair.PATIENCE) })
        p = assert(exec({ "sleep", "100" }, { timeout = 0, signal = "INT" }))
        assert.same({ false, "signal", 2, "TIMEOUT" },
            { p:wait(pair.PATIENCE) })
    end))

    it("takes signals by name and number", in_task(function()
        for _, signal in ipairs { "KILL", "SIGKILL", 9 } do
            local p = assert(exec { "sleep", "100" })
            assert.is_true(p:kill(signal))
            assert.same({ false, "signal", 9 }, { p:wait(pair.PATIENCE) })
            assert.same({ nil, "no such process", "ESRCH" }, { p:kill() })
        end
        local p = assert(exec { "true" })
        for _, signal in ipairs { "NONE", 0, 1.5, 1000, "sigterm", true } do
            pair.raises(function() p:kill(signal) end,
                "bad argument 'signal' to 'kill' %(a signal expected")
        end
    end))

    it("reaches the grandchildren by the group", in_task(function()
        local p = assert(exec("sleep 100 & echo $!; wait",
            { shell = true, pgroup = true, grace = 0, stdout = "pipe" }))
        local grandchild = tonumber(p.stdout:receive "*l")
        assert.is_true(p:kill("KILL", { group = true }))
        assert.same({ false, "signal", 9 }, { p:wait(pair.PATIENCE) })
        assert.equal("", p.stdout:receive "*a") -- nobody holds the pipe
        assert.is_true(grandchild > 0)
    end))

    it("closes: who waits gets closed, the process is stopped",
        in_task(function()
            local p = assert(exec { "sleep", "100" })
            local pid = p:pid()
            local waiting = quoll.spawn(p.wait, p)
            quoll.yield()
            assert.is_true(p:close())
            assert.same({ nil, "closed", "CLOSED" },
                { waiting:wait(pair.PATIENCE) })
            assert.same({ nil, "closed", "CLOSED" }, { p:wait() })
            assert.same({ nil, "closed", "CLOSED" }, { p:kill() })
            assert.same({ nil, "closed", "CLOSED" }, { p:pid() })
            assert.is_true(reaped(pid))
        end))

    it("is left to run by disown, and taken back by own", in_task(function()
        local p = assert(exec({ "cat" }, { stdin = "pipe", stdout = "null" }))
        local pid, stdin = p:pid(), p.stdin
        assert.equal(p, p:disown())
        p:close()
        quoll.yield()
        assert.is_true(alive(pid))
        stdin:close()
        assert.is_true(reaped(pid))
        p = assert(exec { "sleep", "100" })
        pid = p:pid()
        p:disown()
        p:own()
        p:close()
        assert.is_true(reaped(pid))
    end))

    it("says what a task waits for", in_task(function()
        local p = assert(exec({ "cat" }, { stdin = "pipe" }))
        local waiting = quoll.spawn(p.wait, p)
        quoll.yield()
        for _, task in ipairs(quoll.tasks()) do
            if task.id == waiting:id() then
                assert.equal("wait for process " .. p:pid(), task.waits)
            end
        end
        p.stdin:close()
        waiting:wait(pair.PATIENCE)
    end))

    it("can be cancelled while waiting", in_task(function()
        local p = assert(exec { "sleep", "100" })
        assert.same({ nil, "timeout", "DEADLINE" },
            { quoll.deadline(0.001, function() return p:wait() end) })
        assert.same({ nil, "timeout", "TIMEOUT" }, { p:wait(0) })
        p:kill "KILL"
        assert.same({ false, "signal", 9 }, { p:wait(pair.PATIENCE) })
    end))
end)
