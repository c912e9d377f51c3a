local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local ffi, run, sync = helper.ffi, tasks.run, quoll.sync
local O_NONBLOCK, O_CLOEXEC = 0x800, 0x80000

-- fn(an object that waits for the read end, write end) in a task.
local function with_pipe(fn)
    local fds = ffi.new("int[2]")
    assert(ffi.C.pipe2(fds, O_NONBLOCK + O_CLOEXEC) == 0)
    local ok, err = pcall(run, function()
        return fn({ pollfd = fds[0], events = "r" }, fds[1])
    end)
    ffi.C.close(fds[0])
    ffi.C.close(fds[1])
    assert(ok, err)
end

local function write(fd)
    assert(ffi.C.write(fd, "x", 1) == 1)
end

local function timed_out(...)
    assert.same({ nil, "timeout", "TIMEOUT" }, { ... })
end

describe("quoll.wait", function()
    helper.gates()

    it("waits for an object's descriptor", function()
        with_pipe(function(object, w)
            timed_out(quoll.wait(object, 0))
            quoll.spawn(write, w)
            assert.equal("r", quoll.wait(object, 5))
            assert.equal("r", quoll.wait(object, 0))
            assert.equal("w", quoll.wait { pollfd = w, events = "rw" })
        end)
    end)

    it("asks methods, of tables and of userdata", function()
        with_pipe(function(object, w)
            local asked = {}
            local methods = {}
            for _, name in ipairs { "pollfd", "events", "timeout" } do
                methods[name] = function(self)
                    asked[#asked + 1] = self
                    return object[name]
                end
            end
            local self = newproxy(true)
            getmetatable(self).__index = methods
            write(w)
            assert.equal("r", quoll.wait(self))
            local other = setmetatable({}, { __index = methods })
            assert.equal("r", quoll.wait(other))
            assert.same({ self, self, self, other, other, other }, asked)
        end)
    end)

    it("takes masks of poll(2) for events", function()
        with_pipe(function(object, w)
            object.events = 1
            timed_out(quoll.wait(object, 0))
            assert.equal("w", quoll.wait { pollfd = w, events = 5 })
            assert.equal("w", quoll.wait { pollfd = w, events = 4 })
        end)
    end)

    it("ends when the object's timeout is over", function()
        with_pipe(function(object)
            object.timeout = 0.002
            assert.equal("due", quoll.wait(object))
            assert.equal("due", quoll.wait(object, 5))
            object.timeout = 5
            timed_out(quoll.wait(object, 0.002))
            object.timeout = -1
            assert.equal("due", quoll.wait(object))
        end)
    end)

    it("is a sleep for an object without a descriptor", function()
        run(function()
            for _, fd in ipairs { -1, false } do
                assert.equal("due", quoll.wait { pollfd = function()
                    return fd or nil
                end, events = "r", timeout = 0.002 })
            end
            timed_out(quoll.wait({ pollfd = 0, events = "" }, 0.002))
            timed_out(quoll.wait({ pollfd = 0 }, 0))
        end)
    end)

    it("is cut by a deadline and leaves nothing", function()
        with_pipe(function(object)
            local out = { quoll.deadline(0.002, quoll.wait, object) }
            assert.same({ nil, "timeout", "DEADLINE" }, out)
        end)
    end)

    it("does not hold up other tasks when an object is always due", function()
        with_pipe(function(object)
            local go = true
            quoll.spawn(function() go = false end)
            object.timeout = 0
            while go do
                assert.equal("due", quoll.wait(object))
            end
        end)
    end)

    it("tells of a descriptor that is closed", function()
        run(function()
            local out = { quoll.wait { pollfd = 100000, events = "r" } }
            assert.same({ nil, "bad file descriptor", "EBADF" }, out)
        end)
    end)

    it("refuses what it cannot wait for", function()
        local function fails(pattern, ...)
            local args = { ... }
            local ok, err = pcall(function()
                return (quoll.wait(unpack(args)))
            end)
            assert.is_false(ok)
            assert.matches("pollable_spec.lua:%d+: bad argument " .. pattern,
                err)
        end
        fails("'object' to 'wait' %(an object with pollfd expected, got nil%)")
        fails("'object' .* got 5", 5)
        fails("'object' .* got table", {})
        fails("'object' .* got userdata", newproxy(true))
        fails("'object' to 'wait' %(its pollfd: a descriptor expected, got "
            .. "table%)", { pollfd = {} })
        fails("'object' .*its events: 'r', 'w' or 'rw' expected, got 'p'",
            { pollfd = 0, events = "p" })
        fails("'object' .*its timeout: seconds expected, got boolean",
            { pollfd = 0, events = "r", timeout = true })
        fails("'s' to 'wait' %(seconds, 0 or more, expected, got .*%-1",
            { pollfd = 0, events = "r" }, -1)
    end)
end)

describe("select", function()
    helper.gates()

    it("waits for foreign objects beside its own", function()
        with_pipe(function(object, w)
            local ch = sync.channel(1)
            local set = { pipe = object, channel = ch }
            timed_out(sync.select(set, 0))
            timed_out(sync.select(set, 0.002))
            quoll.spawn(write, w)
            assert.equal("pipe", sync.select(set, 5))
            assert.equal("pipe", sync.select(set, 0))
            ch:send(1)
            local seen = {}
            while not (seen.pipe and seen.channel) do
                seen[sync.select(set)] = true
            end
        end)
    end)

    it("ends when the first of their timeouts is over", function()
        with_pipe(function(object)
            local ch = sync.channel(1)
            local late = { pollfd = -1, timeout = 60 }
            object.timeout = 0.002
            local set = { pipe = object, late = late, channel = ch }
            assert.equal("pipe", sync.select(set))
            assert.equal("pipe", sync.select(set, 5))
            assert.equal("pipe", sync.select { pipe = object })
            object.timeout = 30
            timed_out(sync.select(set, 0.002))
            quoll.spawn(ch.send, ch, 1)
            assert.equal("channel", sync.select(set, 20))
        end)
    end)

    it("gives one that is always due no more than its share", function()
        run(function()
            local seen = {}
            local due = { pollfd = -1, timeout = 0 }
            local set = sync.event()
            set:set()
            while not (seen.due and seen.event) do
                seen[sync.select { due = due, event = set }] = true
            end
        end)
    end)

    it("takes a closed descriptor for ready: who uses it is told", function()
        run(function()
            assert.equal("gone", sync.select {
                gone = { pollfd = 100000, events = "r" },
            })
        end)
    end)

    it("keeps nothing when it is cancelled", function()
        with_pipe(function(object)
            local out = { quoll.deadline(0.002, sync.select, { object }) }
            assert.same({ nil, "timeout", "DEADLINE" }, out)
            assert.equal(0, quoll.stats().connections.live or 0)
        end)
    end)
end)
