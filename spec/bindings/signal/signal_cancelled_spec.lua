local helper = require "spec.helper"
local ended = helper.ended
local SIGINT, SIGTERM = 2, 15

-- A script that a signal reaches in its first wait; nap() is such a wait.
local function interrupted(source, opts)
    local child = helper.start([[
        io.stdout:setvbuf "line"
        local quoll = require "quoll"
        local function nap()
            quoll.timer.after(0, print, "ready")
            return pcall(quoll.sleep, 60)
        end
        local function why(fn, ...)
            local ok, err = pcall(fn, ...)
            return ok or quoll.iscancelled(err) or err
        end
    ]] .. source, {}, opts)
    assert.equal("ready", child:line())
    child:kill(SIGTERM)
    return child
end

describe("after a signal, the main chunk", function()
    it("ends with an error when it waits again without a look", function()
        for _, again in ipairs {
            "quoll.run(print, 'not reached')",
            "quoll.run()",
            "quoll.sleep(0)",
            "quoll.spawn(quoll.yield):cancel() quoll.yield()",
            "quoll.serve('127.0.0.1:0', print)",
            "quoll.scope(function() quoll.yield() end)",
            "quoll.deadline(9, quoll.yield)",
            "coroutine.wrap(quoll.yield)()",
        } do
            local result = ended(interrupted("nap() " .. again))
            assert.same({ "", 1 }, { result.out, result.code }, again)
            assert.matches("cancelled: SIGTERM", result.err)
        end
    end)

    it("leaves a loop around run", function()
        local result = ended(interrupted [[
            local n = 0
            repeat
                n = n + 1
                print(n, quoll.run(function()
                    print "ready"
                    quoll.sleep(60)
                end))
            until n == 100
        ]])
        assert.same({ "1\tnil\tcancelled\tCANCELLED\n", 1 },
            { result.out, result.code })
        assert.matches("cancelled: SIGTERM", result.err)
        assert.is_nil(result.err:find("alive", 1, true))
    end)

    it("still gets what the run in progress returns", function()
        local result = ended(interrupted [[
            print(quoll.run(function()
                nap()
                return "saved", 2
            end))
            print(why(quoll.run))
        ]])
        assert.equal("saved\t2\nSIGTERM\n", result.out)
        assert.equal(0, result.code)
    end)

    it("is told the why by each wait", function()
        local result = ended(interrupted [[
            nap()
            for _ = 1, 2000 do
                assert(why(quoll.yield) == "SIGTERM")
            end
            print(why(quoll.race, { quoll.yield }))
            local task = quoll.spawn(print, "not reached")
            print(why(task.wait, task))
            print(quoll.shield(9, task.wait, task))
        ]])
        assert.equal("SIGTERM\nSIGTERM\nnil\tcancelled\tCANCELLED\n",
            result.out)
    end)

    it("may wait in a shield, with tasks", function()
        local result = ended(interrupted [[
            nap()
            print(quoll.shield(9, function()
                quoll.sleep(0.001)
                quoll.run(print, "run")
                return quoll.spawn(function()
                    quoll.yield()
                    return "spawned"
                end):wait()
            end))
            print(why(quoll.yield))
        ]])
        assert.equal("run\nspawned\nSIGTERM\n", result.out, result.err)
    end)

    it("is cut in a shield when its time is over", function()
        local result = ended(interrupted [[
            nap()
            print(why(quoll.shield, 0.01, quoll.sleep, 60))
        ]])
        assert.equal("SIGTERM\n", result.out)
    end)
end)

describe("the first signal in a shield of the main chunk", function()
    it("cuts what comes behind it", function()
        local result = ended(interrupted [[
            local cancelled = quoll.sync.event()
            quoll.spawn(function()
                print "ready"
                pcall(quoll.sleep, 60)
                cancelled:set()
            end)
            print(quoll.shield(9, function()
                cancelled:wait()
                quoll.yield()
                return "through"
            end))
            print(why(quoll.yield))
        ]])
        assert.equal("through\nSIGTERM\n", result.out, result.err)
    end)
end)

describe("the second signal", function()
    it("exits from a shield of the main chunk", function()
        local child = interrupted [[
            nap()
            quoll.shield(60, function()
                quoll.timer.after(0, print, "shielded")
                quoll.sleep(60)
            end)
        ]]
        assert.equal("shielded", child:line())
        child:kill(SIGINT)
        assert.equal(130, ended(child).code)
    end)

    it("between two waits does what it does in any script", function()
        local child = interrupted [[
            nap()
            print "between"
            while true do end
        ]]
        assert.equal("between", child:line())
        child:kill(SIGTERM)
        assert.equal(SIGTERM, ended(child).signal)
    end)
end)
