local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local folders = require "spec.support.folders"
local quoll = require "quoll"

local fs = quoll.fs
local sh, events, told = folders.sh, folders.events, folders.told

describe("quoll.fs.watch", function()
    helper.gates()

    local dir
    before_each(function() dir = folders.make() end)
    after_each(function() folders.remove(dir) end)

    it("gives a folder's events", function()
        tasks.run(function()
            local w = assert(fs.watch(dir))
            sh(dir, "echo x > a; chmod 600 a; mkdir d; rm a; rmdir d")
            assert.same({ "create a", "modify a", "close_write a", "attrib a",
                "create d/", "delete a", "delete d/" }, told(w, dir, 7))
        end)
    end)

    it("gives type, path, name and directory", function()
        tasks.run(function()
            local w = assert(fs.watch(dir))
            sh(dir, "mkdir d")
            assert.same({ { type = "create", path = dir .. "/d", name = "d",
                directory = true } }, events(w, 1))
        end)
    end)

    it("gives a rename as one event, halves of one as they are", function()
        tasks.run(function()
            local w = assert(fs.watch(dir, { events = { "rename", "move_from",
                "move_to" } }))
            sh(dir, "echo > a; mv a b; mv b ../$$; mv ../$$ c")
            assert.same({ "rename a b", "move_from b", "move_to c" },
                told(w, dir, 3))
        end)
    end)

    it("gives only what is wanted, and the end", function()
        tasks.run(function()
            local w = assert(fs.watch(dir, { events = { "delete" } }))
            sh(dir, "echo x > a; rm a; mkdir d; rmdir d; rmdir $PWD")
            assert.same({ "delete a", "delete d/", "gone /" }, told(w, dir, 3))
        end)
    end)

    it("is an iterator that ends behind its last event", function()
        tasks.run(function()
            local w, seen = assert(fs.watch(dir)), {}
            sh(dir, "mkdir a; rmdir a $PWD")
            for event in w do
                seen[#seen + 1] = event.type
            end
            assert.same({ "create", "delete", "gone" }, seen)
            assert.is_nil(w())
            assert.same({ nil, "closed", "CLOSED" }, { w:next() })
            assert.same({ nil, "closed", "CLOSED" }, { w:close() })
        end)
    end)

    it("is an iterator that raises when it is closed before", function()
        tasks.run(function()
            local w, seen = assert(fs.watch(dir)), {}
            sh(dir, "mkdir a b")
            assert.error_matches(function()
                for event in w do
                    seen[#seen + 1] = event.name
                    if #seen == 2 then
                        quoll.spawn(w.close, w)
                    end
                end
            end, "closed$")
            assert.error_matches(function() w() end, "closed$")
            assert.same({ "a", "b" }, seen)
            assert.same({ nil, "closed", "CLOSED" }, { w:next() })
            assert.same({ nil, "closed", "CLOSED" }, { w:close() })
        end)
    end)

    it("is an iterator that raises a failure", function()
        tasks.run(function()
            local w = assert(fs.watch(dir))
            local waiting = quoll.spawn(function() return w:next() end)
            tasks.settle()
            assert.error_matches(function() w() end, "busy reading$")
            assert.same({ nil, "busy reading", "BUSY" }, { w:next() })
            w:close()
            assert.same({ nil, "closed", "CLOSED" }, { waiting:wait() })
        end)
    end)

    it("waits s seconds at most and can be used further", function()
        tasks.run(function()
            local w = assert(fs.watch(dir))
            assert.same({ nil, "timeout", "TIMEOUT" }, { w:next(0) })
            assert.same({ nil, "timeout", "TIMEOUT" }, { w:next(0.001) })
            sh(dir, "mkdir a")
            assert.equal("a", w:next(5).name)
        end)
    end)

    it("loses nothing by a cancellation", function()
        tasks.run(function()
            local w = assert(fs.watch(dir))
            local waiting = quoll.spawn(function() w:next() end)
            tasks.settle()
            sh(dir, "mkdir a")
            waiting:cancel()
            waiting:wait()
            assert.equal("a", w:next(5).name)
        end)
    end)

    it("ends with its owner, and moves by own", function()
        tasks.run(function()
            local first, second
            quoll.spawn(function()
                first = assert(fs.watch(dir))
                second = assert(fs.watch(dir)):disown()
            end):wait()
            assert.same({ nil, "closed", "OWNER_ENDED" }, { first:next() })
            assert.error_matches(function() first() end, "closed$")
            assert.equal(second, second:own())
            assert.is_true(second:close())
        end)
    end)

    it("raises on misuse at the caller's line", function()
        local function refused(pattern, fn, ...)
            local ok, err = pcall(function(...) fn(...) end, ...)
            assert.is_false(ok)
            assert.matches("^spec/lua/watch_spec.lua:%d+: " .. pattern, err)
        end
        refused("bad argument 'path' to 'watch'", fs.watch, 1)
        refused(".*no option 'what'", fs.watch, dir, { what = 1 })
        refused(".*no event 'opened'; there are: attrib", fs.watch, dir,
            { events = { "opened" } })
        tasks.run(function()
            local w = assert(fs.watch(dir))
            refused("bad argument 's' to 'next'", w.next, w, -1)
        end)
    end)

    it("says why it cannot", function()
        tasks.run(function()
            assert.same({ nil, dir .. "/x: no such file or directory",
                "ENOENT" }, { fs.watch(dir .. "/x") })
            assert.equal("EINVAL", select(3, fs.watch(dir .. "\0")))
        end)
    end)
end)

describe("quoll.fs.watch of a file", function()
    helper.gates()

    local dir
    before_each(function() dir = folders.make() end)
    after_each(function() folders.remove(dir) end)

    it("gives its events, with its own path", function()
        tasks.run(function()
            sh(dir, "echo > a")
            local w = assert(fs.watch(dir .. "/a"))
            sh(dir, "echo x >> a; chmod 600 a; echo > b")
            assert.same({ "modify a", "close_write a", "attrib a" },
                told(w, dir, 3))
        end)
    end)

    for what, command in pairs { ["deleted"] = "rm a", ["renamed"] = "mv a b",
        ["replaced"] = "echo > b; mv b a" } do
        it(what .. " while somebody has it open is gone", function()
            tasks.run(function()
                sh(dir, "echo > a")
                local open = io.open(dir .. "/a")
                local w = assert(fs.watch(dir .. "/a", { events = {} }))
                sh(dir, command)
                assert.same({ "gone a" }, told(w, dir, 1))
                assert.same({ nil, "closed", "CLOSED" }, { w:next() })
                open:close()
            end)
        end)
    end

    it("is not gone while its name is there", function()
        tasks.run(function()
            sh(dir, "echo > a; ln a b")
            local w = assert(fs.watch(dir .. "/a"))
            sh(dir, "rm b")
            assert.same({ "attrib a" }, told(w, dir, 1))
        end)
    end)
end)

describe("a machine without inotify left", function()
    local function printed(call, code)
        local out = helper.script(([[
            local inject = require "spec.support.scripted"
            local quoll = require "quoll"
            inject.ql_inject_fail("%s", -1, 1, 1, %d)
            print(quoll.fs.watch "/tmp")
        ]]):format(call, code))
        assert.equal("", out.err)
        return out.out
    end

    it("says which limit it is", function()
        assert.equal("nil\t/tmp: no watches left "
            .. "(fs.inotify.max_user_watches)\tENOSPC\n",
            printed("inotify_add_watch", 28))
        assert.equal("nil\t/tmp: too many open files or watches "
            .. "(fs.inotify.max_user_instances)\tEMFILE\n",
            printed("inotify_init1", 24))
    end)
end)
