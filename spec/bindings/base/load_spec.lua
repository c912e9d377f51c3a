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

    it("lets the main chunk load again what was cut or has failed", function()
        local result = helper.script [[
            local quoll, loads = require "quoll", 0
            package.preload.slow = function()
                loads = loads + 1
                quoll.sleep(loads == 1 and 10 or 0)
                return loads == 2 and error "bad load" or loads
            end
            print(quoll.deadline(0.001, require, "slow"))
            print(pcall(require, "slow"))
            print(quoll.spawn(require, "slow"):wait())
            package.loaded.slow, loads = nil, 1
            print(pcall(require, "slow"))
            quoll.sleep(0)
            print(require "slow", loads)
        ]]
        local failed = "false\t[^\n]+: bad load\n"
        assert.matches("^nil\ttimeout\tDEADLINE\n" .. failed .. "3\n"
            .. failed .. "3\t3\n$", result.out, result.err)
    end)

    it("lets outer modules of a generator load again as well", function()
        package.preload["spec.mark"] = function()
            return quoll.coroutine.wrap(function()
                return require "spec.inner"
            end)()
        end
        package.preload["spec.inner"] = function()
            quoll.sleep(10)
        end
        quoll.run(function()
            local _, why = quoll.deadline(0.001, require, "spec.mark")
            assert.equal("timeout", why)
            assert.is_nil(package.loaded["spec.mark"])
            package.preload["spec.inner"] = function() return "inner" end
            assert.equal("inner", require "spec.mark")
        end)
        package.preload["spec.inner"], package.loaded["spec.inner"] = nil, nil
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
