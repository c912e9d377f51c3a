describe("bindings/http/module", function()
    it("is one table, however often it is loaded", function()
        local first = require "quoll.core.http"
        package.loaded["quoll.core.http"] = nil
        assert.equal(first, require "quoll.core.http")
    end)
end)
