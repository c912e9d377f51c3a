local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run
local path = helper.root .. "/LICENSE"

describe("a task's end", function()
    helper.gates()

    it("waits for its children", function()
        run(function()
            local ended = false
            local parent = quoll.spawn(function()
                quoll.spawn(function()
                    quoll.sleep(0.02)
                    ended = true
                end)
                return "parent"
            end)
            quoll.yield()
            quoll.yield()
            assert.equal("closing", parent:status())
            assert.equal("parent", parent:wait())
            assert.is_true(ended)
            assert.equal("done", parent:status())
        end)
    end)

    it("by an error cancels its children", function()
        run(function()
            local child, grandchild, why
            local parent = quoll.spawn(function()
                child = quoll.spawn(function()
                    grandchild = quoll.spawn(quoll.sleep, 10)
                    local _, err = pcall(quoll.sleep, 10)
                    why = quoll.iscancelled(err)
                    error(err, 0)
                end)
                quoll.yield()
                quoll.yield()
                error("parent", 0)
            end)
            assert.same({ false, "parent" }, { pcall(parent.wait, parent) })
            assert.equal("failed", parent:status())
            assert.equal("cancelled", child:status())
            assert.equal("cancelled", grandchild:status())
            assert.equal("the task that spawned it ended", why)
        end)
    end)

    it("closes its handles with OWNER_ENDED", function()
        run(function()
            local files = {}
            quoll.spawn(function()
                for i = 1, 3 do
                    files[i] = assert(quoll.open(path))
                end
            end):wait()
            for _, file in ipairs(files) do
                assert.same({ nil, "closed", "OWNER_ENDED" },
                    { file:pread(1, 0) })
                assert.same({ nil, "closed", "OWNER_ENDED" },
                    { file:read(1) })
                assert.same({ nil, "closed", "OWNER_ENDED" },
                    { file:close() })
            end
        end)
    end)

    it("by an error or a cancellation closes them too", function()
        run(function()
            local failed, cancelled
            local one = quoll.spawn(function()
                failed = assert(quoll.open(path))
                error("x", 0)
            end)
            local two = quoll.spawn(function()
                cancelled = assert(quoll.open(path))
                quoll.sleep(10)
            end)
            pcall(one.wait, one)
            two:cancel()
            two:wait()
            assert.same({ nil, "closed", "OWNER_ENDED" }, { failed:size() })
            assert.same({ nil, "closed", "OWNER_ENDED" },
                { cancelled:size() })
        end)
    end)

    it("passes returned handles to the parent", function()
        local mine
        run(function()
            local file = quoll.spawn(function()
                return assert(quoll.open(path))
            end):wait()
            assert.equal("M", file:read(1))
            mine = file
        end)
        assert.same({ nil, "closed", "OWNER_ENDED" }, { mine:size() })
    end)

    it("passes run's returned handle to the main chunk", function()
        local file = quoll.run(function() return (quoll.open(path)) end)
        assert.equal("M", file:read(1))
        assert.is_true(file:close())
    end)

    it("happens after the last child detached from it", function()
        run(function()
            local child
            local parent = quoll.spawn(function()
                child = quoll.spawn(quoll.sleep, 10)
            end)
            quoll.yield()
            quoll.yield()
            assert.equal("closing", parent:status())
            assert.equal(child, child:detach())
            assert.equal("done", parent:status())
            child:cancel()
        end)
    end)
end)

describe("a task that yields to nobody", function()
    it("fails with a message that names the remedy", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                local task = quoll.spawn(coroutine.yield, 1)
                local ok, err = pcall(task.wait, task)
                print(ok, err, task:status())
            end)
        ]]
        assert.matches("^false\tcoroutine.yield in a task yields to nobody: "
            .. "use quoll.yield\tfailed\n$", result.out)
        assert.equal("", result.err)
    end)
end)
