local helper = require "spec.helper"
local quoll = require "quoll"

-- spec/lua/require_spec.lua has what require does after a load was cut.
describe("bindings/base/load", function()
    helper.gates()

    after_each(function()
        package.preload["spec.mark"], package.loaded["spec.mark"] = nil, nil
    end)

    it("leaves alone what a module has set itself", function()
        package.preload["spec.mark"] = function()
            package.loaded["spec.mark"] = "mine"
            quoll.sleep(0.001)
            error "after that"
        end
        quoll.run(function()
            assert.is_false(quoll.spawn(pcall, require, "spec.mark"):wait())
            quoll.sleep(0)
            assert.equal("mine", require "spec.mark")
        end)
    end)

    it("keeps the mark while a module loads, with waits and scopes", function()
        local within
        package.preload["spec.mark"] = function()
            quoll.sleep(0.001)
            quoll.deadline(0.001, quoll.sleep, 1)
            within = select(2, pcall(require, "spec.mark"))
            return "value"
        end
        quoll.run(function()
            assert.equal("value", require "spec.mark")
        end)
        assert.matches("loop or previous error", within)
    end)
end)
