local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local core = require "quoll.core"
local run = tasks.run
local license = helper.root .. "/LICENSE"

describe("a wait outside its task's own coroutine", function()
    helper.gates()

    it("is refused with a message that says so", function()
        run(function()
            local ok, err = pcall(coroutine.wrap(function()
                quoll.sleep(0.001)
            end))
            assert.is_false(ok)
            assert.matches("co_spec.lua:%d+: cannot wait in a plain coroutine "
                .. "inside a task", err)
            quoll.sleep(0.001)
        end)
    end)

    it("has had no effect", function()
        run(function()
            local file = assert(quoll.open(license))
            assert.is_false(pcall(coroutine.wrap(function()
                return file:read(4)
            end)))
            assert.equal("MIT ", file:read(4))
        end)
    end)

    it("in the main chunk's coroutine runs the loop", function()
        local done = false
        coroutine.wrap(function()
            quoll.sleep(0.002)
            done = true
        end)()
        assert.is_true(done)
    end)

    it("works for a plain generator that does not wait", function()
        run(function()
            local sum = 0
            for i in coroutine.wrap(function()
                for i = 1, 3 do
                    coroutine.yield(i)
                end
            end) do
                quoll.yield()
                sum = sum + i
            end
            assert.equal(6, sum)
        end)
    end)
end)

describe("take", function()
    helper.gates()

    it("outside the end of a wait raises", function()
        assert.is_false(pcall(core.take))
        run(function()
            local ok, err = pcall(core.take)
            assert.is_false(ok)
            assert.matches("no wait has ended here", err)
        end)
    end)
end)

describe("handles that nothing else refers to", function()
    helper.gates()

    it("live as long as the wait on them", function()
        local pause, mul = collectgarbage("setpause", 0),
            collectgarbage("setstepmul", 5000)
        finally(function()
            collectgarbage("setpause", pause)
            collectgarbage("setstepmul", mul)
        end)
        run(function()
            local expected = io.open(license):read "*a"
            for i = 1, 200 do
                local mode = i % 2 == 0 and "r" or "rd"
                local got = quoll.open(license, mode):pread(100, i)
                assert.equal(expected:sub(i + 1, i + 100), got)
                quoll.open(license, mode):read "*l"
            end
        end, 20)
    end)

    it("live while others collect", function()
        run(function()
            local done = false
            quoll.spawn(function()
                while not done do
                    collectgarbage()
                    quoll.yield()
                end
            end)
            for _ = 1, 50 do
                assert.equal("MIT", quoll.open(license, "rd"):pread(3, 0))
                assert.is_nil(quoll.waitfd(0, "r", 0) and nil)
            end
            done = true
        end, 20)
    end)
end)
