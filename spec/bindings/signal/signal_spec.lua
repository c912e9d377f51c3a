local helper = require "spec.helper"
local SIGINT, SIGTERM = 2, 15

-- A script that has said "ready" and then runs.
local function started(source, opts)
    local child = helper.start("io.stdout:setvbuf 'line'\n"
        .. "local quoll = require 'quoll'\n" .. source, {}, opts)
    assert.equal("ready", child:line())
    return child
end

local function ended(child)
    local result = helper.finish_script(child)
    assert.is_false(result.timeout)
    return result
end

local sleeper = [[
    local function sleeper()
        print "ready"
        local ok, err = pcall(quoll.sleep, 60)
        print(ok, quoll.iscancelled(err))
        error(err, 0)
    end
]]

describe("the first signal", function()
    for signo, name in pairs { [SIGINT] = "SIGINT", [SIGTERM] = "SIGTERM" } do
        it("cancels the tasks and run: " .. name, function()
            local child = started(sleeper .. [[
                print(quoll.run(sleeper))
                print(quoll.stats().tasks.live)
            ]])
            child:kill(signo)
            local result = ended(child)
            assert.equal("false\t" .. name .. "\nnil\tcancelled\tCANCELLED\n"
                .. "0\n", result.out)
            assert.equal("", result.err)
            assert.equal(0, result.code)
        end)
    end

    it("leaves the exit code to the script", function()
        local child = started(sleeper .. [[
            if select(3, quoll.run(sleeper)) == "CANCELLED" then
                os.exit(130, true)
            end
        ]])
        child:kill(SIGINT)
        assert.equal(130, ended(child).code)
    end)

    it("cancels run without a main, and nested tasks", function()
        local child = started(sleeper .. [[
            quoll.spawn(function() quoll.spawn(sleeper) end)
            print(quoll.run())
        ]])
        child:kill(SIGINT)
        assert.equal("false\tSIGINT\nnil\tcancelled\tCANCELLED\n",
            ended(child).out)
    end)

    it("cancels a wait of the main chunk", function()
        local child = started [[
            quoll.timer.after(0, print, "ready")
            print(quoll.iscancelled(select(2, pcall(quoll.sleep, 60))))
            print "goes on"
        ]]
        child:kill(SIGINT)
        assert.equal("SIGINT\ngoes on\n", ended(child).out)
    end)

    it("lets a task clean up before it ends", function()
        local child = started [[
            quoll.run(function()
                print "ready"
                pcall(quoll.sleep, 60)
                print "cleaned up"
            end)
        ]]
        child:kill(SIGTERM)
        local result = ended(child)
        assert.equal("cleaned up\n", result.out)
        assert.equal(0, result.code)
    end)
end)

describe("the second signal", function()
    for signo, code in pairs { [SIGINT] = 130, [SIGTERM] = 143 } do
        it("exits with " .. code .. ", though a script never waits", function()
            local child = started [[
                quoll.run(function()
                    print "ready"
                    pcall(quoll.sleep, 60)
                    print "again"
                    while true do end
                end)
            ]]
            child:kill(signo)
            assert.equal("again", child:line())
            child:kill(signo)
            local result = ended(child)
            assert.same({ "", code }, { result.out, result.code })
        end)
    end

    for _, grace in ipairs { 0, 60 } do
        it("exits though the first was never looked at, with a grace of "
            .. grace, function()
            local child = started(([[
                quoll.configure { grace = %d }
                quoll.run(function()
                    print "ready"
                    while true do end
                end)
            ]]):format(grace))
            child:kill(SIGINT)
            child:kill(SIGTERM)
            local result = ended(child)
            assert.is_true(result.code == 143 or result.code == 130)
        end)
    end
end)

describe("children of a script", function()
    it("have both signals at their default", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                local pipe = io.popen
                    "grep -E '^Sig(Blk|Ign)' /proc/self/status"
                for line in pipe:lines() do
                    local mask = tonumber(line:sub(-8), 16)
                    print(bit.band(mask, bit.bor(2, 0x4000)))
                end
            end)
        ]]
        assert.same({ "0\n0\n", "" }, { result.out, result.err })
    end)
end)

describe("a second signal while the tasks end", function()
    it("exits too", function()
        local result = helper.script [[
            local ffi, quoll = require "ffi", require "quoll"
            ffi.cdef "int getpid(void); int kill(int pid, int signo);"
            quoll.run(function()
                ffi.C.kill(ffi.C.getpid(), 2)
                pcall(quoll.sleep, 60)
                ffi.C.kill(ffi.C.getpid(), 15)
            end)
            print "not reached"
        ]]
        assert.same({ "", 143 }, { result.out, result.code })
    end)
end)

describe("after run", function()
    it("mask and dispositions are what they were", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local function signals()
                local text = ""
                for line in io.lines "/proc/self/status" do
                    if line:find "^Sig[BIC]" then
                        text = text .. line .. "\n"
                    end
                end
                return text
            end
            local before = signals()
            local during = quoll.run(signals)
            print(before == signals(), before == during)
            local blocked = during:match "SigBlk:%s*%x+(%x%x%x%x)\n"
            print(bit.band(tonumber(blocked, 16), 0x4002))
        ]]
        assert.equal("true\tfalse\n0\n", result.out)
    end)

    it("a signal does what it did before", function()
        local child = started [[
            quoll.run(quoll.yield)
            print "ready"
            io.read()
        ]]
        child:kill(SIGTERM)
        assert.equal(SIGTERM, ended(child).signal)
    end)
end)

describe("an ignored signal", function()
    it("stays ignored", function()
        local child = started([[
            require("ffi").cdef "void *signal(int signo, void *handler);"
            require("ffi").C.signal(2, require("ffi").cast("void *", 1))
            quoll.run(function()
                quoll.spawn(quoll.sleep, 0.05)
                print "ready"
            end)
            print "not cancelled"
        ]])
        child:kill(SIGINT)
        assert.equal("not cancelled\n", ended(child).out)
    end)
end)

describe("without a signalfd", function()
    it("the loop runs, and a signal does what it did before", function()
        local child = started [[
            local inject = require "spec.support.scripted"
            inject.ql_inject_fail("signalfd", -1, 1, 0, 24)
            quoll.run(function()
                quoll.sleep(0.001)
                print "ready"
                quoll.sleep(60)
            end)
        ]]
        child:kill(SIGTERM)
        local result = ended(child)
        assert.equal(SIGTERM, result.signal)
        assert.matches("signalfd%(%) failed %(24: Too many open files%)",
            result.err)
    end)
end)
