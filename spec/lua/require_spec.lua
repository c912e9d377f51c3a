local helper = require "spec.helper"
local quoll = require "quoll"

require("quoll.busted").install { deadline = helper.seconds(5) }
helper.gates()

-- require of a module that waits: spec/bindings/base/drive_spec.lua has
-- which tasks go on meanwhile.
describe("require of a module that waits", function()
    local loads

    local function module(name, loader)
        package.preload[name] = function(...)
            loads = loads + 1
            return loader(...)
        end
        finally(function()
            for _, each in ipairs { "spec.waits", "spec.inner" } do
                package.preload[each] = nil
                package.loaded[each] = nil
            end
        end)
    end

    before_each(function() loads = 0 end)

    it("by two tasks at once loads it once", function()
        module("spec.waits", function()
            quoll.sleep(0.002)
            return {}
        end)
        local first = quoll.spawn(require, "spec.waits")
        local second = quoll.spawn(require, "spec.waits")
        local value = first:wait()
        assert.equal("table", type(value))
        assert.equal(value, second:wait())
        assert.equal(1, loads)
    end)

    it("may spawn a task that requires another one that waits", function()
        module("spec.inner", function()
            quoll.sleep(0.002)
            return "inner"
        end)
        module("spec.waits", function()
            local task = quoll.spawn(require, "spec.inner")
            quoll.sleep(0.001)
            return "outer " .. task:wait()
        end)
        assert.equal("outer inner", require "spec.waits")
        assert.equal(2, loads)
    end)

    it("is a loop for a task that it spawns while it loads", function()
        local err
        module("spec.waits", function()
            quoll.spawn(function()
                err = select(2, pcall(require, "spec.waits"))
            end)
            quoll.sleep(0.002)
            return "value"
        end)
        assert.equal("value", require "spec.waits")
        assert.matches("loop or previous error", err)
        assert.equal("value", quoll.spawn(require, "spec.waits"):wait())
    end)

    it("raises the module's error", function()
        module("spec.waits", function()
            quoll.sleep(0.001)
            error "in the module"
        end)
        local ok, err = pcall(require, "spec.waits")
        assert.is_false(ok)
        assert.matches("require_spec.lua:%d+: in the module", err)
    end)

    it("is cut by a deadline, inside and around", function()
        module("spec.inner", function()
            return select(2, quoll.deadline(0.001, quoll.sleep, 10))
        end)
        assert.equal("timeout", require "spec.inner")
        module("spec.waits", function() quoll.sleep(10) end)
        assert.same({ nil, "timeout", "DEADLINE" },
            { quoll.deadline(0.001, require, "spec.waits") })
    end)

    it("can be done again after it was cut, by the same task", function()
        module("spec.waits", function()
            quoll.sleep(loads % 2 == 1 and 10 or 0)
            return "value"
        end)
        local function again()
            local _, _, code = quoll.deadline(0.001, require, "spec.waits")
            return code .. require "spec.waits"
        end
        assert.equal("DEADLINEvalue", again())
        package.loaded["spec.waits"] = nil
        assert.equal("DEADLINEvalue", quoll.spawn(again):wait())
        assert.equal(4, loads)
    end)

    it("that is cut is done by who waited for it", function()
        module("spec.waits", function()
            quoll.sleep(loads == 1 and 10 or 0)
            return "value"
        end)
        local first = quoll.spawn(quoll.deadline, 0.001, require, "spec.waits")
        local second = quoll.spawn(require, "spec.waits")
        assert.is_nil((first:wait()))
        assert.equal("value", second:wait())
        assert.equal(2, loads)
    end)

    it("that fails tells all who waited for it why", function()
        module("spec.waits", function()
            quoll.sleep(0.001)
            error "bad load"
        end)
        local first = quoll.spawn(pcall, require, "spec.waits")
        local second = quoll.spawn(pcall, require, "spec.waits")
        assert.matches("bad load$", select(2, first:wait()))
        assert.matches("bad load$", select(2, second:wait()))
        assert.equal(2, loads)
    end)

    it("works within a generator", function()
        module("spec.waits", function()
            quoll.sleep(0.001)
            return "value"
        end)
        assert.equal("value", quoll.coroutine.wrap(function()
            return require "spec.waits"
        end)())
    end)
end)
