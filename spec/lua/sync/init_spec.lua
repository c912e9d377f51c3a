local helper = require "spec.helper"
local quoll = require "quoll"

describe("quoll.sync", function()
    helper.gates()

    it("is the table that require gives", function()
        assert.equal(quoll.sync, require "quoll.sync")
    end)

    it("makes a new object at each call", function()
        for name, arg in pairs {
            channel = 1, event = false, mutex = false,
            semaphore = 1, waitgroup = false,
        } do
            local one = quoll.sync[name](arg or nil)
            local other = quoll.sync[name](arg or nil)
            assert.not_equal(one, other)
            assert.equal(name, getmetatable(one))
            assert.matches("^" .. name, tostring(one))
        end
    end)
end)
