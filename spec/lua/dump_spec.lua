local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local dump = require "quoll.dump"
local quoll = require "quoll"
local run = tasks.run

local function lines_of(text)
    local found = {}
    for line in (text .. "\n"):gmatch "(.-)\n" do
        found[#found + 1] = line
    end
    return found
end

describe("a dump", function()
    helper.gates()

    it("shows each stack once, and ten of those who have it", function()
        run(function()
            local list = {}
            for i = 1, 25 do
                list[i] = quoll.spawn(quoll.sleep, 60)
            end
            local other = quoll.spawn(function() list[1]:wait() end)
            other:name "waiter"
            tasks.settle()
            local lines = lines_of(dump.text(quoll.stats()))
            local at
            for i, line in ipairs(lines) do
                at = line == "25 tasks with this stack:" and i or at
            end
            for i = 1, 10 do
                assert.matches("^task " .. list[i]:id() .. " %[sleep, for "
                    .. "[%d.]+ m?s, [%d.]+ s left%] of task %d+, [%d.]+ m?s "
                    .. "old, ran [%d.]+ m?s$", lines[at + i])
            end
            assert.equal("... and 15 more:", lines[at + 11])
            assert.equal("\t[C]: in function 'sleep'", lines[at + 12])
            local text = table.concat(lines, "\n")
            assert.matches("\ntask %d+ 'waiter' %[task " .. list[1]:id()
                .. ", for [%d.]+ m?s%] of task %d+, [^\n]+:\n\t", text)
            for i = 1, 25 do
                list[i]:cancel()
            end
        end)
    end)

    it("is bounded", function()
        run(function()
            local list = {}
            for i = 1, 120 do
                list[i] = quoll.spawn(assert(loadstring(("\n"):rep(i)
                    .. "require('quoll').sleep(60)")))
            end
            tasks.settle()
            local text = dump.text(quoll.stats())
            assert.matches("\n%.%.%. and 2%d more tasks\n", text)
            assert.is_true(#lines_of(text) < 1000)
            for i = 1, 120 do
                list[i]:cancel()
            end
        end)
    end)

    it("tells the figures", function()
        local text = dump.text {
            loop = { turns = 1234567, events_per_turn = 1.5, timers = 1,
                posted = 0, longest = { s = 0.0123, ago = 601, ran = 0.012,
                    task = "task 9 'x'", where = "" } },
            tasks = { spawned = 1000, live = 999, failed = 1 },
            connections = { opened = 3, live = 2, accepted = 1 },
            files = { live = 1, reads = 1, queued = 0 },
            aio = { in_flight = 4 }, pool = { pending = 5 },
        }
        assert.matches("\nloop: 1,234,567 turns, 1.5 events a turn; 1 timers, "
            .. "0 posted\nlongest turn: 12.3 ms, 10 min ago; task 9 'x' ran "
            .. "for 12 ms until its end\ntasks: 1,000 spawned, 999 live, "
            .. "1 failed\nconnections: 3 opened, 2 live; 1 accepted\nfiles: "
            .. "1 open, 1 read under way; AIO 4 in flight, 0 queued; pool "
            .. "5 pending\nmemory: [%d,]+ KiB of Lua's$", text)
    end)
end)
