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

    -- Not every LuaJIT shows what called the collector.
    it("in a finaliser is refused, by what called the collector", function()
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
            assert.truthy(err:find("cannot wait inside collectgarbage", 1, true)
                or err:find("cannot wait here: a finaliser", 1, true), err)
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
end)
