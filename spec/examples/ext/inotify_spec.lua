-- examples/ext/inotify.c and .lua
local extensions = require "spec.support.extensions"
local folders = require "spec.support.folders"
local helper = require "spec.helper"
local quoll = require "quoll"

local run = require("spec.support.tasks").run

describe("examples/ext/inotify", function()
    local inotify = extensions.load "inotify"
    if not inotify then
        return
    end
    helper.gates()

    local dir

    before_each(function()
        dir = folders.make()
    end)

    after_each(function()
        folders.remove(dir)
    end)

    local function touch(name)
        assert(io.open(dir .. "/" .. name, "w")):close()
    end

    it("tells what happens in a folder, in its order", function()
        run(function()
            local watch = assert(inotify.new())
            local wd = assert(watch:add(dir, { "create", "delete" }))
            local waiter = quoll.spawn(watch.next, watch)
            quoll.yield()
            touch "one"
            assert.same({ wd = wd, name = "one", cookie = 0, create = true },
                waiter:wait())
            os.remove(dir .. "/one")
            assert.same({ wd = wd, name = "one", cookie = 0, delete = true },
                watch:next())
            os.execute("mkdir " .. dir .. "/sub")
            assert.same({ wd = wd, name = "sub", cookie = 0, create = true,
                isdir = true }, watch:next())
        end)
    end)

    it("is iterated over until it is closed", function()
        run(function()
            local watch = assert(inotify.new())
            assert(watch:add(dir, { "create" }))
            local seen = {}
            for i = 1, 300 do -- more than one read takes
                touch(("a rather long name of a file %03d"):format(i))
            end
            for event in watch:events() do
                seen[#seen + 1] = event.name
                if #seen == 300 then
                    quoll.spawn(watch.close, watch)
                end
            end
            for i = 1, 300 do
                assert.equal(("a rather long name of a file %03d"):format(i),
                    seen[i])
            end
            assert.matches("inotify %(closed%)", tostring(watch))
        end, 20)
    end)

    it("gives up after a time, and loses nothing by it", function()
        run(function()
            local watch = assert(inotify.new())
            assert(watch:add(dir, { "create" }))
            assert.same({ nil, "timeout", "TIMEOUT" },
                { watch:next(0) })
            assert.same({ nil, "timeout", "TIMEOUT" },
                { watch:next(0.001) })
            local waiter = quoll.spawn(watch.next, watch)
            quoll.yield()
            waiter:cancel()
            touch "late"
            assert.same({ nil, "cancelled", "CANCELLED" },
                { waiter:wait() })
            assert.equal("late", watch:next().name)
        end)
    end)

    it("has one waiter", function()
        run(function()
            local watch = assert(inotify.new())
            local waiter = quoll.spawn(watch.next, watch)
            quoll.yield()
            assert.same({ nil, "busy reading", "BUSY" },
                { watch:next() })
            assert.is_true(watch:close())
            assert.same({ nil, "closed", "CLOSED" },
                { waiter:wait() })
            assert.same({ nil, "closed", "CLOSED" },
                { watch:add(dir, { "create" }) })
        end)
    end)

    it("is closed with its owner, while others wait", function()
        run(function()
            local watch
            local owner = quoll.spawn(function()
                watch = assert(inotify.new())
                quoll.yield()
                quoll.yield()
            end)
            quoll.yield()
            local waiter = quoll.spawn(watch.next, watch)
            owner:wait()
            assert.same({ nil, "closed", "OWNER_ENDED" },
                { waiter:wait() })
        end)
    end)

    it("is closed, or its task cancelled, while a thread adds", function()
        run(function()
            for i = 1, 50 do
                local watch = assert(inotify.new())
                local adding = quoll.spawn(watch.add, watch, dir, { "open" })
                quoll.yield()
                if i % 2 == 0 then
                    adding:cancel()
                end
                watch:close()
                adding:wait()
            end
        end, 20)
    end)

    it("is taken by the collector", function()
        run(function()
            for _ = 1, 20 do
                assert(assert(inotify.new()):disown():add(dir, { "open" }))
            end
        end)
    end)

    it("says what is wrong", function()
        run(function()
            local watch = assert(inotify.new())
            assert.same({ nil, "no such file or directory", "ENOENT" },
                { watch:add(dir .. "/none", { "open" }) })
            assert.has_error(function() watch:add(dir, { "opened" }) end,
                "no event is called 'opened'")
            assert.has_error(function() watch:add(dir, {}) end)
            assert.has_error(function() watch:next(-1) end)
            assert.has_error(function() watch.next({}) end)
        end)
    end)
end)
