local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run, settle = tasks.run, tasks.settle
local sync = quoll.sync
local select = sync.select

describe("select", function()
    helper.gates()

    it("of the running task itself is a cycle", function()
        run(function()
            local me
            me = quoll.spawn(function()
                return pcall(function()
                    local key = select { sync.event(), me }
                    return key
                end)
            end)
            local ok, err = me:wait(1)
            assert.is_false(ok)
            assert.matches("select_spec.lua:%d+: "
                .. "a task cannot wait for itself: task %d+ %-> task %d+", err)
        end)
    end)

    -- What becomes ready, and how; the parts are made inside the task.
    local kinds = {
        ["a channel with an item"] = function()
            local ch = sync.channel(1)
            return ch, function() ch:send(1) end,
                function() return ch:receive(0) == 1 end
        end,
        ["a channel with a sender"] = function()
            local ch = sync.channel()
            return ch, function()
                quoll.spawn(ch.send, ch, 1)
                settle()
            end, function() return ch:receive(0) == 1 end
        end,
        ["a channel that is closed"] = function()
            local ch = sync.channel()
            return ch, function() ch:close() end,
                function() return not ch:receive(0) end
        end,
        ["a task"] = function()
            local go = sync.event()
            local task = quoll.spawn(function() return go:wait() end)
            return task, function() go:set() end,
                function() return task:wait(0) end
        end,
        ["a semaphore"] = function()
            local s = sync.semaphore(1)
            s:acquire()
            return s, function() s:release() end,
                function() return s:acquire(1, 0) end
        end,
        ["an event"] = function()
            local e = sync.event()
            return e, function() e:set() end,
                function() return e:wait(0) end
        end,
        ["a wait group"] = function()
            local group = sync.waitgroup()
            group:add()
            return group, function() group:done() end,
                function() return group:wait(0) end
        end,
        ["a subscription"] = function()
            local topic = sync.topic()
            local s = topic:subscribe(1)
            return s, function() topic:publish(1) end,
                function() return s:receive(0) == 1 end
        end,
        ["a listener"] = function()
            local listener = quoll.listen "127.0.0.1:0"
            local address = listener:address()
            return listener, function()
                assert(quoll.connect(address))
            end, function() return listener:accept(0) end
        end,
        ["a listener that is closed"] = function()
            local listener = quoll.listen "127.0.0.1:0"
            return listener, function() listener:close() end,
                function() return not listener:accept(0) end
        end,
    }

    for kind, make in pairs(kinds) do
        it("waits for " .. kind .. ", and takes nothing", function()
            run(function()
                local object, ready, taken = make()
                local never = sync.event()
                local set = { x = object, [1] = never, [2] = sync.channel() }
                assert.same({ nil, "timeout", "TIMEOUT" }, { select(set, 0) })
                assert.same({ nil, "timeout", "TIMEOUT" },
                    { select(set, 0.001) })
                local waiter = quoll.spawn(select, set)
                local other = quoll.spawn(select, set)
                settle()
                assert.equal("waiting", waiter:status())
                ready()
                assert.equal("x", waiter:wait())
                assert.equal("x", other:wait())
                assert.equal("x", select(set, 0))
                assert.truthy(taken())
            end)
        end)
    end

    it("gives each of several that are ready the same chance", function()
        local set, count = {}, {}
        for i = 1, 4 do
            set[i], count[i] = sync.event(), 0
            set[i]:set()
        end
        for _ = 1, 4000 do
            local key = select(set)
            count[key] = count[key] + 1
        end
        for i = 1, 4 do
            assert.truthy(count[i] > 800 and count[i] < 1200, count[i])
        end
    end)

    it("goes on waiting when somebody else took it", function()
        run(function()
            local ch = sync.channel(1)
            local waiter = quoll.spawn(select, { ch = ch })
            settle()
            ch:send(1)
            assert.equal(1, ch:receive(0))
            settle()
            assert.equal("waiting", waiter:status())
            ch:send(2)
            assert.equal("ch", waiter:wait())
        end)
    end)

    it("is cancelled, and leaves nothing behind", function()
        run(function()
            local ch, e = sync.channel(1), sync.event()
            local waiter = quoll.spawn(select, { ch, e, ch })
            settle()
            waiter:cancel()
            ch:send(1)
            e:set()
            assert.same({ nil, "cancelled", "CANCELLED" }, { waiter:wait() })
        end)
    end)

    it("works in the main chunk", function()
        local ch = sync.channel()
        quoll.spawn(function() ch:send "x" end)
        assert.equal("ch", select { ch = ch })
        assert.equal("x", ch:receive(0))
        quoll.run()
    end)

    it("waits for many, and finds the one", function()
        run(function()
            local set = {}
            for i = 1, 10000 do set["key " .. i] = sync.event() end
            local waiter = quoll.spawn(select, set)
            settle()
            set["key 7777"]:set()
            assert.equal("key 7777", waiter:wait())
        end)
    end)

    it("does not count as a wait for a task that fails", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                local task = quoll.spawn(error, "in the task", 0)
                assert(quoll.sync.select { task } == 1)
            end)
        ]]
        assert.matches("failed: in the task", result.err)
        assert.equal(0, result.code)
    end)
end)

describe("a server of workers that selects", function()
    helper.gates()

    it("loses nothing, in any order of events", function()
        run(function()
            local jobs, quit = {}, sync.event()
            for i = 1, 5 do jobs[i] = sync.channel(i - 1) end
            local got, workers = {}, {}
            for w = 1, 7 do
                workers[w] = quoll.spawn(function()
                    local set = { quit = quit, unpack(jobs) }
                    for key in function() return (select(set)) end do
                        if key == "quit" then return end
                        local item = jobs[key]:receive(0)
                        if item then got[item] = (got[item] or 0) + 1 end
                    end
                end)
            end
            for n = 1, 2000 do jobs[n % 5 + 1]:send(n) end
            settle()
            settle()
            quit:set()
            for w = 1, 7 do workers[w]:wait() end
            for n = 1, 2000 do assert.equal(1, got[n]) end
        end, 20)
    end)
end)
