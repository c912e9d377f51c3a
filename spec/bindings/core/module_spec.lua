local helper = require "spec.helper"

describe("the module quoll.core", function()
    it("is loaded once a state", function()
        local core = require "quoll.core"
        package.loaded["quoll.core"] = nil
        assert.equal(core, require "quoll.core")
    end)

    it("has the version of the header", function()
        local header = io.open(helper.root .. "/runtime/quoll.h"):read "*a"
        assert.equal(header:match '#define QL_VERSION "([^"]+)"',
            require("quoll")._VERSION)
    end)

    it("is loaded by a program that loads nothing else", function()
        local result = helper.script [[
            local core = require "quoll.core"
            print(type(core.spawn), type(core.context))
        ]]
        assert.equal("function\tuserdata\n", result.out)
        assert.equal("", result.err)
        assert.equal(0, result.code)
    end)
end)
