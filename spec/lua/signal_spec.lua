local helper = require "spec.helper"
local pair = require "spec.support.pair"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local ffi = helper.ffi
pcall(ffi.cdef, "int getpid(void);")
pcall(ffi.cdef, "int kill(int pid, int signo);")

local USR1, WINCH, CHLD = 10, 28, 17

local function raise(signo)
    assert(ffi.C.kill(ffi.C.getpid(), signo) == 0)
end

local function in_task(fn)
    return function() tasks.run(fn) end
end

describe("quoll.signal", function()
    helper.gates()

    it("waits for the first of several", in_task(function()
        local waiting = quoll.spawn(quoll.signal.wait, "SIGWINCH", "USR1",
            pair.PATIENCE)
        quoll.yield()
        raise(WINCH)
        assert.equal("SIGWINCH", waiting:wait(pair.PATIENCE))
    end))

    it("has a timeout", in_task(function()
        assert.same({ nil, "timeout", "TIMEOUT" },
            { quoll.signal.wait("USR1", 0.001) })
        assert.same({ nil, "timeout", "TIMEOUT" },
            { quoll.signal.wait("USR1", 0) })
    end))

    it("hears of children that end", in_task(function()
        local waiting = quoll.spawn(quoll.signal.wait, "CHLD", pair.PATIENCE)
        quoll.yield()
        os.execute "true"
        raise(CHLD) -- os.execute blocks it while it waits
        assert.equal("SIGCHLD", waiting:wait(pair.PATIENCE))
    end))

    it("calls one after the other, in the caller's scope", in_task(function()
        local seen = {}
        local done = quoll.sync.channel(1)
        quoll.deadline(pair.PATIENCE, function()
            local on = quoll.signal.on("USR1", function(name)
                seen[#seen + 1] = name .. " begins"
                quoll.sleep(0.002)
                seen[#seen + 1] = "ends"
                done:send(true)
            end)
            for _ = 1, 2 do
                raise(USR1)
                done:receive(pair.PATIENCE)
            end
            on:cancel()
        end)
        assert.same({ "SIGUSR1 begins", "ends", "SIGUSR1 begins", "ends" },
            seen)
    end))

    it("refuses what cannot be taken", function()
        for _, name in ipairs { "KILL", "SIGSTOP", "SEGV", "PROF", "ALRM" } do
            pair.raises(function() quoll.signal.wait(name) end,
                "signal_spec.lua:%d+: bad argument 'name' to 'wait' %(SIG")
        end
        for _, name in ipairs { "NONE", "usr1", 10, true } do
            pair.raises(function() quoll.signal.on(name, print) end,
                "bad argument 'name' to 'on'")
        end
        pair.raises(function() quoll.signal.on("HUP") end,
            "bad argument 'fn' to 'on'")
        pair.raises(function() quoll.signal.wait() end,
            "bad argument 'name' to 'wait'")
        pair.raises(function() quoll.signal.wait("HUP", -1) end,
            "bad argument 's' to 'wait'")
    end)
end)
