local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/tls/module", function()
    helper.gates()

    it("is one table, however often it is loaded", function()
        local first = require "quoll.core.tls"
        package.loaded["quoll.core.tls"] = nil
        assert.equal(first, require "quoll.core.tls")
    end)

    it("is loaded at its first use", function()
        local result = helper.script([[
            local quoll = require "quoll"
            print(package.loaded["quoll.core.tls"])
            assert(quoll.tls.context { verify = false })
            print(type(package.loaded["quoll.core.tls"]))
        ]])
        assert.equal("nil\ntable\n", result.out, result.err)
    end)

    it("says so where quoll was built without it", function()
        local loaded = package.loaded["quoll.core.tls"]
        local path = package.cpath
        package.loaded["quoll.core.tls"], package.cpath = nil, ""
        local ok, err = pcall(pair.raises, function()
            quoll.tls.context { verify = false }
        end, "module_spec.lua:%d+: built without QL_TLS")
        package.loaded["quoll.core.tls"], package.cpath = loaded, path
        assert(ok, err)
    end)
end)
