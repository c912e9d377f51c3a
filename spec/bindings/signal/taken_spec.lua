local helper = require "spec.helper"
local ended = helper.ended
local HUP, INT, QUIT, TERM = 1, 2, 3, 15

-- A script that has said "ready" and then runs.
local function started(source, opts)
    local child = helper.start("io.stdout:setvbuf 'line'\n"
        .. "local quoll = require 'quoll'\n" .. source, {}, opts)
    assert.equal("ready", child:line())
    return child
end

-- Prints `ready` once the task of `quoll.signal.wait` is parked.
local after_it = [[
    quoll.spawn(print, "ready")
]]

describe("a signal that a script takes", function()
    it("is told to each who waits", function()
        local child = started([[
            quoll.run(function()
                for i = 1, 3 do
                    quoll.spawn(function()
                        print(i, quoll.signal.wait("USR1", "SIGHUP"))
                    end)
                end
                quoll.yield()
                ]] .. after_it .. [[
            end)
        ]])
        child:kill(HUP)
        assert.equal("1\tSIGHUP\n2\tSIGHUP\n3\tSIGHUP\n", ended(child).out)
    end)

    it("is not a note with some other number", function()
        local child = started([[
            local ffi = require "ffi"
            ffi.cdef "union note { int number; void *pointer; };"
            ffi.cdef "int sigqueue(int, int, union note); int getpid(void);"
            local NOTE = 42 -- SIGRTMIN + 8
            quoll.run(function()
                quoll.spawn(function()
                    for _, number in ipairs { 0x7ffffff, -0x7ffffff, 32 } do
                        ffi.C.sigqueue(ffi.C.getpid(), NOTE,
                            ffi.new("union note", number))
                    end
                end)
                ]] .. after_it .. [[
                print(quoll.signal.wait "HUP")
            end)
        ]])
        child:kill(HUP)
        assert.equal("SIGHUP\n", ended(child).out)
    end)

    it("kills again once nobody waits for it", function()
        local child = started [[
            quoll.run(function()
                quoll.signal.wait("HUP", 0.001)
                quoll.deadline(0.001, quoll.signal.wait, "HUP")
                quoll.spawn(print, "ready")
                quoll.sleep(60)
            end)
        ]]
        child:kill(HUP)
        assert.equal(HUP, ended(child).signal)
    end)

    it("may be SIGINT: each is the script's, and the task goes on", function()
        local child = started [[
            quoll.run(function()
                local n = 0
                local interrupts
                interrupts = quoll.signal.on("INT", function(name)
                    n = n + 1
                    print(name, n)
                    if n == 2 then interrupts:cancel() end
                end)
                print "ready"
                print(pcall(interrupts.wait, interrupts))
                quoll.spawn(print, "again")
                quoll.sleep(60)
            end)
        ]]
        child:kill(INT)
        assert.equal("SIGINT\t1", child:line())
        child:kill(INT)
        assert.equal("SIGINT\t2", child:line())
        assert.equal("true\tnil\tcancelled\tCANCELLED", child:line())
        assert.equal("again", child:line())
        child:kill(INT)
        assert.equal(0, ended(child).code)
    end)

    it("ends a script that does not come to look at the first SIGINT",
        function()
            local child = started [[
                quoll.run(function()
                    quoll.signal.on("INT", print)
                    print "ready"
                    while true do end
                end)
            ]]
            child:kill(INT)
            child:kill(TERM)
            assert.equal(128 + TERM, ended(child).code)
        end)

    it("may be SIGQUIT, which then writes no dump", function()
        local child = started([[
            quoll.run(function()
                quoll.spawn(print, "ready")
                print(quoll.signal.wait "QUIT")
                quoll.spawn(print, "again")
                print(quoll.signal.wait "QUIT")
            end)
        ]])
        child:kill(QUIT)
        assert.equal("SIGQUIT", child:line())
        assert.equal("again", child:line())
        child:kill(QUIT)
        local result = ended(child)
        assert.equal("SIGQUIT\n", result.out)
        assert.equal("", result.err)
    end)

    it("is taken where it was ignored or blocked, and put back", function()
        local child = started [[
            local ffi = require "ffi"
            ffi.cdef "void (*signal(int signo, void (*handler)(int)))(int);"
            local function status(signo)
                local text = io.open "/proc/self/status":read "*a"
                local words = {}
                for _, what in ipairs { "Blk", "Ign", "Cgt" } do
                    local mask = text:match("Sig" .. what .. ":%s*(%x+)")
                    local low = tonumber(mask:sub(-8), 16)
                    if bit.band(low, bit.lshift(1, signo - 1)) ~= 0 then
                        words[#words + 1] = what
                    end
                end
                return table.concat(words, " ")
            end
            ffi.C.signal(1, ffi.cast("void (*)(int)", 1))
            print "ready"
            print(status(1), status(10))
            local on = quoll.signal.on({ "HUP", "USR1" }, print)
            print(status(1), status(10))
            os.execute "grep -c 'SigBlk:.00000000' /proc/self/status"
            on:cancel()
            quoll.run()
            print(status(1), status(10))
        ]]
        assert.equal("Ign\t\nCgt\tCgt\n1\nIgn\t\n", ended(child).out)
    end)

    it("waits until somebody looks, and is one of its kind", function()
        local child = started [[
            local ffi = require "ffi"
            ffi.cdef "int getpid(void); int kill(int pid, int signo);"
            print "ready"
            local on = quoll.signal.on({ "HUP", "USR1" }, function(name)
                print(name)
                if name == "SIGUSR1" then error "stop" end
            end)
            for _ = 1, 3 do
                ffi.C.kill(ffi.C.getpid(), 1) -- the loop does not run now
                ffi.C.kill(ffi.C.getpid(), 10)
            end
            quoll.sleep(0)
            quoll.sleep(0)
            on:cancel()
            quoll.run()
        ]]
        local result = ended(child)
        assert.equal("SIGHUP\nSIGUSR1\n", result.out)
        assert.matches("signal: .*stop", result.err)
    end)

    it("does not reach the programs that it starts", function()
        local child = started [[
            print "ready"
            local on = quoll.signal.on({ "HUP", "TERM" }, print)
            local status = quoll.process.run({ "cat", "/proc/self/status" })
            for _, what in ipairs { "SigIgn", "SigCgt" } do
                local mask = status:match(what .. ":%s*%x+(%x%x%x%x%x%x%x%x)")
                -- Of signals 1 to 31: glibc ignores 32 and 33, its own, there.
                print(what, bit.band(tonumber(mask, 16), 0x7fffffff))
            end
            on:cancel()
            quoll.run()
        ]]
        assert.equal("SigIgn\t0\nSigCgt\t0\n", ended(child).out)
    end)

    it("says what its task waits for", function()
        local child = started [[
            print "ready"
            quoll.spawn(quoll.signal.wait, "HUP", "USR2")
            quoll.sleep(0)
            print(quoll.tasks()[1].waits)
            quoll.tasks()[1] = nil
            os.exit(0)
        ]]
        assert.equal("signal SIGHUP SIGUSR2\n", ended(child).out)
    end)
end)
