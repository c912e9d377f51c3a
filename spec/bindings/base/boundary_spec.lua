local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

-- What a wait inside says when it is called by fn(wait).
local function refusal(fn)
    return run(function()
        local ok, err = pcall(fn, function()
            quoll.sleep(0.001)
        end)
        assert.is_false(ok)
        return err
    end)
end

local function module(name, loader)
    package.preload[name] = loader
    finally(function()
        package.preload[name] = nil
        package.loaded[name] = nil
    end)
end

describe("a wait below a C function", function()
    helper.gates()

    local calls = {
        ["table.sort"] = function(wait)
            table.sort({ 2, 1 }, wait)
        end,
        ["string.gsub"] = function(wait)
            ("x"):gsub("x", wait)
        end,
    }
    for name, call in pairs(calls) do
        it("in " .. name .. " names it", function()
            local err = refusal(call)
            assert.matches("boundary_spec.lua:%d+: cannot wait inside ", err)
            assert.truthy(err:find(name .. ": a C function that cannot yield "
                .. "stands in between", 1, true), err)
        end)
    end

    it("in print's tostring names it", function()
        local object = setmetatable({}, { __tostring = function()
            quoll.sleep(0.001)
            return "x"
        end })
        assert.matches("cannot wait inside print", refusal(function()
            print(object)
        end))
    end)

    it("leaves the task able to wait", function()
        run(function()
            pcall(table.sort, { 2, 1 }, function() quoll.sleep(1) end)
            quoll.sleep(0.001)
        end)
    end)

    it("in a finaliser names what called the collector", function()
        run(function()
            local ok, err
            local proxy = newproxy(true)
            getmetatable(proxy).__gc = function()
                ok, err = pcall(quoll.sleep, 0.001)
            end
            proxy = nil -- luacheck: ignore
            collectgarbage()
            collectgarbage()
            assert.is_false(ok)
            assert.matches("cannot wait inside collectgarbage", err)
        end)
    end)

    it("in a hook says so", function()
        run(function()
            local ok, err
            debug.sethook(function()
                debug.sethook()
                ok, err = pcall(quoll.sleep, 0.001)
            end, "l")
            local _ = 1
            assert.is_false(ok)
            assert.matches("cannot wait", err)
        end)
    end)
end)

describe("a wait", function()
    helper.gates()

    it("crosses pcall, xpcall, metamethods and iterators", function()
        run(function()
            local t = setmetatable({}, {
                __index = function(_, key)
                    quoll.sleep(0.001)
                    return key
                end,
                __tostring = function()
                    quoll.sleep(0.001)
                    return "text"
                end,
            })
            assert.same({ true, "k" }, { pcall(function() return t.k end) })
            assert.same({ true, "k" }, { xpcall(function() return t.k end,
                print) })
            assert.equal("text", tostring(t))
            for key in function(_, last)
                quoll.sleep(0.001)
                return not last and "once" or nil
            end do
                assert.equal("once", key)
            end
        end)
    end)

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
