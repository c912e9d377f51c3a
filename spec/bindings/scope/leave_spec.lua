local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local core = require "quoll.core"
local quoll = require "quoll"
local run = tasks.run

local function nothing() end

describe("leaving a block", function()
    helper.gates()

    it("that was never entered passes the error on", function()
        local s = core.scope_new(nothing)
        local thrown = {}
        local ok, err = pcall(core.scope_leave, s, false, thrown)
        assert.is_false(ok)
        assert.equal(thrown, err)
        ok, err = pcall(core.scope_spawn, s, nothing)
        assert.is_false(ok)
        assert.matches("the scope is not entered", err)
    end)

    it("passes any number of results", function()
        run(function()
            local many = {}
            for i = 1, 5000 do
                many[i] = i
            end
            local function count(...) return select("#", ...), (...) end
            assert.same({ 0 }, { count(quoll.scope(nothing)) })
            assert.same({ 3 }, { count(quoll.scope(function()
                quoll.spawn(quoll.sleep, 0.001)
                return nil, nil, nil
            end)) })
            assert.same({ 5000, 1 }, { count(quoll.scope(function()
                quoll.spawn(quoll.yield)
                return unpack(many)
            end)) })
        end)
    end)
end)
