local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local core = require "quoll.core"
local quoll = require "quoll"
local run = tasks.run

local function nothing() end

describe("a block", function()
    helper.gates()

    it("is refused what cannot be called, at the caller's line", function()
        local bad = {
            function() quoll.scope() end,
            function() quoll.scope(1) end,
            function() quoll.deadline(1, "x") end,
            function() quoll.shield(1) end,
        }
        for _, fn in ipairs(bad) do
            local ok, err = pcall(fn)
            assert.is_false(ok)
            assert.matches("^[^:]*block_spec.lua:%d+: bad argument 'fn' to",
                err)
        end
    end)

    it("calls what has __call", function()
        local callable = setmetatable({}, {
            __call = function(_, _, a) return a end,
        })
        assert.equal(7, quoll.scope(callable, 7))
    end)

    it("refuses times that are none", function()
        for _, s in ipairs { -1, 0 / 0, "1", {} } do
            local ok, err = pcall(quoll.deadline, s, nothing)
            assert.is_false(ok)
            assert.matches("bad argument 's' to 'deadline'", err)
            ok, err = pcall(quoll.shield, s, nothing)
            assert.is_false(ok)
            assert.matches("bad argument 's' to 'shield'", err)
        end
    end)

    it("takes nil, math.huge and years for no limit", function()
        for _, s in ipairs { false, math.huge, 1e300, 1e9 } do
            local function fn() return quoll.yield(), "ok" end
            assert.equal("ok", select(2, quoll.deadline(s or nil, fn)))
            assert.equal("ok", select(2, quoll.shield(s or nil, fn)))
        end
    end)

    it("is entered once", function()
        local s = core.scope_new(nothing)
        core.scope_enter(s)
        local ok, err = pcall(core.scope_enter, s)
        assert.is_false(ok)
        assert.matches("entered twice", err)
        assert.equal(3, core.scope_leave(s, true, 3))
        assert.is_false(pcall(core.scope_enter, s))
        assert.is_false(pcall(core.scope_leave, s, true))
    end)

    it("is refused what is no scope", function()
        local task = quoll.spawn(nothing)
        for _, value in ipairs { 1, "x", {}, io.stdout, task, newproxy(true) }
        do
            for _, name in ipairs { "enter", "leave", "spawn", "background",
                "cancel" } do
                local ok, err = pcall(core["scope_" .. name], value, nothing)
                assert.is_false(ok)
                assert.matches("bad argument 'self' to '" .. name, err)
            end
        end
        task:wait()
    end)

    it("after its end takes no task", function()
        run(function()
            local s
            quoll.scope(function(scope) s = scope end)
            for _, method in ipairs { "spawn", "background" } do
                local ok, err = pcall(s[method], s, nothing)
                assert.is_false(ok)
                assert.matches("block_spec.lua:%d+: the scope has ended", err)
            end
            assert.is_false(s:cancel())
            assert.matches("^scope %(closed%)", tostring(s))
            assert.equal("scope", getmetatable(s))
        end)
    end)

    it("cannot be opened where a task cannot wait", function()
        run(function()
            local co = coroutine.create(function()
                quoll.scope(nothing)
            end)
            local ok, err = coroutine.resume(co)
            assert.is_false(ok)
            assert.matches("cannot wait in a plain coroutine", err)
            ok, err = pcall(table.sort, { 1, 2 }, function()
                quoll.scope(nothing)
            end)
            assert.is_false(ok)
            assert.matches("cannot wait inside table.sort", err)
        end)
    end)

    it("works inside require, where a wait drives the loop", function()
        run(function()
            package.preload["scope_spec.inside"] = function()
                local child
                local results = { quoll.deadline(0.01, function()
                    child = quoll.spawn(quoll.sleep, 10)
                    quoll.sleep(10)
                end) }
                return { results, child:status() }
            end
            finally(function()
                package.preload["scope_spec.inside"] = nil
                package.loaded["scope_spec.inside"] = nil
            end)
            assert.same({ { nil, "timeout", "DEADLINE" }, "cancelled" },
                require "scope_spec.inside")
        end)
    end)
end)
