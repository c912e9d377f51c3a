local helper = require "spec.helper"

describe("lua/http/core", function()
    it("says so where the module was not built", function()
        local result = helper.script([[
            package.preload["quoll.core.http"] = function()
                error "module 'quoll.core.http' not found"
            end
            local ok, err = pcall(require, "quoll.http.server")
            print(err:match "built without QL_HTTP")
        ]])
        assert.equal("built without QL_HTTP\n", result.out)
    end)
end)
