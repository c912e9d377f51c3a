local helper = require "spec.helper"
local ended = helper.ended
local SIGINT, SIGTERM = 2, 15

local function started(source)
    local child = helper.start("io.stdout:setvbuf 'line'\n"
        .. "local quoll = require 'quoll'\n" .. source)
    assert.equal("ready", child:line())
    return child
end

local worker = [[
    quoll.configure { grace = 60 }
    local go = quoll.sync.event()
    local function worker()
        print "ready"
        print(quoll.stopping(60))
        local ok, err = pcall(go.wait, go, 60)
        print(ok, quoll.iscancelled(err))
        if not ok then error(err, 0) end
    end
]]

describe("a signal with a grace", function()
    for signo in pairs { [SIGINT] = true, [SIGTERM] = true } do
        it("lets the tasks end: " .. signo, function()
            local child = started(worker .. [[
                quoll.run(function()
                    quoll.spawn(worker)
                    quoll.stopping(60)
                    quoll.sleep(0.01)
                    go:set()
                end)
                print(quoll.stopping(), (pcall(quoll.sleep, 0)))
            ]])
            child:kill(signo)
            local result = ended(child)
            assert.equal("true\ntrue\ntrue\ttrue\n", result.out)
            assert.same({ "", 0 }, { result.err, result.code })
        end)
    end

    it("is followed by one that cancels", function()
        local child = started(worker .. "print(quoll.run(worker))")
        child:kill(SIGTERM)
        assert.equal("true", child:line())
        child:kill(SIGINT)
        local result = ended(child)
        assert.equal("false\tSIGINT\nnil\tcancelled\tCANCELLED\n", result.out)
        assert.same({ "", 0 }, { result.err, result.code })
    end)

    it("is followed, in the end, by one that exits", function()
        local child = started(worker .. [[
            quoll.run(function()
                pcall(worker)
                print "again"
                while true do end
            end)
        ]])
        child:kill(SIGTERM)
        assert.equal("true", child:line())
        child:kill(SIGTERM)
        assert.equal("false\tSIGTERM", child:line())
        assert.equal("again", child:line())
        child:kill(SIGTERM)
        assert.equal(143, ended(child).code)
    end)
end)

describe("the end of the grace", function()
    it("cancels the tasks, then the main chunk", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.spawn(function()
                local ok, err = pcall(quoll.sleep, 60)
                print(ok, quoll.iscancelled(err))
            end)
            quoll.stop(0.02)
            print(pcall(quoll.run))
            print(select(2, pcall(quoll.sleep, 1)))
            print(quoll.shield(1, function()
                quoll.sleep(0)
                return "shielded"
            end))
        ]]
        assert.same({ "false\tstop\ntrue\tnil\tcancelled\tCANCELLED\n"
            .. "cancelled: stop\nshielded\n", "", 0 },
            { result.out, result.err, result.code })
    end)

    it("cuts a wait of the main chunk that is not for tasks", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.spawn(quoll.sleep, 0.01)
            quoll.stop(0.03)
            print(select(2, pcall(quoll.sleep, 60)))
        ]]
        assert.same({ "cancelled: stop\n", 0 }, { result.out, result.code })
    end)

    it("is the earliest of several", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local start = quoll.now()
            quoll.spawn(quoll.sleep, 60)
            quoll.stop()
            quoll.stop(0.02)
            quoll.stop(50)
            quoll.run()
            print(quoll.now() - start < 40)
        ]]
        assert.same({ "true\n", 0 }, { result.out, result.code })
    end)

    it("does not come when every task has ended", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function() quoll.stop(0.02) end)
            print(quoll.stopping(), quoll.stats().loop.timers)
            quoll.sleep(0.04)
            print(quoll.run(function() return quoll.stopping() end))
        ]]
        assert.same({ "true\t0\nfalse\n", "", 0 },
            { result.out, result.err, result.code })
    end)
end)
