-- quoll.coroutine does what coroutine does: each case runs with both, outside
-- tasks and inside one, and must give the same.
local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local function pack(...)
    return { n = select("#", ...), ... }
end

-- name -> function(c, note): note(...) keeps what is to be compared.
local cases = {}

function cases.status(c, note)
    local outer
    outer = c.create(function()
        note(c.status(outer))
        local inner = c.create(function()
            note(c.status(outer))
            c.yield()
        end)
        c.resume(inner)
        note(c.status(inner))
        c.resume(inner)
        note(c.status(inner))
    end)
    note(c.status(outer))
    note(c.resume(outer))
    note(c.status(outer))
end

function cases.varargs(c, note)
    local echo = c.create(function(...)
        local got = pack(...)
        while true do
            got = pack(c.yield(unpack(got, 1, got.n)))
        end
    end)
    note(c.resume(echo))
    note(c.resume(echo, nil))
    note(c.resume(echo, nil, 1, nil))
    note(c.resume(echo, unpack({}, 1, 100)))
    note(c.resume(c.create(function() return nil, nil end)))
    note(c.resume(c.create(function() end)))
    note(select("#", c.wrap(function() end)()))
    note(select("#", c.wrap(function() return nil end)()))
end

function cases.dead(c, note)
    local ended = c.create(function() return 1 end)
    note(c.resume(ended))
    note(c.resume(ended))
    note(c.status(ended))
    local failed = c.create(error)
    note(c.resume(failed, "text"))
    note(c.resume(failed))
    note(c.status(failed))
    local step = c.wrap(function() end)
    step()
    note(pcall(step))
    note(pcall(function()
        local value = step()
        return value
    end))
end

function cases.errors(c, note)
    local object = setmetatable({}, { __tostring = function() return "o" end })
    for _, value in ipairs { object, "text", 5, false } do
        note(c.resume(c.create(error), value))
        note(pcall(c.wrap(error), value))
        note(pcall(function()
            local result = c.wrap(error)(value)
            return result
        end))
    end
    note(c.resume(c.create(error)))
    note(pcall(c.wrap(error)))
    note(c.resume(c.create(function() local x = nil; return x.y end)))
end

function cases.running_and_normal(c, note)
    local outer
    outer = c.create(function()
        note(c.resume(c.running()))
        note(c.resume(c.create(function()
            return c.resume(outer)
        end)))
        local again
        again = c.wrap(function()
            return again()
        end)
        note(pcall(again))
    end)
    note(c.resume(outer))
end

function cases.nested(c, note)
    local function numbers(n)
        return c.wrap(function()
            for i = 1, n do
                for j in c.wrap(function()
                    for j = 1, i do
                        c.yield(j)
                    end
                end) do
                    c.yield(i * j)
                end
            end
        end)
    end
    for i in numbers(5) do
        note(i)
    end
end

function cases.yield_across_pcall(c, note)
    local step = c.wrap(function(...)
        note(pcall(function(...)
            note(c.yield(...))
            error("caught")
        end, ...))
        note(xpcall(function()
            note(c.yield(2))
            error({})
        end, type))
        return "end"
    end)
    note(step(1))
    note(step("a"))
    note(step("b"))
    note(pcall(step))
end

function cases.yield_in_metamethods(c, note)
    local t = setmetatable({}, {
        __index = function(_, key) return c.yield(key) end,
        __add = function(a, b) return c.yield(a == b) end,
    })
    local step = c.wrap(function()
        for value in function() return c.yield("iterator") end do
            note(value)
        end
        return t.x, t + t
    end)
    note(step())
    note(step("value"))
    note(step(nil))
    note(step("index"))
    note(step("sum"))
end

function cases.yield_across_a_C_call(c, note)
    note(c.resume(c.create(function()
        table.sort({ 2, 1 }, c.yield)
    end)))
    note(c.resume(c.create(function()
        return ("x"):gsub("x", function() c.yield() end)
    end)))
end

function cases.queries(c, note)
    note(c.isyieldable() == coroutine.isyieldable())
    note(c.running() == coroutine.running())
    note(c.wrap(c.isyieldable)())
    note(type(c.wrap(c.running)()))
    local thread
    thread = c.create(function() return c.running() == thread end)
    note(c.resume(thread))
end

function cases.bad_arguments(c, note)
    for _, name in ipairs { "create", "wrap", "resume", "status" } do
        for _, value in ipairs { 1, {}, "x", true } do
            local ok, err = pcall(function()
                local result = c[name](value)
                return result
            end)
            -- LuaJIT knows the function's name only of some calls.
            note(ok, err:match("^(%S+:%d+: bad argument #1 to )'[^']+'"
                .. " (%(%a+ expected)"))
        end
        note(pcall(c[name]) == false)
    end
end

function cases.thousands(c, note)
    local sum = 0
    local list = {}
    for i = 1, 2000 do
        list[i] = c.create(function(x)
            while true do
                x = x + c.yield(x)
            end
        end)
    end
    for round = 1, 3 do
        for i = 1, #list do
            sum = sum + select(2, c.resume(list[i], round))
        end
    end
    note(sum)
end

local function plain(value)
    return type(value) == "table" and tostring(value) or value
end

local function kept(case, library)
    local notes = {}
    case(library, function(...)
        local note = pack(...)
        for i = 1, note.n do
            note[i] = plain(note[i])
        end
        notes[#notes + 1] = note
    end)
    return notes
end

local function compare(case)
    local expected = kept(case, coroutine)
    assert(#expected > 0)
    assert.same(expected, kept(case, quoll.coroutine))
end

describe("quoll.coroutine as coroutine", function()
    helper.gates()

    for name, case in pairs(cases) do
        it("has the same " .. name:gsub("_", " "), function()
            compare(case)
            tasks.run(function() compare(case) end)
        end)
    end

    it("has the same functions", function()
        for name in pairs(coroutine) do
            assert.equal("function", type(quoll.coroutine[name]), name)
        end
        for name in pairs(quoll.coroutine) do
            assert.equal("function", type(coroutine[name]), name)
        end
    end)
end)
