local helper = require "spec.helper"
local pair = require "spec.support.pair"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

-- The row of a task in quoll.tasks().
local function row(task, opts)
    for _, found in ipairs(quoll.tasks(opts)) do
        if found.id == task:id() then
            return found
        end
    end
end

-- What a task that runs fn(...) waits for. Who looks is next in the queue,
-- before whatever ends the wait.
local function waits(fn, ...)
    local task = quoll.spawn(fn, ...)
    local found = assert(quoll.spawn(row, task):wait(), "it has ended")
    task:cancel()
    task:wait()
    return found.waits
end

describe("quoll.tasks", function()
    helper.gates()

    it("has every task, parents before children, and the main chunk", function()
        local before = quoll.tasks()
        assert.equal(0, #before)
        assert.equal("running", before[0].state)
        assert.matches("tasks_spec.lua:%d+$", before[0].where)
        run(function()
            local inner
            local outer = quoll.spawn(function()
                inner = quoll.spawn(quoll.sleep, 60)
                inner:name "sleeper"
            end)
            tasks.settle()
            local list, at = quoll.tasks(), {}
            for i, found in ipairs(list) do
                at[found.id] = i
                assert.is_true(found.age >= 0 and found.age < 60)
            end
            local parent = list[at[outer:id()]]
            local child = list[at[inner:id()]]
            assert.is_true(at[outer:id()] < at[inner:id()])
            assert.equal("closing", parent.state)
            assert.equal("1 child", parent.waits)
            assert.matches("its function has ended", parent.traceback)
            assert.equal(outer:id(), child.parent)
            assert.equal("sleeper", child.name)
            assert.equal(0, list[1].parent)
            assert.matches("^%d+ child", list[0].waits)
            assert.matches("in function 'run'", list[0].traceback)
            outer:cancel()
        end)
    end)

    it("tells states, places, tracebacks, the time left", function()
        run(function()
            local late = quoll.timer.after(60, print)
            local found = row(late)
            assert.equal("starting", found.state)
            assert.matches("^start, %d+%.%d%d%d s left$", found.waits)
            assert.matches("it has not started", found.traceback)
            local line = debug.getinfo(1, "l").currentline + 2
            local task = quoll.spawn(function()
                quoll.sleep(60)
            end)
            tasks.settle()
            found = row(task)
            assert.equal("waiting", found.state)
            assert.matches("^sleep, %d+%.%d%d%d s left$", found.waits)
            assert.is_true(found.left > 50 and found.left < 61)
            assert.is_true(found.since >= 0 and found.since < 60)
            assert.matches("tasks_spec.lua:" .. line .. "$", found.where)
            assert.matches("^stack traceback:\n\t%[C%]: in function '"
                .. "[^\n]+\n.*tasks_spec.lua:" .. line, found.traceback)
            assert.matches("\n\tspawned at .*tasks_spec.lua:" .. line - 1,
                found.traceback)
            assert.is_nil(row(task, { traceback = false }).traceback)
            task:cancel()
            late:cancel()
        end)
    end)

    it("tells the first deadline around a wait, past no shield", function()
        run(function()
            local function left(fn)
                local task = quoll.spawn(fn)
                tasks.settle()
                local found = row(task).left
                task:cancel()
                task:wait()
                return found
            end
            assert.is_nil(left(quoll.yield))
            assert.is_true(left(function()
                quoll.deadline(20, quoll.deadline, 30, function()
                    quoll.spawn(quoll.sleep, 1):wait(60)
                end)
            end) < 20.1)
            assert.is_true(left(function()
                quoll.deadline(20, quoll.sleep, 10)
            end) < 10.1)
            assert.is_true(left(function()
                quoll.deadline(1, quoll.shield, 1, quoll.sleep, 30)
            end) > 1)
        end)
    end)

    it("shows who asks as running, also from a coroutine of its own", function()
        run(function()
            local task
            task = quoll.spawn(function()
                local found = coroutine.wrap(function()
                    return row(task)
                end)()
                assert.equal("running", found.state)
                assert.is_nil(found.waits)
                assert.matches("tasks_spec.lua:%d+$", found.where)
            end)
            task:wait()
        end)
    end)

    it("shows the coroutine within a task that waits", function()
        local co = require "quoll.coroutine"
        run(function()
            local line = debug.getinfo(1, "l").currentline + 3
            local task = quoll.spawn(function()
                for _ in co.wrap(function()
                    quoll.sleep(60)
                end) do end
            end)
            tasks.settle()
            local found = row(task)
            assert.matches("^sleep", found.waits)
            assert.matches("tasks_spec.lua:" .. line .. "$", found.where)
            assert.matches("tasks_spec.lua:" .. line .. ".*\n\tresumed by:\n"
                .. "stack traceback:.*tasks_spec.lua:" .. line - 1 .. ".*"
                .. "spawned at", found.traceback)
            task:cancel()
        end)
    end)

    it("refuses what it does not know", function()
        local ok, err = pcall(quoll.tasks, { traces = true })
        assert.is_false(ok)
        assert.matches("no option 'traces'", err)
    end)
end)

describe("what a task waits for:", function()
    helper.gates()

    it("connections", pair.with(function(client, server)
        local peer = ("%s (fd %d)"):format(
            table.concat({ client:getpeername() }, ":"), client:getfd())
        local expected = {
            receive = { "receive from " .. peer, 5 },
            receiveany = { "receiveany from " .. peer, 5 },
            peek = { "peek from " .. peer, 5 },
        }
        client:settimeout(nil)
        for method, case in pairs(expected) do
            assert.equal(case[1], waits(client[method], client, case[2]))
        end
        assert.equal("receiveuntil from " .. peer,
            waits(client:receiveuntil "--"))
        client:settimeout(60)
        assert.matches("^receive from [%d.:]+ %(fd %d+%), %d+%.%d+ s left$",
            waits(client.receive, client, 1))
        assert.matches("^send of %d+ more bytes to [%d.:]+ %(fd %d+%)",
            waits(client.send, client, ("x"):rep(64 * pair.MIB)))
        server:close()
    end))

    it("listeners, connects, unix sockets", function()
        run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local address = listener:address()
            assert.matches("^accept on " .. address .. " %(fd %d+%)$",
                waits(listener.accept, listener))
            assert.matches("^connect to " .. address .. " %(fd %d+%)$",
                waits(quoll.connect, address))
            listener:close()
        end)
        pair.with(function(client, server)
            for _, conn in ipairs { client, server } do
                assert.matches("^receive from unix:@quoll%-tasks%-spec ",
                    waits(conn.receive, conn, 1))
            end
            assert.matches('^waitfd "r" %(fd %d+%), %d+%.%d+ s left$',
                waits(quoll.waitfd, client:getfd(), "r", 60))
        end, "unix:@quoll-tasks-spec")()
    end)

    it("tasks", function()
        run(function()
            local sleeper = quoll.spawn(quoll.sleep, 60)
            assert.equal("task " .. sleeper:id(), waits(sleeper.wait, sleeper))
            sleeper:name "reader"
            assert.matches("^task %d+ 'reader', %d+%.%d+ s left$",
                waits(sleeper.wait, sleeper, 60))
            sleeper:cancel()
            local yielder = quoll.spawn(quoll.yield)
            tasks.settle()
            assert.equal("yield", row(yielder).waits)
        end)
    end)

    it("files", function()
        local path = tasks.file(("x"):rep(100000))
        finally(function() os.remove(path) end)
        run(function()
            local direct = assert(quoll.open(path, "rd"))
            local file = assert(quoll.open(path, "r+"))
            local lane = direct:stat() and " %(%l+%)$"
            local here = path:gsub("%p", "%%%0")
            assert.matches("^pread of " .. here .. " at 4096" .. lane,
                waits(direct.pread, direct, 10, 4096))
            assert.matches("^read of " .. here .. " at 0" .. lane,
                waits(direct.read, direct, 10))
            assert.equal("sync of " .. path, waits(file.sync, file))
            assert.equal("truncate of " .. path, waits(file.truncate, file, 9))
            assert.equal("open of " .. path, waits(quoll.open, path, "a"))
            local dir = path .. ".d"
            assert.equal("mkdir of " .. dir, waits(quoll.fs.mkdir, dir))
            os.remove(dir)
        end)
    end)
end)
