local core = require "quoll.core"

describe("bindings/process/module", function()
    it("puts the functions of processes into the core", function()
        assert.is_function(core.process.exec)
        assert.is_function(core.process.wait)
        assert.is_function(core.methods.process.close)
    end)
end)
