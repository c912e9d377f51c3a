local core = require "quoll.core"

describe("bindings/stream/calls", function()
    it("is one table, which modules loaded apart find in quoll.core", function()
        assert.equal("userdata", type(core.stream))
        package.loaded["quoll.core"] = nil
        assert.equal(core.stream, require("quoll.core").stream)
    end)
end)
