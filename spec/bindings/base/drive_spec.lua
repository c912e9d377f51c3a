local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local function module(name, loader)
    package.preload[name] = loader
    finally(function()
        package.preload[name] = nil
        package.loaded[name] = nil
    end)
end

describe("a wait that runs the loop", function()
    helper.gates()

    it("inside require in a task runs the loop", function()
        module("spec.waits", function()
            quoll.sleep(0.002)
            return { "loaded" }
        end)
        run(function()
            assert.same({ "loaded" }, require "spec.waits")
        end)
    end)

    it("inside dofile in a task runs the loop", function()
        local path = tasks.file [[
            local quoll = require "quoll"
            return quoll.spawn(function()
                quoll.sleep(0.002)
                return "from a file"
            end):wait()
        ]]
        finally(function() os.remove(path) end)
        run(function()
            assert.equal("from a file", dofile(path))
        end)
    end)

    it("inside require resumes only itself and what it spawned", function()
        local order = {}
        local function note(text)
            order[#order + 1] = text
        end
        module("spec.waits", function()
            quoll.spawn(note, "its own")
            quoll.sleep(0.005)
            note "module"
            return true
        end)
        run(function()
            quoll.spawn(function()
                require "spec.waits"
                note "required"
            end)
            quoll.spawn(note, "other")
            quoll.spawn(function()
                quoll.sleep(0.001)
                note "sleeper"
            end)
        end)
        assert.same({ "its own", "module", "required", "other", "sleeper" },
            order)
    end)

    it("works two levels deep", function()
        module("spec.inner", function()
            quoll.sleep(0.002)
            return "inner"
        end)
        module("spec.outer", function()
            local task = quoll.spawn(function()
                quoll.yield()
                return require "spec.inner"
            end)
            quoll.sleep(0.001)
            return task:wait()
        end)
        run(function()
            local ticks = 0
            local other = quoll.spawn(function()
                quoll.sleep(0.001)
                ticks = ticks + 1
            end)
            assert.equal("inner", require "spec.outer")
            other:wait()
            assert.equal(1, ticks)
        end)
    end)

    it("inside require is cancelled like any other", function()
        local task
        module("spec.waits", function()
            quoll.spawn(function() task:cancel() end)
            quoll.sleep(10)
        end)
        run(function()
            task = quoll.spawn(function() require "spec.waits" end)
            task:wait()
            assert.equal("cancelled", task:status())
        end)
    end)
end)

describe("a task held back by a wait inside require", function()
    helper.gates()

    it("may be cancelled by what the module does", function()
        local called = false
        local victim
        module("spec.waits", function()
            quoll.sleep(0.002)
            victim:cancel()
            quoll.sleep(0.002)
            return true
        end)
        run(function()
            quoll.spawn(require, "spec.waits")
            victim = quoll.spawn(function() called = true end)
        end)
        collectgarbage()
        assert.is_false(called)
        assert.equal("cancelled", victim:status())
    end)

    it("may be cancelled with its parent", function()
        local called = false
        local parent, child
        module("spec.waits", function()
            quoll.sleep(0.002)
            parent:cancel()
            quoll.sleep(0.002)
            return true
        end)
        run(function()
            parent = quoll.spawn(function()
                quoll.spawn(function()
                    child = quoll.timer.after(0.001, function()
                        called = true
                    end)
                    quoll.sleep(10)
                end)
                quoll.sleep(10)
            end)
            quoll.yield()
            quoll.yield()
            quoll.spawn(require, "spec.waits")
        end)
        assert.is_false(called)
        assert.equal("cancelled", child:status())
    end)
end)
