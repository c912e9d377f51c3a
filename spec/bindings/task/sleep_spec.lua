local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

describe("sleep", function()
    helper.gates()

    it("is never early", function()
        run(function()
            for _, s in ipairs { 0.001, 0.01, 0.0005 } do
                local start = quoll.now()
                quoll.sleep(s)
                assert.is_true(quoll.now() - start >= s)
            end
        end)
    end)

    it("takes less than a millisecond when asked to", function()
        run(function()
            local least = math.huge
            for _ = 1, 100 do
                local start = quoll.now()
                quoll.sleep(0.0002)
                least = math.min(least, quoll.now() - start)
            end
            assert.is_true(least >= 0.0002 and least < 0.001)
        end)
    end)

    it("wakes in the order of due times", function()
        local order = {}
        run(function()
            for _, ms in ipairs { 30, 10, 20, 0.8, 0.4 } do
                quoll.spawn(function()
                    quoll.sleep(ms / 1000)
                    order[#order + 1] = ms
                end)
            end
        end)
        assert.same({ 0.4, 0.8, 10, 20, 30 }, order)
    end)

    it("returns nothing", function()
        assert.equal(0, run(function()
            return select("#", quoll.sleep(0.001))
        end))
        assert.equal(0, run(function()
            return select("#", quoll.sleep(0))
        end))
    end)

    it("of 0 lets every other ready task go first", function()
        local order = {}
        run(function()
            for _, name in ipairs { "a", "b" } do
                quoll.spawn(function()
                    order[#order + 1] = name .. 1
                    quoll.sleep(0)
                    order[#order + 1] = name .. 2
                end)
            end
        end)
        assert.same({ "a1", "b1", "a2", "b2" }, order)
    end)

    it("for ever ends by cancellation only", function()
        run(function()
            local task = quoll.spawn(quoll.sleep, math.huge)
            quoll.sleep(0.01)
            assert.equal("waiting", task:status())
            task:cancel()
            assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
        end)
    end)

    it("refuses what is no number of seconds", function()
        run(function()
            for _, s in ipairs { -1, 0 / 0, "1", {}, true, -math.huge } do
                local ok, err = pcall(quoll.sleep, s)
                assert.is_false(ok)
                assert.matches("bad argument 's' to 'sleep'", err)
            end
            local ok, err = pcall(quoll.sleep)
            assert.is_false(ok)
            assert.matches("bad argument 's' to 'sleep'", err)
        end)
    end)

    it("raises at the caller's line", function()
        local ok, err = pcall(function() quoll.sleep(-1) end)
        assert.is_false(ok)
        assert.matches("^[^\n]*sleep_spec.lua:%d+: bad argument 's' to "
            .. "'sleep' %(seconds, 0 or more, expected, got %-1%)$", err)
    end)

    it("in the main chunk runs the loop", function()
        local done = false
        local task = quoll.spawn(function()
            quoll.sleep(0.005)
            done = true
        end)
        quoll.sleep(0.02)
        assert.is_true(done)
        assert.equal("done", task:status())
    end)
end)

describe("yield", function()
    helper.gates()

    it("lets every other ready task go first", function()
        local order = {}
        run(function()
            for _, name in ipairs { "a", "b" } do
                quoll.spawn(function()
                    order[#order + 1] = name .. 1
                    quoll.yield()
                    order[#order + 1] = name .. 2
                end)
            end
        end)
        assert.same({ "a1", "b1", "a2", "b2" }, order)
    end)

    it("for ever does not starve a timer", function()
        run(function()
            local stop = false
            quoll.timer.after(0.01, function() stop = true end)
            while not stop do
                quoll.yield()
            end
        end)
    end)
end)

describe("what fails at once", function()
    helper.gates()

    local function all_of(...)
        return { n = select("#", ...), ... }
    end

    -- Each call's results, those included for which it had to let others go.
    local function same_each_time(expected, fn, ...)
        for _ = 1, 300 do
            assert.same(expected, all_of(fn(...)))
        end
    end

    it("gives the same results when the slice is spent", function()
        tasks.run(function()
            local file = assert(quoll.open "README.md")
            local listener = assert(quoll.listen "127.0.0.1:0")
            local conn = assert(quoll.connect(listener:address()))
            file:close()
            conn:close()
            listener:close()
            local closed = { n = 3, nil, "closed", "CLOSED" }
            same_each_time(closed, file.pread, file, 10, 0)
            same_each_time(closed, file.read, file, 10)
            same_each_time(closed, listener.accept, listener)
            local nothing = { n = 4, nil, "closed", "", "CLOSED" }
            same_each_time(nothing, conn.receive, conn)
            same_each_time(nothing, conn.receiveany, conn, 10)
            same_each_time(nothing, conn.peek, conn, 10)
            same_each_time({ n = 4, nil, "closed", 0, "CLOSED" },
                conn.send, conn, "x")
        end)
    end)
end)
