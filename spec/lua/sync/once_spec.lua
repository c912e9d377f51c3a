local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run, settle = tasks.run, tasks.settle
local once = quoll.sync.once

-- fn(key, ...) that counts its calls, and its runs that came to their end.
local function counted(seconds)
    local count = { begun = 0, ended = 0 }
    return count, once(function(key, ...)
        count.begun = count.begun + 1
        quoll.sleep(seconds or 0.002)
        count.ended = count.ended + 1
        if key == "fails" then error({ key }) end
        return key, count.begun, ...
    end)
end

describe("once", function()
    it("refuses NaN as a key, at the caller's line", function()
        local ok, err = pcall(function() once(print)(0 / 0) end)
        assert.is_false(ok)
        assert.matches("once_spec.lua:%d+: bad argument 'key' to 'once'", err)
    end)

    helper.gates()

    it("runs once for all who ask at the same time", function()
        run(function()
            local count, get = counted()
            local callers = {}
            for i = 1, 100 do
                callers[i] = quoll.spawn(get, "key", i)
            end
            for i = 1, 100 do
                assert.same({ "key", 1, 1 }, { callers[i]:wait() })
            end
            assert.equal(1, count.begun)
            assert.same({ "key", 2 }, { get "key" })
        end)
    end)

    it("runs apart for each key, nil and false among them", function()
        run(function()
            local count, get = counted()
            local a, b = quoll.spawn(get, false), quoll.spawn(get, nil)
            local c = quoll.spawn(get, nil)
            assert.is_false((a:wait()))
            assert.same({ nil, 2 }, { b:wait() })
            assert.same({ nil, 2 }, { c:wait() })
            assert.equal(2, count.begun)
        end)
    end)

    it("raises the error in each caller, unchanged", function()
        run(function()
            local _, get = counted()
            local errors, callers = {}, {}
            for i = 1, 3 do
                callers[i] = quoll.spawn(function()
                    errors[i] = select(2, pcall(get, "fails"))
                end)
            end
            for i = 1, 3 do callers[i]:wait() end
            assert.same({ "fails" }, errors[1])
            assert.equal(errors[1], errors[2])
            assert.equal(errors[1], errors[3])
        end)
    end)

    it("goes on for the others when the first caller is cancelled", function()
        run(function()
            local count, get = counted()
            local first = quoll.spawn(get, "key")
            settle()
            local second = quoll.spawn(get, "key")
            settle()
            first:cancel()
            assert.same({ "key", 1 }, { second:wait() })
            assert.same({ nil, "cancelled", "CANCELLED" }, { first:wait() })
            assert.equal(1, count.ended)
        end)
    end)

    it("is cancelled when its last caller is", function()
        run(function()
            local count, get = counted(60)
            local callers = { quoll.spawn(get, "k"), quoll.spawn(get, "k") }
            settle()
            settle()
            assert.equal(1, count.begun)
            for i = 1, 2 do callers[i]:cancel() end
            for i = 1, 2 do callers[i]:wait() end
            settle()
            assert.equal(0, count.ended)
            local again = quoll.spawn(get, "k")
            settle()
            settle()
            assert.equal(2, count.begun)
            again:cancel()
        end)
    end)

    it("outlives the task that asked first", function()
        run(function()
            local _, get = counted()
            local second
            quoll.spawn(function()
                local first = quoll.spawn(get, "key")
                settle()
                second = quoll.spawn(get, "key"):detach()
                settle()
                first:cancel()
            end):wait()
            assert.equal("key", (second:wait()))
        end)
    end)

    it("lets a caller wait so long, and the others longer", function()
        run(function()
            local release = quoll.sync.event()
            local get = once(function(key)
                release:wait(5)
                return key
            end, { timeout = 0.01 })
            local patient = once(function(key) return get(key) end)
            assert.same({ nil, "timeout", "TIMEOUT" }, { get "k" })
            local asking = { quoll.spawn(get, "k"), quoll.spawn(patient, "k") }
            settle()
            release:set()
            assert.equal("k", asking[1]:wait())
            assert.equal("k", asking[2]:wait())
        end)
        assert.is_false(pcall(once, print, { timeout = -1 }))
        assert.is_false(pcall(once, print, { time = 1 }))
    end)

    it("works in the main chunk", function()
        local _, get = counted(0)
        assert.same({ "key", 1, "x" }, { get("key", "x") })
    end)

    it("refuses what is no function", function()
        local ok, err = pcall(function() once(1) end)
        assert.is_false(ok)
        assert.matches("once_spec.lua:%d+: bad argument 'fn' to 'once'", err)
    end)
end)
