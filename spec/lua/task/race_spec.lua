local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local function after(s, ...)
    local results = { n = select("#", ...), ... }
    return function()
        quoll.sleep(s)
        return unpack(results, 1, results.n)
    end
end

local function fails(s, err)
    return function()
        quoll.sleep(s)
        error(err, 0)
    end
end

local function count(...)
    return select("#", ...), ...
end

describe("quoll.race", function()
    helper.gates()

    it("returns what the first returns, whatever it is", function()
        run(function()
            assert.same({ 3, nil, 2, nil }, { count(quoll.race {
                after(10, "late"), after(0.001, nil, 2, nil), after(10),
            }) })
            assert.same({ 0 }, { count(quoll.race { after(0), after(10) }) })
        end)
        assert.equal("main", quoll.race { after(10), after(0.001, "main") })
    end)

    it("raises the error of the first unchanged", function()
        run(function()
            local thrown = {}
            local ok, err = pcall(quoll.race, {
                after(10, "late"), fails(0.001, thrown),
            })
            assert.is_false(ok)
            assert.equal(thrown, err)
        end)
    end)

    it("cancels the losers and waits for their end", function()
        run(function()
            local cleaned, why = 0, nil
            local function loser()
                local _, err = pcall(quoll.sleep, 10)
                why = quoll.iscancelled(err)
                quoll.shield(1, quoll.sleep, 0.005)
                cleaned = cleaned + 1
                return "late"
            end
            assert.equal("first",
                quoll.race { loser, after(0.001, "first"), loser })
            assert.equal(2, cleaned)
            assert.equal("another task was first", why)
        end)
    end)

    it("keeps its result when a loser fails, which is logged", function()
        local result = helper.script [[
            local quoll = require "quoll"
            print(quoll.race {
                function()
                    pcall(quoll.sleep, 10)
                    error("while cleaning up", 0)
                end,
                function() return "first" end,
            })
        ]]
        assert.equal("first\n", result.out)
        assert.matches("failed: while cleaning up", result.err)
    end)

    it("gives the winner's handle and closes the losers'", function()
        run(function()
            local lost
            local function listen()
                return (assert(quoll.listen("127.0.0.1:0")))
            end
            local lst = quoll.race {
                function()
                    quoll.sleep(0.001)
                    return listen()
                end,
                function()
                    pcall(quoll.sleep, 10)
                    lost = listen()
                    return lost
                end,
            }
            assert.is_string(lst:address())
            assert.same({ nil, "closed", "OWNER_ENDED" }, { lost:close() })
            lst:close()
        end)
    end)

    it("is cut by a deadline outside, with all who run", function()
        run(function()
            local ended = 0
            local function runner()
                pcall(quoll.sleep, 10)
                ended = ended + 1
                quoll.sleep(0)
            end
            assert.same({ nil, "timeout", "DEADLINE" },
                { quoll.deadline(0.005, quoll.race, { runner, runner }) })
            assert.equal(2, ended)
        end)
    end)

    it("refuses what is no array of functions", function()
        for _, case in ipairs {
            { quoll.race, 1, "an array of functions expected, got 1" },
            { quoll.race, {}, "one function at least" },
            { quoll.any, { print, 5 }, "a function at 2 expected, got 5" },
            { quoll.all, { "x" }, "a function at 1 expected, got 'x'" },
            { quoll.all, nil, "an array of functions expected, got nil" },
        } do
            local ok, err = pcall(case[1], case[2])
            assert.is_false(ok)
            assert.matches(case[3], err)
            assert.matches("race_spec.lua:%d+: bad argument 'fns' to '", err)
        end
    end)
end)

describe("quoll.any", function()
    helper.gates()

    it("returns the results of the first that succeeds", function()
        run(function()
            assert.same({ "yes", 2 }, { quoll.any {
                after(0, nil, "no"), after(0.001, false),
                after(0.005, "yes", 2), after(10, "late"),
            } })
        end)
    end)

    it("returns the last failure when none does", function()
        run(function()
            assert.same({ nil, "last", "CODE" }, { quoll.any {
                after(0.005, nil, "last", "CODE"), after(0, nil, "first"),
            } })
            assert.same({ 0 }, { count(quoll.any {}) })
        end)
    end)

    it("raises an error and cancels the others", function()
        run(function()
            local ok, err = pcall(quoll.any, {
                after(10, "late"), fails(0.001, "broken"),
            })
            assert.same({ false, "broken" }, { ok, err })
        end)
    end)

    it("connects to whichever address answers", function()
        run(function()
            local lst = assert(quoll.listen("127.0.0.1:0"))
            local conn = quoll.any {
                function() return quoll.connect("127.0.0.1:1") end,
                function() return quoll.connect(lst:address()) end,
            }
            assert.equal(4, conn:send("ping"))
            conn:close()
            lst:close()
        end)
    end)
end)

describe("quoll.all", function()
    helper.gates()

    it("returns the first results in order", function()
        run(function()
            assert.same({ 1, 2, false, 4 }, quoll.all {
                after(0.005, 1, "more"), after(0, 2), after(0.001, false),
                after(0, 4),
            })
            assert.same({}, quoll.all {})
            local holes = quoll.all { after(0, 1), after(0), after(0, 3) }
            assert.same({ 1, nil, 3 }, { holes[1], holes[2], holes[3] })
        end)
        assert.same({ "main" }, quoll.all { after(0, "main") })
    end)

    it("raises the first error and cancels the others", function()
        run(function()
            local ended
            local ok, err = pcall(quoll.all, {
                function()
                    pcall(quoll.sleep, 10)
                    ended = true
                end,
                fails(0.001, "broken"),
            })
            assert.same({ false, "broken", true }, { ok, err, ended })
        end)
    end)

    it("runs at most `limit` at a time, each as soon as it may", function()
        run(function()
            local now, most, fns = 0, 0, {}
            for i = 1, 20 do
                fns[i] = function()
                    now = now + 1
                    most = math.max(most, now)
                    quoll.sleep(i % 3 * 0.001)
                    now = now - 1
                    return i
                end
            end
            local results = quoll.all(fns, 3)
            assert.equal(3, most)
            for i = 1, 20 do
                assert.equal(i, results[i])
            end
        end)
    end)

    it("starts nothing more after a failure", function()
        run(function()
            local started = 0
            local fns = { fails(0.001, "broken") }
            for i = 2, 10 do
                fns[i] = function()
                    started = started + 1
                    quoll.sleep(10)
                end
            end
            assert.is_false(pcall(quoll.all, fns, 2))
            assert.equal(1, started)
        end)
    end)

    it("refuses limits that are none", function()
        for _, limit in ipairs { 0, -1, 1.5, "2", 0 / 0 } do
            local ok, err = pcall(quoll.all, {}, limit)
            assert.is_false(ok)
            assert.matches("race_spec.lua:%d+: bad argument 'limit' to 'all'",
                err)
        end
    end)

    it("passes handles on", function()
        run(function()
            local lsts = quoll.all({
                function() return quoll.listen("127.0.0.1:0") end,
                function() return quoll.listen("127.0.0.1:0") end,
            }, 1)
            assert.is_true(lsts[1]:close())
            assert.is_true(lsts[2]:close())
        end)
    end)
end)
