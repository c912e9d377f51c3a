local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local sync = quoll.sync

-- What more waits of each kind allocate in C.
local COUNTS = [[
    local inject = require "spec.support.scripted"
    local quoll = require "quoll"
    local sync = quoll.sync
    local function allocations()
        return tonumber(inject.ql_inject_calls "malloc"
            + inject.ql_inject_calls "realloc")
    end
    local ch, buffered = sync.channel(), sync.channel(1)
    local sem, mutex = sync.semaphore(1), sync.mutex()
    local event, group = sync.event(), sync.waitgroup()
    local kinds = {
        channel = { function() ch:send(1, 5) end,
            function() ch:receive(5) end },
        buffered = { function() buffered:send(1, 5) end,
            function() buffered:receive(5) end },
        semaphore = { function() sem:acquire(1, 5); quoll.yield()
            sem:release() end },
        mutex = { function() mutex:lock(5); quoll.yield()
            mutex:unlock() end },
        event = { function() event:wait(5); event:clear() end,
            function() quoll.yield(); event:set() end },
        waitgroup = { function() group:wait(5) end,
            function() group:add(1); quoll.yield(); group:done() end },
        select = { function() sync.select({ ch }, 5); ch:receive(0) end,
            function() ch:send(1, 5) end },
    }
    local function rounds(fns, n)
        local tasks = {}
        for i = 1, 2 do
            local fn = fns[i] or fns[1]
            tasks[i] = quoll.spawn(function()
                for _ = 1, n do fn() end
            end)
        end
        for _, task in ipairs(tasks) do task:wait() end
    end
    quoll.run(function()
        for name, fns in pairs(kinds) do
            rounds(fns, 10)
            local before = allocations()
            rounds(fns, 10)
            local few = allocations() - before
            rounds(fns, 200)
            print(name, allocations() - before - 2 * few)
        end
    end)
]]

