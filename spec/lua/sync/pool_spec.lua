local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run, settle = tasks.run, tasks.settle
local pool = quoll.sync.pool

describe("a pool", function()
    helper.gates()

    it("runs so many at a time, in the order of submission", function()
        run(function()
            local inside, most, order, jobs = 0, 0, {}, {}
            local p = pool(3, function(i)
                inside = inside + 1
                most = math.max(most, inside)
                order[#order + 1] = i
                quoll.sleep(0.0005)
                inside = inside - 1
                return nil, i
            end)
            for i = 1, 30 do jobs[i] = p:submit(i) end
            for i = 1, 30 do
                assert.same({ nil, i }, { jobs[i]:wait() })
                assert.equal(i, order[i])
            end
            assert.equal(3, most)
        end)
    end)

    it("holds the submitter back while it is full", function()
        run(function()
            local go = quoll.sync.event()
            local p = pool(2, function() go:wait() end)
            p:submit()
            p:submit()
            local third = quoll.spawn(function() return p:submit() end)
            settle()
            settle()
            assert.equal("waiting", third:status())
            go:set()
            assert.is_nil(third:wait():wait())
        end)
    end)

    it("is full under a collector that never rests", function()
        run(function()
            local go = quoll.sync.event()
            local p = pool(1, function() go:wait() end)
            p:submit()
            settle()
            collectgarbage()
            collectgarbage()
            assert.same({ nil, "timeout", "TIMEOUT" }, { p:wait(0) })
            go:set()
            assert.is_true(p:wait())
        end)
    end)

    it("has room again however a run ends", function()
        run(function()
            local p = pool(1, function(how)
                if how == "error" then error(how, 0) end
                if how == "sleep" then quoll.sleep(60) end
            end)
            local failed = p:submit "error"
            assert.same({ false, "error" }, { pcall(failed.wait, failed) })
            p:submit("sleep"):cancel() -- before it starts
            local sleeps = p:submit "sleep"
            settle()
            sleeps:cancel()
            p:submit "returns"
            assert.is_true(p:wait())
        end)
    end)

    it("waits until nothing runs, and takes nothing when closed", function()
        run(function()
            local done = 0
            local p = pool(4, function()
                quoll.sleep(0.001)
                done = done + 1
            end)
            for _ = 1, 4 do p:submit() end
            local late = quoll.spawn(function() return p:submit() end)
            settle()
            assert.is_true(p:close())
            assert.same({ nil, "closed", "CLOSED" }, { p:close() })
            assert.same({ nil, "closed", "CLOSED" }, { late:wait() })
            assert.same({ nil, "closed", "CLOSED" }, { p:submit() })
            assert.same({ nil, "timeout", "TIMEOUT" }, { p:wait(0) })
            assert.is_true(p:wait())
            assert.equal(4, done)
        end)
    end)

    it("lets submit wait for room so long", function()
        run(function()
            local release = quoll.sync.event()
            local p = pool(1, function() release:wait(5) end,
                { timeout = 0.01 })
            local first = p:submit()
            assert.same({ nil, "timeout", "TIMEOUT" }, { p:submit() })
            release:set()
            first:wait()
            assert(p:submit()):wait()
        end)
    end)

    it("refuses what cannot be meant", function()
        for _, args in ipairs { { 0, print }, { 1.5, print }, { 1, "x" },
            { "1", print }, { 1, print, { timeout = -1 } },
            { 1, print, { size = 1 } } } do
            assert.is_false(pcall(pool, unpack(args)))
        end
    end)
end)
