local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local folders = require "spec.support.folders"
local core = require "quoll.core"
local quoll = require "quoll"
local finish = require("quoll.wait").finish
local steps = require "quoll.watch.steps"
local tree = require "quoll.watch.tree"

local all = 0x3ce
local sh = folders.sh

describe("a watch's steps", function()
    helper.gates()

    local dir
    before_each(function() dir = folders.make() end)
    after_each(function() folders.remove(dir) end)

    -- fn(steps, tree, handle) in a task.
    local function with(path, fn, readdir)
        tasks.run(function()
            local handle = assert(core.watch.open())
            local known = tree.new(path, {}, readdir ~= nil)
            fn(steps.new(handle, known, all, readdir), known, handle)
        end)
    end

    it("add the root, a folder or a file", function()
        sh(dir, "echo > a")
        for path, folder in pairs { [dir] = true, [dir .. "/a"] = false } do
            with(path, function(work, known)
                assert.is_true(work:work())
                assert.equal(folder, known.root.directory)
                assert.equal(known.root, known.nodes[known.root.wd])
                assert.is_nil(work:work())
            end)
        end
    end)

    it("say which failed, and of what", function()
        with(dir .. "/x", function(work, known)
            assert.same({ false, "no such file or directory", "ENOENT",
                known.root }, { work:work() })
            assert.is_nil(work:work())
        end)
    end)

    it("that are cut short are made again", function()
        with(dir, function(work, known)
            local cut = quoll.spawn(function() work:work() end)
            tasks.settle()
            cut:cancel()
            cut:wait()
            assert.is_nil(known.root.wd)
            assert.is_true(work:work())
            assert.is_number(known.root.wd)
        end)
    end)

    it("remove a watch, also one that has ended by itself", function()
        with(dir, function(work, known)
            work:work()
            local wd = known.root.wd
            known:unwatch(wd)
            known:unwatch(wd)
            assert.is_true(work:work())
            assert.is_true(work:work())
        end)
    end)

    it("do not remove a watch that is another folder's by now", function()
        with(dir, function(work, known)
            work:work()
            local root = known.root
            known:unwatch(root.wd)
            known:register(root, root.wd)
            assert.is_true(work:work())
            sh(dir, "mkdir a")
            assert.equal(root.wd, (finish(core.watch.next(work.handle, 5))))
        end)
    end)

    it("end the watch of a file whose path leads elsewhere", function()
        sh(dir, "echo > a; echo > b")
        with(dir .. "/a", function(work, known)
            work:work()
            known:plan_check()
            work:work()
            assert.is_false(known.ended)
            sh(dir, "mv b a")
            known:plan_check()
            work:work()
            assert.is_true(known.ended)
            assert.equal("remove", known:step().name)
        end)
    end)

    it("tell an overflow when there are no more", function()
        with(dir, function(work, known)
            known:overflow()
            assert.is_true(work:work())
            assert.equal(0, known:told())
            assert.is_nil(work:work())
            assert.equal("overflow", known:take().type)
        end)
    end)

    it("that list a folder tell a failure in the middle of it", function()
        sh(dir, "mkdir a")
        local result = helper.script([[
            local inject = require "spec.support.scripted"
            local quoll = require "quoll"
            quoll.run(function()
                for batch = 2, 4 do -- the root's end, all of a, a's end
                    inject.ql_inject_clear()
                    inject.ql_inject_fail("getdents64", -1, batch, batch, 5)
                    local w, err, code = quoll.fs.watch(arg[1],
                        { recursive = true })
                    if w then
                        local event = w:next(5)
                        print(event.type, event.err, event.code)
                        w:close()
                    else
                        print(err == arg[1] .. ": input/output error", code)
                    end
                end
                print(quoll.stats().pool.calls)
            end)
        ]], { dir })
        local unwatched = "unwatched\tinput/output error\tEIO\n"
        assert.equal("true\tEIO\n" .. unwatched:rep(2) .. "0\n",
            result.out, result.err)
    end)
end)
