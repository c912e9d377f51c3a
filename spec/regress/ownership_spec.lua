-- A handle belongs to a task: whichever way that one ends, the handle is
-- closed, or is somebody else's. Descriptors are counted after each test.
local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run
local path = helper.root .. "/LICENSE"

local CLOSED = { nil, "closed", "OWNER_ENDED" }

local function open()
    return assert(quoll.open(path))
end

local function is_open(file)
    return file:pread(1, 0) == "M"
end

-- What body opens and its task does not return, after the task's end.
local function after(body, how)
    local file
    local task = quoll.spawn(function(...)
        file = open()
        return body(file, ...)
    end)
    quoll.sleep(0.003)
    if how then
        how(task)
    end
    pcall(task.wait, task)
    return file
end

describe("a handle of a task", function()
    helper.gates()

    it("is closed by every end of it", function()
        local bodies = {
            ["return"] = function() end,
            error = function() error({}) end,
            overflow = function()
                local function over() return 1 + over() end
                over()
            end,
            yield = function() coroutine.yield() end,
            cancel = function() quoll.sleep(10) end,
            force = function()
                while true do
                    pcall(quoll.sleep, 10)
                end
            end,
            sibling = function()
                quoll.scope(function(s)
                    s:spawn(error, "x", 0)
                    quoll.sleep(10)
                end)
            end,
            deadline = function() quoll.deadline(0.001, quoll.sleep, 10) end,
            child = function() quoll.spawn(quoll.sleep, 0.005) end,
        }
        for name, body in pairs(bodies) do
            run(function()
                local file = after(body, function(task)
                    if name == "cancel" or name == "force" then
                        task:cancel()
                    end
                end)
                assert.same(CLOSED, { file:pread(1, 0) }, name)
                assert.same(CLOSED, { file:close() }, name)
            end)
        end
    end)

    it("stays open while its children run", function()
        run(function()
            local seen
            after(function(file)
                quoll.spawn(function()
                    quoll.sleep(0.005)
                    seen = is_open(file)
                end)
            end)
            assert.is_true(seen)
        end)
    end)

    it("used by another task ends that one's wait with OWNER_ENDED", function()
        run(function()
            local listener
            local owner = quoll.spawn(function()
                listener = assert(quoll.listen "127.0.0.1:0")
                quoll.sleep(10)
            end)
            quoll.yield()
            quoll.yield()
            local user = quoll.spawn(listener.accept, listener)
            quoll.yield()
            owner:cancel()
            assert.same(CLOSED, { user:wait() })
        end)
    end)

    it("returned moves up, task by task, to who is left", function()
        local file
        run(function()
            local function nest(n)
                if n == 0 then
                    return 1, open(), open()
                end
                return quoll.spawn(nest, n - 1):wait()
            end
            local _, first, second = quoll.spawn(nest, 5):wait()
            assert.is_true(is_open(first) and is_open(second))
            file = second
        end)
        assert.same(CLOSED, { file:pread(1, 0) })
    end)

    it("returned to nobody is closed with the parent", function()
        run(function()
            local file
            local parent = quoll.spawn(function()
                quoll.spawn(function()
                    file = open()
                    return file
                end)
                quoll.sleep(0.005)
                assert(is_open(file))
            end)
            parent:wait()
            assert.same(CLOSED, { file:pread(1, 0) })
        end)
    end)

    it("returned by a task of a scope is the scope's task's", function()
        run(function()
            local file = quoll.scope(function(s)
                return s:spawn(open):wait()
            end)
            assert.is_true(is_open(file))
            local all = quoll.all { open, open }
            assert.is_true(is_open(all[1]) and is_open(all[2]))
            assert.is_true(is_open(quoll.race { open, quoll.yield }))
        end)
    end)

    it("inside a table that is returned does not move", function()
        run(function()
            local list = quoll.spawn(function() return { open() } end):wait()
            assert.same(CLOSED, { list[1]:pread(1, 0) })
        end)
    end)

    it("of a failed task does not move with the error", function()
        run(function()
            local task = quoll.spawn(function() error({ file = open() }) end)
            local _, err = pcall(task.wait, task)
            assert.same(CLOSED, { err.file:pread(1, 0) })
        end)
    end)

    it("returned by a detached task is the main chunk's", function()
        local file
        run(function()
            quoll.spawn(function()
                quoll.yield()
                file = open()
                return file
            end):detach()
        end)
        assert.is_true(is_open(file))
        file:close()
    end)

    it("owned by another one outlives the first; disowned, both", function()
        run(function()
            local loose
            local file = after(function(mine)
                loose = open():disown()
                mine:disown()
            end)
            assert.is_true(is_open(file) and is_open(loose))
            quoll.spawn(file.own, file):wait()
            -- own() among the results of its own task moves it back.
            assert.is_true(is_open(file))
            quoll.spawn(function() file:own() end):wait()
            assert.same(CLOSED, { file:pread(1, 0) })
            loose:close()
        end)
    end)
end)

