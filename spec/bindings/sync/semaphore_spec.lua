local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local core = require "quoll.core"

local run, settle = tasks.run, tasks.settle
local semaphore = quoll.sync.semaphore

describe("a semaphore", function()
    helper.gates()

    it("has as many permits as it was given", function()
        local s = semaphore(3)
        assert.is_true(s:acquire())
        assert.is_true(s:acquire(2, 0))
        assert.same({ nil, "timeout", "TIMEOUT" }, { s:acquire(nil, 0) })
        assert.same({ nil, "timeout", "TIMEOUT" }, { s:acquire(1, 0.001) })
        assert.equal(0, s:permits())
        assert.is_true(s:release(2))
        assert.equal(2, s:permits())
        s:release()
        assert.is_true(s:acquire(3, 0))
    end)

    it("serves 1,000 waiters in the order in which they came", function()
        run(function()
            local s, order = semaphore(1), {}
            s:acquire()
            for i = 1, 1000 do
                quoll.spawn(function()
                    s:acquire()
                    order[#order + 1] = i
                    s:release()
                end)
            end
            settle()
            s:release()
            assert.same({ nil, "timeout", "TIMEOUT" }, { s:acquire(1, 0) })
            s:acquire()
            for i = 1, 1000 do assert.equal(i, order[i]) end
        end)
    end)

    it("lets nobody pass one that wants more", function()
        run(function()
            local s = semaphore(3)
            s:acquire(2)
            local large = quoll.spawn(function() return s:acquire(3) end)
            settle()
            assert.same({ nil, "timeout", "TIMEOUT" }, { s:acquire(1, 0) })
            local small = quoll.spawn(function() return s:acquire(1) end)
            settle()
            s:release()
            settle()
            assert.equal("waiting", small:status())
            s:release()
            assert.is_true(large:wait())
            s:release(3)
            assert.is_true(small:wait())
        end)
    end)

    for _, how in ipairs { "cancelled", "timed out" } do
        it("serves those behind one that is " .. how, function()
            run(function()
                local s = semaphore(2)
                s:acquire()
                local large = quoll.spawn(function()
                    return s:acquire(2, how == "timed out" and 0.002 or nil)
                end)
                settle()
                local small = quoll.spawn(function() return s:acquire() end)
                settle()
                assert.equal("waiting", small:status())
                if how == "cancelled" then large:cancel() end
                assert.is_true(small:wait())
                assert.same({ nil, how == "cancelled" and how or "timeout" },
                    { large:wait(), (select(2, large:wait())) })
            end)
        end)
    end

    it("leaves a permit with a waiter that is cancelled later", function()
        run(function()
            local s, got = semaphore(1), nil
            s:acquire()
            local task = quoll.spawn(function()
                got = s:acquire()
                local ok = pcall(quoll.yield)
                s:release()
                return ok
            end)
            settle()
            s:release()
            assert.equal(0, s:permits())
            task:cancel()
            assert.is_true(s:acquire())
            assert.is_false(task:wait())
            assert.is_true(got)
        end)
    end)

    it("takes back no more than it gave", function()
        local s = semaphore(2)
        s:acquire()
        local ok, err = pcall(function() s:release(2) end)
        assert.is_false(ok)
        assert.matches("semaphore_spec.lua:%d+: release of 2 permits, "
            .. "of which 1 are taken", err)
        s:release()
        assert.is_false(pcall(s.release, s))
    end)

    it("refuses what is no number of permits", function()
        for _, n in ipairs { 0, -1, 1.5, "1" } do
            assert.is_false(pcall(semaphore, n))
        end
        local ok, err = pcall(function() semaphore(2):acquire(3) end)
        assert.is_false(ok)
        assert.matches("bad argument 'k' to 'acquire' %(there are 2 permits",
            err)
    end)

    it("tells its waiters that it is closed", function()
        run(function()
            local s = semaphore(1)
            s:acquire()
            local task = quoll.spawn(function() return s:acquire() end)
            settle()
            s:close()
            assert.same({ nil, "closed", "CLOSED" }, { task:wait() })
            assert.same({ nil, "closed", "CLOSED" }, { s:acquire() })
            assert.is_true(s:release())
        end)
    end)

    it("keeps its number of permits under cancels and timeouts", function()
        run(function()
            local s, state, held, most = semaphore(3), 42, 0, 0
            local function random(n)
                state = (state * 16807) % 2147483647
                return state % n
            end
            local function user()
                for _ = 1, 100 do
                    local k = random(3) + 1
                    if s:acquire(k, random(3) / 10000) then
                        held = held + k
                        most = math.max(most, held)
                        pcall(quoll.sleep, random(2) / 10000)
                        held = held - k
                        s:release(k)
                    end
                end
            end
            local users = {}
            for i = 1, 30 do users[i] = quoll.spawn(user) end
            for i = 1, 30, 2 do
                quoll.yield()
                users[i]:cancel()
            end
            for i = 1, 30 do users[i]:wait() end
            assert.equal(0, held)
            assert.equal(3, most)
            assert.equal(3, s:permits())
        end, 20)
    end)
end)

describe("a permit", function()
    helper.gates()

    it("comes back when its owner ends, and not twice", function()
        run(function()
            local s = semaphore(1)
            s:acquire()
            local permit = core.semaphore.permit(s)
            local task = quoll.spawn(quoll.sleep, 60)
            core.task_own(permit, task)
            task:cancel()
            assert.is_true(s:acquire())
            permit:close()
            assert.equal(0, s:permits())
            s:release()
        end)
    end)

    it("tells when all are back, also after the close", function()
        run(function()
            local s = semaphore(2)
            s:acquire(2)
            local idle = quoll.spawn(function()
                return require("quoll.wait").finish(core.semaphore.idle(s))
            end)
            settle()
            s:close()
            s:release()
            settle()
            assert.equal("waiting", idle:status())
            s:release()
            assert.is_true(idle:wait())
        end)
    end)
end)
