local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local core = require "quoll.core"
local quoll = require "quoll"
local finish = require("quoll.wait").finish

local raw = core.watch
local CREATE, ALL = 0x100, 0xfff

local folder

-- fn(watch, wd) as a task, on a watch of `folder`.
local function with_watch(fn)
    return tasks.run(function()
        local w = assert(raw.open())
        return fn(w, assert(finish(raw.add(w, folder, ALL))))
    end)
end

local function touch(name)
    assert(io.open(folder .. "/" .. name, "w")):close()
end

describe("quoll.core.watch", function()
    helper.gates()

    before_each(function()
        folder = os.tmpname()
        os.remove(folder)
        assert.equal(0, os.execute("mkdir " .. folder))
    end)
    after_each(function()
        os.execute("rm -r " .. folder)
    end)

    it("gives events with number, mask, cookie and name", function()
        with_watch(function(w, wd)
            touch "a"
            assert.same({ wd, CREATE, 0, "a" }, { finish(raw.next(w)) })
            os.rename(folder .. "/a", folder .. "/b")
            local cookie
            repeat
                cookie = select(3, finish(raw.next(w)))
            until cookie ~= 0
            assert.same({ wd, 0x80, cookie, "b" }, { finish(raw.next(w)) })
        end)
    end)

    it("waits for them; a timeout is none", function()
        with_watch(function(w)
            assert.same({ nil, "timeout", "TIMEOUT" },
                { finish(raw.next(w, 0)) })
            assert.same({ nil, "timeout", "TIMEOUT" },
                { finish(raw.next(w, 0.001)) })
            quoll.spawn(touch, "a")
            local _, mask = finish(raw.next(w, 5))
            assert.equal(CREATE, mask)
        end)
    end)

    it("keeps what a cancelled wait did not take", function()
        with_watch(function(w)
            local waiting = quoll.spawn(function()
                finish(raw.next(w))
            end)
            tasks.settle()
            touch "a"
            waiting:cancel()
            waiting:wait()
            local _, mask, _, name = finish(raw.next(w, 5))
            assert.same({ CREATE, "a" }, { mask, name })
        end)
    end)

    it("one task waits at a time", function()
        with_watch(function(w)
            local first = quoll.spawn(function()
                return finish(raw.next(w))
            end)
            tasks.settle()
            assert.same({ nil, "busy reading", "BUSY" },
                { finish(raw.next(w)) })
            touch "a"
            local _, mask = first:wait(5)
            assert.equal(CREATE, mask)
        end)
    end)

    it("closed, wakes its waiter and refuses further calls", function()
        with_watch(function(w, wd)
            local waiting = quoll.spawn(function()
                return finish(raw.next(w))
            end)
            tasks.settle()
            assert.is_true(w:close())
            local gone = { nil, "closed", "CLOSED" }
            assert.same(gone, { waiting:wait(5) })
            assert.same(gone, { finish(raw.next(w)) })
            assert.same(gone, { finish(raw.add(w, folder, ALL)) })
            assert.same(gone, { finish(raw.remove(w, wd)) })
        end)
    end)

    it("closed by its owner's end", function()
        tasks.run(function()
            local w
            quoll.spawn(function() w = assert(raw.open()) end):wait()
            assert.same({ nil, "closed", "OWNER_ENDED" },
                { finish(raw.next(w)) })
        end)
    end)

    it("closed by the collector when nobody holds it", function()
        tasks.run(function()
            assert(raw.open()):disown()
        end) -- the gates look at the descriptors
    end)

    it("adds and removes", function()
        with_watch(function(w, wd)
            assert.equal(wd, (finish(raw.add(w, folder, ALL))))
            assert.same({ nil, "no such file or directory", "ENOENT" },
                { finish(raw.add(w, folder .. "/none", ALL)) })
            assert.same({ nil, "invalid argument", "EINVAL" },
                { finish(raw.add(w, folder .. "\0x", ALL)) })
            assert.equal(0, (finish(raw.remove(w, wd))))
            local _, mask = finish(raw.next(w))
            assert.equal(0x8000, mask)
        end)
    end)

    it("may be closed while a path is added", function()
        with_watch(function(w)
            local adding = quoll.spawn(function()
                return finish(raw.add(w, folder, ALL))
            end)
            tasks.settle()
            w:close()
            assert.is_number((adding:wait(5)))
        end)
    end)

    it("refuses what is no watch", function()
        assert.error_matches(function() raw.next(io.stdout) end,
            "bad argument 'self' to 'next'")
    end)
end)
