local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local run, settle = tasks.run, tasks.settle
local mutex = quoll.sync.mutex

describe("a mutex", function()
    helper.gates()

    it("is held by one task at a time, first come, first served", function()
        run(function()
            local m, order, inside = mutex(), {}, 0
            m:lock()
            for i = 1, 1000 do
                quoll.spawn(function()
                    m:lock()
                    inside = inside + 1
                    assert(inside == 1)
                    if i % 100 == 0 then quoll.yield() end
                    inside = inside - 1
                    order[#order + 1] = i
                    m:unlock()
                end)
            end
            settle()
            m:unlock()
            m:lock()
            for i = 1, 1000 do assert.equal(i, order[i]) end
            m:unlock()
        end)
    end)

    it("times out", function()
        run(function()
            local m = mutex()
            m:lock()
            quoll.spawn(function()
                assert.same({ nil, "timeout", "TIMEOUT" }, { m:lock(0) })
                assert.same({ nil, "timeout", "TIMEOUT" }, { m:lock(0.001) })
            end):wait()
            m:unlock()
        end)
    end)

    it("is unlocked by its holder only", function()
        run(function()
            local m = mutex()
            local ok, err = pcall(function() m:unlock() end)
            assert.is_false(ok)
            assert.matches("mutex_spec.lua:%d+: the mutex is not locked", err)
            m:lock()
            ok, err = pcall(function() m:lock() end)
            assert.is_false(ok)
            assert.matches("mutex_spec.lua:%d+: the mutex is locked by this "
                .. "task already", err)
            quoll.spawn(function()
                ok, err = pcall(m.unlock, m)
            end):wait()
            assert.is_false(ok)
            assert.matches("the mutex is locked by task "
                .. quoll.current():id() .. "$", err)
            m:unlock()
        end)
    end)

    it("tells who holds it to who asks what a task waits for", function()
        local function waits(m, name)
            local task = quoll.spawn(function() m:lock() end)
            quoll.yield()
            local found
            for _, one in ipairs(quoll.tasks()) do
                found = one.id == task:id() and one.waits or found
            end
            assert.matches(name .. "$", found)
            task:cancel()
        end
        run(function()
            local m = mutex()
            quoll.current():name "writer"
            m:lock()
            local held = (", held by task %d 'writer'"):format(
                quoll.current():id())
            waits(m, "^mutex: 0x%x+ of mutex_spec.lua:%d+" .. held)
            m:name "db"
            waits(m, "^mutex: 'db'" .. held)
            m:unlock()
        end)
        local m = mutex()
        m:lock()
        run(function() waits(m, ", held by the main chunk") end)
        m:unlock()
    end)

    it("passes on when its holder ends, and says so", function()
        run(function()
            local m = mutex()
            for _, how in ipairs { error, quoll.yield, quoll.sleep } do
                local holder = quoll.spawn(function()
                    m:lock()
                    quoll.yield()
                    how(how == quoll.sleep and 60 or nil)
                end)
                settle()
                local task = quoll.spawn(function()
                    local results = { m:lock() }
                    m:unlock()
                    return results
                end)
                settle()
                if how == quoll.sleep then holder:cancel() end
                pcall(holder.wait, holder)
                assert.same({ true, "abandoned" }, task:wait())
                assert.same({ true }, { m:lock() })
                m:unlock()
            end
        end)
    end)

    it("passes to the next when a waiter is cancelled", function()
        run(function()
            local m = mutex()
            m:lock()
            local one = quoll.spawn(function() m:lock() end)
            local other = quoll.spawn(function()
                return m:lock(), m:unlock()
            end)
            settle()
            one:cancel()
            m:unlock()
            assert.is_true((other:wait()))
        end)
    end)

    it("tells the log which task ended with it", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local m = quoll.sync.mutex()
            quoll.run(function()
                local holder = quoll.spawn(function() m:lock() end)
                local heir = quoll.spawn(function() m:lock() end)
                print(holder:id(), heir:id())
            end)
        ]]
        local holder, heir = result.out:match "^(%d+)\t(%d+)\n$"
        local told = ": task %s ended while it held a mutex: 0x%%x+ of "
            .. "[%%w_]+:%%d+\n"
        assert.matches("%[warn%] %d+" .. told:format(holder) .. "[^\n]*"
            .. told:format(heir) .. "$", result.err)
    end)

    it("has the lock before a cancellation that comes later", function()
        run(function()
            local m = mutex()
            m:lock()
            local one = quoll.spawn(function()
                m:lock()
                quoll.yield()
            end)
            settle()
            m:unlock()
            one:cancel()
            assert.same({ true, "abandoned" }, { m:lock() })
            m:unlock()
        end)
    end)

    it("is held by the main chunk too", function()
        local m = mutex()
        assert.is_true(m:lock())
        local task = quoll.spawn(function()
            m:lock()
            m:unlock()
            return true
        end)
        quoll.yield()
        m:unlock()
        assert.is_true(task:wait())
        assert.is_true(m:lock())
        m:unlock()
    end)

    it("has no close, and is collected when nobody has it", function()
        assert.is_nil(mutex().close)
        assert.is_nil(mutex().own)
        local seen = setmetatable({}, { __mode = "k" })
        run(function()
            local m = mutex()
            seen[m] = true
            m:lock()
        end)
        collectgarbage()
        collectgarbage()
        collectgarbage()
        assert.is_nil(next(seen))
    end)
end)