describe("a handle among the arguments of a task", function()
    helper.gates()

    it("that is cancelled before it starts stays its owner's", function()
        run(function()
            local file = open()
            local task = quoll.spawn(file.pread, file, 1, 0)
            task:cancel()
            local later = quoll.timer.after(10, file.pread, file, 1, 0)
            later:cancel()
            assert.is_true(is_open(file))
        end)
    end)

    it("to which it was given is closed when that never starts", function()
        run(function()
            local core = require "quoll.core"
            local file = open()
            local task = quoll.spawn(print, file)
            core.task_own(file, task)
            task:cancel()
            assert.same(CLOSED, { file:pread(1, 0) })
        end)
    end)

    it("accepted by serve goes with its handler, and with the server",
        function()
            run(function()
                local listener = assert(quoll.listen "127.0.0.1:0")
                local kept = {}
                local server = quoll.spawn(listener.serve, listener,
                    function(conn)
                        kept[#kept + 1] = conn
                        if #kept == 2 then
                            quoll.sleep(10)
                        end
                    end)
                local one = assert(quoll.connect(listener:address()))
                assert.equal("", one:receive "*a")
                local two = assert(quoll.connect(listener:address()))
                while #kept < 2 do
                    quoll.sleep(0.001)
                end
                server:cancel()
                assert.equal("", two:receive "*a")
                server:wait()
                for i = 1, 2 do
                    assert.equal("OWNER_ENDED",
                        select(-1, kept[i]:receive(1)))
                end
            end)
        end)
end)

describe("a dropped handle", function()
    helper.gates()

    it("is closed by the collector, its task still alive", function()
        run(function()
            for _ = 1, 50 do
                open()
            end
            collectgarbage()
            collectgarbage()
            assert.equal(0, quoll.stats().files.live)
        end)
    end)

    it("leaves no entry behind among thousands of others", function()
        run(function()
            local kept = {}
            for i = 1, 2000 do
                local file = open()
                if i % 100 == 0 then
                    kept[#kept + 1] = file
                else
                    file:close()
                end
            end
            for _, file in ipairs(kept) do
                assert.is_true(is_open(file))
            end
        end, 30)
    end)
end)

describe("handles at the end of the script", function()
    it("are closed, whoever owned them", function()
        local result = helper.script([[
            local quoll = require "quoll"
            local file = assert(quoll.open(arg[1]))
            loose = assert(quoll.open(arg[1])):disown()
            quoll.spawn(function()
                local listener = assert(quoll.listen "127.0.0.1:0")
                local mine = assert(quoll.open(arg[1]))
                quoll.spawn(function()
                    local conn = quoll.connect(listener:address())
                    conn:receive(1)
                end)
                listener:serve(function(conn)
                    quoll.defer(conn.close, conn)
                    conn:receive(1)
                    mine:pread(1, 0)
                end)
            end)
            quoll.sleep(0.02)
        ]], { path }, { lua = helper.build .. "/bin/quoll-host" })
        assert.is_nil(result.signal, result.err)
        assert.equal(0, result.code, result.err)
        assert.matches("tasks were alive", result.err)
        assert.is_nil(result.err:find("Sanitizer", 1, true), result.err)
    end)
end)