describe("the objects of quoll.sync", function()
    helper.gates()

    it("belong to no task", function()
        local ch = quoll.run(function()
            local made = sync.channel(1)
            quoll.spawn(function() made:send(1) end):wait()
            sync.event():close()
            return { made }
        end)[1]
        assert.equal(1, ch:receive(0))
    end)

    it("belong to a task that asks for it", function()
        local s = sync.semaphore(1)
        quoll.run(function() s:own() end)
        assert.same({ nil, "closed", "OWNER_ENDED" }, { s:acquire() })
    end)

    it("are told by kind and name to who asks what a task waits for",
        function()
            quoll.run(function()
                local group, room = sync.waitgroup(), sync.pool(1, quoll.sleep)
                local named = sync.channel()
                group:add(1)
                assert.is_nil(named:name())
                assert.equal("jobs", named:name "jobs")
                assert.equal(("x"):rep(23), sync.event():name(("x"):rep(99)))
                assert.is_false(pcall(named.name, named, {}))
                local running = room:submit(10)
                assert.equal("workers", room:name "workers")
                local waits = {}
                for i, fn in ipairs {
                    function() named:receive() end,
                    function() named:send(1) end,
                    function() group:wait() end,
                    function() room:submit() end,
                    function() sync.event():wait() end,
                } do
                    local task = quoll.spawn(fn)
                    quoll.yield()
                    for _, one in ipairs(quoll.tasks()) do
                        waits[i] = one.id == task:id() and one.waits or waits[i]
                    end
                    task:cancel()
                end
                assert.same({ "channel receive: 'jobs'",
                    "channel send: 'jobs'" }, { waits[1], waits[2] })
                local place = ": 0x%x+ of sync_spec.lua:%d+$"
                assert.matches("^waitgroup" .. place, waits[3])
                assert.equal("pool: 'workers', 0 of 1 free", waits[4])
                assert.matches("^event" .. place, waits[5])
                running:cancel()
            end)
        end)

    it("are told to who asks what a select waits for", function()
        quoll.run(function()
            local ended = quoll.spawn(quoll.sleep, 10)
            ended:name "sleeper"
            local set = { sync.channel(), ended }
            local task = quoll.spawn(sync.select, set)
            quoll.yield()
            local function newest()
                local list = quoll.tasks()
                return list[#list].waits
            end
            local waits = newest()
            assert.matches("^select of 2: ", waits)
            assert.matches(" channel 0x%x+", waits)
            assert.matches(" task %d+ 'sleeper'", waits)
            for _ = 1, 9 do
                set[#set + 1] = sync.event()
            end
            task:cancel()
            task = quoll.spawn(sync.select, set)
            quoll.yield()
            waits = newest()
            assert.matches("^select of 11: .+, .+, .+, .+, %.%.%.$", waits)
            task:cancel()
            ended:cancel()
        end)
    end)

    it("without a name are told by where they were made", function()
        local function waits(chunk)
            local made = loadstring("\n\nlocal event = ...\n"
                .. "local e = event() return e", chunk)(sync.event)
            local task = quoll.spawn(made.wait, made)
            quoll.yield()
            local found
            for _, one in ipairs(quoll.tasks()) do
                found = one.id == task:id() and one.waits or found
            end
            task:cancel()
            return found
        end
        quoll.run(function()
            local place = "^event: 0x%%x+ of %s:4$"
            for chunk, shown in pairs {
                ["@/a/dir.ectory/jobs.lua"] = "jobs%.lua",
                ["@jobs.lua"] = "jobs%.lua",
                ["=job"] = "job",
                ["@" .. ("x"):rep(15) .. "-and-more.lua"]
                    = "xxxxxxxx%-and%-more%.lua",
            } do
                assert.matches(place:format(shown), waits(chunk))
            end
        end)
    end)

    it("allocate nothing in C for a wait", function()
        local result = helper.script(COUNTS)
        local lines = {}
        for line in result.out:gmatch "[^\n]+" do
            lines[#lines + 1] = line
        end
        table.sort(lines)
        assert.same({ "buffered\t0", "channel\t0", "event\t0", "mutex\t0",
            "select\t0", "semaphore\t0", "waitgroup\t0" }, lines, result.err)
    end)

    it("are left waiting when the script ends", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local sync = quoll.sync
            local kept = { sync.channel(), sync.semaphore(1), sync.event(),
                sync.mutex() }
            kept[2]:acquire()
            kept[4]:lock()
            quoll.spawn(function() kept[1]:receive() end)
            quoll.spawn(function() sync.channel():send(1) end)
            quoll.spawn(function() kept[2]:acquire() end)
            quoll.spawn(function() kept[3]:wait() end)
            quoll.spawn(function() kept[4]:lock() end)
            quoll.yield()
            collectgarbage()
            io.write("end\n")
        ]]
        assert.equal("end\n", result.out)
        assert.matches("5 tasks were alive", result.err)
        assert.equal(0, result.code)
    end)

    it("are used by finalisers, also when the state closes", function()
        local result = helper.script [[
            local early = newproxy(true)
            local quoll = require "quoll"
            local ch, s = quoll.sync.channel(9), quoll.sync.semaphore(9)
            local e, m = quoll.sync.event(), quoll.sync.mutex()
            local offer = require("quoll.core").channel.offer
            s:acquire(9)
            m:lock()
            local function use()
                pcall(offer, ch, 1)
                pcall(s.release, s)
                e:set()
                e:clear()
                pcall(m.unlock, m)
                pcall(quoll.sync.channel, 1)
            end
            getmetatable(early).__gc = use
            local late = newproxy(true)
            getmetatable(late).__gc = use
            quoll.spawn(function() while true do e:wait() end end)
            quoll.spawn(function() while true do ch:receive() end end)
            quoll.spawn(function() m:lock() s:acquire(9) end)
            for i = 1, 1000 do
                getmetatable(newproxy(true)).__gc = use
                ch:send({}, 0)
                quoll.yield()
            end
            io.write("end\n")
        ]]
        assert.equal("end\n", result.out)
        assert.equal(0, result.code)
    end)
end)

describe("waits of quoll.sync inside scopes", function()
    helper.gates()

    it("end at a deadline, without effect", function()
        tasks.run(function()
            local ch, s = sync.channel(), sync.semaphore(1)
            s:acquire()
            for _, wait in ipairs {
                function() ch:receive() end,
                function() ch:send(1) end,
                function() s:acquire() end,
                function() sync.event():wait() end,
                function() sync.select { ch, s } end,
                function() sync.once(quoll.sleep)(60) end,
            } do
                local function twice()
                    wait()
                    wait()
                end
                assert.same({ nil, "timeout", "DEADLINE" },
                    { quoll.deadline(0.001, twice) })
            end
            assert.same({ nil, "timeout", "TIMEOUT" }, { ch:receive(0) })
            s:release()
            assert.is_true(s:acquire(1, 0))
        end)
    end)

    it("end with their scope", function()
        tasks.run(function()
            local ch, m = sync.channel(), sync.mutex()
            local ok, err = pcall(quoll.scope, function(scope)
                for i = 1, 10 do
                    scope:spawn(function() ch:send(i) end)
                    scope:spawn(function() m:with(quoll.sleep, 60) end)
                end
                quoll.yield()
                error("enough", 0)
            end)
            assert.same({ false, "enough" }, { ok, err })
            assert.same({ nil, "timeout", "TIMEOUT" }, { ch:receive(0) })
            assert.same({ true }, { m:lock(0) })
            m:unlock()
        end)
    end)

    it("lose no permit when a deadline and a release come together", function()
        tasks.run(function()
            local s, late, inside = sync.semaphore(1), 0, 0
            local function use()
                s:acquire()
                inside = inside + 1
                assert(inside == 1)
                inside = inside - 1
                s:release()
            end
            for _ = 1, 300 do
                s:acquire()
                local user = quoll.spawn(function()
                    local _, _, code = quoll.deadline(0.0002, use)
                    late = late + (code == "DEADLINE" and 1 or 0)
                end)
                quoll.sleep(0.0002)
                s:release()
                user:wait()
                assert.equal(1, s:permits())
            end
        end)
    end)

    it("are for a coroutine within a task too", function()
        tasks.run(function()
            local ch = sync.channel()
            local co = quoll.coroutine.wrap(function()
                ch:send "one"
                quoll.coroutine.yield "between"
                return ch:receive()
            end)
            local other = quoll.spawn(function()
                local got = ch:receive()
                ch:send "two"
                return got
            end)
            assert.equal("between", co())
            assert.equal("two", co())
            assert.equal("one", other:wait())
        end)
    end)
end)

describe("a sender whose coroutine a script has resumed", function()
    it("fails, and its channel goes on", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local ch = quoll.sync.channel()
            local co
            quoll.spawn(function()
                co = coroutine.running()
                ch:send "lost"
            end)
            quoll.spawn(function()
                pcall(coroutine.resume, co)
                assert(ch:receive() == "kept")
                io.write("end\n")
            end)
            quoll.spawn(function() ch:send "kept" end)
            quoll.run()
        ]]
        assert.equal("end\n", result.out)
        assert.equal(0, result.code)
    end)
end)
